"""The audit record: what it holds, when it is written, and that it never stops a turn."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from functions.bridge.agents.events import (
    AgentEvent,
    Failed,
    Finished,
    TextDelta,
    ToolArguments,
    ToolKind,
    ToolUse,
)
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import State
from functions.bridge.people import Identity
from functions.bridge.queue_commands import RefusePress, Retry
from functions.bridge.replies.chat import ChatUnavailable
from functions.bridge.turns.handle import handle
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.bridge.asking import AGAIN, take
from tests.functions.fakes import TURN, FakeAudit, Stage, Step

ANSWER: list[Step] = [
    2.0,
    ToolUse("get_weather"),
    ToolArguments("get_weather", "0123456789abcdef"),
    ToolUse("handbook", ToolKind.KNOWLEDGE_BASE),
    TextDelta("It is **sunny**."),
    3.0,
    Finished(),
]


def asked(stage: Stage, *steps: Step) -> Outcome:
    return take(stage, *steps)


def test_a_record_says_who_asked_whom_and_what_was_used_but_not_what_was_said(stage: Stage) -> None:
    asked(stage, *ANSWER)
    [record] = stage.audit.records
    times = record.pop("times")
    assert record == {
        "version": 1,
        "kind": "turn",
        "turn_id": TURN.turn_id,
        "attempt": 1,
        "reference": TURN.reference,
        "delivery": "request-1",
        "team": "T1",
        "channel": "C1",
        "thread": TURN.thread_ts,
        "person": "U1",
        "agent": "default",
        "tools": [
            {"name": "get_weather", "kind": "tool", "arguments_digest": "0123456789abcdef"},
            {"name": "handbook", "kind": "knowledge_base", "arguments_digest": ""},
        ],
        "tool_uses": 2,
        "verdict": "answered",
        "failure": "",
        "refusal": "",
        "stopped_by": "",
        "decided_by": "",
    }
    assert times.keys() == {"sent", "claimed", "asked", "first_text", "ended"}
    assert times["sent"] == "2023-11-14T22:13:20.000+00:00"
    assert [*times.values()] == sorted(times.values())


def test_calls_of_one_tool_at_once_get_a_digest_each() -> None:
    outcome = Outcome(Verdict.ANSWERED)
    events: list[AgentEvent] = [
        ToolUse("book"),
        ToolUse("book"),
        ToolArguments("book", "b" * 16),
        ToolArguments("book", "a" * 16),
        ToolArguments("book", "c" * 16),
        ToolArguments("unknown", "d" * 16),
        TextDelta("done"),
    ]
    for event in events:
        outcome.use(event)
    assert sorted(tool.arguments_digest for tool in outcome.tools) == ["a" * 16, "b" * 16]


def test_it_is_written_after_the_answer_has_landed_and_before_the_turn_settles(stage: Stage) -> None:
    seen: list[tuple[State, list[str]]] = []

    class Watching(FakeAudit):
        def write(self, record: Mapping[str, object]) -> None:
            super().write(record)
            seen.append((stage.record.state, stage.chat.texts()))

    stage.ports = replace(stage.ports, audit=Watching())
    asked(stage, *ANSWER)
    assert [state for state, _ in seen] == [State.REPLYING]
    assert "It is **sunny**." in seen[0][1][0]
    assert stage.record.state is State.ANSWERED


@pytest.mark.parametrize("trouble", [ServiceUnavailable("CloudWatch Logs refused: X"), ValueError(TURN.text)])
def test_a_turn_settles_without_its_record_and_the_operator_is_told(stage: Stage, trouble: Exception) -> None:
    stage.audit.trouble = [trouble]
    outcome = asked(stage, *ANSWER)
    assert outcome.verdict is Verdict.ANSWERED
    assert stage.record.state is State.ANSWERED
    assert outcome.audit_trouble in ("CloudWatch Logs refused: X", "ValueError")


def test_a_crash_before_the_turn_is_settled_leaves_two_records_that_can_be_told_apart(stage: Stage) -> None:
    stage.ledger.trouble["settle"] = [RuntimeError("killed")]
    with pytest.raises(RuntimeError):
        asked(stage, *ANSWER)
    stage.clock.sleep(61)
    asked(stage, *ANSWER)
    assert [(one["verdict"], one["delivery"]) for one in stage.audit.records] == [
        ("answered", "request-1"),
        ("answered", "request-2"),
    ]
    assert len({(one["turn_id"], one["attempt"]) for one in stage.audit.records}) == 1


def test_what_an_agent_did_is_told_although_its_answer_could_not_be_shown_yet(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatUnavailable("HTTP 503")] * 500
    assert asked(stage, *ANSWER).verdict is Verdict.OWED
    [record] = stage.audit.records
    assert (record["verdict"], record["agent"], len(record["tools"])) == ("owed", "default", 2)
    stage.chat.trouble.clear()
    stage.clock.sleep(61)
    assert asked(stage, *ANSWER).verdict is Verdict.ANSWERED
    assert [one["verdict"] for one in stage.audit.records] == ["owed", "answered"]


def test_a_defect_after_the_agent_was_asked_is_told(stage: Stage) -> None:
    def breaks() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asked(stage, ToolUse("delete_all"), 1.0, breaks)
    [record] = stage.audit.records
    assert (record["verdict"], [tool["name"] for tool in record["tools"]]) == ("error", ["delete_all"])


def test_a_failure_is_told_by_its_kind_and_never_by_what_the_agent_said(stage: Stage) -> None:
    asked(stage, Failed(Failure.ACCESS_DENIED, "User: arn:aws:iam::123456789012:role/x is not authorized"))
    [record] = stage.audit.records
    assert (record["verdict"], record["failure"]) == ("failed", "access_denied")
    assert "arn:" not in str(record)


def test_who_is_not_for_us_is_recorded_although_the_turn_does_not_settle(stage: Stage) -> None:
    stage.chat.us = Identity(app="A2", bot_user="UBOT", team="T2")
    assert asked(stage, *ANSWER).verdict is Verdict.NOT_FOR_US
    [record] = stage.audit.records
    assert (record["verdict"], record["person"], record["agent"]) == ("not_for_us", "U1", "")


def test_deliveries_that_find_nothing_to_do_write_nothing(stage: Stage) -> None:
    asked(stage, *ANSWER)
    assert asked(stage, *ANSWER).verdict is Verdict.DUPLICATE
    assert len(stage.audit.records) == 1


def test_a_press_by_another_person_is_recorded(stage: Stage) -> None:
    press = RefusePress("T1", "C1", TURN.thread_ts, "U2", "1700000020.000100")
    handle(press, stage.delivery(), stage.ports, lambda *_: Outcome(Verdict.ANSWERED))
    [record] = stage.audit.records
    assert record == {
        "version": 1,
        "kind": "press",
        "command": "refuse_press",
        "command_id": press.deduplication_id,
        "delivery": "request-1",
        "team": "T1",
        "channel": "C1",
        "thread": TURN.thread_ts,
        "person": "U2",
        "verdict": "press_refused",
        "times": {
            "pressed": "2023-11-14T22:13:40.000+00:00",
            "ended": "2023-11-14T22:13:20.000+00:00",
        },
    }


def test_a_press_of_retry_that_is_not_its_askers_is_recorded(stage: Stage) -> None:
    stage.ledger.keep_question(TURN)
    retry = Retry(TURN.team, TURN.channel, TURN.ts, TURN.thread_ts, "U2", TURN.bot_user, attempt=2)
    handle(retry, stage.delivery(), stage.ports, lambda *_: Outcome(Verdict.ANSWERED))
    [record] = stage.audit.records
    assert (record["command"], record["person"], record["verdict"]) == ("retry", "U2", "press_refused")
    assert "pressed" not in record["times"]


def test_a_second_attempt_has_a_record_of_its_own(stage: Stage) -> None:
    asked(stage, Failed(Failure.ACCESS_DENIED, "x"))
    take(stage, *ANSWER, turn=AGAIN)
    assert [(one["attempt"], one["verdict"]) for one in stage.audit.records] == [
        (1, "failed"),
        (2, "answered"),
    ]
