"""The queues: of questions, of commands that must not wait behind answers, and of dead letters."""

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

# Lambda refuses an event source whose queue hides a message for less than the function's timeout. AWS
# advises six times that, for batches and throttled functions (docs.aws.amazon.com/lambda/latest/dg/
# services-sqs-configure.html); with one message a batch, and never more of them than the function may run
# at once, it would only make a thread wait longer for the turn after a crash.
VISIBILITY_MARGIN = cdk.Duration.seconds(30)
# The longest there is: a question that expires in a queue would get no outcome, and nobody would know.
RETENTION = cdk.Duration.days(14)


class Queues(Construct):
    """`questions` holds what runs agents, in order within each thread, and `control` everything else.

    A message is hidden for the timeout of the function that reads it plus a margin. After as many receives as
    the queue's `…_receives` it moves to `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        worker_timeout: cdk.Duration,
        control_timeout: cdk.Duration,
        dead_letters_timeout: cdk.Duration,
        question_receives: int,
        control_receives: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = _fifo_queue(self, "DeadLetters", timeout=dead_letters_timeout)
        self.questions = _fifo_queue(
            self, "Questions", timeout=worker_timeout, dead_letter_queue=self._after(question_receives)
        )
        self.control = _fifo_queue(
            self, "Control", timeout=control_timeout, dead_letter_queue=self._after(control_receives)
        )

    def _after(self, receives: int) -> sqs.DeadLetterQueue:
        return sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=receives)


def _fifo_queue(
    scope: Construct,
    construct_id: str,
    *,
    timeout: cdk.Duration,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    return sqs.Queue(
        scope,
        construct_id,
        fifo=True,
        # High throughput: the limits, and the search for duplicates, are a message group's (a thread's) own.
        fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
        deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        visibility_timeout=timeout.plus(VISIBILITY_MARGIN),
        retention_period=RETENTION,
        dead_letter_queue=dead_letter_queue,
    )
