"""What a queue consumer makes of an event and of an outcome: its answer, its log line, its metrics."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.bridge.agents.events import Usage
from functions.bridge.agents.failures import Failure
from functions.bridge.delivery import Delivery
from functions.bridge.queue_commands import Ask, Command, Ping, RefusePress, Retry, to_json
from functions.bridge.turn import Notice
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.consumer import Consumer, Work
from simulator.aws import AUDIT_LOG_GROUP, BOT_TOKEN_SECRET_ID, TABLE, Aws
from tests.functions.adapters.aws.recording import RecordingClient
from tests.functions.fakes import TURN
from tests.functions.lambda_log import metrics_in, written


class Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Desk:
    """A consumer behind a queue that has one message."""

    def __init__(self, aws: Aws, capsys: pytest.CaptureFixture[str], *, is_last: bool = False) -> None:
        self._aws = aws
        self._capsys = capsys
        created = aws.sqs.create_queue(QueueName=f"{uuid.uuid4()}.fifo", Attributes={"FifoQueue": "true"})
        self._queue_url = created["QueueUrl"]
        environment = {
            "QUEUE_URL": self._queue_url,
            "BOT_TOKEN_SECRET_ID": BOT_TOKEN_SECRET_ID,
            "LEDGER_TABLE": TABLE,
            "AUDIT_LOG_GROUP": AUDIT_LOG_GROUP,
            "LEASE_SECONDS": "60",
            "NOTIFY_AFTER_SECONDS": "60",
        }
        self.consumer = Consumer(environment, is_last=is_last)
        self.consumer._sqs = self._sqs = RecordingClient("sqs")
        self.lines: list[dict[str, Any]] = []

    def consume(self, body: str, work: Work, *, receives: int = 1) -> dict[str, Any]:
        self._aws.sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=body,
            MessageGroupId="g",
            MessageDeduplicationId=str(id(self)),
        )
        [message] = self._aws.sqs.receive_message(QueueUrl=self._queue_url)["Messages"]
        record = {
            "messageId": "m1",
            "receiptHandle": message["ReceiptHandle"],
            "body": body,
            "attributes": {"ApproximateReceiveCount": str(receives)},
        }
        with written(self._capsys) as self.lines:
            return self.consumer.consume({"Records": [record]}, Context(), work)

    def line(self, message: str) -> dict[str, Any]:
        [line] = [line for line in self.lines if line.get("message") == message]
        return line

    def metrics(self) -> dict[str, list[str]]:
        """Metrics by name, each with the values of its dimensions but the service."""
        return metrics_in(self.lines)

    @property
    def hidden(self) -> list[int]:
        """For how long the message was hidden each time, in seconds."""
        return [arguments["VisibilityTimeout"] for arguments in self._sqs.arguments]


@pytest.fixture
def desk(aws: Aws, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(aws, capsys)


@pytest.fixture
def last_desk(aws: Aws, capsys: pytest.CaptureFixture[str]) -> Desk:
    """One behind the dead-letter queue."""
    return Desk(aws, capsys, is_last=True)


def ends_with(outcome: Outcome) -> Work:
    def work(command: Command, delivery: Delivery, ports: Ports) -> Outcome:
        assert (command, delivery.owner, ports.lease_seconds) == (ASK, "request-1", 60)
        return outcome

    return work


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as environment:
        environment.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


ASK = Ask(TURN)
REFUSAL = RefusePress("T1", "C1", TURN.thread_ts, "U2", "1700000020.000100")
DONE: dict[str, Any] = {"batchItemFailures": []}
AGAIN = {"batchItemFailures": [{"itemIdentifier": "m1"}]}


@pytest.mark.usefixtures("in_tokyo")
def test_log_lines_say_when_in_utc_as_rfc_3339_has_it(desk: Desk) -> None:
    desk.consume(to_json(ASK), ends_with(Outcome(Verdict.ANSWERED)))
    said = desk.line("turn handled")["timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said)
    assert abs(datetime.fromisoformat(said) - datetime.now(UTC)) < timedelta(minutes=10)


def test_an_invocation_writes_its_metrics_in_one_line(desk: Desk) -> None:
    outcome = Outcome(Verdict.FAILED, failure=Failure.ACCESS_DENIED, first_text_seconds=1.5)
    desk.consume(to_json(ASK), ends_with(outcome))
    [line] = [line for line in desk.lines if "_aws" in line]
    assert (line["Turns"], line["Failures"], line["TimeToFirstText"]) == (1, 1, 1.5)


def test_a_turn_that_is_done_with_leaves_the_queue(desk: Desk) -> None:
    outcome = Outcome(Verdict.ANSWERED, first_text_seconds=1.5, guardrails=("pii masked",))
    assert desk.consume(to_json(ASK), ends_with(outcome)) == DONE
    assert desk.hidden == []
    line = desk.line("turn handled")
    assert (line["level"], line["verdict"], line["reference"]) == ("INFO", "answered", TURN.reference)
    assert desk.metrics() == {
        "Turns": ["answered"],
        "FailedAnswers": [],
        "Guardrails": ["intervened"],
        "TimeToFirstText": [],
        "TimeToAnswer": [],
    }


def test_a_failure_is_counted_by_its_kind_under_the_reference_that_the_user_saw(desk: Desk) -> None:
    outcome = Outcome(Verdict.FAILED, failure=Failure.ACCESS_DENIED, detail="AccessDeniedException")
    assert desk.consume(to_json(ASK), ends_with(outcome)) == DONE
    line = desk.line("turn handled")
    assert (line["level"], line["failure"], line["reference"]) == ("WARNING", "access_denied", TURN.reference)
    assert desk.metrics() == {"Turns": ["failed"], "FailedAnswers": [], "Failures": ["access_denied"]}


@pytest.mark.parametrize(
    ("verdict", "counted"),
    [
        (Verdict.ANSWERED, [0]),
        (Verdict.FAILED, [1]),
        (Verdict.INTERRUPTED, [1]),
        (Verdict.STOPPED, []),
        (Verdict.REFUSED, []),
        (Verdict.DUPLICATE, []),
    ],
)
def test_the_average_of_failed_answers_is_the_share_that_fails(
    desk: Desk, verdict: Verdict, counted: list[int]
) -> None:
    desk.consume(to_json(ASK), ends_with(Outcome(verdict)))
    assert [line["FailedAnswers"] for line in desk.lines if "FailedAnswers" in line] == counted


def test_the_line_of_a_turn_has_its_whole_timeline(desk: Desk) -> None:
    sent = float(TURN.ts)
    outcome = Outcome(
        Verdict.ANSWERED, agent="finops", claimed_at=sent + 1, asked_at=sent + 2.5, first_text_at=sent + 4
    )
    desk.consume(to_json(ASK), ends_with(outcome))
    line = desk.line("turn handled")
    assert line["agent"] == "finops"
    assert (line["claimed_after"], line["asked_after"], line["first_text_after"]) == (1.0, 2.5, 4.0)
    [metric] = [line for line in desk.lines if "TimeToAnswer" in line]
    assert metric["TimeToAnswer"] == line["ended_after"] > 4


@pytest.mark.parametrize("verdict", [Verdict.ANSWERED, Verdict.AWAITING_APPROVAL, Verdict.OWED])
def test_the_tokens_that_an_agent_reports_are_counted_under_its_name(desk: Desk, verdict: Verdict) -> None:
    outcome = Outcome(verdict, agent="finops", usage=Usage(1204, 58))
    desk.consume(to_json(ASK), ends_with(outcome))
    line = desk.line("turn handled")
    assert (line["input_tokens"], line["output_tokens"]) == (1204, 58)
    metrics = desk.metrics()
    assert (metrics["InputTokens"], metrics["OutputTokens"]) == (["finops"], ["finops"])
    [metric] = [line for line in desk.lines if "InputTokens" in line]
    assert (metric["InputTokens"], metric["OutputTokens"]) == (1204, 58)


def test_an_agent_that_reports_no_tokens_has_no_metric_of_them(desk: Desk) -> None:
    desk.consume(to_json(ASK), ends_with(Outcome(Verdict.ANSWERED, agent="finops")))
    assert not {"input_tokens", "output_tokens"} & desk.line("turn handled").keys()
    assert not {"InputTokens", "OutputTokens"} & desk.metrics().keys()


def test_a_press_of_retry_is_no_time_to_an_answer(desk: Desk) -> None:
    retry = Retry(TURN.team, TURN.channel, TURN.ts, TURN.thread_ts, TURN.user, TURN.bot_user, 2)
    desk.consume(to_json(retry), lambda *_: Outcome(Verdict.ANSWERED))
    assert "TimeToAnswer" not in desk.metrics()


def test_rate_limits_of_slack_are_counted_for_the_invocation_that_met_them(desk: Desk) -> None:
    chat = desk.consumer.installation.chat
    chat.rate_limits = 7

    def work(_: Command, __: Delivery, ___: Ports) -> Outcome:
        chat.rate_limits += 3
        return Outcome(Verdict.ANSWERED)

    desk.consume(to_json(ASK), work)
    assert [line["SlackRateLimits"] for line in desk.lines if "SlackRateLimits" in line] == [3]


def test_a_failure_that_may_not_have_been_told_is_told_with_the_duplicate(desk: Desk) -> None:
    outcome = Outcome(Verdict.DUPLICATE, failure=Failure.ACCESS_DENIED)
    assert desk.consume(to_json(ASK), ends_with(outcome)) == DONE
    line = desk.line("turn handled")
    assert (line["level"], line["failure"], line["reference"]) == ("WARNING", "access_denied", TURN.reference)
    assert desk.metrics() == {"Turns": ["duplicate"], "Failures": ["access_denied"]}


def test_a_turn_that_is_given_back_is_hidden_and_its_failure_counted_by_the_next(desk: Desk) -> None:
    outcome = Outcome(Verdict.OWED, failure=Failure.ACCESS_DENIED, retry_in_seconds=12.2)
    assert desk.consume(to_json(ASK), ends_with(outcome)) == AGAIN
    assert desk.hidden == [13]
    assert desk.metrics() == {"Turns": ["owed"]}


@pytest.mark.parametrize(("receives", "seconds"), [(1, 5), (2, 10), (5, 60), (5000, 60)])
def test_a_defect_is_told_by_type_and_place_and_tried_again_later(
    desk: Desk, receives: int, seconds: int
) -> None:
    def work(_: Command, __: Delivery, ___: Ports) -> Outcome:
        raise ValueError(TURN.text)

    assert desk.consume(to_json(ASK), work, receives=receives) == AGAIN
    [hidden] = desk.hidden
    assert seconds / 2 <= hidden <= seconds
    line = desk.line("turn broke")
    assert (line["level"], line["error"], line["reference"]) == ("ERROR", "ValueError", TURN.reference)
    assert "test_consumer.py" in line["places"][-1]
    assert TURN.text not in json.dumps(desk.lines)
    assert desk.metrics() == {"Turns": ["error"]}


def test_what_always_breaks_as_a_dead_letter_is_tried_every_few_hours(last_desk: Desk) -> None:
    def work(_: Command, __: Delivery, ___: Ports) -> Outcome:
        raise ValueError

    assert last_desk.consume(to_json(ASK), work, receives=20) == AGAIN
    [hidden] = last_desk.hidden
    assert 2 * 3600 <= hidden <= 12 * 3600


def test_an_app_that_slack_refuses_is_an_error_in_the_log_with_its_remedy(desk: Desk) -> None:
    outcome = Outcome(
        Verdict.APP_REFUSED, app_refusal="token_revoked", remedy="store another token", retry_in_seconds=30.0
    )
    assert desk.consume(to_json(ASK), ends_with(outcome)) == AGAIN
    assert desk.hidden == [30]
    line = desk.line("app refused by Slack")
    assert (line["level"], line["error"], line["remedy"]) == ("ERROR", "token_revoked", "store another token")
    assert (line["turn_id"], line["reference"]) == (TURN.turn_id, TURN.reference)
    assert desk.metrics() == {"AppRefusals": ["token_revoked"], "Turns": ["app_refused"]}


def test_an_audit_record_that_could_not_be_written_is_an_error_in_the_log(desk: Desk) -> None:
    outcome = Outcome(Verdict.ANSWERED, audit_trouble="CloudWatch Logs refused: AccessDeniedException")
    assert desk.consume(to_json(ASK), ends_with(outcome)) == DONE
    line = desk.line("audit record not written")
    assert (line["level"], line["turn_id"]) == ("ERROR", TURN.turn_id)
    assert line["reason"] == "CloudWatch Logs refused: AccessDeniedException"
    assert desk.metrics() == {
        "AuditFailures": [],
        "Turns": ["answered"],
        "FailedAnswers": [],
        "TimeToAnswer": [],
    }


@pytest.mark.parametrize("body", ["not json", "{}", to_json(Ask(replace(TURN, attempt="x")))])  # type: ignore[arg-type]
def test_a_message_that_is_no_command_is_tried_again_for_some_minutes(desk: Desk, body: str) -> None:
    def work(_: Command, __: Delivery, ___: Ports) -> Outcome:
        raise AssertionError("there is nothing to work on")

    assert desk.consume(body, work) == AGAIN
    assert desk.line("message malformed")["level"] == "ERROR"
    assert desk.metrics() == {"Turns": ["malformed"]}


def test_in_the_end_one_that_names_no_thread_is_dropped(desk: Desk, last_desk: Desk) -> None:
    assert desk.consume("not json", ends_with(Outcome(Verdict.ANSWERED)), receives=9) == AGAIN
    assert last_desk.consume("not json", ends_with(Outcome(Verdict.ANSWERED))) == DONE
    assert last_desk.metrics() == {"Turns": ["malformed"]}


@pytest.mark.parametrize(("is_last", "receives"), [(True, 1), (False, 10)])
def test_in_the_end_the_thread_of_one_that_cannot_be_read_is_told(
    aws: Aws, capsys: pytest.CaptureFixture[str], is_last: bool, receives: int
) -> None:
    seen: list[Command] = []

    def work(command: Command, _: Delivery, __: Ports) -> Outcome:
        seen.append(command)
        return Outcome(Verdict.ANSWERED)

    desk = Desk(aws, capsys, is_last=is_last)
    body = {**json.loads(to_json(ASK)), "attempt": int("9" * 41)}
    assert desk.consume(json.dumps(body), work, receives=receives) == DONE
    lost = replace(TURN, team="m1", text="", notice=Notice.UNREADABLE)
    assert seen == [Ask(lost)]
    assert desk.line("message malformed")["level"] == "ERROR"
    assert desk.line("turn handled")["turn_id"] == lost.turn_id
    assert desk.metrics() == {"Turns": ["malformed", "answered"], "FailedAnswers": [], "TimeToAnswer": []}


@pytest.mark.parametrize(("verdict", "level"), [("press_refused", "INFO"), ("dropped", "WARNING")])
def test_commands_of_the_control_queue_are_counted_apart(desk: Desk, verdict: str, level: str) -> None:
    def work(_: Command, __: Delivery, ___: Ports) -> Outcome:
        return Outcome(Verdict(verdict))

    assert desk.consume(to_json(REFUSAL), work) == DONE
    line = desk.line("command handled")
    assert (line["level"], line["command"], line["verdict"]) == (level, "refuse_press", verdict)
    assert line["command_id"] == REFUSAL.deduplication_id
    assert desk.metrics() == {"Commands": ["refuse_press", verdict]}


def test_a_defect_in_a_command_of_the_control_queue_is_told_as_such(desk: Desk) -> None:
    def work(_: Command, __: Delivery, ___: Ports) -> Outcome:
        raise ValueError("x")

    assert desk.consume(to_json(REFUSAL), work) == AGAIN
    assert desk.line("command broke")["command_id"] == REFUSAL.deduplication_id
    assert desk.metrics() == {"Commands": ["refuse_press", "error"]}


def test_the_heartbeats_message_counts_and_asks_for_no_work(desk: Desk) -> None:
    assert desk.consume(to_json(Ping("1700000000.000000")), nothing_to_do) == {"batchItemFailures": []}
    assert desk.metrics() == {"Heartbeat": ["worker"]}


def test_a_heartbeats_message_among_the_dead_letters_is_no_sign_of_life(last_desk: Desk) -> None:
    assert last_desk.consume(to_json(Ping("1700000000.000000")), nothing_to_do) == {"batchItemFailures": []}
    assert last_desk.metrics() == {}


def nothing_to_do(command: Command, delivery: Delivery, ports: Ports) -> Outcome:
    raise AssertionError(f"{command}, {delivery} and {ports} are no work")
