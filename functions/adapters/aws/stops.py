"""DynamoDB: what people who press Stop leave for the turns. See `functions.bridge.ledger.stops`.

A turn's mark stands in its record (`functions.adapters.aws.ledger`), as the attributes `stop_attempt`,
`stop_user` and `stop_ts`. A thread's is the item "stop" under the id of the thread's first turn: the mark
itself (`stop_ts`, `stop_user`, `stop_streams`), the ts of the last one that was obeyed (`obeyed_ts`), and the
turn that has asked its agent last (`began_turn`, `began_attempt`, `began_at`). It has a TTL.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from functions.adapters.aws.items import ConditionFailed, key_of, plain, translated, typed
from functions.adapters.aws.json_client import JsonClient
from functions.adapters.beside import beside
from functions.bridge.clock import Clock
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import State
from functions.bridge.ledger.stops import STOP_KEPT_SECONDS, Press, Stop, ThreadMark

_RECORD = "record"
_STOP = "stop"
# The states in which an agent may be asked or at work, or wait for a person.
_AT_WORK = (State.RECEIVED, State.STARTED, State.WAITING)


class DynamoStops:
    """The marks in the ledger's table. See `functions.bridge.ledger.stops.Stops`."""

    def __init__(self, client: JsonClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def mark_thread(self, thread_id: str, stop: Stop) -> bool:
        streams = list(stop.streams)
        mark = {"stop_ts": stop.ts, "stop_user": stop.user, "stop_streams": streams}
        try:
            # Slack's timestamps have as many digits each, so that they are in order as text.
            self._update(thread_id, _STOP, mark | self._expiry(), unless="stop_ts >= :stop_ts")
        except ConditionFailed:
            return False
        return True

    def mark_turn(self, turn_id: str, attempt: int, message_ts: str, stop: Stop) -> Press:
        found = self._get(turn_id, _RECORD)
        if not found or found["attempt"] != attempt or not _is_at_work(found):
            return Press.OVER
        if message_ts not in found["reply"] and found["intended"] <= len(found["reply"]):
            return Press.ELSEWHERE
        if found.get("stop_attempt") == attempt:
            return Press.TWICE
        mark = {"stop_attempt": attempt, "stop_user": stop.user, "stop_ts": stop.ts}
        try:
            self._update(turn_id, _RECORD, mark, expected={"attempt": attempt, "state": found["state"]})
        except ConditionFailed:
            return self.mark_turn(turn_id, attempt, message_ts, stop)  # it has gone on meanwhile
        return Press.TAKEN

    def of_thread(self, thread_id: str) -> ThreadMark:
        return _thread_mark(self._get(thread_id, _STOP))

    def marks(
        self, turn_id: str, attempt: int, thread_id: str, *, newest: bool
    ) -> tuple[Stop | None, ThreadMark]:
        keys = [key_of(turn_id, _RECORD), key_of(thread_id, _STOP)]
        with translated():
            answer = self._client.call(
                "BatchGetItem", RequestItems={self._table: {"Keys": keys, "ConsistentRead": newest}}
            )
        if answer.get("UnprocessedKeys"):
            raise ServiceUnavailable("DynamoDB left out an item")
        found = {item["item"]: item for item in map(plain, answer["Responses"].get(self._table, []))}
        return mark_of(found.get(_RECORD, {}), attempt), _thread_mark(found.get(_STOP, {}))

    def begin(
        self, thread_id: str, *, turn_id: str, attempt: int, began_at: float
    ) -> Callable[[], ThreadMark]:
        turn = {"began_turn": turn_id, "began_attempt": attempt, "began_at": int(1000 * began_at)}

        def note() -> ThreadMark:
            changes = turn | self._expiry()
            return _thread_mark(self._update(thread_id, _STOP, changes))

        return beside(note)

    def obeyed(self, thread_id: str, stop: Stop) -> None:
        changes = {"obeyed_ts": stop.ts} | self._expiry()
        with suppress(ConditionFailed):  # a later one was obeyed
            self._update(thread_id, _STOP, changes, unless="obeyed_ts >= :obeyed_ts")

    def _expiry(self) -> dict[str, int]:
        return {"expires_at": int(self._clock.now()) + STOP_KEPT_SECONDS}

    def _get(self, turn_id: str, item: str) -> dict[str, Any]:
        with translated():
            answer = self._client.call(
                "GetItem", TableName=self._table, Key=key_of(turn_id, item), ConsistentRead=True
            )
        return plain(answer.get("Item", {}))

    def _update(
        self,
        turn_id: str,
        item: str,
        changes: Mapping[str, Any],
        *,
        expected: Mapping[str, Any] | None = None,
        unless: str = "",
    ) -> dict[str, Any]:
        """Change attributes of an item, and return it as it is then. Raises `ConditionFailed`."""
        conditions = [f"#{name} = :{name}_old" for name in expected or {}]
        conditions += [f"NOT ({unless})"] if unless else []
        names = {f"#{name}": name for name in {**changes, **(expected or {})}}
        values = {f":{name}": value for name, value in changes.items()}
        values |= {f":{name}_old": value for name, value in (expected or {}).items()}
        request = {
            "TableName": self._table,
            "Key": key_of(turn_id, item),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": typed(values),
            "ReturnValues": "ALL_NEW",
        }
        if conditions:
            request["ConditionExpression"] = " AND ".join(conditions)
        with translated():
            return plain(self._client.call("UpdateItem", **request).get("Attributes", {}))


def _is_at_work(record: Mapping[str, Any]) -> bool:
    """Whether there is something to stop. A card stands a moment before its turn waits."""
    return record["state"] in _AT_WORK or record.get("ending") == State.WAITING


def mark_of(record: Mapping[str, Any], attempt: int) -> Stop | None:
    """The mark in a turn's record, as the table has it, if it is this attempt's."""
    if record.get("stop_attempt") != attempt:
        return None
    return Stop(record["stop_user"], record["stop_ts"])


def _thread_mark(item: Mapping[str, Any]) -> ThreadMark:
    began = (
        float(item.get("began_at", 0)) / 1000,
        item.get("began_turn", ""),
        int(item.get("began_attempt", 1)),
    )
    if "stop_ts" not in item or item.get("obeyed_ts", "") >= item["stop_ts"]:
        return ThreadMark(None, *began)
    return ThreadMark(Stop(item["stop_user"], item["stop_ts"], tuple(item["stop_streams"])), *began)
