"""One suite for the rules of pauses: DynamoDB's adapter and the fake that the domain's tests rely on."""

import json
import random
import string
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.ledger import TEXT_BYTES, DynamoLedger
from functions.adapters.aws.pauses import PAUSE_ATTRIBUTES, DynamoPauses
from functions.adapters.aws.stops import DynamoStops
from functions.bridge.admission.approvers import ApproverRule, Approvers
from functions.bridge.agents.events import ToolRequest, Wanted
from functions.bridge.ledger.pauses import Decided, Decision, Pause, Pauses, Pending
from functions.bridge.ledger.record import Held, Ledger, Record, State
from functions.bridge.ledger.stops import Press, Stop
from functions.bridge.turns.approvals import MOST_KEPT
from simulator.aws import TABLE, Aws
from tests.functions.adapters.aws.test_ledger import claim, items
from tests.functions.fakes import START, TURN, FakeClock, FakeLedger, FakePauses, FakeStops, next_attempt

PAUSE = Pause(
    id="0123456789abcdef0123456789abcdef",
    agent="default",
    session_id=TURN.thread_id,
    session_person="",
    asker="U1",
    requests=(ToolRequest("call-1", "send_email", '{"to": "ann"}', Wanted.CONSENT, "{}", "May I?"),),
    approvers=Approvers(ApproverRule.LISTED, ("U2",), ("S1",)),
    asked_at=START,
    until=START + 900,
)
YES = Decision(Decided.APPROVED, "U2", START + 10.5)
NO = Decision(Decided.DENIED, "U3", START + 11, "Not today")
TOO_LATE = Decision(Decided.APPROVED, "U2", START + 900)
EXPIRED = Decision(Decided.EXPIRED, "", START + 901)


class Table(NamedTuple):
    pauses: Pauses
    ledger: Ledger


@pytest.fixture(params=["dynamodb", "fake"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    if request.param == "fake":
        ledger = FakeLedger(FakeClock())
        yield Table(FakePauses(ledger), ledger)
        return
    aws: Aws = request.getfixturevalue("aws")
    yield Table(
        DynamoPauses(JsonClient("dynamodb"), TABLE), DynamoLedger(JsonClient("dynamodb"), TABLE, FakeClock())
    )
    for item in items(aws):
        aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def owing(table: Table) -> Record:
    """The turn, whose card is about to be posted."""
    record = replace(
        claim(table.ledger),
        state=State.REPLYING,
        reply=("1.1",),
        intended=1,
        owed=("I will.", "May I?"),
        ending=State.WAITING,
        pause=PAUSE,
    )
    table.ledger.owe(record)
    return record


def waiting(table: Table) -> Record:
    """The turn, whose card stands."""
    record = replace(
        owing(table),
        state=State.WAITING,
        reply=("1.1", "1.2"),
        intended=2,
        base=1,
        owed=(),
        ending=None,
        tries=0,
    )
    table.ledger.wait(record, receipt="receipt-1")
    return record


def of_turn(table: Table) -> Pending | None:
    return table.pauses.of_turn(TURN.turn_id, 1)


def decide(table: Table, decision: Decision, pause: Pause = PAUSE) -> Decision | None:
    stands = table.pauses.decide(TURN.turn_id, 1, pause, decision)
    return stands.decision if stands else None


def stop(table: Table, message_ts: str) -> None:
    """Press our Stop button under the message."""
    stops = (
        FakeStops(table.ledger)
        if isinstance(table.ledger, FakeLedger)
        else DynamoStops(JsonClient("dynamodb"), TABLE, FakeClock())
    )
    press = stops.mark_turn(TURN.turn_id, 1, message_ts, Stop("U3", f"{START + 10:.6f}"))
    assert press is Press.TAKEN


def test_a_pause_is_on_record_before_its_card(table: Table) -> None:
    assert of_turn(table) is None
    owing(table)
    assert of_turn(table) == Pending(PAUSE, None, "", ("1.1",), None)


def test_a_waiting_turn_says_where_its_card_and_its_message_are(table: Table) -> None:
    waiting(table)
    assert of_turn(table) == Pending(PAUSE, None, "receipt-1", ("1.1", "1.2"), 1)


def test_only_the_first_decision_stands(table: Table) -> None:
    waiting(table)
    assert decide(table, YES) == YES
    assert decide(table, NO) == YES
    assert decide(table, EXPIRED) == YES
    stands = of_turn(table)
    assert stands is not None
    assert stands.decision == YES


def test_a_decision_may_come_before_the_turn_waits(table: Table) -> None:
    record = owing(table)
    assert decide(table, NO) == NO
    table.ledger.wait(replace(record, state=State.WAITING, owed=(), ending=None), receipt="receipt-1")
    stands = of_turn(table)
    assert stands is not None
    assert (stands.decision, stands.receipt) == (NO, "receipt-1")


def test_a_person_may_not_decide_once_it_has_expired(table: Table) -> None:
    waiting(table)
    assert decide(table, TOO_LATE) is None
    assert decide(table, EXPIRED) == EXPIRED
    assert decide(table, YES) == EXPIRED


def test_a_person_may_not_decide_once_somebody_has_stopped_the_turn(table: Table) -> None:
    record = waiting(table)
    stop(table, record.reply[-1])
    assert decide(table, YES) is None
    assert decide(table, EXPIRED) == EXPIRED


def test_a_decision_stands_though_somebody_stops_the_turn_then(table: Table) -> None:
    record = waiting(table)
    assert decide(table, YES) == YES
    stop(table, record.reply[-1])
    assert decide(table, YES) == YES


def test_a_decision_about_another_pause_is_none(table: Table) -> None:
    waiting(table)
    assert table.pauses.decide(TURN.turn_id, 1, replace(PAUSE, id="f" * 32), YES) is None
    assert table.pauses.decide(TURN.turn_id, 2, PAUSE, YES) is None
    assert table.pauses.of_turn(TURN.turn_id, 2) is None


def test_whoever_claims_a_waiting_turn_gets_all_that_stands(table: Table) -> None:
    waiting(table)
    decide(table, NO)
    record = claim(table.ledger, owner="two")
    assert (record.state, record.pause, record.decision) == (State.WAITING, PAUSE, NO)
    assert (record.base, record.reply, record.owed, record.tries) == (1, ("1.1", "1.2"), (), 1)


def test_a_waiting_turn_is_held_by_nobody(table: Table) -> None:
    record = owing(table)
    found = table.ledger.claim(TURN, owner="two", now=START + 1, lease_seconds=60.0)
    assert isinstance(found, Held)
    table.ledger.wait(replace(record, state=State.WAITING, owed=(), ending=None), receipt="receipt-1")
    found = table.ledger.claim(TURN, owner="two", now=START + 1, lease_seconds=60.0)
    assert isinstance(found, Record)


def test_only_who_decided_is_kept_once_the_turn_goes_on(table: Table) -> None:
    waiting(table)
    decide(table, NO)
    record = claim(table.ledger, owner="two")
    table.ledger.start(replace(record, state=State.STARTED, base=2, intended=3, pause=None, decision=None))
    assert of_turn(table) is None
    assert decide(table, YES) is None
    assert table.pauses.past_decision(TURN.turn_id, 1, PAUSE.id) == replace(NO, reason="")
    assert table.pauses.past_decision(TURN.turn_id, 1, "f" * 32) is None
    assert table.pauses.past_decision(TURN.turn_id, 2, PAUSE.id) is None
    later = table.ledger.claim(TURN, owner="three", now=START + 600, lease_seconds=60.0)
    assert isinstance(later, Record)
    assert (later.pause, later.decision, later.base) == (None, None, 2)


@pytest.mark.parametrize("ends", ["owes", "settles"])
def test_nothing_is_kept_once_the_turn_ends(table: Table, ends: str) -> None:
    waiting(table)
    decide(table, NO)
    record = replace(claim(table.ledger, owner="two"), pause=None, decision=None)
    if ends == "owes":
        table.ledger.owe(replace(record, state=State.REPLYING, owed=("Stopped.",), ending=State.STOPPED))
    else:
        table.ledger.settle(replace(record, state=State.FAILED))
    assert of_turn(table) is None


def test_a_later_attempt_goes_on_behind_what_is_final(table: Table) -> None:
    waiting(table)
    record = replace(claim(table.ledger, owner="two"), pause=None, decision=None)
    table.ledger.settle(replace(record, state=State.INTERRUPTED, base=2))
    again = table.ledger.claim(next_attempt(TURN), owner="three", now=START + 600, lease_seconds=60.0)
    assert isinstance(again, Record)
    assert (again.state, again.base, again.reply) == (State.RECEIVED, 2, ("1.1", "1.2"))


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("pause", '{"id": "0123456789abcdef0123456789abcdef", "votes_needed": 2}'),
        ("pause", "[]"),
        ("pause", "{"),
        ("decided", "approved_with_changes"),
    ],
)
@pytest.mark.parametrize("state", [State.WAITING, State.REPLYING])
def test_what_only_a_newer_version_can_read_is_no_pause(
    aws: Aws, attribute: str, value: str, state: State
) -> None:
    table = Table(
        DynamoPauses(JsonClient("dynamodb"), TABLE), DynamoLedger(JsonClient("dynamodb"), TABLE, FakeClock())
    )
    waiting(table) if state is State.WAITING else owing(table)
    decide(table, YES)
    [item] = items(aws)
    aws.dynamodb.update_item(
        TableName=TABLE,
        Key={"turn_id": item["turn_id"], "item": item["item"]},
        UpdateExpression=f"SET {attribute} = :value",
        ExpressionAttributeValues={":value": {"S": value}},
    )
    assert of_turn(table) is None
    record = table.ledger.claim(TURN, owner="two", now=START + 600, lease_seconds=60.0)
    assert isinstance(record, Record)
    assert (record.pause, record.decision) == (None, None)
    if state is State.WAITING:  # the agent may have been asked
        assert (record.state, record.base) == (State.STARTED, 1)
    else:
        assert (record.state, record.ending) == (State.REPLYING, State.INTERRUPTED)
    aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def test_a_record_that_an_older_version_has_shortened_can_be_read(aws: Aws) -> None:
    table = Table(
        DynamoPauses(JsonClient("dynamodb"), TABLE), DynamoLedger(JsonClient("dynamodb"), TABLE, FakeClock())
    )
    waiting(table)
    # It does not know of `base`, and begins at the first message.
    record = replace(claim(table.ledger, owner="two"), pause=None, base=0)
    table.ledger.settle(replace(record, state=State.INTERRUPTED, reply=("1.1",), intended=1))
    again = table.ledger.claim(next_attempt(TURN), owner="three", now=START + 600, lease_seconds=60.0)
    assert isinstance(again, Record)
    assert (again.reply, again.base) == (("1.1",), 1)
    [item] = items(aws)
    aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def test_the_table_forgets_the_texts_of_a_pause(aws: Aws) -> None:
    table = Table(
        DynamoPauses(JsonClient("dynamodb"), TABLE), DynamoLedger(JsonClient("dynamodb"), TABLE, FakeClock())
    )
    waiting(table)
    decide(table, NO)
    record = replace(claim(table.ledger, owner="two"), pause=None, decision=None)
    table.ledger.start(replace(record, state=State.STARTED))
    [item] = items(aws)
    assert not item.keys() & {*PAUSE_ATTRIBUTES}
    aws.dynamodb.delete_item(TableName=TABLE, Key={"turn_id": item["turn_id"], "item": item["item"]})


def test_the_longest_request_fits_beside_the_longest_text(table: Table) -> None:
    text = "".join(random.Random(1).choices(string.ascii_letters + string.punctuation, k=TEXT_BYTES))
    said = tuple(text[at : at + 10_000] for at in range(0, len(text), 10_000))
    request = replace(PAUSE.requests[0], arguments=json.dumps({"token": "x" * (MOST_KEPT - 100)}))
    pause = replace(PAUSE, requests=(request,))
    table.ledger.owe(replace(owing(table), owed=said, pause=pause))
    stands = of_turn(table)
    assert stands is not None
    assert stands.pause == pause
