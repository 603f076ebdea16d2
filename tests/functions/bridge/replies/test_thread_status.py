import pytest

from functions.bridge.errors import GiveBack
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import Record
from functions.bridge.replies.chat import ChatRateLimited, ChatRefused, ChatUnavailable
from functions.bridge.replies.thread_status import ThreadStatus
from tests.functions.fakes import TURN, Stage


def claimed(stage: Stage) -> ClaimedTurn:
    """The turn, claimed as a worker claims it."""
    delivery, now = stage.delivery(), stage.clock.now()
    record = stage.ledger.claim(TURN, owner=delivery.owner, now=now, lease_seconds=60.0)
    assert isinstance(record, Record)
    return ClaimedTurn(
        TURN, record, delivery, stage.ledger, stage.clock, lease_seconds=60.0, leased_at=now, is_hidden=True
    )


def test_a_status_that_was_set_is_cleared_once(stage: Stage) -> None:
    status = ThreadStatus(claimed(stage), stage.chat, stage.clock)
    status.try_set("Processing…")
    status.clear()
    status.clear()
    assert stage.chat.history("set_status") == ["Processing…", ""]


def test_a_status_that_was_never_set_needs_no_call(stage: Stage) -> None:
    ThreadStatus(claimed(stage), stage.chat, stage.clock).clear()
    assert stage.chat.calls == []


def test_a_status_whose_answer_got_lost_is_cleared(stage: Stage) -> None:
    stage.chat.trouble["set_status"] = [(ChatUnavailable("timeout"), "after")]
    status = ThreadStatus(claimed(stage), stage.chat, stage.clock)
    with pytest.raises(ChatUnavailable):
        status.try_set("Processing…")
    status.clear()
    assert stage.chat.session == "active"


def test_the_status_of_an_owner_that_died_is_cleared(stage: Stage) -> None:
    dead = claimed(stage)
    dead.try_advance(intended=1)
    stage.clock.sleep(61)
    status = ThreadStatus(claimed(stage), stage.chat, stage.clock)
    status.clear()
    assert stage.chat.history("set_status") == [""]


def test_a_refusal_to_clear_a_status_does_not_keep_the_turn_from_its_end(stage: Stage) -> None:
    stage.chat.trouble["set_status"] = [None, ChatRefused("missing_scope")]
    status = ThreadStatus(claimed(stage), stage.chat, stage.clock)
    status.try_set("Processing…")
    status.clear()
    assert not status.seems_busy


def test_a_status_that_cannot_be_cleared_in_time_is_left_to_the_next_delivery(stage: Stage) -> None:
    stage.chat.trouble["set_status"] = [None, ChatRateLimited(400)]
    status = ThreadStatus(claimed(stage), stage.chat, stage.clock)
    status.try_set("Processing…")
    with pytest.raises(GiveBack):
        status.clear()
    assert status.seems_busy
