"""SQS: where the receiver puts commands, and the message that brought one to a function."""

import math

from functions.adapters.aws.json_client import AwsError, JsonClient
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.queue_commands import Command, ControlCommand, Ping, to_json

# docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MESSAGE_BYTES = 1_048_576

# The message is visible, was received again, or is gone. SQS documents the first name only, and gives the
# others for receipts that have expired: github.com/aws/aws-sdk-java/issues/1628
_NOT_HIDDEN_BY_THIS_RECEIPT = frozenset(
    {"MessageNotInflight", "InvalidParameterValueException", "InvalidParameterValue"}
)


class QuestionTooLong(Exception):
    """The command does not fit into a queue message."""


class Queues:
    """Both FIFO queues, by their URLs: for questions, and for commands that must not wait for answers."""

    def __init__(self, client: JsonClient, *, questions: str, control: str) -> None:
        self._client = client
        self._questions = questions
        self._control = control

    def send(self, command: Command | Ping) -> None:
        """Put the command on its queue, once however often it is sent within five minutes.

        Raises:
            QuestionTooLong: over 1 MiB.
            ServiceUnavailable: SQS did not take it.
        """
        body = to_json(command)
        if len(body) > MESSAGE_BYTES:
            raise QuestionTooLong(f"{len(body)} bytes, at most {MESSAGE_BYTES} fit")
        try:
            self._client.call(
                "SendMessage",
                QueueUrl=self._control if isinstance(command, ControlCommand) else self._questions,
                MessageBody=body,
                MessageGroupId=command.group_id,
                MessageDeduplicationId=command.deduplication_id,
            )
        except AwsError as exc:
            raise ServiceUnavailable(f"SQS did not take the command: {exc.code}") from exc


class SqsMessage:
    """A received message, by its receipt. See `functions.bridge.delivery.QueueMessage`."""

    def __init__(self, client: JsonClient, url: str, receipt_handle: str) -> None:
        self._client = client
        self._url = url
        self.receipt = receipt_handle

    def extend_visibility(self, seconds: float) -> None:
        try:
            _change_visibility(self._client, self._url, self.receipt, math.ceil(seconds))
        except AwsError as exc:
            raise ServiceUnavailable(f"SQS did not hide the message: {exc.code}") from exc


class SqsKeptMessages:
    """Messages of the queue with this URL. See `functions.bridge.delivery.KeptMessages`."""

    def __init__(self, client: JsonClient, url: str) -> None:
        self._client = client
        self._url = url

    def wake(self, receipt: str) -> None:
        try:
            _change_visibility(self._client, self._url, receipt, 0)
        except AwsError as exc:
            if exc.code not in _NOT_HIDDEN_BY_THIS_RECEIPT:
                raise ServiceUnavailable(f"SQS did not show the message: {exc.code}") from exc


def _change_visibility(client: JsonClient, url: str, receipt: str, seconds: int) -> None:
    client.call("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
