"""Which commands the functions behind the control queue and the dead-letter queue take."""

import pytest

from functions import control, dead_letters
from functions.bridge.admission.access import Access
from functions.bridge.ledger.stops import Stop
from functions.bridge.queue_commands import Ask, RefusePress, StopThread
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.fakes import TURN, Stage

REFUSAL = RefusePress("T1", "C1", TURN.thread_ts, "U2", "1700000020.000100")


def test_the_control_function_tells_a_stranger_that_a_button_is_not_theirs() -> None:
    stage = Stage()
    assert (
        control._work(REFUSAL, stage.delivery(), stage.ports, access=Access()).verdict
        is Verdict.PRESS_REFUSED
    )
    assert len(stage.chat.history("post_ephemeral")) == 1


def test_the_control_function_marks_what_is_to_be_stopped() -> None:
    stage = Stage()
    stop = StopThread("T1", "C1", TURN.thread_ts, "U2", "1700000020.000100", sender_unknown=False)
    assert control._work(stop, stage.delivery(), stage.ports, access=Access()).verdict is Verdict.WAITING
    assert stage.stops.of_thread(TURN.thread_id).stop == Stop("U2", "1700000020.000100")


def test_a_question_on_the_control_queue_goes_on_to_the_dead_letters() -> None:
    stage = Stage()
    with pytest.raises(ValueError, match="ask is a command of the questions queue"):
        control._work(Ask(TURN), stage.delivery(), stage.ports, access=Access())
    assert dead_letters._work(Ask(TURN), stage.delivery(), stage.ports).verdict is Verdict.FAILED
    assert TURN.reference in stage.chat.texts()[0]


def test_a_dead_letter_of_the_control_queue_is_dropped() -> None:
    stage = Stage()
    assert dead_letters._work(REFUSAL, stage.delivery(), stage.ports) == Outcome(Verdict.DROPPED)
    assert stage.chat.calls == []
    [record] = stage.audit.records
    assert (record["person"], record["verdict"]) == ("U2", "dropped")
