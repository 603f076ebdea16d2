"""A message in a thread that mentions nobody: for whom it is, from the command to the thread."""

from dataclasses import replace

import pytest

from functions.bridge import wording
from functions.bridge.conversation import ConversationOptions
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import State
from functions.bridge.ledger.talk import SILENCE_SECONDS, Talk
from functions.bridge.queue_commands import Ask
from functions.bridge.turn import Turn
from functions.bridge.turns.answer import give_up
from functions.bridge.turns.handle import handle
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.bridge.asking import take
from tests.functions.fakes import START, TURN, ScriptedAgent, Stage, next_attempt

ON = ConversationOptions(follow_ups=("C1",))


def later(
    seconds: float, text: str = "and tomorrow?", *, user: str = "U1", is_follow_up: bool = True
) -> Turn:
    """A message in the thread of TURN."""
    ts = f"{START + seconds:.6f}"
    return replace(TURN, ts=ts, user=user, text=text, is_follow_up=is_follow_up)


def say(stage: Stage, turn: Turn, *, conversations: ConversationOptions = ON) -> Outcome:
    return take(stage, turn=turn, conversations=conversations)


def test_who_has_asked_in_the_thread_need_not_mention_the_bot_again(stage: Stage) -> None:
    say(stage, TURN)
    assert say(stage, later(60)).verdict is Verdict.ANSWERED
    assert say(stage, later(120)).verdict is Verdict.ANSWERED


@pytest.mark.parametrize("asks", [None, later(5, user="U1", is_follow_up=False)])
def test_a_message_of_somebody_else_is_left_alone(stage: Stage, asks: Turn | None) -> None:
    if asks:
        say(stage, asks)
    calls = len(stage.chat.calls)
    assert say(stage, later(60, user="U2")) == Outcome(Verdict.NOT_ADDRESSED)
    assert len(stage.chat.calls) == calls
    assert later(60, user="U2").turn_id not in stage.ledger.records
    assert stage.slots.asked.get("T1:U2") is None


def test_after_a_day_of_silence_nobody_is_expected_to_mean_the_bot(stage: Stage) -> None:
    say(stage, TURN)
    assert say(stage, later(SILENCE_SECONDS - 60)).verdict is Verdict.ANSWERED
    assert say(stage, later(2 * SILENCE_SECONDS - 61)).verdict is Verdict.ANSWERED
    assert say(stage, later(3 * SILENCE_SECONDS)).verdict is Verdict.NOT_ADDRESSED


def test_a_message_that_slack_delivers_late_is_for_the_bot_too() -> None:
    talk = Talk({"U1": "1700000060.000100"})
    assert talk.expects("U1", "1700000050.000100")


def test_where_follow_ups_are_off_nobody_is_kept(stage: Stage) -> None:
    say(stage, TURN, conversations=ConversationOptions())
    say(stage, replace(TURN, ts="1700000001.000100"), conversations=ConversationOptions(follow_ups=("C2",)))
    assert stage.ledger.talks == {}


def test_with_group_direct_messages_people_are_kept_wherever_that_may_be() -> None:
    group = ConversationOptions(follow_ups=("dm",))
    assert group.has_follow_ups_in("C1")
    assert group.has_follow_ups_in("G1")
    assert not group.has_follow_ups_in("D1")


def test_a_thread_is_muted_and_unmuted_by_whoever_may_ask_there(stage: Stage) -> None:
    say(stage, TURN)
    say(stage, later(10, "Mute", user="U2", is_follow_up=False))
    assert stage.chat.texts()[-1] == wording.MUTED
    assert say(stage, later(20)).verdict is Verdict.NOT_ADDRESSED
    assert say(stage, later(30, is_follow_up=False)).verdict is Verdict.ANSWERED
    say(stage, later(40, "unmute", is_follow_up=False))
    assert stage.chat.texts()[-1] == wording.UNMUTED
    assert say(stage, later(50)).verdict is Verdict.ANSWERED


@pytest.mark.parametrize("word", ["mute", "forget"])
def test_a_word_that_mentions_nobody_is_a_question_like_any_other(stage: Stage, word: str) -> None:
    say(stage, TURN)
    agent = ScriptedAgent(stage.clock, [])
    take(stage, turn=later(10, word), agent=agent, conversations=ON, seconds=30.0)
    assert [question.text for question in agent.questions] == [word]


def test_where_follow_ups_are_off_mute_is_a_question_like_any_other(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, [])
    take(stage, turn=later(10, "mute", is_follow_up=False), agent=agent, seconds=30.0)
    assert len(agent.questions) == 1


def test_a_turn_that_was_begun_is_finished_though_the_thread_is_muted(stage: Stage) -> None:
    say(stage, TURN)
    turn = later(60)
    stage.ledger.claim(turn, owner="one", now=START, lease_seconds=60)
    stage.ledger.mute(TURN.thread_id, is_muted=True)
    stage.clock.sleep(61)
    assert say(stage, turn).verdict is Verdict.ANSWERED


def test_a_press_of_retry_asks_again_whoever_is_expected(stage: Stage) -> None:
    say(stage, TURN)
    turn = later(60)
    stage.ledger.keep_question(turn)
    stage.ledger.mute(TURN.thread_id, is_muted=True)
    assert say(stage, next_attempt(turn)).verdict is Verdict.ANSWERED


def test_trouble_with_the_ledger_costs_no_follow_up(stage: Stage) -> None:
    say(stage, TURN)
    stage.ledger.trouble["talk"] = [ServiceUnavailable("down")]
    outcome = say(stage, later(60))
    assert (outcome.verdict, outcome.retry_in_seconds is not None) == (Verdict.UNAVAILABLE, True)
    assert say(stage, later(60)).verdict is Verdict.ANSWERED


def test_a_dead_letter_that_is_not_for_the_bot_tells_nobody(stage: Stage) -> None:
    outcome = handle(Ask(later(60)), stage.delivery(), stage.ports, give_up)
    assert outcome == Outcome(Verdict.NOT_ADDRESSED)
    assert stage.chat.calls == []


def test_a_dead_letter_of_somebody_who_talks_with_the_bot_tells_the_thread(stage: Stage) -> None:
    say(stage, TURN)
    handle(Ask(later(60)), stage.delivery(), stage.ports, give_up)
    assert stage.ledger.records[later(60).turn_id].state is State.FAILED
