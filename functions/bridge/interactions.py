"""Turns a press of a button into what the bridge does about it.

The payload: docs.slack.dev/reference/interaction-payloads/block_actions-payload. The button's value comes
back as we wrote it: the message is ours and the request is signed.
"""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from functions.bridge.events import Ignored, is_well_formed
from functions.bridge.turn import MalformedTurn, Notice, Turn, from_json

RETRY_ACTION = "retry"


def parse(body: bytes) -> Turn | Ignored:
    """What a verified form with an interaction asks for: a later attempt of a turn, or nothing.

    Only who asked may have the question asked again; anybody else's press becomes a turn of its own that
    tells them so.
    """
    try:
        # One field and no other, which no event's JSON can be.
        [(name, text)] = parse_qsl(body.decode("utf-8"), strict_parsing=True, keep_blank_values=True)
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return Ignored("malformed")
    if name != "payload":
        return Ignored("malformed")
    if not isinstance(payload, dict) or payload.get("type") != "block_actions":
        return Ignored("other_interaction")
    try:
        action = payload["actions"][0]
        if action["action_id"] != RETRY_ACTION:
            return Ignored("other_interaction")
        turn = _retry(action, str(payload["user"]["id"]))
    except (KeyError, IndexError, TypeError, MalformedTurn):
        return Ignored("malformed")
    return turn if is_well_formed(turn) else Ignored("malformed")


def _retry(action: dict[str, Any], presser: str) -> Turn:
    turn = from_json(action["value"])
    if presser == turn.user:
        return turn
    return replace(turn, user=presser, ts=str(action["action_ts"]), notice=Notice.NOT_YOURS)
