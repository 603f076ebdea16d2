"""What an audit record tells of a turn whose asker and agent want it to tell nothing, or everything."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.bridge.agents.events import (
    Failed,
    Finished,
    Rationale,
    TextDelta,
    ToolArguments,
    ToolUse,
)
from functions.bridge.agents.failures import Failure
from functions.bridge.turn import Attachment
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.bridge.asking import Killed, asking_with, kill, surrender, take
from tests.functions.fakes import TURN, Stage, Step

SECRET = "swordfish"
ENDS: list[Step] = [Finished(), Failed(Failure.INTERNAL, f"the agent said {SECRET}")]


@pytest.mark.parametrize("end", ENDS)
def test_no_word_of_question_file_thought_answer_or_error_is_recorded(stage: Stage, end: Step) -> None:
    stage.attachments.contents["https://files.slack.com/f"] = SECRET.encode()
    file = Attachment(f"{SECRET}.txt", "text/plain", 9, "https://files.slack.com/f")
    script = (Rationale(f"the word is {SECRET}"), ToolUse("look-up"), TextDelta(f"It is {SECRET}."), end)
    take(stage, *script, turn=asking_with(file, text=f"is it {SECRET}?"))
    assert len(stage.audit.records) == 1
    assert SECRET not in json.dumps(stage.audit.records)


@pytest.mark.parametrize(
    "name", [f"the password is {SECRET}", f"{SECRET}\n", f"<@U1>{SECRET}", "swordfish" * 100, f"„{SECRET}“"]
)
def test_what_is_no_name_of_a_tool_is_not_recorded(stage: Stage, name: str) -> None:
    take(stage, ToolUse(name), ToolArguments(name, "0123456789abcdef"), TextDelta("Done."), Finished())
    [record] = stage.audit.records
    assert record["tools"] == [{"name": "?", "kind": "tool", "arguments_digest": "0123456789abcdef"}]


def test_an_agent_that_uses_tools_without_end_is_counted_and_stays_within_a_log_event(stage: Stage) -> None:
    take(stage, *[ToolUse("a" * 128)] * 20_000, TextDelta("Done."), Finished())
    [record] = stage.audit.records
    assert (len(record["tools"]), record["tool_uses"]) == (100, 20_000)
    # A log event may have more:
    # docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
    assert len(json.dumps(record)) < 100_000


def test_without_an_audit_log_nobody_stays_without_an_answer(stage: Stage) -> None:
    stage.audit.trouble = [PermissionError("denied")]
    outcome = take(stage)
    assert stage.chat.texts() == ["It is sunny."]
    assert outcome.audit_trouble == "PermissionError"


def test_a_time_that_is_no_date_spoils_neither_the_turn_nor_its_record(stage: Stage) -> None:
    turn = replace(TURN, ts="999999999999.999999999", thread_ts="999999999999.999999999")
    outcome = take(stage, turn=turn)
    assert (outcome.verdict, outcome.audit_trouble) == (Verdict.ANSWERED, "")
    [record] = stage.audit.records
    assert record["times"].keys() == {"claimed", "asked", "ended"}


@pytest.mark.parametrize("explain", [take, surrender])
def test_an_agent_that_has_its_worker_killed_is_named_all_the_same(
    stage: Stage, explain: Callable[[Stage], Outcome]
) -> None:
    with pytest.raises(Killed):
        take(stage, ToolUse("delete"), 1.0, kill)
    stage.clock.sleep(61)
    explain(stage)
    [record] = stage.audit.records
    assert (record["agent"], record["verdict"]) == ("default", "interrupted")
