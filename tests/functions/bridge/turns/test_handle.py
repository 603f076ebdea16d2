"""What becomes of a press on Retry: who may, and whose words the agent then gets."""

from dataclasses import replace

import pytest

from functions.bridge.admission.access import Access
from functions.bridge.agents.events import Failed
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.queue_commands import Command, RefusePress, Retry
from functions.bridge.replies.chat import ChatAppRefused, ChatRefused, ChatUnavailable
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.turn import Notice, Turn
from functions.bridge.turns.handle import control, handle
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.bridge.asking import SUNNY, answering, surrender, take
from tests.functions.fakes import TURN, ScriptedAgent, Stage, next_attempt

PRESS = Retry("T1", "C1", TURN.ts, TURN.thread_ts, "U1", "UBOT", attempt=2)
REFUSAL = RefusePress("T1", "C1", TURN.thread_ts, "U2", "1700000020.000100")


@pytest.fixture
def failed(stage: Stage) -> Stage:
    """A thread in which a question did not get its answer."""
    take(stage, Failed(Failure.INTERNAL, "x"))
    return stage


def work(stage: Stage, command: Command) -> tuple[Outcome, ScriptedAgent]:
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = handle(command, stage.delivery(), stage.ports, answering(stage, agent, ReplyOptions()))
    return outcome, agent


def test_the_asker_may_have_the_question_asked_again(failed: Stage) -> None:
    outcome, agent = work(failed, PRESS)
    assert outcome.verdict is Verdict.ANSWERED
    assert [(question.text, question.asker.user) for question in agent.questions] == [(TURN.text, "U1")]


def test_a_button_that_names_another_asker_does_not_run_the_agent(failed: Stage) -> None:
    before, record = failed.chat.texts(), failed.record
    outcome, agent = work(failed, replace(PRESS, user="U2"))
    assert (outcome.verdict, agent.questions) == (Verdict.PRESS_REFUSED, [])
    [told] = failed.chat.history("post_ephemeral")
    assert told.startswith(f"C1:{TURN.thread_ts} U2 Only the person who asked")
    assert (failed.chat.texts(), failed.record) == (before, record)


def test_a_button_in_another_thread_does_not_run_the_agent(failed: Stage) -> None:
    before, record = failed.chat.texts(), failed.record
    outcome, agent = work(failed, replace(PRESS, thread_ts="1600000000.000100"))
    assert (outcome.verdict, agent.questions) == (Verdict.PRESS_REFUSED, [])
    [told] = failed.chat.history("post_ephemeral")
    assert told.startswith("C1:1600000000.000100 U1 This button is about a question of another thread")
    assert (failed.chat.texts(), failed.record) == (before, record)


@pytest.mark.parametrize("change", [{"channel": "C2"}, {"ts": "1600000000.000100"}])
def test_a_button_about_a_question_that_is_not_kept_asks_nothing(
    failed: Stage, change: dict[str, str]
) -> None:
    record = failed.record
    _, agent = work(failed, replace(PRESS, **change))  # type: ignore[arg-type]
    assert agent.questions == []
    assert failed.record == record
    assert "too old" in failed.chat.texts()[-1]


def test_a_button_of_another_team_does_nothing(failed: Stage) -> None:
    before, record = failed.chat.texts(), failed.record
    outcome, agent = work(failed, replace(PRESS, team="T2"))
    assert (outcome.verdict, agent.questions) == (Verdict.NOT_FOR_US, [])
    assert (failed.chat.texts(), failed.record) == (before, record)


def test_a_question_that_failed_as_a_notice_is_not_asked_when_it_is_retried(stage: Stage) -> None:
    stage.chat.trouble["post"] = [ChatRefused("invalid_blocks")]
    take(stage, turn=replace(TURN, text="", notice=Notice.TOO_LONG))
    assert any(part.buttons for part in stage.chat.messages.values())
    outcome, agent = work(stage, PRESS)
    assert (outcome.verdict, agent.questions) == (Verdict.ANSWERED, [])
    assert "too long" in stage.chat.texts()[0]


def test_a_press_waits_while_the_ledger_does_not_answer(failed: Stage) -> None:
    failed.ledger.trouble["question"] = [ServiceUnavailable("DynamoDB did not answer")]
    outcome, agent = work(failed, PRESS)
    assert (outcome.verdict, outcome.detail) == (Verdict.UNAVAILABLE, "DynamoDB did not answer")
    assert outcome.retry_in_seconds is not None
    assert agent.questions == []
    assert work(failed, PRESS)[0].verdict is Verdict.ANSWERED


def test_an_old_message_about_a_strangers_press_is_answered_by_whoever_reads_it(failed: Stage) -> None:
    outcome, agent = work(failed, REFUSAL)
    assert (outcome.verdict, agent.questions) == (Verdict.PRESS_REFUSED, [])
    assert failed.chat.history("post_ephemeral") == [
        f"C1:{TURN.thread_ts} U2 Only the person who asked can have this question asked again."
    ]


def test_a_word_about_a_press_is_not_repeated_and_its_failure_is_in_the_log(stage: Stage) -> None:
    stage.chat.trouble["post_ephemeral"] = [ChatRefused("user_not_in_channel"), ChatUnavailable("HTTP 503")]
    refused, unavailable = (
        control(REFUSAL, stage.delivery(), stage.ports, Access()),
        control(REFUSAL, stage.delivery(), stage.ports, Access()),
    )
    assert (refused.verdict, unavailable.verdict) == (Verdict.REFUSED_BY_SLACK, Verdict.UNAVAILABLE)
    assert refused.detail.endswith("user_not_in_channel")
    assert unavailable.detail.endswith("HTTP 503")
    assert refused.retry_in_seconds is unavailable.retry_in_seconds is None


def test_an_app_that_may_not_say_a_word_about_a_press_is_told_to_the_operator(stage: Stage) -> None:
    stage.chat.app_refusal = ChatAppRefused("token_revoked", "store another token")
    outcome = control(REFUSAL, stage.delivery(), stage.ports, Access())
    assert outcome.verdict is Verdict.APP_REFUSED
    assert (outcome.app_refusal, outcome.remedy) == ("token_revoked", "store another token")
    assert outcome.retry_in_seconds is None


def test_a_retry_that_ends_as_a_dead_letter_is_explained_in_its_thread(failed: Stage) -> None:
    second = next_attempt(TURN)
    assert surrender(failed, second).failure is Failure.UNDELIVERABLE
    [text] = failed.chat.texts()
    assert second.reference in text


# --- messages that nobody could read ------------------------------------------------------------------------

LOST = replace(TURN, text="", notice=Notice.UNREADABLE)


@pytest.mark.parametrize("lost", [LOST, replace(LOST, user="", bot_user="", team="message-1")])
def test_the_thread_of_a_question_that_is_lost_is_told_once_and_offers_no_retry(
    stage: Stage, lost: Turn
) -> None:
    stage.clock.sleep(3600)
    for _ in range(2):
        surrender(stage, lost)
    [part] = stage.chat.messages.values()
    assert "Please write it again" in part.markdown
    assert lost.reference in part.markdown
    assert part.buttons == ()
    assert stage.ledger.questions == {}


def test_a_lost_question_that_was_explained_before_is_not_explained_again(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    assert surrender(stage, LOST).verdict is Verdict.DUPLICATE
    assert len(stage.chat.texts()) == 1
