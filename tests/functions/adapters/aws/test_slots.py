"""One suite for the rules of slots: DynamoDB's adapter and the fake that the domain's tests rely on."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from functions.adapters.aws.json_client import AwsError, JsonClient
from functions.adapters.aws.slots import DynamoSlots
from functions.bridge.admission.slots import WAITING_SECONDS, Fairness, Full, Limit, Slot, Slots
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.people import KNOWN_SECONDS, Home, Person
from functions.bridge.turn import Turn
from simulator.aws import TABLE, Aws
from tests.functions.adapters.aws.recording import RecordingClient
from tests.functions.fakes import START, TURN, FakeClock, FakeSlots

FAIRNESS = Fairness(running_per_user=2, waiting_per_user=2, running_per_channel=3, questions_per_minute=5)
ALICE = Person(Home("T1", "E1"), "alice", is_guest=True)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["dynamodb", "fake"])
def slots(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Slots]:
    if request.param == "fake":
        yield FakeSlots(clock, FAIRNESS)
        return
    aws: Aws = request.getfixturevalue("aws")
    yield DynamoSlots(JsonClient("dynamodb"), TABLE, clock, FAIRNESS)
    for item in items(aws):
        aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


@pytest.fixture
def client(aws: Aws) -> RecordingClient:  # noqa: ARG001 - it leads there
    return RecordingClient("dynamodb")


@pytest.fixture
def dynamo(aws: Aws, client: RecordingClient, clock: FakeClock) -> Iterator[DynamoSlots]:
    yield DynamoSlots(client, TABLE, clock, FAIRNESS)
    for item in items(aws):
        aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def items(aws: Aws) -> list[dict[str, Any]]:
    pages = aws.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
    return [item for page in pages for item in page["Items"]]


def question(number: int, *, user: str = "U1", channel: str = "C1") -> Turn:
    return replace(TURN, ts=f"1700000000.{number:06}", user=user, channel=channel)


class Worker:
    """Takes and gives back, by one clock."""

    def __init__(self, slots: Slots, clock: FakeClock) -> None:
        self.slots = slots
        self.clock = clock

    def take(self, turn: Turn, *, seconds: float = 290.0, is_new: bool = True) -> Slot:
        now = self.clock.now()
        return self.slots.take(turn, now=now, until=now + seconds, is_new=is_new)()

    def full(self, turn: Turn, *, is_new: bool = True) -> Full | None:
        return self.take(turn, is_new=is_new).full

    def wait(self, turn: Turn, *, is_new: bool = True, is_told: bool = False) -> Full | None:
        """A delivery that finds no slot, and waits if it may."""
        slot = self.take(turn, is_new=is_new)
        assert slot.full
        full = self.slots.wait(turn, slot, now=self.clock.now(), is_told=is_told)
        self.give_back(turn, slot, forget=full is not None)
        return full

    def give_back(
        self, turn: Turn, slot: Slot, *, learned: Person | None = None, forget: bool = False
    ) -> None:
        self.slots.give_back(turn, slot, learned=learned, forget=forget)


@pytest.fixture
def worker(slots: Slots, clock: FakeClock) -> Worker:
    return Worker(slots, clock)


def test_a_person_runs_so_many_questions_at_once(worker: Worker) -> None:
    first = worker.take(question(1))
    assert first.full is None
    assert worker.full(question(2)) is None
    assert worker.full(question(3)) == Full(Limit.PERSON, 2)
    worker.give_back(question(1), first)
    assert worker.full(question(3), is_new=False) is None


def test_so_many_questions_run_in_a_channel(worker: Worker) -> None:
    people = ("U1", "U2", "U3", "U4")
    taken = [worker.take(question(number, user=user)) for number, user in enumerate(people)]
    assert [slot.full for slot in taken] == [None, None, None, Full(Limit.CHANNEL, 3)]
    worker.give_back(question(3, user="U4"), taken[3])
    assert worker.full(question(5, user="U4", channel="C2")) is None
    worker.give_back(question(0), taken[0])
    assert worker.full(question(3, user="U4"), is_new=False) is None


def test_what_waits_for_its_person_takes_no_slot_of_the_channel(worker: Worker) -> None:
    taken = [worker.take(question(number)) for number in range(5)]
    assert [slot.full for slot in taken] == [None, None, *[Full(Limit.PERSON, 2)] * 3]
    assert worker.full(question(9, user="U2")) is None
    for number, slot in enumerate(taken):
        worker.give_back(question(number), slot)
    assert [worker.full(question(10 + number, user=f"U{3 + number}")) for number in range(2)] == [None, None]


def test_direct_messages_have_the_persons_limit_only(worker: Worker) -> None:
    for number, user in enumerate(("U1", "U2", "U3", "U4", "U5")):
        assert worker.full(question(number, user=user, channel="D1")) is None


def test_a_slot_expires_with_the_delivery_that_took_it(worker: Worker) -> None:
    for number in (1, 2):
        assert worker.take(question(number), seconds=290.0).full is None
    worker.clock.sleep(289.0)
    assert worker.full(question(3)) == Full(Limit.PERSON, 2)
    worker.clock.sleep(2.0)
    assert worker.full(question(3), is_new=False) is None
    assert worker.full(question(4)) is None


def test_expired_slots_of_a_channel_are_cleared_away_too(worker: Worker) -> None:
    for number, user in enumerate(("U1", "U2", "U3")):
        assert worker.take(question(number, user=user), seconds=10.0).full is None
    worker.clock.sleep(11.0)
    assert worker.full(question(4, user="U4")) is None


def test_an_heir_takes_the_slots_of_its_dead_worker_over(worker: Worker) -> None:
    worker.take(question(1))
    worker.take(question(2))
    worker.clock.sleep(61.0)
    heir = worker.take(question(1), is_new=False)
    assert heir.full is None
    worker.slots.clear_earlier(question(1), heir)
    assert worker.full(question(3)) == Full(Limit.PERSON, 2)
    worker.give_back(question(1), heir)
    assert worker.full(question(3), is_new=False) is None
    assert worker.full(question(4), is_new=False) == Full(Limit.PERSON, 2)


def test_an_heir_does_not_count_twice_where_there_is_room(worker: Worker) -> None:
    worker.take(question(1))
    worker.clock.sleep(61.0)
    heir = worker.take(question(1), is_new=False)
    worker.slots.clear_earlier(question(1), heir)
    assert worker.full(question(2)) is None


def test_a_delivery_that_is_no_heir_takes_nothing_from_the_owner(worker: Worker) -> None:
    worker.take(question(1))
    worker.take(question(2))
    worker.clock.sleep(61.0)
    other = worker.take(question(1), is_new=False)
    worker.give_back(question(1), other, forget=True)  # the claim said that the owner lives
    assert worker.full(question(3)) == Full(Limit.PERSON, 2)


def test_who_has_claimed_the_turn_gives_the_dead_workers_slot_back_too(worker: Worker) -> None:
    worker.take(question(1))
    worker.take(question(2))
    worker.clock.sleep(61.0)
    worker.give_back(question(1), worker.take(question(1), is_new=False))
    assert worker.full(question(3)) is None


def test_who_has_lost_the_turn_does_not_take_the_heirs_slot_away(worker: Worker) -> None:
    lost = worker.take(question(1))
    worker.clock.sleep(61.0)
    worker.take(question(1), is_new=False)
    worker.give_back(question(1), lost)
    worker.take(question(2))
    assert worker.full(question(3)) == Full(Limit.PERSON, 2)


def test_a_turn_that_is_over_has_no_slot_whichever_delivery_took_it(worker: Worker) -> None:
    worker.take(question(1))
    worker.take(question(2))
    worker.clock.sleep(61.0)
    worker.take(question(1), is_new=False)
    worker.slots.free(question(1))
    assert worker.full(question(3)) is None
    assert worker.full(question(4)) == Full(Limit.PERSON, 2)


def test_a_turn_that_is_over_frees_its_channel(worker: Worker) -> None:
    for number, user in enumerate(("U1", "U2", "U3")):
        worker.take(question(number, user=user))
    assert worker.full(question(4, user="U4")) == Full(Limit.CHANNEL, 3)
    worker.slots.free(question(1, user="U2"))
    assert worker.full(question(5, user="U5")) is None


def test_a_turn_that_is_over_waits_no_more(worker: Worker) -> None:
    for number in (1, 2):
        worker.take(question(number))
    assert [worker.wait(question(number)) for number in (3, 4)] == [None, None]
    worker.slots.free(question(3))
    assert worker.wait(question(5)) is None
    assert worker.wait(question(6)) == Full(Limit.WAITING, 2)


def test_a_turn_that_had_no_slot_is_over_too(worker: Worker) -> None:
    worker.slots.free(question(1))
    assert worker.full(question(2)) is None


def test_attempts_of_a_question_have_slots_of_their_own(worker: Worker) -> None:
    worker.take(question(1))
    assert worker.full(replace(question(1), attempt=2)) is None
    assert worker.full(replace(question(1), attempt=3)) == Full(Limit.PERSON, 2)


def test_so_many_questions_are_taken_within_a_minute(worker: Worker) -> None:
    for number in range(5):
        worker.give_back(question(number), worker.take(question(number)))
        worker.clock.sleep(10.0)
    assert worker.full(question(6)) == Full(Limit.MINUTE, 5, 10.0)
    worker.clock.sleep(9.0)
    assert worker.full(question(6)) == Full(Limit.MINUTE, 5, 1.0)
    worker.clock.sleep(2.0)
    assert worker.full(question(6)) is None


def test_what_is_refused_in_a_minute_does_not_count(worker: Worker) -> None:
    for number in range(5):
        worker.give_back(question(number), worker.take(question(number)))
    for number in range(6, 30):
        slot = worker.take(question(number))
        assert slot.full
        worker.give_back(question(number), slot, forget=True)
        worker.clock.sleep(1.0)
    worker.clock.sleep(37.0)
    assert worker.full(question(40)) is None


def test_a_question_that_waits_counts_once_for_its_minute(worker: Worker) -> None:
    worker.take(question(1))
    worker.take(question(2))
    for _ in range(10):
        slot = worker.take(question(3), is_new=False)
        assert slot.full == Full(Limit.PERSON, 2)
        worker.give_back(question(3), slot)
    for number in (4, 5, 6):
        assert worker.full(question(number)) == Full(Limit.PERSON, 2)
    assert worker.full(question(7)) == Full(Limit.MINUTE, 5, 60.0)


def test_so_many_questions_of_a_person_wait(worker: Worker) -> None:
    running = [worker.take(question(number)) for number in (1, 2)]
    assert [worker.wait(question(number)) for number in (3, 4, 5)] == [None, None, Full(Limit.WAITING, 2)]
    worker.give_back(question(1), running[0])
    runs = worker.take(question(3), is_new=False)
    assert runs.full is None
    worker.slots.clear_earlier(question(3), runs)
    assert worker.wait(question(5)) is None
    assert worker.wait(question(6)) == Full(Limit.WAITING, 2)


def test_what_waits_for_the_channel_counts_as_the_persons(worker: Worker) -> None:
    for number, user in enumerate(("U1", "U2", "U3")):
        worker.take(question(number, user=user))
    waits = [worker.wait(question(number, user="U4")) for number in (4, 5, 6)]
    assert waits == [None, None, Full(Limit.WAITING, 2)]
    assert worker.full(question(7, user="U4", channel="C2")) is None


def test_a_question_counts_as_waiting_as_long_as_it_is_looked_at(worker: Worker) -> None:
    for number in (1, 2):
        worker.take(question(number), seconds=10 * WAITING_SECONDS)
    assert [worker.wait(question(number)) for number in (3, 4)] == [None, None]
    for _ in range(5):
        worker.clock.sleep(0.4 * WAITING_SECONDS)
        assert worker.wait(question(3), is_new=False) is None
    assert worker.wait(question(5)) is None  # nobody has looked at the other one
    assert worker.wait(question(6)) == Full(Limit.WAITING, 2)
    assert worker.wait(question(4), is_new=False) == Full(Limit.WAITING, 2)


def test_a_question_whose_asker_knows_that_it_waits_waits_on(worker: Worker) -> None:
    for number in (1, 2):
        worker.take(question(number), seconds=10 * WAITING_SECONDS)
    for number in (3, 4, 5):
        assert worker.wait(question(number), is_told=True) is None


def test_a_duplicate_gives_all_back(worker: Worker) -> None:
    for number in range(20):
        worker.give_back(question(number), worker.take(question(number)), forget=True)
    assert worker.full(question(30)) is None


def test_what_users_info_said_is_known_for_a_day(worker: Worker) -> None:
    slot = worker.take(question(1))
    assert slot.person is None
    worker.give_back(question(1), slot, learned=ALICE)
    assert worker.take(question(2)).person == ALICE
    assert worker.take(question(3, user="U2")).person is None
    worker.clock.sleep(KNOWN_SECONDS - 1)
    assert worker.take(question(4)).person == ALICE
    worker.clock.sleep(2)
    assert worker.take(question(5)).person is None


def test_who_asks_is_known_where_there_is_no_slot(worker: Worker) -> None:
    first = worker.take(question(1))
    worker.take(question(2))
    waiting = worker.take(question(3))
    worker.give_back(question(3), waiting, learned=ALICE)
    assert worker.take(question(3), is_new=False).person == ALICE
    worker.give_back(question(1), first)


def test_a_person_and_a_channel_are_those_of_their_workspace(worker: Worker) -> None:
    for number in (1, 2):
        worker.take(question(number))
    assert worker.full(replace(question(3), team="T2")) is None


# --- DynamoDB alone -----------------------------------------------------------------------------------------


class Calls:
    """The calls of DynamoDB, by their names; `fail` breaks those that come."""

    def __init__(self, client: RecordingClient) -> None:
        self.names = client.calls
        self.fail: list[str] = []
        client.interfere = self._break

    def _break(self, operation: str, proceed: Callable[[], Any]) -> Any:
        if self.fail and (code := self.fail.pop(0)):
            raise AwsError(operation, code, 400)
        return proceed()


@pytest.fixture
def calls(client: RecordingClient) -> Calls:
    return Calls(client)


def test_a_question_costs_three_calls_in_a_channel_and_two_in_a_direct_message(
    dynamo: DynamoSlots, clock: FakeClock, calls: Calls
) -> None:
    worker = Worker(dynamo, clock)
    slot = worker.take(question(1))
    worker.give_back(question(1), slot, learned=ALICE)
    assert calls.names == ["UpdateItem", "UpdateItem", "TransactWriteItems"]
    calls.names.clear()
    slot = worker.take(question(2, channel="D1"))
    worker.give_back(question(2, channel="D1"), slot)
    assert calls.names == ["UpdateItem", "UpdateItem"]


def test_to_wait_costs_one_call_at_the_beginning_and_at_the_end(
    dynamo: DynamoSlots, clock: FakeClock, calls: Calls
) -> None:
    worker = Worker(dynamo, clock)
    first, _ = worker.take(question(1, channel="D1")), worker.take(question(2, channel="D1"))
    slot = worker.take(question(3, channel="D1"))
    calls.names.clear()
    for _ in range(4):
        dynamo.wait(question(3, channel="D1"), slot, now=clock.now(), is_told=False)
        clock.sleep(10.0)
        slot = worker.take(question(3, channel="D1"), is_new=False)
    assert calls.names == ["UpdateItem"] * 5  # four looked whether there is a slot
    worker.give_back(question(1, channel="D1"), first)
    slot = worker.take(question(3, channel="D1"), is_new=False)
    calls.names.clear()
    dynamo.clear_earlier(question(3, channel="D1"), slot)
    assert calls.names == ["UpdateItem"]


def test_questions_minutes_apart_cost_no_more(dynamo: DynamoSlots, clock: FakeClock, calls: Calls) -> None:
    worker = Worker(dynamo, clock)
    for number in range(12):
        slot = worker.take(question(number))
        worker.give_back(question(number), slot)
        clock.sleep(61.0)
    assert len(calls.names) == 36


def test_a_write_that_meets_another_ones_transaction_is_made_again(
    dynamo: DynamoSlots, clock: FakeClock, calls: Calls
) -> None:
    worker = Worker(dynamo, clock)
    calls.fail = ["TransactionConflictException"] * 2
    slot = worker.take(question(1))
    assert slot.full is None
    calls.fail = ["TransactionCanceledException"]
    worker.give_back(question(1), slot)
    for number in (2, 3):
        assert worker.full(question(number), is_new=False) is None


def test_a_store_that_fails_takes_nothing(dynamo: DynamoSlots, clock: FakeClock, calls: Calls) -> None:
    worker = Worker(dynamo, clock)
    for fails in (["AccessDeniedException", ""], ["", "AccessDeniedException"]):
        calls.fail = fails
        with pytest.raises(ServiceUnavailable, match="AccessDenied"):
            worker.take(question(1))
    for number in (2, 3):
        assert worker.full(question(number)) is None


def test_a_store_that_cannot_be_reached_is_unavailable(
    dynamo: DynamoSlots, clock: FakeClock, client: RecordingClient
) -> None:
    client.is_down = True
    with pytest.raises(ServiceUnavailable, match="ConnectionRefusedError"):
        Worker(dynamo, clock).take(question(1))


@pytest.mark.usefixtures("dynamo")
def test_of_many_workers_at_once_only_so_many_get_a_slot(clock: FakeClock) -> None:
    def full(number: int) -> Full | None:
        slots = DynamoSlots(JsonClient("dynamodb"), TABLE, clock, FAIRNESS)
        # In a channel one that gets no slot of the person may have the channel's last one for a moment.
        return Worker(slots, clock).full(question(number, channel="D1"), is_new=False)

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(full, range(8))].count(None) == 2


def test_every_item_has_a_ttl(dynamo: DynamoSlots, clock: FakeClock, aws: Aws) -> None:
    worker = Worker(dynamo, clock)
    worker.give_back(question(1), worker.take(question(1)), learned=ALICE)
    found = {(item["turn_id"]["S"], item["item"]["S"]): item for item in items(aws)}
    assert found.keys() == {("T1:U1", "person"), ("T1:C1", "channel")}
    assert all(int(item["expires_at"]["N"]) > clock.now() for item in found.values())


def test_what_another_version_kept_of_a_person_is_learned_anew(
    dynamo: DynamoSlots, clock: FakeClock, aws: Aws
) -> None:
    worker = Worker(dynamo, clock)
    worker.give_back(question(1), worker.take(question(1)), learned=ALICE)
    aws.dynamodb.update_item(
        TableName=TABLE,
        Key={"turn_id": {"S": "T1:U1"}, "item": {"S": "person"}},
        UpdateExpression="REMOVE known.is_bot",
    )
    assert worker.take(question(2)).person is None


@pytest.mark.parametrize("stray", ["x", "x@", "x@-1", "x@1e9", "x@" + "9" * 5000])
def test_an_entry_of_another_shape_is_cleared_away(aws: Aws, dynamo: DynamoSlots, stray: str) -> None:
    key = {"turn_id": {"S": "T1:U1"}, "item": {"S": "person"}}
    entries = {"running": {"SS": [stray, f"{stray}2"]}, "asked": {"SS": [stray]}}
    aws.dynamodb.put_item(TableName=TABLE, Item={**key, **entries})
    slot = dynamo.take(question(1), now=START, until=START + 290, is_new=True)()
    assert slot.full is None
    dynamo.give_back(question(1), slot, learned=None, forget=True)
    assert "running" not in aws.dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
