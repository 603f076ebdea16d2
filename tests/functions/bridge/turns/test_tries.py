"""How often a turn is tried before it is given up, and which deliveries are no tries."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.bridge.agents.events import Finished, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import State
from functions.bridge.replies.chat import ChatUnavailable
from functions.bridge.turn import Turn
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.settle import HOPELESS_TRIES, MOST_TRIES
from tests.functions.bridge.asking import AGAIN, SUNNY, Killed, surrender, take
from tests.functions.fakes import TURN, ScriptedAgent, Stage, Step


def dies_before_the_agent_is_asked(stage: Stage, turn: Turn = TURN) -> None:
    stage.ledger.trouble["start"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage, turn=turn)
    stage.clock.sleep(61)


def test_after_three_tries_the_worker_itself_gives_up_and_explains(stage: Stage) -> None:
    for _ in range(MOST_TRIES):
        dies_before_the_agent_is_asked(stage)
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = take(stage, agent=agent)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.UNDELIVERABLE)
    assert agent.questions == []
    [part] = stage.chat.messages.values()
    assert TURN.reference in part.markdown
    assert part.buttons


def test_the_third_try_may_still_answer(stage: Stage) -> None:
    for _ in range(MOST_TRIES - 1):
        dies_before_the_agent_is_asked(stage)
    assert take(stage).verdict is Verdict.ANSWERED


def test_a_retry_has_tries_of_its_own(stage: Stage) -> None:
    for _ in range(MOST_TRIES):
        dies_before_the_agent_is_asked(stage)
    take(stage)
    dies_before_the_agent_is_asked(stage, AGAIN)
    assert take(stage, turn=AGAIN).verdict is Verdict.ANSWERED


def waits_for_another_worker(stage: Stage) -> None:
    claim = stage.ledger.claim(TURN, owner="another", now=stage.clock.now(), lease_seconds=60)
    assert not isinstance(claim, Outcome)
    stage.ledger.records[TURN.turn_id] = replace(stage.record, tries=1)
    for _ in range(20):
        assert take(stage).verdict is Verdict.HELD
    stage.clock.sleep(61)


def cannot_be_claimed(stage: Stage) -> None:
    stage.ledger.trouble["claim"] = [ServiceUnavailable("down")] * 20
    for _ in range(20):
        assert take(stage).verdict is Verdict.UNAVAILABLE


def is_given_back_before_the_agent_is_asked(stage: Stage) -> None:
    for _ in range(20):
        stage.ledger.trouble["start"] = [ServiceUnavailable("down")] * 60
        assert take(stage).verdict is Verdict.OWED
    stage.ledger.trouble.clear()


@pytest.mark.parametrize(
    "happens",
    [waits_for_another_worker, cannot_be_claimed, is_given_back_before_the_agent_is_asked],
    ids=lambda happens: happens.__name__,
)
def test_a_delivery_that_had_to_wait_is_no_try(stage: Stage, happens: Callable[[Stage], None]) -> None:
    happens(stage)
    assert take(stage).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


# --- what is owed -------------------------------------------------------------------------------------------

TALKING: list[Step] = [TextDelta("It is"), 3.0, TextDelta(" sunny."), Finished()]


def owe_while_slack_fails(stage: Stage, tries: int) -> Outcome:
    """So many tries to write the answer in vain."""
    stage.chat.trouble["edit"] = [None, *[ChatUnavailable("internal_error")] * 10_000]
    outcome = take(stage, *TALKING)
    for _ in range(tries - 1):
        assert outcome.verdict is Verdict.OWED
        outcome = surrender(stage)
    stage.chat.trouble.clear()
    return outcome


def test_what_slack_always_fails_on_is_explained_in_the_end(stage: Stage) -> None:
    assert owe_while_slack_fails(stage, HOPELESS_TRIES).verdict is Verdict.OWED
    outcome = take(stage)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.NOT_SHOWABLE)
    assert "cannot be shown in Slack" in stage.chat.texts()[0]


def test_an_answer_lands_though_slack_was_down_for_many_tries(stage: Stage) -> None:
    owe_while_slack_fails(stage, HOPELESS_TRIES - 1)
    assert take(stage).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_what_is_owed_is_tried_again_later_and_later(stage: Stage) -> None:
    first = owe_while_slack_fails(stage, 1)
    later = first
    for _ in range(5):
        stage.chat.trouble["edit"] = [ChatUnavailable("internal_error")] * 1000
        later = take(stage)
    assert first.retry_in_seconds is not None
    assert later.retry_in_seconds is not None
    assert first.retry_in_seconds <= 15 < 30 <= later.retry_in_seconds <= 60


def test_what_the_bridge_always_breaks_on_is_explained_after_three_tries(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, *[ValueError("a defect")] * MOST_TRIES]
    for _ in range(MOST_TRIES):
        with pytest.raises(ValueError, match="a defect"):
            take(stage, *TALKING)
        stage.clock.sleep(61)
    outcome = take(stage)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.NOT_SHOWABLE)
    assert stage.record.state is State.FAILED
    assert len(stage.chat.texts()) == 1


# --- the slots of workers that died -------------------------------------------------------------------------


def test_a_question_that_is_given_up_frees_the_slots_of_its_dead_workers(stage: Stage) -> None:
    for _ in range(2):
        dies_before_the_agent_is_asked(stage)
    assert stage.slots.holders()
    assert surrender(stage).failure is Failure.UNDELIVERABLE
    assert stage.slots.holders() == set()


def test_the_slots_of_a_question_that_is_given_up_expire_where_they_cannot_be_freed(stage: Stage) -> None:
    dies_before_the_agent_is_asked(stage)
    stage.slots.trouble["free"] = [ServiceUnavailable("down")]
    assert surrender(stage).failure is Failure.UNDELIVERABLE
    stage.clock.sleep(300)
    assert stage.slots.holders() == set()


def test_a_worker_that_dies_with_the_answer_on_record_has_its_slot_freed_by_the_next(stage: Stage) -> None:
    stage.slots.trouble["give_back"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage)
    assert stage.slots.holders()
    assert take(stage).verdict is Verdict.DUPLICATE
    assert stage.slots.holders() == set()
