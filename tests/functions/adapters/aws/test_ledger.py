"""One suite for the ledger's rules: DynamoDB's adapter and the fake that the domain's tests rely on."""

import json
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from functions.adapters.aws.json_client import AwsError, JsonClient
from functions.adapters.aws.ledger import KEPT_SECONDS, DynamoLedger
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import (
    QUESTION_KEPT_SECONDS,
    AlreadySettled,
    Claim,
    Held,
    LeaseLost,
    Ledger,
    Record,
    State,
)
from functions.bridge.ledger.session import SESSION_KEPT_SECONDS, Session
from functions.bridge.ledger.talk import Talk
from functions.bridge.turn import Turn
from simulator.aws import TABLE, Aws
from tests.functions.adapters.aws.recording import RecordingClient
from tests.functions.fakes import START, TURN, FakeClock, FakeLedger, next_attempt


@pytest.fixture(params=["dynamodb", "fake"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    if request.param == "fake":
        yield FakeLedger(FakeClock())
        return
    aws: Aws = request.getfixturevalue("aws")
    yield DynamoLedger(JsonClient("dynamodb"), TABLE, FakeClock())
    for item in items(aws):
        aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def items(aws: Aws) -> list[dict[str, dict[str, str]]]:
    pages = aws.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
    return [item for page in pages for item in page["Items"]]  # type: ignore[misc]


def text_of(item: dict[str, Any]) -> str:
    """All text of an item, compressed or not."""
    packed = item.get("owed_zip", {}).get("B")
    return str(item) + (str(json.loads(zlib.decompress(packed))) if packed else "")


def claim(ledger: Ledger, owner: str = "one", *, now: float = START, turn: Turn = TURN) -> Record:
    record = ledger.claim(turn, owner=owner, now=now, lease_seconds=60)
    assert isinstance(record, Record)
    return record


def owing(record: Record, *messages: str) -> Record:
    return replace(
        record,
        state=State.REPLYING,
        reply=("1.0",),
        intended=1,
        owed=messages or ("It is sunny.",),
        ending=State.ANSWERED,
    )


def test_why_a_turn_ends_is_known_to_its_next_owner_and_not_to_the_next_attempt(ledger: Ledger) -> None:
    ledger.owe(replace(owing(claim(ledger)), failure=Failure.DEPENDENCY, ending=State.FAILED))
    record = claim(ledger, "two", now=START + 61)
    assert record.failure is Failure.DEPENDENCY
    ledger.settle(replace(record, state=State.FAILED))
    again = claim(ledger, "three", now=START + 62, turn=next_attempt(TURN))
    assert (again.failure, again.owed) == (None, ())


def test_why_a_turn_ended_is_known_to_who_comes_late_and_not_to_an_attempt_before(ledger: Ledger) -> None:
    ledger.owe(replace(owing(record := claim(ledger)), failure=Failure.DEPENDENCY, ending=State.FAILED))
    ledger.settle(replace(record, state=State.FAILED, failure=Failure.DEPENDENCY))
    settled = AlreadySettled(State.FAILED, Failure.DEPENDENCY)
    assert ledger.claim(TURN, owner="two", now=START + 1, lease_seconds=60) == settled
    claim(ledger, "three", now=START + 2, turn=next_attempt(TURN))
    overtaken = AlreadySettled(State.RECEIVED)
    assert ledger.claim(TURN, owner="four", now=START + 3, lease_seconds=60) == overtaken


def test_a_new_turn_is_received(ledger: Ledger) -> None:
    assert claim(ledger) == Record(TURN.turn_id, 1, State.RECEIVED, "one", began_at=START)


def test_a_live_lease_keeps_others_out(ledger: Ledger) -> None:
    claim(ledger)
    assert ledger.claim(TURN, owner="two", now=START + 45, lease_seconds=60) == Held(15)


def test_who_claims_twice_finds_its_own_claim(ledger: Ledger) -> None:
    mine = claim(ledger)  # the confirmation got lost, and the client asks again
    again = claim(ledger, now=START + 2)
    assert again == replace(mine, intended=1)
    assert not again.is_new  # a message may have been posted meanwhile


def test_a_new_turns_first_message_may_stand_as_soon_as_it_is_claimed(ledger: Ledger) -> None:
    mine = claim(ledger)
    assert mine.is_new
    assert mine.intended == 0
    assert claim(ledger, "two", now=START + 61).intended == 1


def test_a_renewed_lease_keeps_others_out_for_longer(ledger: Ledger) -> None:
    ledger.renew(claim(ledger), until=START + 100)
    assert ledger.claim(TURN, owner="two", now=START + 90, lease_seconds=60) == Held(10)


def test_an_expired_lease_hands_the_turn_over_as_it_stands(ledger: Ledger) -> None:
    started = replace(claim(ledger), state=State.STARTED, reply=("1.0",), intended=2)
    ledger.advance(started)
    assert claim(ledger, "two", now=START + 61) == replace(started, owner="two", tries=2)


def test_a_lease_that_was_let_go_hands_the_turn_over_at_once(ledger: Ledger) -> None:
    ledger.release(claim(ledger))
    assert claim(ledger, "two", now=START + 1).owner == "two"


def test_each_time_that_a_turn_is_taken_over_is_a_try_of_its_attempt(ledger: Ledger) -> None:
    assert claim(ledger).tries == 1
    assert claim(ledger, "two", now=START + 61).tries == 2
    assert isinstance(ledger.claim(TURN, owner="three", now=START + 62, lease_seconds=60), Held)
    last = claim(ledger, "four", now=START + 122)
    assert last.tries == 3
    ledger.settle(replace(last, state=State.FAILED))
    assert claim(ledger, "five", now=START + 123, turn=next_attempt(TURN)).tries == 1


def test_what_was_no_try_is_not_counted_by_who_lets_go_of_the_turn(ledger: Ledger) -> None:
    ledger.release(replace(claim(ledger), tries=0))
    assert claim(ledger, "two", now=START + 1).tries == 1


def test_who_lost_the_turn_can_change_nothing(ledger: Ledger) -> None:
    lost = claim(ledger)
    mine = claim(ledger, "two", now=START + 61)
    with pytest.raises(LeaseLost):
        ledger.renew(lost, until=START + 200)
    with pytest.raises(LeaseLost):
        ledger.release(lost)
    with pytest.raises(LeaseLost):
        ledger.advance(lost)
    with pytest.raises(LeaseLost):
        ledger.owe(owing(lost))
    with pytest.raises(LeaseLost):
        ledger.settle(replace(lost, state=State.ANSWERED))
    ledger.advance(mine)


def test_owed_text_is_handed_over_word_for_word(ledger: Ledger) -> None:
    owed = owing(claim(ledger), "It is sunny. 🌞", "And more.")
    ledger.owe(owed)
    assert claim(ledger, "two", now=START + 61) == replace(owed, owner="two", tries=2)


def test_a_megabyte_is_owed_as_well(ledger: Ledger) -> None:
    owed = owing(claim(ledger), *[f"{number}: " + "é" * 10_000 for number in range(60)])
    ledger.owe(owed)
    assert claim(ledger, "two", now=START + 61).owed == owed.owed


def test_the_rest_of_an_answer_is_handed_over_however_long_it_is(ledger: Ledger) -> None:
    owed = replace(owing(claim(ledger), "one", "two"), rest="\n" + "é🌞\n" * 250_000)
    ledger.owe(owed)
    assert claim(ledger, "two", now=START + 61) == replace(owed, owner="two", tries=2)


def test_text_that_is_owed_once_more_replaces_what_was_owed(ledger: Ledger) -> None:
    owed = replace(owing(claim(ledger), "one", "two"), rest="é" * 400_000)
    ledger.owe(owed)
    ledger.owe(replace(owed, owed=("one",), rest=""))
    taken_over = replace(owed, owed=("one",), rest="", owner="two", tries=2)
    assert claim(ledger, "two", now=START + 61) == taken_over


def test_progress_does_not_forget_what_is_owed(ledger: Ledger) -> None:
    owed = owing(claim(ledger), "one", "two")
    ledger.owe(owed)
    ledger.advance(replace(owed, intended=2))
    assert claim(ledger, "two", now=START + 61) == replace(owed, intended=2, owner="two", tries=2)


@pytest.mark.parametrize("state", [State.ANSWERED, State.INTERRUPTED, State.FAILED])
def test_a_settled_turn_stays_settled(ledger: Ledger, state: State) -> None:
    ledger.settle(replace(claim(ledger), state=state))
    assert ledger.claim(TURN, owner="two", now=START + 9999, lease_seconds=60) == AlreadySettled(state)


@pytest.mark.parametrize("state", [State.INTERRUPTED, State.FAILED])
def test_a_later_attempt_takes_over_the_messages_of_the_one_that_went_wrong(
    ledger: Ledger, state: State
) -> None:
    owed = owing(claim(ledger))
    ledger.owe(owed)
    ledger.settle(replace(owed, state=state, owed=(), ending=None))
    again = claim(ledger, "two", turn=replace(TURN, attempt=2), now=START + 1)
    assert again == Record(
        TURN.turn_id, 2, State.RECEIVED, "two", reply=("1.0",), intended=1, began_at=START + 1
    )
    with pytest.raises(LeaseLost):
        ledger.advance(owed)
    ledger.advance(replace(again, state=State.STARTED))
    assert isinstance(ledger.claim(TURN, owner="one", now=START + 999, lease_seconds=60), AlreadySettled)


def test_a_later_attempt_waits_for_the_one_that_is_still_being_settled(ledger: Ledger) -> None:
    ledger.owe(owing(claim(ledger)))
    again = replace(TURN, attempt=2)
    assert ledger.claim(again, owner="two", now=START + 50, lease_seconds=60) == Held(10)
    assert claim(ledger, "two", turn=again, now=START + 61) == Record(
        TURN.turn_id, 2, State.RECEIVED, "two", reply=("1.0",), intended=1, began_at=START + 61
    )


def test_a_turn_that_was_answered_has_no_later_attempt(ledger: Ledger) -> None:
    ledger.settle(replace(claim(ledger), state=State.ANSWERED))
    again = replace(TURN, attempt=2)
    assert ledger.claim(again, owner="two", now=START, lease_seconds=60) == AlreadySettled(State.ANSWERED)


def test_a_question_is_kept_until_it_is_forgotten(ledger: Ledger) -> None:
    assert ledger.question(TURN) is None
    ledger.keep_question(TURN)
    assert ledger.question(TURN) == TURN
    ledger.forget_question(TURN)
    assert ledger.question(TURN) is None


# --- DynamoDB's own ----------------------------------------------------------------------------------------


@pytest.fixture
def client(aws: Aws) -> RecordingClient:  # noqa: ARG001 - it leads there
    return RecordingClient("dynamodb")


@pytest.fixture
def dynamo(aws: Aws, client: RecordingClient) -> Iterator[DynamoLedger]:
    yield DynamoLedger(client, TABLE, FakeClock())
    for item in items(aws):
        aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def test_of_a_thread_nothing_is_known_at_first(ledger: Ledger) -> None:
    assert ledger.session(TURN.thread_id, "") == Session()


def test_what_an_agent_has_seen_of_a_thread_only_moves_on(ledger: Ledger) -> None:
    ledger.keep_seen(TURN.thread_id, "", seen="1700000000.000200", at=START + 0.25)
    ledger.keep_seen(TURN.thread_id, "", seen="1700000000.000100", at=START + 9)
    assert ledger.session(TURN.thread_id, "") == Session("1700000000.000200", START + 0.25)


def test_a_session_begins_anew_and_keeps_what_was_seen(ledger: Ledger) -> None:
    ledger.begin_session(TURN.thread_id, "", began="1700000000.000300")
    ledger.keep_seen(TURN.thread_id, "", seen="1700000000.000400", at=START)
    ledger.begin_session(TURN.thread_id, "", began="1700000000.000200")  # a delivery that comes late
    assert ledger.session(TURN.thread_id, "") == Session("1700000000.000400", START, "1700000000.000300")


def test_each_person_of_a_thread_can_have_a_session(ledger: Ledger) -> None:
    ledger.keep_seen(TURN.thread_id, "U1", seen="1700000000.000200", at=START)
    assert ledger.session(TURN.thread_id, "U1").seen == "1700000000.000200"
    assert [ledger.session(TURN.thread_id, person) for person in ("", "U2")] == [Session(), Session()]


def test_a_session_is_forgotten_after_a_year(aws: Aws, dynamo: DynamoLedger) -> None:
    dynamo.keep_seen(TURN.thread_id, "", seen="1700000000.000200", at=START)
    [item] = items(aws)
    assert item["expires_at"] == {"N": str(int(START) + SESSION_KEPT_SECONDS)}
    clock = FakeClock()
    clock.time += SESSION_KEPT_SECONDS
    assert DynamoLedger(JsonClient("dynamodb"), TABLE, clock).session(TURN.thread_id, "") == Session()


def test_a_record_of_a_version_that_did_not_count_has_been_tried_once(aws: Aws, dynamo: DynamoLedger) -> None:
    claim(dynamo)
    aws.dynamodb.update_item(
        TableName=TABLE,
        Key={"turn_id": {"S": TURN.turn_id}, "item": {"S": "record"}},
        UpdateExpression="REMOVE tries",
    )
    assert claim(dynamo, "two", now=START + 61).tries == 2


def test_every_item_expires_and_stays_below_the_size_of_an_item(aws: Aws, dynamo: DynamoLedger) -> None:
    dynamo.owe(owing(claim(dynamo), *["é" * 10_000] * 60))
    stored = items(aws)
    assert len(stored) > 1
    assert all(int(item["expires_at"]["N"]) == START + KEPT_SECONDS for item in stored)
    assert all(len(str(item).encode()) < 400_000 for item in stored)


def test_text_that_is_owed_no_longer_is_not_kept(aws: Aws, dynamo: DynamoLedger) -> None:
    dynamo.owe(replace(owing(claim(dynamo), "one"), rest="é" * 400_000))
    taken = claim(dynamo, "two", now=START + 61)
    dynamo.owe(replace(taken, rest="é" * 200_000))
    assert sum(text_of(item).count("é") for item in items(aws)) == 200_000
    dynamo.owe(replace(taken, rest=""))
    [item] = items(aws)
    assert "é" not in text_of(item)


def test_a_worker_that_lost_its_turn_writes_over_nobodys_text(dynamo: DynamoLedger) -> None:
    lost = claim(dynamo)
    mine = claim(dynamo, "two", now=START + 61)
    dynamo.owe(owing(mine, *["é" * 10_000] * 60))
    with pytest.raises(LeaseLost):
        dynamo.owe(owing(lost, *["x" * 10_000] * 60))
    assert set(claim(dynamo, "three", now=START + 200).owed) == {"é" * 10_000}


def test_nothing_but_the_record_is_left_of_a_settled_turn(aws: Aws, dynamo: DynamoLedger) -> None:
    record = claim(dynamo)
    dynamo.owe(owing(record, *["é" * 10_000] * 60))
    dynamo.settle(replace(record, state=State.ANSWERED, reply=("1.0", "2.0"), intended=2))
    [item] = items(aws)
    assert item["item"] == {"S": "record"}
    assert "é" not in text_of(item)
    assert not {"owed", "owed_zip", "owed_items", "owed_by"} & item.keys()


def test_long_text_is_compressed_and_comes_back_whole(aws: Aws, dynamo: DynamoLedger) -> None:
    record = claim(dynamo)
    messages = ["It is sunny in Zürich. " * 200, "More. 🌦"]
    dynamo.owe(owing(record, *messages))
    [item] = items(aws)
    assert "owed" not in item
    assert len(str(item)) < 1500
    assert claim(dynamo, "two", now=START + 61).owed == tuple(messages)


def test_short_text_in_the_place_of_long_text_is_all_that_is_owed(aws: Aws, dynamo: DynamoLedger) -> None:
    record = claim(dynamo)
    dynamo.owe(owing(record, "It is sunny. " * 200))
    dynamo.owe(owing(record, "It cannot be shown."))
    [item] = items(aws)
    assert "owed_zip" not in item
    assert claim(dynamo, "two", now=START + 61).owed == ("It cannot be shown.",)


def test_text_is_forgotten_though_a_part_of_it_could_not_be_at_first(
    aws: Aws, dynamo: DynamoLedger, client: RecordingClient
) -> None:
    record = claim(dynamo)
    dynamo.owe(owing(record, *["é" * 10_000] * 60))
    settled = replace(record, state=State.ANSWERED)

    def fail_once(operation: str, proceed: Callable[[], Any]) -> Any:
        if operation == "DeleteItem" and client.calls.count(operation) == 2:
            raise AwsError("DeleteItem", "TimeoutError")
        return proceed()

    client.interfere = fail_once
    with pytest.raises(ServiceUnavailable):
        dynamo.settle(settled)
    dynamo.settle(settled)
    assert [item["item"]["S"] for item in items(aws)] == ["record"]


@pytest.mark.parametrize("text", ["🌦" * 40_000, "é" * 40_000])
def test_the_longest_question_that_slack_lets_people_write_is_kept(dynamo: DynamoLedger, text: str) -> None:
    dynamo.keep_question(replace(TURN, text=text))
    kept = dynamo.question(TURN)
    assert kept is not None
    assert kept.text == text


def test_a_question_that_fits_into_no_item_is_not_kept(dynamo: DynamoLedger) -> None:
    dynamo.keep_question(replace(TURN, text="x" * 500_000))
    assert dynamo.question(TURN) is None


@pytest.mark.parametrize("state", [State.STARTED, State.ANSWERED])
def test_who_takes_over_notices_what_the_late_owner_still_wrote(
    dynamo: DynamoLedger, client: RecordingClient, state: State
) -> None:
    late = claim(dynamo)

    def write_meanwhile(_: str, proceed: Callable[[], Any]) -> Any:
        client.interfere = None
        try:
            return proceed()
        finally:  # the first owner is alive after all
            dynamo.advance(replace(late, state=state))

    client.interfere = write_meanwhile
    assert dynamo.claim(TURN, owner="two", now=START + 61, lease_seconds=60) == Held(1.0)


def test_who_takes_over_has_the_turn_though_the_answer_to_that_got_lost(
    dynamo: DynamoLedger, client: RecordingClient
) -> None:
    claim(dynamo)

    def lose_an_answer(operation: str, proceed: Callable[[], Any]) -> Any:
        if operation == "UpdateItem":
            proceed()
        return proceed()  # as the client does by itself

    client.interfere = lose_an_answer
    assert claim(dynamo, "two", now=START + 61).owner == "two"


def test_an_item_past_its_time_counts_as_absent(dynamo: DynamoLedger) -> None:
    dynamo.settle(replace(claim(dynamo), state=State.ANSWERED))
    assert claim(dynamo, "two", now=START + KEPT_SECONDS + 1).state is State.RECEIVED


def test_that_an_agent_was_asked_is_known_as_long_as_the_question_may_be_queued(dynamo: DynamoLedger) -> None:
    dynamo.advance(replace(claim(dynamo), state=State.STARTED))
    assert claim(dynamo, "two", now=START + 14 * 24 * 3600).state is State.STARTED


def test_of_many_who_take_over_at_once_one_gets_the_turn(dynamo: DynamoLedger) -> None:
    claim(dynamo)

    def take_over(owner: str) -> Claim:
        return dynamo.claim(TURN, owner=owner, now=START + 61, lease_seconds=60)

    with ThreadPoolExecutor() as pool:
        claims = list(pool.map(take_over, [f"worker {number}" for number in range(8)]))
    assert sum(isinstance(outcome, Record) for outcome in claims) == 1
    assert sum(isinstance(outcome, Held) for outcome in claims) == 7


def test_a_question_older_than_a_day_counts_as_absent(dynamo: DynamoLedger) -> None:
    dynamo.keep_question(TURN)
    later = FakeClock()
    later.sleep(QUESTION_KEPT_SECONDS + 1)
    assert DynamoLedger(JsonClient("dynamodb"), TABLE, later).question(TURN) is None


@pytest.mark.usefixtures("aws")
def test_a_table_that_is_not_there_is_reported_as_unavailable() -> None:
    missing = DynamoLedger(JsonClient("dynamodb"), "no-such-table", FakeClock())
    with pytest.raises(ServiceUnavailable, match="ResourceNotFoundException"):
        claim(missing)


# --- who talks with the bot ---------------------------------------------------------------------------------


def test_a_thread_knows_who_has_asked_there_last_when(ledger: Ledger) -> None:
    assert ledger.talk("T1:C1:1") == Talk()
    ledger.keep_agent("T1:C1:1", "default")
    ledger.keep_agent("T1:C1:1", "default", user="U1", ts="1700000000.000100")
    ledger.keep_agent("T1:C1:1", "finops", user="U2", ts="1700000005.000100")
    ledger.keep_agent("T1:C1:1", "finops", user="U1", ts="1700000009.000100")
    assert ledger.agent_of("T1:C1:1") == "finops"
    assert ledger.talk("T1:C1:1") == Talk({"U1": "1700000009.000100", "U2": "1700000005.000100"})


def test_a_thread_is_muted_until_it_is_unmuted(ledger: Ledger) -> None:
    ledger.mute("T1:C1:1", is_muted=True)
    ledger.keep_agent("T1:C1:1", "default", user="U1", ts="1700000000.000100")
    assert ledger.talk("T1:C1:1") == Talk({"U1": "1700000000.000100"}, is_muted=True)
    ledger.mute("T1:C1:1", is_muted=False)
    assert ledger.talk("T1:C1:1") == Talk({"U1": "1700000000.000100"})


def test_a_thread_that_was_muted_before_it_had_an_agent_has_none(ledger: Ledger) -> None:
    ledger.mute("T1:C1:1", is_muted=True)
    assert ledger.agent_of("T1:C1:1") is None
