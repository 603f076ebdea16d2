"""Receipt handles of FIFO queues, over HTTP with AWS's own client."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.aws import Aws


class Clock:
    hours = 0.0

    def now(self) -> float:
        return self.hours * 3600


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def aws(clock: Clock) -> Iterator[Aws]:
    aws = Aws(now=clock.now)
    aws.start()
    yield aws
    aws.stop()


class Queue:
    """A queue with one message."""

    def __init__(self, aws: Aws) -> None:
        self._sqs = aws.sqs
        fifo: Any = {"FifoQueue": "true", "VisibilityTimeout": "60"}
        self.url = aws.sqs.create_queue(QueueName=f"{uuid.uuid4()}.fifo", Attributes=fifo)["QueueUrl"]
        self._sqs.send_message(
            QueueUrl=self.url, MessageBody="{}", MessageGroupId="thread", MessageDeduplicationId="1"
        )

    def receive(self) -> str:
        [message] = self._sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=5)["Messages"]
        return message["ReceiptHandle"]

    def is_hidden(self) -> bool:
        return "Messages" not in self._sqs.receive_message(QueueUrl=self.url)

    def change(self, handle: str, seconds: int) -> None:
        self._sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=seconds
        )

    def delete(self, handle: str) -> None:
        self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=handle)


@pytest.fixture
def queue(aws: Aws) -> Queue:
    return Queue(aws)


@contextmanager
def refused(code: str, reason: str) -> Iterator[None]:
    with pytest.raises(ClientError, match=reason) as error:
        yield
    assert error.value.response["Error"]["Code"] == code


def test_the_latest_handle_changes_the_visibility_of_its_message(queue: Queue) -> None:
    handle = queue.receive()
    queue.change(handle, 600)
    assert queue.is_hidden()
    queue.change(handle, 0)
    assert not queue.is_hidden()


def test_the_latest_handle_deletes_its_message_and_may_do_so_again(queue: Queue) -> None:
    handle = queue.receive()
    queue.delete(handle)
    queue.delete(handle)


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_message_that_is_visible_again_is_not_in_flight(queue: Queue, seconds: int) -> None:
    handle = queue.receive()
    queue.change(handle, 0)
    with refused("AWS.SimpleQueueService.MessageNotInflight", "not in flight"):
        queue.change(handle, seconds)
    assert not queue.is_hidden()


def test_a_message_that_is_visible_again_cannot_be_deleted(queue: Queue) -> None:
    handle = queue.receive()
    queue.change(handle, 0)
    with refused("InvalidParameterValue", "The receipt handle has expired"):
        queue.delete(handle)
    assert not queue.is_hidden()


def test_a_handle_of_an_earlier_receive_has_expired(queue: Queue) -> None:
    earlier = queue.receive()
    queue.change(earlier, 0)
    queue.receive()
    with refused("InvalidParameterValue", "for parameter ReceiptHandle .* has expired"):
        queue.change(earlier, 0)
    with refused("InvalidParameterValue", "for parameter ReceiptHandle .* has expired"):
        queue.delete(earlier)
    assert queue.is_hidden()


def test_the_visibility_of_a_message_that_is_gone_cannot_be_changed(queue: Queue) -> None:
    handle = queue.receive()
    queue.delete(handle)
    with refused("InvalidParameterValue", "Message does not exist"):
        queue.change(handle, 60)


def test_a_handle_that_was_never_given_out_is_invalid(queue: Queue) -> None:
    queue.receive()
    with refused("ReceiptHandleIsInvalid", "receipt handle is invalid"):
        queue.change("no-such-handle", 60)
    with refused("ReceiptHandleIsInvalid", "receipt handle is invalid"):
        queue.delete("no-such-handle")


def test_twelve_hours_count_from_the_receive(queue: Queue, clock: Clock) -> None:
    first = queue.receive()
    queue.change(first, 12 * 3600)
    clock.hours += 11
    queue.change(first, 3600)
    with refused("InvalidParameterValue", r"beyond the limit \[43200 seconds\]"):
        queue.change(first, 3601)
    queue.change(first, 0)
    second = queue.receive()
    queue.change(second, 12 * 3600)
