"""One suite for the rules of notes: DynamoDB's adapter and the fake that the domain's tests rely on."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from functions.adapters.aws import ledger as ledger_module
from functions.adapters.aws import waiting as waiting_module
from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.ledger import DynamoLedger
from functions.adapters.aws.waiting import DynamoWaiting
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import AlreadySettled, Held, Ledger, Record, State
from functions.bridge.ledger.stops import Stop, StopWanted
from functions.bridge.ledger.waiting import Change, Edit, Noted, Waiting
from simulator.aws import TABLE, Aws
from tests.functions.adapters.aws.test_ledger import claim, items
from tests.functions.fakes import START, TURN, FakeClock, FakeLedger, FakeWaiting, next_attempt


class Table(NamedTuple):
    waiting: Waiting
    ledger: Ledger


@pytest.fixture(params=["dynamodb", "fake"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    if request.param == "fake":
        ledger = FakeLedger(FakeClock())
        yield Table(FakeWaiting(ledger), ledger)
        return
    aws: Aws = request.getfixturevalue("aws")
    client, clock = JsonClient("dynamodb"), FakeClock()
    yield Table(DynamoWaiting(client, TABLE, clock), DynamoLedger(client, TABLE, clock))
    for item in items(aws):
        aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def test_a_question_waits_until_it_is_claimed(table: Table) -> None:
    assert not table.waiting.is_claimed(TURN.turn_id)
    assert table.waiting.note_hourglass(TURN.turn_id) is Noted.NOW
    assert not table.waiting.is_claimed(TURN.turn_id)
    claim(table.ledger)
    assert table.waiting.is_claimed(TURN.turn_id)


def test_an_hourglass_is_noted_before_the_claim_or_not_at_all(table: Table) -> None:
    assert not claim(table.ledger).has_hourglass
    assert table.waiting.note_hourglass(TURN.turn_id) is Noted.NOT


def test_who_claims_the_question_is_told_of_its_hourglass(table: Table) -> None:
    for _ in range(2):
        assert table.waiting.note_hourglass(TURN.turn_id) is Noted.NOW
    record = claim(table.ledger)
    assert record == Record(
        TURN.turn_id, 1, State.RECEIVED, "one", tries=1, began_at=START, has_hourglass=True
    )
    assert table.waiting.note_hourglass(TURN.turn_id) is Noted.BEFORE


def test_a_question_with_a_note_has_one_owner_like_any_other(table: Table) -> None:
    table.waiting.note_hourglass(TURN.turn_id)
    claim(table.ledger)
    assert isinstance(table.ledger.claim(TURN, owner="two", now=START, lease_seconds=60), Held)


def test_whoever_takes_the_turn_over_or_settles_it_leaves_the_note(table: Table) -> None:
    table.waiting.note_hourglass(TURN.turn_id)
    claim(table.ledger)
    heir = claim(table.ledger, "two", now=START + 61)
    assert heir.has_hourglass
    table.ledger.settle(replace(heir, state=State.ANSWERED))
    assert table.waiting.note_hourglass(TURN.turn_id) is Noted.BEFORE


def test_a_note_that_comes_between_the_look_and_the_claim_is_found(aws: Aws) -> None:
    client, clock = JsonClient("dynamodb"), FakeClock()
    waiting, ledger = DynamoWaiting(client, TABLE, clock), DynamoLedger(client, TABLE, clock)
    turn = replace(TURN, ts="1700000001.000900")
    waiting.note_hourglass(turn.turn_id)
    aws.dynamodb.update_item(
        TableName=TABLE,
        Key={"turn_id": {"S": turn.turn_id}, "item": {"S": "record"}},
        UpdateExpression="REMOVE hourglass",
    )
    put_new = ledger._put_new

    def noted_meanwhile(item: dict[str, object], *, now: float) -> dict[str, object] | None:
        found = put_new(item, now=now)
        assert waiting.note_hourglass(turn.turn_id) is Noted.NOW
        return found

    ledger._put_new = noted_meanwhile  # type: ignore[method-assign]
    assert claim(ledger, turn=turn).has_hourglass


# --- edits and deletions ------------------------------------------------------------------------------------

EDIT = Edit("and in Lima?", ("U2",), "1700000010.000100")
LATER = Edit("and in Oslo?", (), "1700000020.000100")
STOP = Stop("U1", "1700000030.000100")


def test_who_claims_a_question_is_told_what_it_says_by_then(table: Table) -> None:
    table.waiting.note_hourglass(TURN.turn_id)
    assert table.waiting.edit(TURN.turn_id, EDIT) is Change.TAKEN
    assert table.waiting.edit(TURN.turn_id, LATER) is Change.TAKEN
    assert table.waiting.edit(TURN.turn_id, EDIT) is Change.OVER
    record = claim(table.ledger)
    assert (record.edit, record.has_hourglass) == (LATER, True)
    assert claim(table.ledger, "two", now=START + 61).edit == LATER


def test_an_edit_that_comes_after_the_claim_is_kept_for_the_answer(table: Table) -> None:
    record = claim(table.ledger)
    assert not table.waiting.was_edited(TURN.turn_id, 1)
    assert table.waiting.edit(TURN.turn_id, EDIT) is Change.TOO_LATE
    assert table.waiting.was_edited(TURN.turn_id, 1)
    table.ledger.advance(replace(record, state=State.STARTED))
    assert table.waiting.edit(TURN.turn_id, LATER) is Change.TOO_LATE
    assert not table.waiting.was_edited(TURN.turn_id, 2)


def test_a_question_that_was_let_go_can_be_edited_again(table: Table) -> None:
    record = claim(table.ledger)
    table.ledger.release(replace(record, tries=0))
    assert table.waiting.edit(TURN.turn_id, EDIT) is Change.TAKEN
    assert claim(table.ledger, "two", now=START + 1).edit == EDIT


@pytest.mark.parametrize("state", [State.REPLYING, State.ANSWERED, State.FAILED])
def test_an_edit_of_what_is_answered_changes_nothing(table: Table, state: State) -> None:
    record = replace(claim(table.ledger), state=state)
    if state is State.REPLYING:
        table.ledger.owe(replace(record, owed=("sunny",), ending=State.ANSWERED))
    else:
        table.ledger.settle(record)
    assert table.waiting.edit(TURN.turn_id, EDIT) is Change.OVER
    assert table.waiting.take_back(TURN.turn_id, STOP) is Change.OVER
    assert not table.waiting.was_edited(TURN.turn_id, 1)


def test_a_settled_turn_forgets_what_it_was_edited_to(table: Table) -> None:
    table.waiting.edit(TURN.turn_id, EDIT)
    record = claim(table.ledger)
    table.ledger.settle(replace(record, state=State.FAILED))
    again = claim(table.ledger, "two", now=START + 61, turn=next_attempt(TURN))
    assert again.edit is None


def test_a_question_that_was_deleted_is_settled_before_anybody_claims_it(table: Table) -> None:
    table.waiting.edit(TURN.turn_id, EDIT)
    assert table.waiting.take_back(TURN.turn_id, STOP) is Change.TAKEN
    assert table.waiting.edit(TURN.turn_id, LATER) is Change.OVER
    assert table.waiting.take_back(TURN.turn_id, STOP) is Change.OVER
    found = table.ledger.claim(TURN, owner="one", now=START, lease_seconds=60)
    assert found == AlreadySettled(State.STOPPED)


def test_a_deleted_question_that_was_claimed_is_stopped_before_its_agent_is_asked(table: Table) -> None:
    record = claim(table.ledger)
    assert table.waiting.take_back(TURN.turn_id, STOP) is Change.TOO_LATE
    with pytest.raises(StopWanted):
        table.ledger.start(replace(record, state=State.STARTED))


def test_a_deleted_question_whose_agent_was_asked_goes_on(table: Table) -> None:
    table.ledger.advance(replace(claim(table.ledger), state=State.STARTED))
    assert table.waiting.take_back(TURN.turn_id, STOP) is Change.OVER


def test_the_text_of_an_edit_is_in_no_item_once_the_question_is_over(aws: Aws) -> None:
    client, clock = JsonClient("dynamodb"), FakeClock()
    waiting, ledger = DynamoWaiting(client, TABLE, clock), DynamoLedger(client, TABLE, clock)
    turns = [replace(TURN, ts=f"170000000{number}.000900") for number in (2, 3)]
    for turn in turns:
        waiting.edit(turn.turn_id, EDIT)
    ledger.settle(replace(claim(ledger, turn=turns[0]), state=State.ANSWERED))
    waiting.take_back(turns[1].turn_id, STOP)
    assert EDIT.text not in str(items(aws))


def test_a_note_lasts_as_long_as_the_question_may_wait() -> None:
    assert waiting_module.KEPT_SECONDS == ledger_module.KEPT_SECONDS


@pytest.mark.usefixtures("aws")
def test_trouble_with_the_table_is_told_as_such() -> None:
    waiting = DynamoWaiting(JsonClient("dynamodb"), "no-such-table", FakeClock())
    with pytest.raises(ServiceUnavailable):
        waiting.note_hourglass(TURN.turn_id)
    with pytest.raises(ServiceUnavailable):
        waiting.is_claimed(TURN.turn_id)
