"""What SQS asks of a receipt handle of a FIFO queue. moto takes any handle that it ever gave.

A handle is good while its message is in flight and has not been received again since.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
https://github.com/aws/aws-sdk-js/issues/1279, https://github.com/localstack/localstack/pull/12442
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from moto.sqs.models import Message, Queue

# Counted from the receive, however often it is changed:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
LONGEST_VISIBILITY_SECONDS = 43_200

INVALID = ("com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404)
NOT_IN_FLIGHT = (
    "com.amazonaws.sqs#MessageNotInflight",
    "AWS.SimpleQueueService.MessageNotInflight",
    400,
)
INVALID_VALUE = ("com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue", 400)


class Receipts:
    """The handles that were given out, and when. `now`: seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._received: dict[str, float] = {}

    def note(self, response: Response) -> None:
        """Remember the handles in an answer to ReceiveMessage."""
        for message in json.loads(response.data).get("Messages", []):
            self._received[message["ReceiptHandle"]] = self._now()

    def change_visibility(self, queue: "Queue", arguments: dict[str, Any]) -> Response:
        """Answer ChangeMessageVisibility. moto would count the twelve hours from the sending."""
        handle, seconds = arguments["ReceiptHandle"], int(arguments["VisibilityTimeout"])
        if handle not in self._received:
            return _refused(INVALID, "The input receipt handle is invalid.")
        message = _message(queue, handle)
        if message is None:
            reason = "Message does not exist or is not available for visibility timeout change."
            return _invalid_value("ReceiptHandle", handle, reason)
        if message.receipt_handle != handle:
            return _invalid_value("ReceiptHandle", handle, "The receipt handle has expired.")
        if message.visible:
            return _refused(NOT_IN_FLIGHT, "The message referred to is not in flight.")
        if self._now() + seconds > self._received[handle] + LONGEST_VISIBILITY_SECONDS:
            limit = f"beyond the limit [{LONGEST_VISIBILITY_SECONDS} seconds]"
            reason = f"Total VisibilityTimeout for the message is {limit}"
            return _invalid_value("VisibilityTimeout", seconds, reason)
        message.change_visibility(seconds)
        if seconds == 0:
            queue.pending_messages.discard(message)
        return Response("{}", 200, content_type="application/x-amz-json-1.0")

    def refuse_deletion(self, queue: "Queue", arguments: dict[str, Any]) -> Response | None:
        """What DeleteMessage is refused with; None where it is not. To delete a second time is no error."""
        message = _message(queue, handle := arguments["ReceiptHandle"])
        if message is None or (message.receipt_handle == handle and not message.visible):
            return None
        return _invalid_value("ReceiptHandle", handle, "The receipt handle has expired.")


def _message(queue: "Queue", handle: str) -> "Message | None":
    """The message that was once received with this handle, unless it has left the queue."""
    return next((one for one in queue._messages if one.had_receipt_handle(handle)), None)


def _invalid_value(parameter: str, value: object, reason: str) -> Response:
    return _refused(INVALID_VALUE, f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def _refused(error: tuple[str, str, int], message: str) -> Response:
    """An error of SQS's JSON protocol. A client may read either name of it, as botocore reads the second:

    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
    """
    shape, query_code, status = error
    response = Response(
        json.dumps({"__type": shape, "message": message}), status, content_type="application/x-amz-json-1.0"
    )
    response.headers["x-amzn-query-error"] = f"{query_code};Sender"
    return response
