"""SQS: where the receiver puts turns, and the message that brought one to a worker."""

import math
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.bridge.errors import ServiceUnavailable
from functions.bridge.turn import Turn, to_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MESSAGE_BYTES = 1_048_576


class QuestionTooLong(Exception):
    """The turn does not fit into a queue message."""


class TurnQueue:
    """The FIFO queue: one message group per thread, deduplicated by turn and attempt."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, turn: Turn) -> None:
        """Put the turn on the queue, once however often it is sent within five minutes.

        Raises:
            QuestionTooLong: over 1 MiB.
            ServiceUnavailable: SQS did not take it.
        """
        body = to_json(turn)
        if len(body) > MESSAGE_BYTES:
            raise QuestionTooLong(f"{len(body)} bytes, at most {MESSAGE_BYTES} fit")
        try:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageGroupId=turn.group_id,
                MessageDeduplicationId=turn.deduplication_id,
            )
        except (ClientError, BotoCoreError) as exc:
            raise ServiceUnavailable(f"SQS did not take the turn: {type(exc).__name__}") from exc


class QueueMessage:
    """A received message, by its receipt. See `functions.bridge.delivery.Message`."""

    def __init__(self, client: "SQSClient", url: str, receipt_handle: str) -> None:
        self._client = client
        self._url = url
        self._receipt_handle = receipt_handle

    def hide(self, seconds: float) -> None:
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=self._receipt_handle,
                VisibilityTimeout=math.ceil(seconds),
            )
        except (ClientError, BotoCoreError) as exc:
            raise ServiceUnavailable(f"SQS did not hide the message: {type(exc).__name__}") from exc
