import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.aws import Aws
from simulator.journal import Entry, Journal
from simulator.lambda_service.event_source import EventSourceMapping, failure_reason
from simulator.lambda_service.runtime_api import Result
from simulator.lambda_service.service import LambdaService
from simulator.wiring import Function
from tests.simulator.lambda_service.conftest import Log

FUNCTION = Function("f", "tests.simulator.lambda_service.handlers.queue.handler", 30, 256, frozenset())


@pytest.fixture
def aws() -> Iterator[Aws]:
    aws = Aws()
    aws.start()
    yield aws
    aws.stop()


@pytest.fixture
def lambdas(journal: Journal, log: Log) -> Iterator[LambdaService]:
    service = LambdaService(journal=journal, runtime="python", on_log=log.add)
    service.add(FUNCTION, {})
    yield service
    service.stop()


@pytest.fixture
def connect(
    aws: Aws, lambdas: LambdaService, journal: Journal
) -> Iterator[Callable[..., EventSourceMapping]]:
    mappings = []

    def connect(queue_url: str, max_concurrency: int = 5) -> EventSourceMapping:
        mapping = EventSourceMapping(
            lambdas=lambdas,
            function="f",
            sqs=aws.sqs,
            queue_url=queue_url,
            max_concurrency=max_concurrency,
            journal=journal,
        )
        mapping.start()
        mappings.append(mapping)
        return mapping

    yield connect
    for mapping in mappings:
        mapping.disable()
    lambdas.stop()
    aws.end_polls()
    for mapping in mappings:
        mapping.join()


Connect = Callable[..., EventSourceMapping]


def create_queue(aws: Aws, name: str = "q", *, visibility: int = 30, **attributes: str) -> str:
    chosen: Any = {"FifoQueue": "true", "VisibilityTimeout": str(visibility), **attributes}
    return aws.sqs.create_queue(QueueName=f"{name}.fifo", Attributes=chosen)["QueueUrl"]


def send(aws: Aws, queue_url: str, body: str, group: str = "thread") -> None:
    send.count += 1  # type: ignore[attr-defined]
    aws.sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=body,
        MessageGroupId=group,
        MessageDeduplicationId=str(send.count),  # type: ignore[attr-defined]
        MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}},
    )


send.count = 0  # type: ignore[attr-defined]


def wait_for(journal: Journal, kind: str, count: int = 1) -> list[Entry]:
    """The entries of the queue of this kind, as soon as there are `count`."""
    after = 0
    while len(found := journal.entries(source="queue", kind=kind)) < count:
        new = journal.wait(after=after, timeout=30)
        assert new, journal.entries()
        after = new[-1].number
    return found


def records(log: Log, count: int) -> list[dict[str, Any]]:
    """What the function was given, as it writes it into its log; as soon as there are `count`."""
    log.wait_for("RECORD ", count)
    return [json.loads(line.removeprefix("RECORD ")) for line in log.lines if line.startswith("RECORD ")]


def depth(aws: Aws, queue_url: str) -> int:
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = aws.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(value) for value in attributes.values())


def test_the_function_sees_the_message_as_lambda_shows_it(
    aws: Aws, connect: Connect, log: Log, journal: Journal
) -> None:
    queue = create_queue(aws)
    connect(queue)
    send(aws, queue, "hello", group="T1:C1:1.2")
    wait_for(journal, "message deleted")
    [record] = records(log, 1)
    assert record["body"] == "hello"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:q.fifo"
    assert record["awsRegion"] == "us-east-1"
    assert record["attributes"]["MessageGroupId"] == "T1:C1:1.2"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {
        "SentTimestamp",
        "SequenceNumber",
        "MessageDeduplicationId",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    } <= set(record["attributes"])
    assert record["messageAttributes"]["colour"] == {"dataType": "String", "stringValue": "red"}
    assert {"messageId", "receiptHandle", "md5OfBody"} <= set(record)


@pytest.mark.parametrize("body", ["", "succeed with a list"])
def test_a_message_is_deleted_after_success(aws: Aws, connect: Connect, journal: Journal, body: str) -> None:
    queue = create_queue(aws)
    connect(queue)
    send(aws, queue, body or "anything")
    wait_for(journal, "message deleted")
    assert depth(aws, queue) == 0


@pytest.mark.parametrize("body", ["fail", "raise"])
def test_a_message_stays_after_a_failure_until_its_visibility_timeout(
    aws: Aws, connect: Connect, journal: Journal, body: str
) -> None:
    queue = create_queue(aws)
    connect(queue)
    send(aws, queue, body)
    [returned] = wait_for(journal, "message returned")
    assert returned.detail["receive_count"] == 1
    assert depth(aws, queue) == 1
    assert len(journal.entries(kind="message received")) == 1


def test_a_failed_message_keeps_the_visibility_that_was_set_while_the_function_ran(
    aws: Aws, connect: Connect, journal: Journal, log: Log
) -> None:
    queue = create_queue(aws, visibility=3600)
    connect(queue)
    send(aws, queue, "fail slowly")
    [first] = records(log, 1)
    aws.sqs.change_message_visibility(
        QueueUrl=queue, ReceiptHandle=first["receiptHandle"], VisibilityTimeout=3
    )
    wait_for(journal, "message received", 2)


def test_a_message_that_became_visible_too_early_is_not_deleted(
    aws: Aws, connect: Connect, journal: Journal, log: Log
) -> None:
    queue = create_queue(aws)
    connect(queue)
    send(aws, queue, "succeed slowly")
    [first] = records(log, 1)
    aws.sqs.change_message_visibility(
        QueueUrl=queue, ReceiptHandle=first["receiptHandle"], VisibilityTimeout=0
    )
    [returned] = wait_for(journal, "message returned")
    assert "The receipt handle has expired" in returned.detail["reason"]
    assert depth(aws, queue) == 1


def test_a_failed_message_comes_again_and_then_goes_to_the_dead_letter_queue(
    aws: Aws, connect: Connect, journal: Journal, log: Log
) -> None:
    dead = create_queue(aws, "dead")
    redrive = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead.fifo", "maxReceiveCount": 2}
    queue = create_queue(aws, RedrivePolicy=json.dumps(redrive))
    connect(queue)
    send(aws, queue, "raise")
    for attempt in (1, 2):
        *_, returned = wait_for(journal, "message returned", attempt)
        assert returned.detail["receive_count"] == attempt
        handle = records(log, attempt)[-1]["receiptHandle"]
        aws.sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    answer = aws.sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=20, MessageSystemAttributeNames=["All"])
    [message] = answer["Messages"]
    assert message["Body"] == "raise"
    assert message["Attributes"]["MessageGroupId"] == "thread"
    assert depth(aws, queue) == 0


def test_messages_of_a_group_come_one_after_the_other(
    aws: Aws, connect: Connect, journal: Journal, log: Log
) -> None:
    queue = create_queue(aws)
    for number in range(5):
        send(aws, queue, str(number))
    connect(queue)
    wait_for(journal, "message deleted", 5)
    assert [record["body"] for record in records(log, 5)] == list("01234")
    runs = [entry.kind for entry in journal.entries(source="lambda") if "invocation" in entry.kind]
    assert runs == ["invocation started", "invocation ended"] * 5


def test_a_group_whose_message_is_in_flight_does_not_delay_others(
    aws: Aws, connect: Connect, journal: Journal, lambdas: LambdaService
) -> None:
    queue = create_queue(aws)
    connect(queue)
    send(aws, queue, "hang", group="slow")
    send(aws, queue, "behind it", group="slow")
    send(aws, queue, "beside it", group="other")
    [deleted] = wait_for(journal, "message deleted")
    assert deleted.detail["group_id"] == "other"
    assert len(journal.entries(kind="message received")) == 2
    while not lambdas.kill("f"):
        pass
    wait_for(journal, "message returned")
    assert len(journal.entries(kind="message received")) == 2


def test_no_more_messages_at_once_than_the_maximum_concurrency(
    aws: Aws, connect: Connect, journal: Journal, lambdas: LambdaService
) -> None:
    queue = create_queue(aws)
    connect(queue, max_concurrency=1)
    send(aws, queue, "hang", group="one")
    wait_for(journal, "message received")
    send(aws, queue, "later", group="two")
    assert lambdas.busy("f") <= 1
    while not lambdas.kill("f"):
        pass
    wait_for(journal, "message deleted")
    assert [e.detail["group_id"] for e in journal.entries(kind="message received")] == ["one", "two"]


def test_a_crash_leaves_the_message_to_its_visibility_timeout(
    aws: Aws, connect: Connect, journal: Journal, lambdas: LambdaService
) -> None:
    queue = create_queue(aws)
    connect(queue)
    send(aws, queue, "hang")
    wait_for(journal, "message received")
    while not lambdas.kill("f"):
        pass
    [returned] = wait_for(journal, "message returned")
    assert "Runtime.ExitError" in returned.detail["reason"]
    assert depth(aws, queue) == 1


def test_a_visibility_below_the_functions_timeout_is_refused(aws: Aws, connect: Connect) -> None:
    queue = create_queue(aws, visibility=29)
    with pytest.raises(ClientError) as refused:
        connect(queue)
    assert refused.value.response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "Queue visibility timeout: 29 seconds is less than Function timeout: 30 seconds",
    }


@pytest.mark.parametrize("payload", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_answers_without_failures_are_success(payload: object) -> None:
    assert failure_reason(Result(payload=payload)) is None


@pytest.mark.parametrize(
    "payload",
    [
        "done",
        7,
        {"batchItemFailures": [{"itemIdentifier": "the message"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"wrong": "key"}]},
        {"batchItemFailures": "all"},
    ],
)
def test_every_other_answer_is_a_failure(payload: object) -> None:
    assert failure_reason(Result(payload=payload)) is not None
