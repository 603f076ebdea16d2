"""DynamoDB: the notes for whoever claims a question. See `functions.bridge.ledger.waiting`.

They are attributes of the question's record (`functions.adapters.aws.ledger`): `hourglass`; `edit_text`,
`edit_mentioned` and `edit_ts`; and `late_edit`, the number of the attempt that an edit came too late for. The
first note makes the record, as one that was claimed, not tried and let go, which earlier versions can claim.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from functions.adapters.aws.items import ConditionFailed, key_of, plain, translated, typed
from functions.adapters.aws.json_client import JsonClient
from functions.bridge.clock import Clock
from functions.bridge.ledger.record import NOBODY, State
from functions.bridge.ledger.stops import Stop
from functions.bridge.ledger.waiting import Change, Edit, Noted

_RECORD = "record"
# As long as a question may wait: `functions.adapters.aws.ledger.KEPT_SECONDS`.
KEPT_SECONDS = 29 * 24 * 3600
# The text, which is forgotten when the turn is settled; the times are no text.
EDIT_ATTRIBUTES = ("edit_text", "edit_mentioned")
# The states in which an agent may be asked, at work, or waiting for a person.
_AT_WORK = (State.RECEIVED, State.STARTED, State.WAITING)
_UNCLAIMED = {
    "attempt": 1,
    "owner": NOBODY,
    "state": State.RECEIVED.value,
    "reply": [],
    "intended": 0,
    "tries": 0,
    "lease_until": 0,
}


class DynamoWaiting:
    """The notes in the ledger's table. See `functions.bridge.ledger.waiting.Waiting`."""

    def __init__(self, client: JsonClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def note_hourglass(self, turn_id: str) -> Noted:
        try:
            self._note(turn_id, {"hourglass": True})
        except ConditionFailed as exc:
            return Noted.BEFORE if has_hourglass(exc.item) else Noted.NOT
        return Noted.NOW

    def is_claimed(self, turn_id: str) -> bool:
        item = self._get(turn_id)
        return bool(item) and item["owner"] != NOBODY

    def edit(self, turn_id: str, edit: Edit) -> Change:
        note = {"edit_text": edit.text, "edit_mentioned": [*edit.mentioned], "edit_ts": edit.ts}
        is_newer = "(attribute_not_exists(edit_ts) OR edit_ts < :edit_ts)"
        try:
            self._note(turn_id, note, also=is_newer)
        except ConditionFailed as exc:
            return self._edit_claimed(turn_id, edit, note, exc.item)
        return Change.TAKEN

    def _edit_claimed(
        self, turn_id: str, edit: Edit, note: Mapping[str, Any], found: Mapping[str, Any]
    ) -> Change:
        if found["state"] not in _AT_WORK or found.get("edit_ts", "") >= edit.ts:
            return Change.OVER
        is_let_go = found["state"] == State.RECEIVED and found["lease_until"] <= 1000 * self._clock.now()
        changes = note if is_let_go else {"late_edit": found["attempt"], "edit_ts": edit.ts}
        try:
            self._update(turn_id, changes, unchanged=found)
        except ConditionFailed:
            return self.edit(turn_id, edit)  # it has gone on meanwhile
        return Change.TAKEN if is_let_go else Change.TOO_LATE

    def take_back(self, turn_id: str, stop: Stop) -> Change:
        try:
            self._note(turn_id, {"state": State.STOPPED.value}, remove=EDIT_ATTRIBUTES)
        except ConditionFailed as exc:
            found = exc.item
        else:
            return Change.TAKEN
        if found["state"] != State.RECEIVED:
            return Change.OVER
        mark = {"stop_attempt": found["attempt"], "stop_user": stop.user, "stop_ts": stop.ts}
        try:
            self._update(turn_id, mark, unchanged=found)
        except ConditionFailed:
            return self.take_back(turn_id, stop)
        return Change.TOO_LATE

    def was_edited(self, turn_id: str, attempt: int) -> bool:
        return bool(self._get(turn_id).get("late_edit") == attempt)

    def _get(self, turn_id: str) -> dict[str, Any]:
        with translated():
            answer = self._client.call(
                "GetItem", TableName=self._table, Key=key_of(turn_id, _RECORD), ConsistentRead=True
            )
        return plain(answer.get("Item", {}))

    def _note(
        self, turn_id: str, note: Mapping[str, Any], *, also: str = "", remove: Sequence[str] = ()
    ) -> None:
        """Leave the note, if nobody has claimed the question. Else raises `ConditionFailed`."""
        expires_at = int(self._clock.now()) + KEPT_SECONDS
        condition = "(attribute_not_exists(turn_id) OR #owner = :owner)"
        self._write(
            turn_id,
            {**_UNCLAIMED, "expires_at": expires_at, **note},
            condition=" AND ".join(filter(None, [condition, "NOT #state = :over", also])),
            values={":over": State.STOPPED.value},
            remove=remove,
        )

    def _update(self, turn_id: str, changes: Mapping[str, Any], *, unchanged: Mapping[str, Any]) -> None:
        """Change the record, if it has not gone on meanwhile. Else raises `ConditionFailed`."""
        expected = {name: unchanged[name] for name in ("owner", "attempt", "state", "lease_until")}
        condition = " AND ".join(f"#{name} = :{name}_old" for name in expected)
        values = {f":{name}_old": value for name, value in expected.items()}
        self._write(turn_id, changes, condition=condition, values=values, names=expected)

    def _write(
        self,
        turn_id: str,
        changes: Mapping[str, Any],
        *,
        condition: str,
        values: Mapping[str, Any],
        names: Iterable[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        removal = " REMOVE " + ", ".join(remove) if remove else ""
        with translated():
            self._client.call(
                "UpdateItem",
                TableName=self._table,
                Key=key_of(turn_id, _RECORD),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes) + removal,
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in {*changes, *names}},
                ExpressionAttributeValues=typed(
                    {**{f":{name}": value for name, value in changes.items()}, **values}
                ),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )


def has_hourglass(record: Mapping[str, Any]) -> bool:
    """Whether the record, as the table has it, says that an hourglass may stand under the question."""
    return record.get("hourglass") is True


def edit_of(record: Mapping[str, Any]) -> Edit | None:
    """What the question says since it was edited, if that was before it was begun."""
    if "edit_text" not in record:
        return None
    return Edit(record["edit_text"], tuple(record["edit_mentioned"]), record["edit_ts"])
