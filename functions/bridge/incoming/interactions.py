"""Reads a press of a button.

Format: docs.slack.dev/reference/interaction-payloads/block_actions-payload. Slack signs the payload, so the
person and the message are certain. The button's value is a hint only; see `functions.bridge.replies.buttons`.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from functions.bridge import fields
from functions.bridge.fields import Fields, WrongField
from functions.bridge.incoming.events import Ignored
from functions.bridge.queue_commands import LONGEST_REASON, Decide, Pressed, RefusePress, Retry, StopTurn
from functions.bridge.replies import buttons

Press = Retry | RefusePress | StopTurn | Decide


def parse(body: bytes) -> Press | Ignored:
    """What a verified form asks for: another attempt of a turn, its stop, a refusal, or nothing."""
    try:
        # Exactly one field: the JSON of an event does not parse so.
        [(name, text)] = parse_qsl(body.decode("utf-8"), strict_parsing=True, keep_blank_values=True)
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return Ignored("malformed")
    if name != "payload":
        return Ignored("malformed")
    if not isinstance(payload, dict) or payload.get("type") != "block_actions":
        return Ignored("other_interaction")
    try:
        action = _action(payload)
        match action.get("action_id"):
            case buttons.RETRY:
                return _retry(payload, action)
            case buttons.STOP:
                return _stop(payload, action)
            case buttons.APPROVE | buttons.DENY as pressed:
                return _decide(payload, action, is_approved=pressed == buttons.APPROVE)
    except WrongField:
        return Ignored("malformed")
    return Ignored("other_interaction")


def _action(payload: Fields) -> Fields:
    actions = fields.items(payload, "actions", most=100)
    return fields.inner({"action": actions[0] if actions else None}, "action")


def _retry(payload: Fields, action: Fields) -> Retry | RefusePress:
    """A Retry by the person whom the button's value names; a refusal for anybody else."""
    value = buttons.read_retry_value(fields.text(action, "value"))
    user = fields.slack_id(fields.inner(payload, "user"), "id")
    channel = fields.slack_id(fields.inner(payload, "channel"), "id")
    thread_ts = fields.timestamp(fields.inner(payload, "message"), "thread_ts")
    if user != value.user:
        action_ts = fields.timestamp(action, "action_ts")
        return RefusePress(value.team, channel, thread_ts, user, action_ts)
    if channel != value.channel or not _is_of_team(payload, value.team):
        raise WrongField("the button is of another channel or team")
    return Retry(
        team=value.team,
        channel=channel,
        ts=value.ts,
        thread_ts=thread_ts,
        user=user,
        bot_user=fields.slack_id(fields.inner(payload, "message"), "user", ""),
        attempt=value.attempt,
    )


def _stop(payload: Fields, action: Fields) -> StopTurn:
    """Whether who pressed may stop the turn is found out behind the queue."""
    value = buttons.read_stop_value(fields.text(action, "value"))
    return StopTurn(**_pressed(payload, action, value))


def _decide(payload: Fields, action: Fields, *, is_approved: bool) -> Decide:
    """Whether who pressed may decide is found out behind the queue."""
    value = buttons.read_decide_value(fields.text(action, "value"))
    return Decide(
        **_pressed(payload, action, value),
        pause=value.pause,
        is_approved=is_approved,
        reason="" if is_approved else _reason(payload),
    )


def _pressed(payload: Fields, action: Fields, value: buttons.StopValue | buttons.DecideValue) -> Pressed:
    """Who pressed which message, and when. Raises `WrongField` where the button is of another place."""
    user = fields.inner(payload, "user")
    message = fields.inner(payload, "message")
    if fields.slack_id(fields.inner(payload, "channel"), "id") != value.channel:
        raise WrongField("the button is of another channel")
    if not _is_of_team(payload, value.team):
        raise WrongField("the button is of another team")
    return Pressed(
        team=value.team,
        channel=value.channel,
        ts=value.ts,
        thread_ts=fields.timestamp(message, "thread_ts"),
        message_ts=fields.timestamp(message, "ts"),
        user=fields.slack_id(user, "id"),
        attempt=value.attempt,
        action_ts=fields.timestamp(action, "action_ts"),
        sender_unknown=user.get("team_id") != value.team,
    )


def _reason(payload: Fields) -> str:
    """What stood in the card's input when Deny was pressed.

    docs.slack.dev/reference/interaction-payloads/block_actions-payload: state.values by block and action.
    """
    value: Any = payload.get("state")
    for name in ("values", "reason", "reason", "value"):
        value = value.get(name) if isinstance(value, dict) else None
    return fields.text({"value": value}, "value").strip()[:LONGEST_REASON] if isinstance(value, str) else ""


def _is_of_team(payload: Mapping[str, Any], team: str) -> bool:
    """Whether the press may come from the workspace `team`.

    In an organization (Enterprise Grid) a press may name any of its workspaces, or none.
    """
    pressed_in = payload.get("team")
    if payload.get("enterprise") or not isinstance(pressed_in, dict):
        return True
    return pressed_in.get("id") == team
