"""DynamoDB: what a turn waits for, in its record. See `functions.bridge.ledger.pauses`.

The attributes: `pause` (its JSON), `pause_id`, `pause_until` and `receipt`, which the turn's owner writes
(`functions.adapters.aws.ledger`); and `decision_id` (the pause's), `decided`, `decided_by`, `decided_at` and
`decision_reason`. Times are in milliseconds. What was decided, by whom and when stays when the turn goes on.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from functions.adapters.aws.items import ConditionFailed, key_of, plain, translated, typed
from functions.adapters.aws.json_client import JsonClient
from functions.bridge.admission.approvers import ApproverRule, Approvers
from functions.bridge.agents.events import ToolRequest, Wanted
from functions.bridge.ledger.pauses import Decided, Decision, Pause, Pending
from functions.bridge.ledger.record import State

_RECORD = "record"
# What goes when the turn goes on: what was asked for, and why it was denied, are nobody's business any more.
PAUSE_ATTRIBUTES = ("pause", "pause_id", "pause_until", "receipt", "decision_reason")


class DynamoPauses:
    """The pauses in the ledger's table. See `functions.bridge.ledger.pauses.Pauses`."""

    def __init__(self, client: JsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def of_turn(self, turn_id: str, attempt: int) -> Pending | None:
        return _pending(self._get(turn_id), attempt)

    def past_decision(self, turn_id: str, attempt: int, pause_id: str) -> Decision | None:
        record = self._get(turn_id)
        if record.get("attempt") != attempt or record.get("decision_id") != pause_id:
            return None
        try:
            return _decision(record)
        except ValueError:  # only a newer version knows it
            return None

    def decide(self, turn_id: str, attempt: int, pause: Pause, decision: Decision) -> Pending | None:
        changes = {
            "decision_id": pause.id,
            "decided": decision.decided.value,
            "decided_by": decision.user,
            "decided_at": int(1000 * decision.at),
            "decision_reason": decision.reason,
        }
        values = {f":{name}": value for name, value in changes.items()} | {":attempt": attempt}
        condition = (
            "attempt = :attempt AND pause_id = :decision_id"
            " AND (attribute_not_exists(decision_id) OR decision_id <> :decision_id)"
        )
        if decision.decided is not Decided.EXPIRED:
            condition += " AND pause_until > :decided_at AND NOT (stop_attempt = :attempt)"
        try:
            with translated():
                answer = self._client.call(
                    "UpdateItem",
                    TableName=self._table,
                    Key=key_of(turn_id, _RECORD),
                    UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in changes),
                    ConditionExpression=condition,
                    ExpressionAttributeValues=typed(values),
                    ReturnValues="ALL_NEW",
                )
        except ConditionFailed:
            stands = _pending(self._get(turn_id), attempt)
        else:
            stands = _pending(plain(answer.get("Attributes", {})), attempt)
        return stands if stands is not None and stands.pause.id == pause.id else None

    def _get(self, turn_id: str) -> dict[str, Any]:
        with translated():
            answer = self._client.call(
                "GetItem", TableName=self._table, Key=key_of(turn_id, _RECORD), ConsistentRead=True
            )
        return plain(answer.get("Item", {}))


def _pending(record: Mapping[str, Any], attempt: int) -> Pending | None:
    pause = pause_of(record)
    if pause is None or record.get("attempt") != attempt:
        return None
    waits = record["state"] == State.WAITING
    return Pending(
        pause,
        decision_of(record),
        record.get("receipt", "") if waits else "",
        tuple(record["reply"]),
        int(record.get("base", 0)) if waits else None,
    )


def attributes_of(pause: Pause, *, receipt: str = "") -> dict[str, Any]:
    """The attributes of a record whose turn has, or will have, this pause."""
    return {
        "pause": json.dumps(asdict(pause)),
        "pause_id": pause.id,
        "pause_until": int(1000 * pause.until),
        "receipt": receipt,
    }


def pause_of(record: Mapping[str, Any]) -> Pause | None:
    """The pause in a record, as the table has it.

    None where there is none, or where only a newer version can read it or what was decided about it.
    """
    if "pause" not in record:
        return None
    try:
        decision_of(record)
        return _read(record)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _read(record: Mapping[str, Any]) -> Pause:
    known = json.loads(record["pause"])
    requests = tuple(ToolRequest(**{**one, "wanted": Wanted(one["wanted"])}) for one in known.pop("requests"))
    may = known.pop("approvers")
    approvers = Approvers(ApproverRule(may["rule"]), tuple(may["users"]), tuple(may["groups"]))
    return Pause(**known, requests=requests, approvers=approvers)


def decision_of(record: Mapping[str, Any]) -> Decision | None:
    """The decision about the pause in a record, as the table has it."""
    if "pause_id" not in record or record.get("decision_id") != record["pause_id"]:
        return None
    return _decision(record)


def _decision(record: Mapping[str, Any]) -> Decision:
    return Decision(
        Decided(record["decided"]),
        record["decided_by"],
        float(record["decided_at"]) / 1000,
        record.get("decision_reason", ""),
    )
