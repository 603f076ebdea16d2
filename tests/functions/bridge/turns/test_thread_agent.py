import pytest

from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import Record
from functions.bridge.turns.thread_agent import ThreadAgent
from tests.functions.fakes import START, TURN, Stage


@pytest.fixture
def claimed(stage: Stage) -> ClaimedTurn:
    record = stage.ledger.claim(TURN, owner="one", now=START, lease_seconds=60)
    assert isinstance(record, Record)
    return ClaimedTurn(
        TURN,
        record,
        stage.delivery(290.0),
        stage.ledger,
        stage.clock,
        lease_seconds=60,
        leased_at=START,
        is_hidden=True,
    )


def test_a_thread_has_the_agent_that_it_began_with(stage: Stage, claimed: ClaimedTurn) -> None:
    first = ThreadAgent(TURN, stage.ports, is_read=True)
    assert first.name(claimed) is None
    first.keep("finops")
    first.ensure_kept(claimed, "finops")
    assert ThreadAgent(TURN, stage.ports, is_read=True).name(claimed) == "finops"


def test_with_one_agent_nothing_is_read_but_it_is_kept(stage: Stage, claimed: ClaimedTurn) -> None:
    stage.ledger.trouble["agent_of"] = [ServiceUnavailable("down")]
    thread = ThreadAgent(TURN, stage.ports, is_read=False)
    assert thread.name(claimed) is None
    thread.keep("default")
    thread.ensure_kept(claimed, "default")
    assert stage.ledger.agents == {TURN.thread_id: "default"}


@pytest.mark.parametrize("method", ["agent_of", "keep_agent"])
def test_what_fails_beside_other_calls_is_tried_again(
    stage: Stage, claimed: ClaimedTurn, method: str
) -> None:
    stage.ledger.agents[TURN.thread_id] = "finops"
    stage.ledger.trouble[method] = [ServiceUnavailable("down"), ServiceUnavailable("down")]
    thread = ThreadAgent(TURN, stage.ports, is_read=True)
    assert thread.name(claimed) == "finops"
    thread.keep("finops")
    thread.ensure_kept(claimed, "finops")
    thread.close()
    assert not stage.ledger.trouble[method]
