"""The event source mapping from an SQS queue to a function, with batches of one message.

It partly fails as with ReportBatchItemFailures. https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

import json
import threading
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.aws import REGION
from simulator.journal import Journal
from simulator.lambda_service.runtime_api import Result
from simulator.lambda_service.service import LambdaService, RequestTooLargeError, TooManyRequestsError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LONG_POLL_SECONDS = 20


class EventSourceMapping:
    """Gives each message of a queue to a function, several at a time.

    SQS keeps the order within a message group: while one of its messages is in flight it hands out no other.

    Args:
        max_concurrency: how many messages at once, at most; no more than the function may have environments.
        journal: is told of messages, under the source "queue".

    Raises:
        ClientError: InvalidParameterValueException, as Lambda refuses a queue that would give a message to a
            second invocation while the first may still run.
    """

    def __init__(
        self,
        *,
        lambdas: LambdaService,
        function: str,
        sqs: "SQSClient",
        queue_url: str,
        max_concurrency: int,
        journal: Journal,
    ) -> None:
        self._lambdas = lambdas
        self._function = function
        self._sqs = sqs
        self._queue_url = queue_url
        self._queue = queue_url.rpartition("/")[2]
        self._journal = journal
        attributes = sqs.get_queue_attributes(
            QueueUrl=queue_url, AttributeNames=["QueueArn", "VisibilityTimeout"]
        )["Attributes"]
        self._queue_arn = attributes["QueueArn"]
        _check_visibility(int(attributes["VisibilityTimeout"]), lambdas.function(function).timeout)
        self._concurrency = min(max_concurrency, lambdas.concurrency)
        self._slots = threading.Semaphore(self._concurrency)
        self._disabled = threading.Event()
        self._poller = threading.Thread(target=self._poll, daemon=True)

    def start(self) -> None:
        self._poller.start()

    def disable(self) -> None:
        """Takes no further messages. A poll that waits at the queue goes on until the queue answers it."""
        self._disabled.set()
        self._slots.release()

    def join(self, timeout: float = 5.0) -> None:
        """Waits, after `disable`, until the last poll is answered and the last message dealt with."""
        if self._poller.is_alive():
            self._poller.join(timeout)
        for _ in range(self._concurrency):
            self._slots.acquire(timeout=timeout)

    def _poll(self) -> None:
        while True:
            self._slots.acquire()
            if self._disabled.is_set():
                return
            try:
                message = self._receive()
            except (BotoCoreError, ClientError):
                # The queue is gone, as at the end of a simulation, or one poll failed: Lambda polls again.
                self._disabled.wait(1)
                message = None
            if message is None:
                self._slots.release()
            else:
                threading.Thread(target=self._process, args=(message,), daemon=True).start()

    def _receive(self) -> "MessageTypeDef | None":
        # One at a time: the next poll finds the group of this message locked.
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=LONG_POLL_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        return messages[0] if messages else None

    def _process(self, message: "MessageTypeDef") -> None:
        attributes = message["Attributes"]
        facts = {
            "queue": self._queue,
            "message_id": message["MessageId"],
            "group_id": attributes.get("MessageGroupId"),
            "deduplication_id": attributes.get("MessageDeduplicationId"),
            "receive_count": int(attributes["ApproximateReceiveCount"]),
        }
        self._journal.add("queue", "message received", **facts, body=message["Body"])
        try:
            reason = self._invoke(message)
            if reason is None:
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
                self._journal.add("queue", "message deleted", **facts)
            else:
                self._journal.add("queue", "message returned", **facts, reason=reason)
        except (BotoCoreError, ClientError) as error:
            self._journal.add("queue", "message returned", **facts, reason=f"DeleteMessage failed: {error}")
        finally:
            self._slots.release()

    def _invoke(self, message: "MessageTypeDef") -> str | None:
        """Runs the function on the message; says why the message must go back to the queue, if it must."""
        event = {"Records": [record(message, self._queue_arn)]}
        try:
            result = self._lambdas.invoke(self._function, event)
        except (TooManyRequestsError, RequestTooLargeError) as error:
            return str(error)
        return failure_reason(result)


def failure_reason(result: Result) -> str | None:
    """Why the only message of the batch failed; None when it succeeded.

    Success is no list of failures or an empty one. Anything else, with one message in the batch, can only be
    that message or a mistake, and a mistake fails the whole batch.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if result.error:
        return f"{result.error['errorType']}: {result.error.get('errorMessage', '')}"
    if result.payload is None:
        return None
    if not isinstance(result.payload, dict):
        return f"invalid response: {json.dumps(result.payload)[:100]}"
    failures = result.payload.get("batchItemFailures")
    return f"reported as failed: {json.dumps(failures)[:100]}" if failures else None


def record(message: "MessageTypeDef", queue_arn: str) -> dict[str, Any]:
    """The message as the function sees it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {
            name: _message_attribute(dict(value))
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }


def _message_attribute(value: dict[str, Any]) -> dict[str, Any]:
    """In an event the names of the members begin with a small letter."""
    return {name[0].lower() + name[1:]: member for name, member in value.items()}


def _check_visibility(visibility_timeout: int, function_timeout: int) -> None:
    if visibility_timeout >= function_timeout:
        return
    message = (
        f"Queue visibility timeout: {visibility_timeout} seconds is less than "
        f"Function timeout: {function_timeout} seconds"
    )
    raise ClientError(
        {"Error": {"Code": "InvalidParameterValueException", "Message": message}}, "CreateEventSourceMapping"
    )
