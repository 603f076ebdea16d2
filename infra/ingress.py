"""The HTTP API that Slack calls."""

import json

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from config.deployment import EVENTS, INTERACTIVITY

# Requests a second, and the size of a burst. Slack delivers at most 30,000 events an hour to an app in one
# workspace, 8.3 a second (docs.slack.dev/apis/events-api).
RATE_LIMIT = 50
BURST_LIMIT = 100

# No query, body or header, because they hold signatures and what people wrote.
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "status": "$context.status",
    "responseLatency": "$context.responseLatency",
    "integrationError": "$context.integrationErrorMessage",
}


class Ingress(Construct):
    """Routes Slack's events and interactions to `receiver`. `address`: "https://…" without a path."""

    def __init__(self, scope: Construct, construct_id: str, *, receiver: lambda_.IFunction) -> None:
        super().__init__(scope, construct_id)
        self.api = apigatewayv2.HttpApi(
            self, "Api", api_name=cdk.Stack.of(self).stack_name, create_default_stage=False
        )
        integration = HttpLambdaIntegration(
            "Receiver", receiver, payload_format_version=apigatewayv2.PayloadFormatVersion.VERSION_2_0
        )
        for path in (EVENTS, INTERACTIVITY):
            self.api.add_routes(path=path, methods=[apigatewayv2.HttpMethod.POST], integration=integration)
        self._add_stage()
        self.address = self.api.api_endpoint
        cdk.Validations.of(self.api).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-APIG4",
                reason="Slack authenticates by signing each request; the receiver checks that first.",
            )
        )

    def _add_stage(self) -> None:
        log_group = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=_access_log_name(cdk.Stack.of(self)),
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        # Not HttpStage, whose log settings would need a class of our own.
        apigatewayv2.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigatewayv2.CfnStage.AccessLogSettingsProperty(
                # Not log_group_arn, which ends in ":*".
                destination_arn=cdk.Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=log_group.log_group_name,
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                ),
                format=json.dumps(ACCESS_LOG),
            ),
            default_route_settings=apigatewayv2.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=RATE_LIMIT, throttling_burst_limit=BURST_LIMIT
            ),
        )


def _access_log_name(stack: cdk.Stack) -> str:
    """A name under /aws/vendedlogs/, whose groups share one entry in the account's resource policy for logs.

    With another name, the stage could not be created in an account where that policy has reached its 5,120
    characters. docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html

    It ends with a part of the stack's id, so that a bridge that is deployed again gets another name.
    """
    stack_uuid = cdk.Fn.select(2, cdk.Fn.split("/", stack.stack_id))
    return f"/aws/vendedlogs/{stack.stack_name}-{cdk.Fn.select(0, cdk.Fn.split('-', stack_uuid))}"
