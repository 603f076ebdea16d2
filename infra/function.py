"""A Lambda function of the bridge, with a role and a log group of its own."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.code_asset import ARCHITECTURE, RUNTIME

# Seconds. The CDK and cfn-lint still refuse longer timeouts.
FORMER_LONGEST_TIMEOUT = 900


class BridgeFunction(Construct):
    """The function that runs `handler`. Its role may only write its log and traces until `allow` is called.

    `memory`: MB. `reserved_concurrency`: executions reserved for this function, which are also its most.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: lambda_.Code,
        handler: str,
        timeout: cdk.Duration,
        memory: int,
        environment: Mapping[str, str],
        layers: Sequence[lambda_.ILayerVersion] = (),
        description: str | None = None,
        reserved_concurrency: int | None = None,
        is_traced: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.memory = memory
        self.log_group = log_group = logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        # Not CDK's own role: its AWSLambdaBasicExecutionRole may write to every log group.
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            code=code,
            description=description,
            handler=handler,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            timeout=timeout,
            memory_size=memory,
            role=self.role,
            tracing=lambda_.Tracing.ACTIVE if is_traced else lambda_.Tracing.DISABLED,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            layers=[*layers],
            reserved_concurrent_executions=reserved_concurrency,
            environment={**environment},
        )
        if is_traced:
            cdk.Validations.of(self.role).acknowledge(
                cdk.Acknowledgment(
                    id="AwsSolutions-IAM5[Resource::*]",
                    reason="X-Ray's two write actions, which Tracing.ACTIVE needs, know no resource.",
                )
            )
        cdk.Validations.of(self.function).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-L1",
                reason="python3.13 starts faster on arm64 than python3.14 does, and is what the tests run.",
            )
        )
        if timeout.to_seconds() > FORMER_LONGEST_TIMEOUT:
            cdk.Validations.of(self.function).acknowledge(
                cdk.Acknowledgment(
                    id="CloudFormation-Validate::E3717",
                    reason="Lambda's model has allowed 1,800 seconds since November 2026 (botocore 1.44.8).",
                )
            )

    def allow(self, resources: Sequence[str], *actions: str) -> None:
        """Let the function do `actions` to the resources with these ARNs.

        CDK's `grant_*` methods give more than the code uses: `grant_read` of a secret also describes it,
        `grant_send_messages` also reads the queue's attributes.
        """
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources))
        )

    def read_from(self, queue: sqs.IQueue, *, max_concurrency: int) -> None:
        """Run the function for each message of `queue`, at most `max_concurrency` at once."""
        lambda_.EventSourceMapping(
            self,
            "Messages",
            target=self.function,
            event_source_arn=queue.queue_arn,
            batch_size=1,  # a turn may take minutes, and in a batch other threads would wait for it
            report_batch_item_failures=True,
            max_concurrency=max_concurrency,
        )
        # What Lambda's pollers need of the function's role:
        # docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#events-sqs-permissions
        self.allow([queue.queue_arn], "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
        # The function itself sets when a message that it gives back is delivered again.
        self.allow([queue.queue_arn], "sqs:ChangeMessageVisibility")
