"""The hourglass under a question that waits: in every order of the notice, the claim and Slack's answers."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from functions.bridge.admission.access import Access
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import SETTLED, State
from functions.bridge.queue_commands import Ask, ShowWaiting
from functions.bridge.replies.chat import ChatAppRefused, ChatRateLimited, ChatRefused, ChatUnavailable
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.turns.handle import control, drop, handle
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports
from tests.functions.bridge.asking import SUNNY, Killed, answering, surrender, take
from tests.functions.fakes import TURN, ScriptedAgent, Stage

FOLLOW_UP = replace(TURN, thread_ts="1699999990.000100")
QUESTION = (TURN.channel, TURN.ts)
NOTICE = ShowWaiting(TURN.team, TURN.channel, TURN.ts)


def notice(stage: Stage, *, receives: int = 2) -> Outcome:
    """The notice, as it comes back after a second; or as it comes at first."""
    return control(NOTICE, replace(stage.delivery(50.0), receive_count=receives), stage.ports, Access())


def test_a_question_that_is_claimed_at_once_shows_nothing(stage: Stage) -> None:
    first = notice(stage, receives=1)
    assert (first.verdict, first.retry_in_seconds) == (Verdict.WAITING, 1.0)
    take(stage, turn=FOLLOW_UP)
    assert notice(stage).verdict is Verdict.DONE
    assert stage.chat.history("add_reaction") == stage.chat.history("remove_reaction") == []


def test_a_notice_of_a_question_that_is_claimed_does_not_come_back(stage: Stage) -> None:
    take(stage, turn=FOLLOW_UP)
    assert notice(stage, receives=1) == Outcome(Verdict.DONE)


def test_a_question_that_waits_shows_an_hourglass_until_it_is_claimed(stage: Stage) -> None:
    notice(stage)
    assert stage.chat.reactions == {QUESTION}
    assert take(stage, turn=FOLLOW_UP).verdict is Verdict.ANSWERED
    assert stage.chat.reactions == set()
    assert stage.chat.history("remove_reaction") == ["hourglass_flowing_sand"]


def test_a_question_that_has_waited_longer_shows_it_at_the_first_notice(stage: Stage) -> None:
    stage.clock.sleep(2)
    assert notice(stage, receives=1).verdict is Verdict.DONE
    assert stage.chat.reactions == {QUESTION}


def test_a_question_that_is_claimed_before_the_hourglass_stands_keeps_none(stage: Stage) -> None:
    add = stage.chat.add_reaction

    def claimed_meanwhile(channel: str, ts: str, emoji: str) -> None:
        take(stage, turn=FOLLOW_UP)
        add(channel, ts, emoji)

    stage.chat.add_reaction = claimed_meanwhile  # type: ignore[method-assign]
    notice(stage)
    assert stage.chat.reactions == set()


def test_a_notice_that_breaks_off_after_it_has_set_the_hourglass_comes_again(stage: Stage) -> None:
    stage.waiting.trouble["is_claimed"] = [ServiceUnavailable("gone")]
    assert notice(stage).verdict is Verdict.UNAVAILABLE
    take(stage, turn=FOLLOW_UP)
    stage.chat.reactions = {QUESTION}  # as if Slack had been slow with it
    assert notice(stage, receives=3) == Outcome(Verdict.DONE)
    assert stage.chat.reactions == set()


@pytest.mark.parametrize("trouble", [ChatUnavailable("503"), ChatRateLimited(30)])
def test_what_slack_does_not_take_now_is_tried_again(stage: Stage, trouble: Exception) -> None:
    stage.chat.trouble["add_reaction"] = [(trouble, "after")]
    outcome = notice(stage)
    assert outcome.verdict is Verdict.UNAVAILABLE
    assert outcome.retry_in_seconds is not None
    assert outcome.retry_in_seconds >= (getattr(trouble, "retry_after", None) or 1)
    assert notice(stage, receives=3).verdict is Verdict.DONE
    assert stage.chat.reactions == {QUESTION}


def test_a_missing_scope_is_named_for_the_operator_and_changes_nothing(stage: Stage) -> None:
    refusal = ChatRefused("missing_scope", needed="reactions:write")
    stage.chat.trouble = {"add_reaction": [refusal], "remove_reaction": [refusal]}
    outcome = notice(stage)
    assert (outcome.verdict, outcome.retry_in_seconds) == (Verdict.REFUSED_BY_SLACK, None)
    assert outcome.detail == "no hourglass: missing_scope; it takes reactions:write"
    answered = take(stage, turn=FOLLOW_UP)
    assert (answered.verdict, answered.detail) == (Verdict.ANSWERED, "")


def test_a_refusal_of_the_app_is_reported_as_such(stage: Stage) -> None:
    stage.chat.app_refusal = ChatAppRefused("token_revoked", "store it")
    outcome = notice(stage)
    assert (outcome.verdict, outcome.app_refusal, outcome.retry_in_seconds) == (
        Verdict.APP_REFUSED,
        "token_revoked",
        None,
    )


def test_an_hourglass_that_the_refused_app_cannot_take_away_is_tried_again(stage: Stage) -> None:
    notice(stage)
    refusal = ChatAppRefused("token_revoked", "store it")
    stage.chat.trouble["remove_reaction"] = [refusal, refusal]
    take(stage, turn=FOLLOW_UP)
    assert notice(stage, receives=3).retry_in_seconds is not None
    assert notice(stage, receives=4) == Outcome(Verdict.DONE)
    assert stage.chat.reactions == set()


def test_the_answer_does_not_wait_for_a_slack_that_does_not_take_the_hourglass_away(stage: Stage) -> None:
    notice(stage)
    stage.chat.trouble["remove_reaction"] = [ChatUnavailable("503")] * 3
    assert take(stage, turn=FOLLOW_UP).verdict is Verdict.ANSWERED
    assert stage.chat.reactions == set()


def test_an_hourglass_that_slack_never_takes_away_is_told_to_the_operator(stage: Stage) -> None:
    notice(stage)
    stage.chat.trouble["remove_reaction"] = [ChatUnavailable("503")] * 9
    outcome = take(stage, turn=FOLLOW_UP)
    assert outcome.verdict is Verdict.ANSWERED
    assert outcome.detail == "the hourglass may be left: 503"


def test_a_question_that_is_given_up_unclaimed_keeps_no_hourglass(stage: Stage) -> None:
    notice(stage)
    surrender(stage, FOLLOW_UP)
    assert stage.record.state is State.FAILED
    assert stage.chat.reactions == set()


def test_a_notice_that_comes_too_late_is_dropped_without_a_record_of_a_press(stage: Stage) -> None:
    assert drop(NOTICE, stage.delivery(), stage.ports) == Outcome(Verdict.DROPPED)
    assert stage.audit.records == []


class Interrupted:
    """A port at whose `at`-th call something happens, before or after it has its effect."""

    def __init__(self, port: Any, calls: Iterator[int], at: int, happens: Callable[[], None]) -> None:
        self._port = port
        self._calls = calls
        self._at = at
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self._point()
            result = method(*arguments, **options)
            self._point()
            return result

        return call

    def _point(self) -> None:
        if next(self._calls) == self._at:
            self._happens()


def interrupted(stage: Stage, at: int, happens: Callable[[], None]) -> Ports:
    calls = iter(range(10_000))
    return replace(
        stage.ports,
        chat=Interrupted(stage.chat, calls, at, happens),
        ledger=Interrupted(stage.ledger, calls, at, happens),
        waiting=Interrupted(stage.waiting, calls, at, happens),
    )


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("at", range(10))
def test_a_notice_that_is_interrupted_anywhere_leaves_no_hourglass(stage: Stage, at: int, dies: bool) -> None:
    def happens() -> None:
        take(stage, turn=FOLLOW_UP)
        if dies:
            raise Killed

    with suppress(Killed):
        control(NOTICE, replace(stage.delivery(), receive_count=2), interrupted(stage, at, happens), Access())
    take(stage, turn=FOLLOW_UP)
    if dies:
        notice(stage, receives=3)
    assert stage.record.state is State.ANSWERED
    assert stage.chat.reactions == set()


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("noticed_before", [False, True])
@pytest.mark.parametrize("at", range(20))
def test_a_turn_that_is_interrupted_anywhere_leaves_no_hourglass(
    stage: Stage, at: int, noticed_before: bool, dies: bool
) -> None:
    def happens() -> None:
        notice(stage)
        if dies:
            raise Killed

    if noticed_before:
        notice(stage)
    agent = ScriptedAgent(stage.clock, SUNNY)
    work = answering(stage, agent, ReplyOptions())
    with suppress(Killed):
        handle(Ask(FOLLOW_UP), stage.delivery(), interrupted(stage, at, happens), work)
    stage.clock.sleep(61)
    handle(Ask(FOLLOW_UP), stage.delivery(), stage.ports, work)
    assert stage.record.state in SETTLED
    assert stage.chat.reactions == set()
