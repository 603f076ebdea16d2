"""Slack refuses the app (its token, a scope): the turn waits until that is mended, and loses nothing."""

from dataclasses import replace

import pytest

from functions.bridge.agents.events import Failed, Finished, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.ledger.record import State
from functions.bridge.replies.chat import ChatAppRefused
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turn import Notice
from functions.bridge.turns.outcome import Verdict
from functions.bridge.turns.settle import LONGEST_WAIT_FOR_APP, MOST_TRIES
from tests.functions.bridge.asking import (
    AGAIN,
    CHART,
    PHOTO,
    SUNNY,
    Killed,
    asking_with,
    kill,
    surrender,
    take,
)
from tests.functions.fakes import TURN, FakeChat, ScriptedAgent, Stage, Step

METHODS = [
    "post",
    "edit",
    "delete",
    "post_ephemeral",
    "mention",
    "set_status",
    "start_stream",
    "append_stream",
    "stop_stream",
    "upload",
    "name_of",
    "find",
]
REFUSAL = ChatAppRefused("token_revoked", "store another token")
STYLES = pytest.mark.parametrize("style", [Style.EDIT, Style.STREAM])


def refuse(chat: FakeChat, *, knows_names: bool = False) -> None:
    """From here on Slack refuses the app. Names that are known are not looked up."""
    for method in METHODS:
        if method != "name_of" or not knows_names:
            chat.trouble[method] = [REFUSAL] * 1000


def accept(stage: Stage) -> None:
    stage.chat.trouble.clear()


@STYLES
def test_a_question_is_asked_once_the_app_is_accepted(stage: Stage, style: Style) -> None:
    refuse(stage.chat)
    agent = ScriptedAgent(stage.clock, SUNNY)
    for _ in range(30):
        outcome = take(stage, agent=agent, options=ReplyOptions(style=style))
        assert (outcome.verdict, outcome.app_refusal) == (Verdict.APP_REFUSED, "token_revoked")
        assert outcome.remedy == "store another token"
        assert outcome.failure is None
        assert outcome.retry_in_seconds is not None
        stage.clock.sleep(outcome.retry_in_seconds)
    assert agent.questions == []
    assert stage.record.state is State.RECEIVED
    accept(stage)
    assert take(stage, agent=agent, options=ReplyOptions(style=style)).verdict is Verdict.ANSWERED
    assert len(agent.questions) == 1
    assert stage.chat.texts() == ["It is sunny."]


def test_a_question_with_files_is_given_back_before_they_are_fetched(stage: Stage) -> None:
    refuse(stage.chat, knows_names=True)
    turn = asking_with(PHOTO)
    agent = ScriptedAgent(stage.clock, SUNNY)
    assert take(stage, turn=turn, agent=agent).verdict is Verdict.APP_REFUSED
    assert (agent.questions, stage.record.state) == ([], State.RECEIVED)
    accept(stage)
    stage.attachments.contents[PHOTO.url] = b"png"
    assert take(stage, turn=turn, agent=agent).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_an_agent_that_did_not_start_is_not_asked_again_by_a_refused_app(stage: Stage) -> None:
    refuse(stage.chat, knows_names=True)
    agent = ScriptedAgent(stage.clock, [1.0, Failed(Failure.THROTTLED, "busy")], SUNNY)
    assert take(stage, agent=agent).verdict is Verdict.APP_REFUSED
    assert len(agent.questions) == 1
    assert stage.record.state is State.RECEIVED
    accept(stage)
    assert take(stage, agent=agent).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


@STYLES
def test_an_agent_that_runs_is_heard_to_its_end_and_its_answer_lands_later(
    stage: Stage, style: Style
) -> None:
    refuse(stage.chat, knows_names=True)
    agent = ScriptedAgent(stage.clock, [TextDelta("It is "), 100.0, TextDelta("sunny."), Finished()])
    options = ReplyOptions(style=style)
    assert take(stage, agent=agent, options=options).verdict is Verdict.APP_REFUSED
    assert (stage.record.state, stage.record.owed) == (State.REPLYING, ("It is sunny.",))
    assert take(stage, agent=agent, options=options).verdict is Verdict.APP_REFUSED
    accept(stage)
    assert take(stage, agent=agent, options=options).verdict is Verdict.ANSWERED
    assert len(agent.questions) == 1
    assert stage.chat.texts() == ["It is sunny."]


@STYLES
@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 5])
def test_an_app_that_is_refused_in_mid_answer_finishes_its_reply_later(
    stage: Stage, style: Style, after: int
) -> None:
    long = "\n\n".join(f"Sentence number {number}." for number in range(1500))
    script: list[Step] = [TextDelta(long[:9000]), 3.0, TextDelta(long[9000:]), 30.0, Finished()]
    for method in METHODS:
        stage.chat.trouble[method] = [*[None] * after, *[REFUSAL] * 1000]
    agent = ScriptedAgent(stage.clock, script)
    outcome = take(stage, agent=agent, options=ReplyOptions(style=style))
    accept(stage)
    if outcome.verdict is not Verdict.ANSWERED:
        assert outcome.verdict is Verdict.APP_REFUSED
        outcome = take(stage, agent=agent, options=ReplyOptions(style=style))
    assert outcome.verdict is Verdict.ANSWERED
    assert len(agent.questions) == 1
    assert not stage.chat.streams
    assert " ".join(stage.chat.texts()).split() == long.split()


def test_messages_of_an_attempt_before_are_not_left_standing(stage: Stage) -> None:
    take(stage, TextDelta("\n\n".join(["A sentence."] * 2000)), 300.0)  # interrupted, in two messages
    assert len(stage.chat.texts()) > 1
    stage.chat.trouble["delete"] = [REFUSAL] * 1000
    assert take(stage, 1.0, *SUNNY, turn=AGAIN).verdict is Verdict.APP_REFUSED
    accept(stage)
    assert take(stage, turn=AGAIN).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_a_file_that_a_refused_app_cannot_bring_is_told_with_the_answer(stage: Stage) -> None:
    refuse(stage.chat, knows_names=True)
    assert take(stage, CHART, *SUNNY).verdict is Verdict.APP_REFUSED
    accept(stage)
    assert take(stage).verdict is Verdict.ANSWERED
    assert stage.chat.files == []
    assert "chart.png" in stage.chat.texts()[0]


def test_help_and_notices_wait_as_well(stage: Stage) -> None:
    refuse(stage.chat)
    turn = replace(TURN, text="", notice=Notice.EMPTY)
    assert take(stage, turn=turn).verdict is Verdict.APP_REFUSED
    accept(stage)
    assert take(stage, turn=turn).verdict is Verdict.ANSWERED
    assert len(stage.chat.texts()) == 1


def test_a_dead_letter_waits_too_and_its_thread_is_told_in_the_end(stage: Stage) -> None:
    with pytest.raises(Killed):
        take(stage, 1.0, kill)
    stage.clock.sleep(61)
    refuse(stage.chat)
    for _ in range(30):
        outcome = surrender(stage)
        assert (outcome.verdict, outcome.app_refusal) == (Verdict.APP_REFUSED, "token_revoked")
    accept(stage)
    outcome = surrender(stage)
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, Failure.INTERRUPTED)
    assert len(stage.chat.texts()) == 1


def test_a_refused_app_uses_up_no_tries(stage: Stage) -> None:
    refuse(stage.chat)
    for _ in range(2 * MOST_TRIES):
        take(stage)
    accept(stage)
    stage.ledger.trouble["start"] = [Killed()]  # type: ignore[list-item]
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(Killed):
            take(stage)
        stage.ledger.trouble["start"] = [Killed()]  # type: ignore[list-item]
        stage.clock.sleep(61)
    stage.ledger.trouble.clear()
    assert take(stage).verdict is Verdict.ANSWERED


def test_a_turn_waits_for_its_app_ever_longer_but_half_an_hour_at_most(stage: Stage) -> None:
    refuse(stage.chat)
    waits: list[float] = []
    began = stage.clock.now()
    while stage.clock.now() < began + 14 * 24 * 3600:
        outcome = take(stage)
        assert outcome.retry_in_seconds is not None
        waits.append(outcome.retry_in_seconds)
        stage.clock.sleep(outcome.retry_in_seconds)
    assert waits[0] <= 5
    assert max(waits) <= LONGEST_WAIT_FOR_APP
    assert min(waits[20:]) >= LONGEST_WAIT_FOR_APP / 2
    assert len(waits) < 1000  # the receives that SQS counts


@pytest.mark.parametrize("style", [Style.EDIT, Style.STREAM])
def test_a_running_agent_is_not_asked_again_after_a_crash_of_a_refused_app(
    stage: Stage, style: Style
) -> None:
    refuse(stage.chat, knows_names=True)
    with pytest.raises(Killed):
        take(stage, TextDelta("It is "), 3.0, kill, options=ReplyOptions(style=style))
    stage.clock.sleep(61)
    agent = ScriptedAgent(stage.clock, SUNNY)
    assert take(stage, agent=agent).verdict is Verdict.APP_REFUSED
    accept(stage)
    assert take(stage, agent=agent).verdict is Verdict.INTERRUPTED
    assert agent.questions == []
    assert len(stage.chat.texts()) == 1


def test_a_retry_of_a_refused_app_is_asked_once_it_is_accepted(stage: Stage) -> None:
    take(stage, 300.0)
    refuse(stage.chat)
    agent = ScriptedAgent(stage.clock, SUNNY)
    assert take(stage, turn=AGAIN, agent=agent).verdict is Verdict.APP_REFUSED
    assert agent.questions == []
    accept(stage)
    assert take(stage, turn=AGAIN, agent=agent).verdict is Verdict.ANSWERED
