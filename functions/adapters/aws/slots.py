"""DynamoDB: who runs how much, in an item of each person and of each channel. See `admission.slots.Slots`.

An item has its entries in string sets, so that one conditional write takes a slot and another gives it back.
The person's item, with the key "TEAM:USER", also keeps what users.info said. Every item has a TTL.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from functions.adapters.aws.items import ConditionFailed, key_of, plain, translated, typed
from functions.adapters.aws.json_client import AwsError, JsonClient
from functions.bridge.admission.slots import (
    MINUTE,
    WAITING_SECONDS,
    Entries,
    Fairness,
    Full,
    Limit,
    Slot,
    attempt_of,
    entry,
    expired,
    until,
    wait_for_minute,
)
from functions.bridge.channel_ids import is_direct
from functions.bridge.clock import Clock
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.people import KNOWN_SECONDS, Home, Person
from functions.bridge.turn import Turn

_PERSON = "person"
_CHANNEL = "channel"
# A write meets another worker's transaction on the same item, which takes milliseconds: it is made again.
# docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
_CONFLICT = "TransactionConflictException"
CONFLICT_TRIES = 4
CONFLICT_SECONDS = 0.02

# Of a set: the entry that is to go into it, and how many it may have; None: as many as there are.
Wanted = Mapping[str, tuple[str, int | None]]


@dataclass(frozen=True)
class _Taken:
    """An item after a try to take a slot in it, and whether we are in it."""

    held: Entries
    is_in: bool
    person: Person | None = None


class DynamoSlots:
    """Slots in the ledger's table. See `functions.bridge.admission.slots.Slots`."""

    def __init__(self, client: JsonClient, table: str, clock: Clock, fairness: Fairness) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._fairness = fairness
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="slots")

    def take(self, turn: Turn, *, now: float, until: float, is_new: bool) -> Callable[[], Slot]:
        """One write for the person and one for the channel, side by side."""
        person = self._pool.submit(self._take_for_person, turn, now, until, is_new)
        channel = (
            None if is_direct(turn.channel) else self._pool.submit(self._take_in_channel, turn, now, until)
        )
        return lambda: self._slot(turn, person, channel, now=now, is_new=is_new)

    def wait(self, turn: Turn, slot: Slot, *, now: float, is_told: bool) -> Full | None:
        """One write, and another where entries have to go; none while the turn's entry lasts."""
        over = expired(slot.waiting, now)
        own = _of(turn, slot.waiting - over)
        if any(until(one) > now + WAITING_SECONDS / 2 for one in own):
            return None
        key = f"{turn.team}:{turn.user}"
        self._remove(Entries(_PERSON, key), {"waiting": over | own})
        most = self._fairness.waiting_per_user
        is_limited = not (is_told or own)
        wanted = {"waiting": (entry(turn, now + WAITING_SECONDS), most if is_limited else None)}
        try:
            self._add(_PERSON, key, wanted)
        except ConditionFailed:
            return Full(Limit.WAITING, most)
        return None

    def clear_earlier(self, turn: Turn, slot: Slot) -> None:
        """No call for a turn that comes for the first time."""
        for held in slot.held:
            running = _of(turn, held.running) - {held.own}
            self._remove(held, {"running": running, "waiting": _of(turn, held.waiting)})

    def give_back(self, turn: Turn, slot: Slot, *, learned: Person | None, forget: bool) -> None:
        """One call, whatever it changes."""
        now = self._clock.now()
        updates = [update for held in slot.held if (update := self._giving_back(turn, held, now, forget))]
        if learned is not None:
            updates = self._with_person(updates, turn, learned, now)
        if len(updates) > 1:
            try:
                with translated():
                    items = [{"Update": update} for update in updates]
                    self._client.call("TransactWriteItems", TransactItems=items)
            except ServiceUnavailable:  # another worker writes at this moment
                for update in updates:
                    self._write(update)
        else:
            for update in updates:
                self._write(update)

    def free(self, turn: Turn) -> None:
        """One read of each item, and one write where the turn has an entry in it."""
        items = [(_PERSON, f"{turn.team}:{turn.user}")]
        if not is_direct(turn.channel):
            items.append((_CHANNEL, f"{turn.team}:{turn.channel}"))
        for kind, key in items:
            with translated():
                found = self._client.call(
                    "GetItem", TableName=self._table, Key=key_of(key, kind), ConsistentRead=True
                )
            held = _held(kind, key, plain(found.get("Item", {})), {})
            self._remove(held, {"running": _of(turn, held.running), "waiting": _of(turn, held.waiting)})

    def _take_for_person(self, turn: Turn, now: float, until: float, is_new: bool) -> _Taken:
        running = {"running": (entry(turn, until), self._fairness.running_per_user)}
        asked = {"asked": (entry(turn, now + MINUTE), self._fairness.questions_per_minute)} if is_new else {}
        key = f"{turn.team}:{turn.user}"
        taken = self._take(_PERSON, key, turn, {**running, **asked}, now)
        if taken.is_in or not asked or self._minute_is_full(taken.held, now):
            return taken
        try:  # it waits, and counts as a question of this minute
            return _Taken(self._add(_PERSON, key, asked).held, False, taken.person)
        except ConditionFailed:
            return taken

    def _take_in_channel(self, turn: Turn, now: float, until: float) -> _Taken:
        wanted = {"running": (entry(turn, until), self._fairness.running_per_channel)}
        return self._take(_CHANNEL, f"{turn.team}:{turn.channel}", turn, wanted, now)

    def _take(self, kind: str, key: str, turn: Turn, wanted: Wanted, now: float) -> _Taken:
        """Add the wanted entries, in the place of expired ones.

        Where an owner before us has an entry, ours goes beside it, whatever the limit is: the claim has yet
        to say whether that owner is dead (`clear_earlier`).
        """
        try:
            return self._add(kind, key, wanted)
        except ConditionFailed as exc:
            held, person = _held(kind, key, exc.item, wanted), _person(exc.item, now)
            if held.own:
                return _Taken(held, True, person)  # a call whose answer got lost was repeated
            gone = {"running": expired(held.running, now), "asked": expired(held.asked, now)}
            if _of(turn, held.running) - gone["running"]:
                wanted = {name: (one, None) for name, (one, _) in wanted.items()}
            elif not any(gone.values()):
                return _Taken(held, False, person)
            self._remove(held, gone)
            try:
                return self._add(kind, key, wanted)
            except ConditionFailed as exc:
                return _Taken(_held(kind, key, exc.item, {}), False, _person(exc.item, now))

    def _slot(
        self,
        turn: Turn,
        person: Future[_Taken],
        channel: Future[_Taken] | None,
        *,
        now: float,
        is_new: bool,
    ) -> Slot:
        """What came of the two writes. Raises `ServiceUnavailable`, with nothing taken."""
        futures = [person, *([channel] if channel else [])]
        troubles = [trouble for future in futures if (trouble := future.exception())]
        taken = [future.result() for future in futures if not future.exception()]
        slot = Slot(held=tuple(one.held for one in taken if one.held.own or one.held.own_asked))
        if troubles:
            self.give_back(turn, slot, learned=None, forget=True)
            raise troubles[0]
        full = self._full(taken, now, is_new=is_new)
        held = slot.held
        if not taken[0].is_in:  # what waits for its person must not fill the channel while it is worked on
            with suppress(ServiceUnavailable):
                held = tuple(filter(None, map(self._out_of_channel, held)))
        return Slot(taken[0].person, full, held, taken[0].held.waiting)

    def _out_of_channel(self, held: Entries) -> Entries | None:
        """What is still held once the channel's slot is given back."""
        if held.kind == _PERSON:
            return held
        self._remove(held, {"running": {held.own}})
        return None

    def _full(self, taken: list[_Taken], now: float, *, is_new: bool) -> Full | None:
        fairness = self._fairness
        if not taken[0].is_in:
            asked = taken[0].held
            if is_new and not asked.own_asked and self._minute_is_full(asked, now):
                wait = wait_for_minute(asked.asked, fairness.questions_per_minute, now)
                return Full(Limit.MINUTE, fairness.questions_per_minute, wait)
            return Full(Limit.PERSON, fairness.running_per_user)
        if not all(one.is_in for one in taken):
            return Full(Limit.CHANNEL, fairness.running_per_channel)
        return None

    def _minute_is_full(self, held: Entries, now: float) -> bool:
        return len(held.asked - expired(held.asked, now)) >= self._fairness.questions_per_minute

    # --- writes ---

    def _add(self, kind: str, key: str, wanted: Wanted) -> _Taken:
        """Raises ConditionFailed: a set has as many entries as it may have."""
        limited = {name: most for name, (_, most) in wanted.items() if most is not None}
        update = {
            **self._update(kind, key),
            "UpdateExpression": "SET #expires_at = :expires_at ADD "
            + ", ".join(f"#{name} :{name}" for name in wanted),
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        update["ExpressionAttributeNames"] |= {f"#{name}": name for name in wanted}
        update["ExpressionAttributeValues"] |= {
            f":{name}": {"SS": [one]} for name, (one, _) in wanted.items()
        }
        if limited:
            update["ConditionExpression"] = " AND ".join(
                f"(attribute_not_exists(#{name}) OR size(#{name}) < :most_{name})" for name in limited
            )
            update["ExpressionAttributeValues"] |= typed(
                {f":most_{name}": most for name, most in limited.items()}
            )
        item = self._write(update)
        return _Taken(_held(kind, key, item, wanted), True, _person(item, self._clock.now()))

    def _remove(self, held: Entries, entries: Mapping[str, Collection[str]]) -> None:
        if update := self._removing(held, entries):
            self._write(update)

    def _giving_back(self, turn: Turn, held: Entries, now: float, forget: bool) -> dict[str, Any] | None:
        own_asked = {held.own_asked} - {""} if forget else set()
        earlier = frozenset() if forget else _of(turn, held.running)
        return self._removing(
            held,
            {
                "running": (expired(held.running, now) | earlier | {held.own}) - {""},
                "asked": expired(held.asked, now) | own_asked,
            },
        )

    def _removing(self, held: Entries, entries: Mapping[str, Collection[str]]) -> dict[str, Any] | None:
        """The write that takes entries out of an item; None where there are none."""
        sets = {name: sorted(gone) for name, gone in entries.items() if gone}
        if not sets:
            return None
        update = self._update(held.kind, held.key)
        update["UpdateExpression"] = "SET #expires_at = :expires_at DELETE " + ", ".join(
            f"#{name} :{name}" for name in sets
        )
        update["ExpressionAttributeNames"] |= {f"#{name}": name for name in sets}
        update["ExpressionAttributeValues"] |= {f":{name}": {"SS": gone} for name, gone in sets.items()}
        return update

    def _with_person(
        self, updates: list[dict[str, Any]], turn: Turn, person: Person, now: float
    ) -> list[dict[str, Any]]:
        """The same writes, and that of the person's item keeps what is known of them."""
        key = key_of(f"{turn.team}:{turn.user}", _PERSON)
        update = next((one for one in updates if one["Key"] == key), None)
        if update is None:
            update = {
                **self._update(_PERSON, f"{turn.team}:{turn.user}"),
                "UpdateExpression": "SET #expires_at = :expires_at",
            }
            updates = [*updates, update]
        update["UpdateExpression"] = update["UpdateExpression"].replace(
            "SET ", "SET #known = :known, #known_until = :known_until, ", 1
        )
        update["ExpressionAttributeNames"] |= {"#known": "known", "#known_until": "known_until"}
        update["ExpressionAttributeValues"] |= typed(
            {":known": _as_item(person), ":known_until": int(now) + KNOWN_SECONDS}
        )
        return updates

    def _update(self, kind: str, key: str) -> dict[str, Any]:
        """What every write has: it keeps the item for a day more."""
        return {
            "TableName": self._table,
            "Key": key_of(key, kind),
            "ExpressionAttributeNames": {"#expires_at": "expires_at"},
            "ExpressionAttributeValues": typed({":expires_at": int(self._clock.now()) + KNOWN_SECONDS}),
        }

    def _write(self, update: dict[str, Any]) -> dict[str, Any]:
        """The item as the write leaves it, where that was asked for. Raises `ConditionFailed`."""
        for tries in range(1, CONFLICT_TRIES + 1):
            with translated():
                try:
                    return plain(self._client.call("UpdateItem", **update).get("Attributes", {}))
                except AwsError as exc:
                    if exc.code != _CONFLICT or tries == CONFLICT_TRIES:
                        raise
            self._clock.sleep(tries * CONFLICT_SECONDS)
        raise AssertionError("unreachable")


def _of(turn: Turn, entries: Collection[str]) -> frozenset[str]:
    return frozenset(one for one in entries if one.startswith(attempt_of(turn)))


def _held(kind: str, key: str, item: Mapping[str, Any], wanted: Wanted) -> Entries:
    running, asked, waiting = (frozenset(item.get(name, ())) for name in ("running", "asked", "waiting"))
    own, own_asked = (wanted.get(name, ("", None))[0] for name in ("running", "asked"))
    return Entries(
        kind,
        key,
        running,
        asked,
        waiting,
        own=own if own in running else "",
        own_asked=own_asked if own_asked in asked else "",
    )


def _as_item(person: Person) -> dict[str, Any]:
    return {
        "team": person.home.team,
        "organization": person.home.organization,
        "name": person.name,
        "is_guest": person.is_guest,
        "is_deactivated": person.is_deactivated,
        "is_stranger": person.is_stranger,
        "is_bot": person.is_bot,
    }


def _person(item: Mapping[str, Any], now: float) -> Person | None:
    """Who asks, unless that was learned more than a day ago or by a version that learned something else."""
    known = item.get("known")
    if not isinstance(known, dict) or item.get("known_until", 0) <= now:
        return None
    if known.keys() != _as_item(Person(Home(""))).keys():
        return None
    flags = {name: known[name] for name in ("is_guest", "is_deactivated", "is_stranger", "is_bot")}
    return Person(Home(known["team"], known["organization"]), known["name"], **flags)
