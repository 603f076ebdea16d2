"""The queues of questions, of control commands and of dead letters."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.deployment import CONTROL_RECEIVES, QUESTION_RECEIVES, RETENTION, VISIBILITY_MARGIN


class Queues(Construct):
    """`questions` is for commands that run agents, in order within each thread; `control` for all others.

    A queue's visibility timeout is its function's timeout plus a margin. All times are in seconds.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        worker_timeout: int,
        control_timeout: int,
        dead_letters_timeout: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = _fifo_queue(self, "DeadLetters", timeout=dead_letters_timeout)
        self.questions = _fifo_queue(
            self,
            "Questions",
            timeout=worker_timeout,
            dead_letter_queue=self._redrive_after(QUESTION_RECEIVES),
        )
        self.control = _fifo_queue(
            self, "Control", timeout=control_timeout, dead_letter_queue=self._redrive_after(CONTROL_RECEIVES)
        )

    def allow_only(self, senders: Sequence[str]) -> None:
        """Let only the roles with these ARNs send commands.

        A sender can ask as any person, because the message says who asks. A redrive of dead letters sends
        with the role of the operator who starts it; SQS itself moves messages into the dead-letter queue.
        In a session of a role, `aws:PrincipalArn` is the ARN of the role:
        docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        for queue in (self.questions, self.control):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={"ArnNotEquals": {"aws:PrincipalArn": list(senders)}},
                )
            )

    def _redrive_after(self, receives: int) -> sqs.DeadLetterQueue:
        return sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=receives)


def _fifo_queue(
    scope: Construct,
    construct_id: str,
    *,
    timeout: int,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    return sqs.Queue(
        scope,
        construct_id,
        fifo=True,
        # High throughput: rate limits and deduplication count for each message group, which is a thread.
        fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
        deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        visibility_timeout=cdk.Duration.seconds(timeout + VISIBILITY_MARGIN),
        retention_period=cdk.Duration.seconds(RETENTION),
        dead_letter_queue=dead_letter_queue,
    )
