"""A question that its asker edits or deletes: before it is begun, while its agent works, and after that."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.bridge import wording
from functions.bridge.admission.access import Access
from functions.bridge.agents.events import Finished, TextDelta
from functions.bridge.conversation import ConversationOptions
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import State
from functions.bridge.ledger.talk import Talk
from functions.bridge.queue_commands import Ask, EditQuestion, TakeBack
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.turn import Notice, Turn
from functions.bridge.turns.handle import control, drop, handle
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.bridge.asking import answering, take
from tests.functions.fakes import START, TURN, ScriptedAgent, Stage, Step

ON = ConversationOptions(follow_ups=("C1",))
TS = "1700000005.000100"
EDIT = EditQuestion("T1", "C1", TURN.ts, TURN.thread_ts, "U1", TS, "in Lima? Tell @U2", ("U2",))
TAKE_BACK = TakeBack("T1", "C1", TURN.ts, TURN.thread_ts, "U1", TS)


def happens(stage: Stage, command: EditQuestion | TakeBack) -> Outcome:
    return control(command, stage.delivery(50.0), stage.ports, Access())


def asked(stage: Stage, *script: Step, turn: Turn = TURN, receives: int = 1) -> ScriptedAgent:
    """The queue delivers the turn, where Slack tells of edits. Returns the agent that may have been asked."""
    agent = ScriptedAgent(stage.clock, script or [TextDelta("Sunny."), Finished()])
    work = answering(stage, agent, ReplyOptions(), conversations=ON)
    handle(Ask(turn), replace(stage.delivery(), receive_count=receives), stage.ports, work)
    return agent


def after(stage: Stage, command: EditQuestion | TakeBack) -> Callable[[], None]:
    """A step of the agent's, at which that happens."""

    def step() -> None:
        happens(stage, command)

    return step


def test_an_edit_of_a_question_that_waits_is_asked(stage: Stage) -> None:
    stage.chat.names["U2"] = "Bob"
    assert happens(stage, EDIT) == Outcome(Verdict.DONE, detail="taken")
    assert [question.text for question in asked(stage).questions] == ['in Lima? Tell @"Bob"']
    assert stage.chat.texts() == ["Sunny."]


def test_an_edit_of_a_question_that_waits_for_a_slot_is_asked(stage: Stage) -> None:
    stage.slots.running["T1:U1"] = {f"other-{number}#1@{int(2000 * START)}" for number in range(2)}
    assert take(stage).verdict is Verdict.WAITING
    happens(stage, EDIT)
    stage.slots.running.clear()
    stage.clock.sleep(10)
    assert asked(stage, receives=2).questions[0].text.startswith("in Lima?")


def test_a_question_that_is_edited_to_nothing_gets_help(stage: Stage) -> None:
    happens(stage, replace(EDIT, text="", mentioned=()))
    assert asked(stage).questions == []
    assert stage.chat.texts()[0].startswith("Hello! ")


def test_an_edit_makes_no_question_of_what_the_bridge_answers_by_itself(stage: Stage) -> None:
    happens(stage, EDIT)
    agent = asked(stage, turn=replace(TURN, text="", notice=Notice.EXTERNAL))
    assert agent.questions == []


def test_an_edit_that_comes_too_late_is_told_under_the_answer(stage: Stage) -> None:
    agent = asked(stage, TextDelta("Sunny."), 3.0, after(stage, EDIT), Finished())
    assert len(agent.questions) == 1
    assert stage.chat.texts() == [f"Sunny.\n\n{wording.EDITED_TOO_LATE}"]
    assert wording.without_notes(stage.chat.texts()[0]) == "Sunny."


def test_where_slack_tells_of_no_edits_nobody_looks_for_them(stage: Stage) -> None:
    stage.waiting.trouble["was_edited"] = [ServiceUnavailable("down")]
    take(stage)
    assert stage.waiting.trouble["was_edited"]


def test_an_edit_that_cannot_be_looked_for_costs_no_answer(stage: Stage) -> None:
    stage.waiting.trouble["was_edited"] = [ServiceUnavailable("down")]
    asked(stage)
    assert stage.chat.texts() == ["Sunny."]


def test_an_edit_after_the_answer_changes_nothing(stage: Stage) -> None:
    asked(stage)
    assert happens(stage, EDIT).detail == "over"
    assert stage.chat.texts() == ["Sunny."]


def test_a_question_that_is_deleted_while_it_waits_is_not_asked_and_nothing_shows(stage: Stage) -> None:
    assert happens(stage, TAKE_BACK) == Outcome(Verdict.DONE, detail="taken")
    agent = asked(stage)
    assert agent.questions == []
    assert stage.chat.calls == []
    assert stage.record.state is State.STOPPED


def test_a_question_that_is_deleted_while_it_waits_for_a_slot_is_stopped(stage: Stage) -> None:
    stage.slots.running["T1:U1"] = {f"other-{number}#1@{int(2000 * START)}" for number in range(2)}
    assert take(stage).verdict is Verdict.WAITING
    happens(stage, TAKE_BACK)
    stage.slots.running.clear()
    stage.clock.sleep(10)
    agent = asked(stage, receives=2)
    assert agent.questions == []
    assert stage.record.state is State.STOPPED
    assert stage.chat.texts()[0].startswith("_Stopped by <@U1>")


def test_a_question_that_is_deleted_while_its_agent_works_is_answered(stage: Stage) -> None:
    asked(stage, 3.0, after(stage, TAKE_BACK), TextDelta("Sunny."), Finished())
    assert stage.chat.texts() == ["Sunny."]


@pytest.mark.parametrize(
    ("talk", "verdict"),
    [
        (Talk(), Verdict.NOT_ADDRESSED),
        (Talk({"U1": "1699999990.000100"}), Verdict.DONE),
        (Talk({"U1": TURN.ts}), Verdict.DONE),
        (Talk({"U1": "1700000001.000100"}), Verdict.NOT_ADDRESSED),  # it was handled before
        (Talk({"U1": "1699999990.000100"}, is_muted=True), Verdict.NOT_ADDRESSED),
    ],
)
@pytest.mark.parametrize("command", [EDIT, TAKE_BACK])
def test_of_what_mentions_nobody_only_a_question_that_may_wait_is_kept(
    stage: Stage, command: EditQuestion | TakeBack, talk: Talk, verdict: Verdict
) -> None:
    stage.ledger.talks[TURN.thread_id] = talk
    assert happens(stage, replace(command, is_follow_up=True)).verdict is verdict
    assert (TURN.turn_id in stage.ledger.records) == (verdict is Verdict.DONE)


@pytest.mark.parametrize(("method", "command"), [("edit", EDIT), ("take_back", TAKE_BACK)])
def test_trouble_with_the_ledger_costs_no_change(
    stage: Stage, method: str, command: EditQuestion | TakeBack
) -> None:
    stage.waiting.trouble[method] = [ServiceUnavailable("down")]
    outcome = happens(stage, command)
    assert (outcome.verdict, outcome.retry_in_seconds is not None) == (Verdict.UNAVAILABLE, True)
    assert happens(stage, command).verdict is Verdict.DONE


def test_a_change_that_comes_too_late_is_dropped_without_a_record_of_a_press(stage: Stage) -> None:
    assert drop(EDIT, stage.delivery(), stage.ports) == Outcome(Verdict.DROPPED)
    assert stage.audit.records == []
    assert float(TS) > START
