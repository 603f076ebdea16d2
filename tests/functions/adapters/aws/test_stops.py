"""One suite for the rules of marks: DynamoDB's adapter and the fake that the domain's tests rely on."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.ledger import DynamoLedger
from functions.adapters.aws.stops import DynamoStops
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import Ledger, Record, State
from functions.bridge.ledger.stops import STOP_KEPT_SECONDS, Press, Stop, Stops, StopWanted, ThreadMark
from simulator.aws import TABLE, Aws
from tests.functions.adapters.aws.test_ledger import claim, items
from tests.functions.fakes import START, TURN, FakeClock, FakeLedger, FakeStops, next_attempt

PRESS = Stop("U2", "1700000010.000100")
SLACKS = Stop("U2", "1700000010.000100", ("1700000005.000100",))
LATER = Stop("U3", "1700000020.000100")


class Table(NamedTuple):
    stops: Stops
    ledger: Ledger


@pytest.fixture(params=["dynamodb", "fake"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    if request.param == "fake":
        ledger = FakeLedger(FakeClock())
        yield Table(FakeStops(ledger), ledger)
        return
    aws: Aws = request.getfixturevalue("aws")
    clock = FakeClock()
    yield Table(
        DynamoStops(JsonClient("dynamodb"), TABLE, clock), DynamoLedger(JsonClient("dynamodb"), TABLE, clock)
    )
    for item in items(aws):
        aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def at_work(table: Table) -> Record:
    """The turn, claimed, with one message."""
    record = replace(claim(table.ledger), reply=("1700000005.000100",), intended=1)
    table.ledger.advance(record)
    return record


def pressed(table: Table, stop: Stop = PRESS, *, attempt: int = 1, ts: str = "1700000005.000100") -> Press:
    return table.stops.mark_turn(TURN.turn_id, attempt, ts, stop)


def mark_of_turn(table: Table, attempt: int) -> Stop | None:
    return table.stops.marks(TURN.turn_id, attempt, TURN.thread_id, newest=True)[0]


# --- of a thread -------------------------------------------------------------------------------------------


def test_a_thread_keeps_the_mark_until_a_turn_has_obeyed_it(table: Table) -> None:
    assert table.stops.of_thread(TURN.thread_id) == ThreadMark()
    assert table.stops.mark_thread(TURN.thread_id, SLACKS)
    assert table.stops.of_thread(TURN.thread_id).stop == SLACKS
    table.stops.obeyed(TURN.thread_id, SLACKS)
    assert table.stops.of_thread(TURN.thread_id).stop is None


def test_the_same_mark_is_not_left_twice_though_it_was_obeyed(table: Table) -> None:
    table.stops.mark_thread(TURN.thread_id, SLACKS)
    table.stops.obeyed(TURN.thread_id, SLACKS)
    assert not table.stops.mark_thread(TURN.thread_id, SLACKS)
    assert table.stops.of_thread(TURN.thread_id).stop is None


def test_the_last_of_two_presses_counts_in_whatever_order_they_come(table: Table) -> None:
    assert table.stops.mark_thread(TURN.thread_id, LATER)
    assert not table.stops.mark_thread(TURN.thread_id, SLACKS)
    assert table.stops.of_thread(TURN.thread_id).stop == LATER


def test_who_obeys_a_mark_leaves_a_later_one(table: Table) -> None:
    table.stops.mark_thread(TURN.thread_id, SLACKS)
    table.stops.mark_thread(TURN.thread_id, LATER)
    table.stops.obeyed(TURN.thread_id, SLACKS)
    assert table.stops.of_thread(TURN.thread_id).stop == LATER
    table.stops.obeyed(TURN.thread_id, LATER)
    table.stops.obeyed(TURN.thread_id, SLACKS)
    assert table.stops.of_thread(TURN.thread_id).stop is None


def test_who_begins_sees_the_mark_and_leaves_when_it_began(table: Table) -> None:
    table.stops.mark_thread(TURN.thread_id, SLACKS)
    assert table.stops.begin(TURN.thread_id, turn_id=TURN.turn_id, attempt=1, began_at=START)() == ThreadMark(
        SLACKS, START, TURN.turn_id
    )
    assert table.stops.of_thread(TURN.thread_id) == ThreadMark(SLACKS, START, TURN.turn_id)


# --- of a turn ---------------------------------------------------------------------------------------------


def test_a_mark_stays_whatever_the_owner_of_the_turn_writes(table: Table) -> None:
    record = at_work(table)
    assert pressed(table) is Press.TAKEN
    table.ledger.advance(replace(record, intended=2))
    assert mark_of_turn(table, 1) == PRESS


@pytest.mark.parametrize("newest", [True, False])
def test_the_marks_of_a_turn_and_of_its_thread_are_read_together(table: Table, newest: bool) -> None:
    assert table.stops.marks(TURN.turn_id, 1, TURN.thread_id, newest=newest) == (None, ThreadMark())
    at_work(table)
    pressed(table)
    table.stops.mark_thread(TURN.thread_id, SLACKS)
    assert table.stops.marks(TURN.turn_id, 1, TURN.thread_id, newest=newest) == (PRESS, ThreadMark(SLACKS))


def test_a_turn_that_is_to_be_stopped_does_not_start(table: Table) -> None:
    record = at_work(table)
    pressed(table)
    with pytest.raises(StopWanted) as raised:
        table.ledger.start(replace(record, state=State.STARTED))
    assert raised.value.stop == PRESS


def test_a_turn_that_has_started_goes_on_to_write_its_progress(table: Table) -> None:
    started = replace(at_work(table), state=State.STARTED)
    table.ledger.start(started)
    pressed(table)
    table.ledger.advance(replace(started, intended=2))
    assert claim(table.ledger, "two", now=START + 61).intended == 2


def test_who_takes_the_turn_over_is_told_of_the_mark(table: Table) -> None:
    table.ledger.start(replace(at_work(table), state=State.STARTED))
    pressed(table)
    heir = claim(table.ledger, "two", now=START + 61)
    assert (heir.state, heir.stop, heir.began_at) == (State.STARTED, PRESS, START)


def test_a_mark_is_no_mark_of_the_next_attempt(table: Table) -> None:
    record = at_work(table)
    pressed(table)
    owed = replace(record, state=State.REPLYING, owed=("x",), ending=State.FAILED)
    table.ledger.owe(owed)
    table.ledger.settle(replace(owed, state=State.FAILED))
    again = claim(table.ledger, "two", now=START + 61, turn=next_attempt(TURN))
    assert (again.stop, again.began_at) == (None, START + 61)
    table.ledger.advance(replace(again, state=State.STARTED))
    assert mark_of_turn(table, 2) is None


def test_a_second_press_and_one_that_comes_too_late_change_nothing(table: Table) -> None:
    assert pressed(table) is Press.OVER  # nobody has claimed it
    record = at_work(table)
    assert pressed(table, attempt=2) is Press.OVER
    assert pressed(table) is Press.TAKEN
    assert pressed(table, LATER) is Press.TWICE
    assert mark_of_turn(table, 1) == PRESS
    table.ledger.owe(replace(record, state=State.REPLYING, owed=("x",), ending=State.ANSWERED))
    assert pressed(table, LATER) is Press.OVER


def test_a_button_of_another_message_marks_nothing(table: Table) -> None:
    record = at_work(table)
    assert pressed(table, ts="1700000006.000100") is Press.ELSEWHERE
    table.ledger.advance(replace(record, intended=2))  # that may be the next message, not on record yet
    assert pressed(table, ts="1700000006.000100") is Press.TAKEN


def test_marks_of_threads_are_forgotten_after_a_day(aws: Aws) -> None:
    stops = DynamoStops(JsonClient("dynamodb"), TABLE, FakeClock())
    stops.mark_thread(TURN.thread_id, SLACKS)
    [item] = items(aws)
    assert item["expires_at"] == {"N": str(int(START) + STOP_KEPT_SECONDS)}
    aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def test_a_table_that_does_not_answer_is_unavailable() -> None:
    stops = DynamoStops(JsonClient("dynamodb"), "no-such-table", FakeClock())
    for call in (
        lambda: stops.of_thread(TURN.thread_id),
        lambda: stops.mark_thread(TURN.thread_id, SLACKS),
        stops.begin(TURN.thread_id, turn_id=TURN.turn_id, attempt=1, began_at=START),
    ):
        with pytest.raises(ServiceUnavailable):
            call()
