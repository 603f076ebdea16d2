import uuid
from dataclasses import replace

import pytest

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.queue import QuestionTooLong, Queues, SqsKeptMessages, SqsMessage
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.queue_commands import Ask, RefusePress, from_json
from simulator.aws import Aws
from tests.functions.adapters.aws.recording import RecordingClient
from tests.functions.fakes import TURN


@pytest.fixture
def url(aws: Aws) -> str:
    """A queue of the test's own, for questions."""
    return new_queue(aws)


@pytest.fixture
def control_url(aws: Aws) -> str:
    return new_queue(aws)


@pytest.fixture
def kept(url: str) -> SqsKeptMessages:
    return SqsKeptMessages(JsonClient("sqs"), url)


@pytest.fixture
def queues(url: str, control_url: str) -> Queues:
    return Queues(JsonClient("sqs"), questions=url, control=control_url)


def new_queue(aws: Aws) -> str:
    attributes = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"}
    created = aws.sqs.create_queue(QueueName=f"{uuid.uuid4()}.fifo", Attributes=attributes)  # type: ignore[arg-type]
    return created["QueueUrl"]


def test_a_turn_waits_in_the_group_of_its_thread(
    aws: Aws, queues: Queues, url: str, control_url: str
) -> None:
    turn = replace(TURN, ts="1700000001.000100")
    queues.send(Ask(turn))
    [message] = aws.sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    assert from_json(message["Body"]) == Ask(turn)
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=control_url)
    assert message["Attributes"]["MessageGroupId"] == "T1:C1:1700000000.000100"
    assert message["Attributes"]["MessageDeduplicationId"] == "T1:C1:1700000001.000100#1"


def test_what_needs_no_agent_is_on_a_queue_of_its_own(
    aws: Aws, queues: Queues, url: str, control_url: str
) -> None:
    refusal = RefusePress("T1", "C1", TURN.thread_ts, "U2", "1700000020.000100")
    queues.send(refusal)
    [message] = aws.sqs.receive_message(QueueUrl=control_url)["Messages"]
    assert from_json(message["Body"]) == refusal
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=url)


def test_a_message_carries_no_token(aws: Aws, queues: Queues, url: str) -> None:
    queues.send(Ask(replace(TURN, ts="1700000002.000100")))
    [message] = aws.sqs.receive_message(QueueUrl=url)["Messages"]
    assert "xox" not in message["Body"]  # the receipt is of random letters


def test_a_turn_that_is_sent_twice_arrives_once(aws: Aws, queues: Queues, url: str) -> None:
    for _ in range(2):
        queues.send(Ask(replace(TURN, ts="1700000003.000100")))
    received = aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    assert len(received["Messages"]) == 1


@pytest.mark.parametrize("text", ["\ufffe", "\u0000\u0008", "🌦" * 1000])
def test_any_text_can_be_sent(queues: Queues, text: str) -> None:
    queues.send(Ask(replace(TURN, ts=f"170000000{len(text)}.1", text=text)))


def test_a_question_that_does_not_fit_is_refused_and_not_cut(queues: Queues) -> None:
    with pytest.raises(QuestionTooLong, match="at most 1048576 fit"):
        queues.send(Ask(replace(TURN, text="x" * 1_048_576)))


def test_a_queue_that_is_not_there_is_reported_as_unavailable(aws: Aws) -> None:
    missing = aws.url + "/123456789012/no-such-queue.fifo"
    with pytest.raises(ServiceUnavailable):
        Queues(JsonClient("sqs"), questions=missing, control=missing).send(Ask(TURN))


def test_a_message_can_be_hidden_and_shown_again(aws: Aws, queues: Queues, url: str) -> None:
    queues.send(Ask(replace(TURN, ts="1700000004.000100")))
    [message] = aws.sqs.receive_message(QueueUrl=url)["Messages"]
    held = SqsMessage(JsonClient("sqs"), url, message["ReceiptHandle"])
    held.extend_visibility(59.5)
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=url)
    held.extend_visibility(0)
    assert "Messages" in aws.sqs.receive_message(QueueUrl=url)


def test_a_receipt_that_is_not_valid_is_reported_as_unavailable(url: str) -> None:
    with pytest.raises(ServiceUnavailable):
        SqsMessage(JsonClient("sqs"), url, "no-such-receipt").extend_visibility(60)


def received(aws: Aws, url: str) -> SqsMessage:
    [message] = aws.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    return SqsMessage(JsonClient("sqs"), url, message["ReceiptHandle"])


def test_a_kept_message_is_woken_by_its_receipt(
    aws: Aws, queues: Queues, url: str, kept: SqsKeptMessages
) -> None:
    queues.send(Ask(replace(TURN, ts="1700000005.000100")))
    message = received(aws, url)
    message.extend_visibility(39_600)
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=url)
    kept.wake(message.receipt)
    received(aws, url)


def test_to_wake_a_message_that_shows_already_changes_nothing(
    aws: Aws, queues: Queues, url: str, kept: SqsKeptMessages
) -> None:
    queues.send(Ask(replace(TURN, ts="1700000006.000100")))
    message = received(aws, url)
    kept.wake(message.receipt)
    kept.wake(message.receipt)
    received(aws, url)


def test_a_message_that_was_delivered_again_since_stays_with_whoever_has_it(
    aws: Aws, queues: Queues, url: str, kept: SqsKeptMessages
) -> None:
    queues.send(Ask(replace(TURN, ts="1700000007.000100")))
    former = received(aws, url)
    former.extend_visibility(0)
    received(aws, url)
    kept.wake(former.receipt)
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=url)


def test_to_wake_a_message_that_is_gone_changes_nothing(
    aws: Aws, queues: Queues, url: str, kept: SqsKeptMessages
) -> None:
    queues.send(Ask(replace(TURN, ts="1700000008.000100")))
    message = received(aws, url)
    aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message.receipt)
    kept.wake(message.receipt)


def test_a_receipt_that_sqs_never_gave_wakes_nothing_and_is_reported(kept: SqsKeptMessages) -> None:
    with pytest.raises(ServiceUnavailable, match="SQS did not show the message: ReceiptHandleIsInvalid"):
        kept.wake("no-such-receipt")


def test_a_queue_that_cannot_be_reached_is_reported_to_whoever_wakes(url: str) -> None:
    client = RecordingClient("sqs")
    client.is_down = True
    with pytest.raises(ServiceUnavailable):
        SqsKeptMessages(client, url).wake("receipt")
