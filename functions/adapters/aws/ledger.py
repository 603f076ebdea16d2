"""DynamoDB: one record per turn, `turn_id` its partition key.

`functions.bridge.ledger.record` has the states. The record is the item "record". Owed text that does not fit
into it (an item holds 400 KB) stands in the items "text#OWNER#1", …, which are written before the record that
counts on them. The item "question" has the question of a turn that went wrong. Under the id of a thread's
first turn, "agent" says who answers in that thread (`name`), when each person has asked there last
(`asked_USER`) and whether it is `muted`; and "thread", or "thread#USER" where each person has one, what is
known of the agent's session. Every item has a TTL.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from functions.adapters.aws.items import ConditionFailed, key_of, plain, translated, typed
from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.pauses import PAUSE_ATTRIBUTES, attributes_of, decision_of, pause_of
from functions.adapters.aws.stops import mark_of
from functions.adapters.aws.waiting import EDIT_ATTRIBUTES, edit_of, has_hourglass
from functions.bridge.agents.failures import Failure
from functions.bridge.clock import Clock
from functions.bridge.ledger.record import (
    AGENT_KEPT_SECONDS,
    QUESTION_KEPT_SECONDS,
    SETTLED,
    Claim,
    Held,
    LeaseLost,
    Record,
    State,
    is_settled,
    settled,
    taken_over,
)
from functions.bridge.ledger.session import SESSION_KEPT_SECONDS, Session
from functions.bridge.ledger.stops import StopWanted
from functions.bridge.ledger.talk import Talk
from functions.bridge.turn import MalformedTurn, Turn, from_json, to_json

# A day longer than a question may lie in its two queues, 14 days in each (infra/queues.py): in a dead-letter
# queue of type FIFO the time begins anew. Who receives it as late as that must still know that its agent was
# asked. docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
KEPT_SECONDS = 29 * 24 * 3600
# Half of what an item may hold, in bytes:
# docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
TEXT_BYTES = 200_000
# Bytes. Less text than that is one write unit anyway.
LEAST_COMPRESSED_BYTES = 1000
# In characters: a text that is no message is kept in pieces, as a message is.
_SLICE = 10_000
# All but the item's other attributes. Slack's longest message, 40,000 characters, has 160,000 bytes at most.
QUESTION_BYTES = 390_000

_RECORD = "record"
_QUESTION = "question"
_AGENT = "agent"
_THREAD = "thread"
# In front of a person's id.
_ASKED = "asked_"
# Owed text, as it is or compressed. An item has one of them.
_OWED, _OWED_ZIP = "owed", "owed_zip"
_TEXT_ATTRIBUTES = (_OWED, _OWED_ZIP, "owed_messages", "ending")
_ITEMS_ATTRIBUTES = ("owed_items", "owed_by")
E = TypeVar("E", bound=StrEnum)


class DynamoLedger:
    """The ledger in one table with the keys `turn_id` and `item`. See `record.Ledger`."""

    def __init__(self, client: JsonClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def claim(self, turn: Turn, *, owner: str, now: float, lease_seconds: float) -> Claim:
        """One write for a new turn; one more to take a turn over.

        TTL deletes late, so an item past its time counts as absent.
        """
        until = now + lease_seconds
        fresh = Record(turn.turn_id, turn.attempt, State.RECEIVED, owner, began_at=now, is_new=True)
        item = _item(fresh) | {
            "intended": 1,
            "tries": fresh.tries,
            "began_at": int(1000 * now),
            "lease_until": int(1000 * until),
            "expires_at": self._expiry(),
        }
        found = self._put_new(item, now=now)
        if found is None:
            return fresh
        left_behind = self._record(found)
        left = float(found["lease_until"]) / 1000 - now
        if is_settled(left_behind, turn):
            return settled(left_behind, turn)
        if left_behind.owner == owner and left_behind.attempt == turn.attempt:
            return left_behind  # our own claim, whose confirmation got lost
        if left_behind.state not in SETTLED and left > 0:
            return Held(left)
        return self._take_over(found, taken_over(left_behind, turn, owner, now), until)

    def keep_question(self, turn: Turn) -> None:
        """One that is too long for an item, as Slack's never are, is not kept: it cannot be asked again."""
        text = to_json(turn)
        if len(text.encode()) > QUESTION_BYTES:
            return
        expires_at = int(self._clock.now()) + QUESTION_KEPT_SECONDS
        item = {"turn_id": turn.turn_id, "item": _QUESTION, "turn": text, "expires_at": expires_at}
        self._put(item)

    def question(self, turn: Turn) -> Turn | None:
        """One that this version cannot read counts as too old."""
        item = self._get(turn.turn_id, _QUESTION)
        if not item or item["expires_at"] <= self._clock.now():  # TTL deletes late
            return None
        try:
            return from_json(item["turn"])
        except MalformedTurn:
            return None

    def forget_question(self, turn: Turn) -> None:
        self._delete(turn.turn_id, _QUESTION)

    def agent_of(self, thread_id: str) -> str | None:
        item = self._get(thread_id, _AGENT)
        return item.get("name") if item and item["expires_at"] > self._clock.now() else None

    def keep_agent(self, thread_id: str, name: str, *, user: str = "", ts: str = "") -> None:
        self._set_agent(thread_id, {"name": name, **({f"{_ASKED}{user}": ts} if user else {})})

    def talk(self, thread_id: str) -> Talk:
        item = self._get(thread_id, _AGENT)
        if not item or item["expires_at"] <= self._clock.now():
            return Talk()
        asked = {name.removeprefix(_ASKED): ts for name, ts in item.items() if name.startswith(_ASKED)}
        return Talk(asked, item.get("muted", False))

    def mute(self, thread_id: str, *, is_muted: bool) -> None:
        self._set_agent(thread_id, {"muted": is_muted})

    def session(self, thread_id: str, person: str) -> Session:
        item = self._get(thread_id, _thread_item(person))
        if not item or item["expires_at"] <= self._clock.now():
            return Session()
        seen_at = float(item.get("seen_at", 0)) / 1000
        return Session(item.get("seen", ""), seen_at, item.get("began", ""))

    def keep_seen(self, thread_id: str, person: str, *, seen: str, at: float) -> None:
        seen_at = {"seen": seen, "seen_at": int(1000 * at)}
        # Slack's timestamps have ten digits in front of the dot until the year 2286.
        with suppress(ConditionFailed):
            self._set(
                key_of(thread_id, _thread_item(person)),
                seen_at,
                "attribute_not_exists(seen) OR seen <= :seen",
            )

    def begin_session(self, thread_id: str, person: str, *, began: str) -> None:
        with suppress(ConditionFailed):
            self._set(
                key_of(thread_id, _thread_item(person)),
                {"began": began},
                "attribute_not_exists(began) OR began <= :began",
            )

    def renew(self, record: Record, *, until: float) -> None:
        self._change(record, {"lease_until": int(1000 * until)})

    def release(self, record: Record) -> None:
        self._change(record, {"lease_until": 0, "tries": record.tries, "intended": record.intended})

    def start(self, record: Record) -> None:
        self._change(record, _progress(record), remove=PAUSE_ATTRIBUTES, unless_stopped=True)

    def advance(self, record: Record) -> None:
        self._change(record, _progress(record))

    def owe(self, record: Record) -> None:
        slices = [record.rest[at : at + _SLICE] for at in range(0, len(record.rest), _SLICE)]
        first, *others = _chunks([*record.owed, *slices])
        for number, chunk in enumerate(others, start=1):
            item = {"turn_id": record.turn_id, "item": _text_item(record.owner, number), **_packed(chunk)}
            self._put(item | {"expires_at": self._expiry()})
        assert record.ending is not None
        packed = _packed(first)
        ending = {
            **packed,
            "owed_messages": len(record.owed),
            "owed_items": len(others),
            "owed_by": record.owner,
            "ending": record.ending.value,
            "failure": record.failure.value if record.failure else "",
        }
        pause = attributes_of(record.pause) if record.pause else {}
        gone = [*({_OWED, _OWED_ZIP} - packed.keys()), *([] if pause else PAUSE_ATTRIBUTES)]
        old = self._change(record, _progress(record) | ending | pause, remove=gone)
        kept = len(others) if old.get("owed_by") == record.owner else 0
        for number in range(kept + 1, int(old.get("owed_items", 0)) + 1):
            self._delete(record.turn_id, _text_item(old["owed_by"], number))

    def settle(self, record: Record) -> None:
        self._forget_text(record, _progress(record), also=[*PAUSE_ATTRIBUTES, *EDIT_ATTRIBUTES])

    def wait(self, record: Record, *, receipt: str) -> None:
        waits = {"receipt": receipt, "lease_until": 0, "tries": record.tries}
        self._forget_text(record, _progress(record) | waits)

    def _forget_text(self, record: Record, changes: dict[str, Any], also: Sequence[str] = ()) -> None:
        """Change the record whose owed text has landed."""
        old = self._change(record, changes, remove=[*_TEXT_ATTRIBUTES, *also])
        items = int(old.get("owed_items", 0))
        for number in range(1, items + 1):
            # The TTL would delete them too; what is not needed any more is not kept.
            self._delete(record.turn_id, _text_item(old["owed_by"], number))
        if items:  # last, as a repetition must still know of them
            self._change(record, {}, remove=_ITEMS_ATTRIBUTES)

    def _record(self, found: dict[str, Any]) -> Record:
        texts = (*_unpacked(found), *self._more_text(found))
        messages = int(found.get("owed_messages", len(texts)))
        state = _known(State, found["state"]) or State.UNKNOWN
        ending = (_known(State, found["ending"]) or State.INTERRUPTED) if "ending" in found else None
        pause = pause_of(found)
        if pause is None:  # of a turn that waits only a newer version knows what for
            state = State.UNKNOWN if state is State.WAITING else state
            ending = State.INTERRUPTED if ending is State.WAITING else ending
        return Record(
            turn_id=found["turn_id"],
            attempt=int(found["attempt"]),
            state=state,
            owner=found["owner"],
            reply=tuple(found["reply"]),
            intended=int(found["intended"]),
            # A version without `base` may have shortened the reply.
            base=min(int(found.get("base", 0)), len(found["reply"])),
            owed=texts[:messages],
            rest="".join(texts[messages:]),
            ending=ending,
            failure=_known(Failure, found.get("failure")),
            tries=int(found.get("tries", 1)),  # earlier versions did not count
            began_at=float(found.get("began_at", 0)) / 1000,
            stop=mark_of(found, int(found["attempt"])),
            pause=pause,
            decision=decision_of(found) if pause else None,
            has_hourglass=has_hourglass(found),
            edit=edit_of(found),
        )

    def _take_over(self, found: dict[str, Any], record: Record, until: float) -> Claim:
        """Make `record` of what was `found`, unless it has changed since."""
        mine = {
            "owner": record.owner,
            "attempt": record.attempt,
            "state": record.state.value,
            "tries": record.tries,
            "began_at": int(1000 * record.began_at),
        }
        texts = () if record.owed else (*_TEXT_ATTRIBUTES, *_ITEMS_ATTRIBUTES, "failure")
        spent = (*texts, *(() if record.pause else PAUSE_ATTRIBUTES))
        # The owner whose lease has run out may be alive, and write at this moment.
        unchanged = {name: found[name] for name in ("lease_until", "state", "reply", "intended")}
        try:
            stood = self._change(
                self._record(found),
                mine | {"lease_until": int(1000 * until)},
                remove=spent,
                unchanged=unchanged,
            )
        except LeaseLost:
            # Or it was us: boto3 repeats a call whose answer got lost, and then meets what we have written.
            stood = self._get(record.turn_id, _RECORD)
            if (stood.get("owner"), stood.get("attempt")) != (record.owner, record.attempt):
                return Held(1.0)  # somebody was faster
        # A note may have been left since the record was found.
        edit = edit_of(stood) if stood["attempt"] == record.attempt else None
        return replace(record, has_hourglass=has_hourglass(stood), edit=edit)

    def _more_text(self, found: dict[str, Any]) -> Iterator[str]:
        for number in range(1, int(found.get("owed_items", 0)) + 1):
            item = _text_item(found["owed_by"], number)
            yield from _unpacked(self._get(found["turn_id"], item))

    def _get(self, turn_id: str, item: str) -> dict[str, Any]:
        with translated():
            answer = self._client.call(
                "GetItem", TableName=self._table, Key=key_of(turn_id, item), ConsistentRead=True
            )
        return plain(answer.get("Item", {}))

    def _delete(self, turn_id: str, item: str) -> None:
        with translated():
            self._client.call("DeleteItem", TableName=self._table, Key=key_of(turn_id, item))

    def _set(self, key: dict[str, Any], attributes: dict[str, Any], condition: str) -> None:
        """Change a thread's item, or make it. Raises `ConditionFailed`."""
        changes = attributes | {"expires_at": int(self._clock.now()) + SESSION_KEPT_SECONDS}
        with translated():
            self._client.call(
                "UpdateItem",
                TableName=self._table,
                Key=key,
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in changes),
                ConditionExpression=condition,
                ExpressionAttributeValues=typed({f":{name}": value for name, value in changes.items()}),
            )

    def _set_agent(self, thread_id: str, attributes: Mapping[str, Any]) -> None:
        """Change attributes of the thread's item "agent", or make it."""
        changes = {**attributes, "expires_at": int(self._clock.now()) + AGENT_KEPT_SECONDS}
        with translated():
            self._client.call(
                "UpdateItem",
                TableName=self._table,
                Key=key_of(thread_id, _AGENT),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
                ExpressionAttributeNames={f"#{name}": name for name in changes},
                ExpressionAttributeValues=typed({f":{name}": value for name, value in changes.items()}),
            )

    def _expiry(self) -> int:
        return int(self._clock.now()) + KEPT_SECONDS

    def _put(self, item: dict[str, Any], **condition: Any) -> None:
        with translated():
            self._client.call("PutItem", TableName=self._table, Item=typed(item), **condition)

    def _put_new(self, item: dict[str, Any], *, now: float) -> dict[str, Any] | None:
        """Put the item, or return the one that stands there and has not expired."""
        try:
            self._put(
                item,
                ConditionExpression="NOT (attribute_exists(turn_id) AND expires_at > :now)",
                ExpressionAttributeValues=typed({":now": int(now)}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as exc:
            return exc.item
        return None

    def _change(
        self,
        record: Record,
        changes: dict[str, Any],
        *,
        remove: Sequence[str] = (),
        unchanged: Mapping[str, Any] | None = None,
        unless_stopped: bool = False,
    ) -> dict[str, Any]:
        """Change the record that `record.owner` holds, if `unchanged` is as it was; return it as it was.

        Raises:
            LeaseLost: somebody else holds it, or a later attempt has begun.
            StopWanted: somebody wants the attempt stopped, and `unless_stopped` is true.
        """
        expected = {"owner": record.owner, "attempt": record.attempt, **(unchanged or {})}
        settings = "SET " + ", ".join(f"#{name} = :{name}_new" for name in changes) if changes else ""
        conditions = [f"#{name} = :{name}" for name in expected]
        conditions += ["NOT (stop_attempt = :attempt)"] if unless_stopped else []
        removal = " REMOVE " + ", ".join(remove) if remove else ""
        try:
            with translated():
                answer = self._client.call(
                    "UpdateItem",
                    TableName=self._table,
                    Key=key_of(record.turn_id, _RECORD),
                    UpdateExpression=settings + removal,
                    ConditionExpression=" AND ".join(conditions),
                    ExpressionAttributeNames={f"#{name}": name for name in {*changes, *expected}},
                    ExpressionAttributeValues=typed(
                        {f":{name}_new": value for name, value in changes.items()}
                        | {f":{name}": value for name, value in expected.items()}
                    ),
                    ReturnValues="ALL_OLD",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as exc:
            is_ours = all(exc.item.get(name) == value for name, value in expected.items())
            if unless_stopped and is_ours and (stop := mark_of(exc.item, record.attempt)):
                raise StopWanted(stop) from exc
            raise LeaseLost(f"turn {record.turn_id} is held by somebody else") from exc
        return plain(answer["Attributes"])


def _known(kind: type[E], value: object) -> E | None:
    """The member with this value; None where only a newer version has one."""
    return next((member for member in kind if member == value), None)


def _item(record: Record) -> dict[str, Any]:
    identity = {"turn_id": record.turn_id, "item": _RECORD, "attempt": record.attempt, "owner": record.owner}
    return identity | _progress(record)


def _progress(record: Record) -> dict[str, Any]:
    base = {"base": record.base} if record.base else {}
    return {
        "state": record.state.value,
        "reply": list(record.reply),
        "intended": record.intended,
        **base,
    }


def _packed(texts: list[str]) -> dict[str, Any]:
    """An attribute with the texts. DynamoDB charges each KB that is written, and each that is removed."""
    if sum(len(text.encode()) for text in texts) < LEAST_COMPRESSED_BYTES:
        return {_OWED: texts}
    return {_OWED_ZIP: zlib.compress(json.dumps(texts).encode())}


def _unpacked(item: Mapping[str, Any]) -> list[str]:
    """The texts of an item, [] where it has none."""
    if packed := item.get(_OWED_ZIP):
        return list(json.loads(zlib.decompress(packed)))
    return list(item.get(_OWED, ()))


def _chunks(messages: Sequence[str]) -> list[list[str]]:
    """The messages in groups that fit into one item each."""
    chunks: list[list[str]] = [[]]
    size = 0
    for message in messages:
        length = len(message.encode())
        if chunks[-1] and size + length > TEXT_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append(message)
        size += length
    return chunks


def _text_item(owner: str, number: int) -> str:
    # Named after the owner: who has lost the turn without knowing it writes over nobody's text.
    return f"text#{owner}#{number}"


def _thread_item(person: str) -> str:
    return f"{_THREAD}#{person}" if person else _THREAD
