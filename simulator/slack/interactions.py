"""What the app is told when a person presses a button of a message.

docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import secrets
import time
from collections.abc import Iterator, Mapping

from simulator.slack.workspace import Channel, Json, Message, User, Workspace

CHANNEL_NAME = {"im": "directmessage", "private": "privategroup", "mpim": "privategroup"}


def pressed(
    workspace: Workspace,
    app: User,
    message: Message,
    action_id: str,
    user: User,
    *,
    inputs: Mapping[str, str],
) -> Json | None:
    """The payload of a press on the button `action_id`; None if the message has no such button.

    `inputs` is what the user has written into the message's inputs, by their action ids.
    """
    found = next((pair for pair in _buttons(message) if pair[1].get("action_id") == action_id), None)
    if found is None:
        return None
    block, button = found
    action = {
        name: button[name] for name in ("action_id", "type", "text", "value", "style") if name in button
    }
    channel = workspace.channels[message.channel_id]
    return {
        "type": "block_actions",
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": app.app_id,
        "token": "deprecated-verification-token",
        "container": _container(message),
        "trigger_id": f"{time.time_ns() // 1_000_000}.{secrets.token_hex(8)}",
        "team": {"id": app.team_id, "domain": "weather-company"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": _name(channel)},
        "message": workspace.render(message),
        "state": {"values": dict(_values(message, inputs))},
        "actions": [action | {"block_id": block["block_id"], "action_ts": workspace.new_ts()}],
    }


def _buttons(message: Message) -> Iterator[tuple[Json, Json]]:
    """Each button with its block."""
    for block in message.blocks:
        for element in [*block.get("elements", []), block.get("accessory")]:
            if isinstance(element, dict) and element.get("type") == "button":
                yield block, element


def _values(message: Message, inputs: Mapping[str, str]) -> Iterator[tuple[str, Json]]:
    """What stands in each input, by its block and action; None where nobody wrote anything."""
    for block in message.blocks:
        if block["type"] == "input":
            element = block["element"]
            value = inputs.get(element["action_id"]) or None
            yield block["block_id"], {element["action_id"]: {"type": element["type"], "value": value}}


def _container(message: Message) -> Json:
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": message.channel_id}
    thread = {"thread_ts": message.thread_ts} if message.is_reply else {}
    return container | {"is_ephemeral": False} | thread


def _name(channel: Channel) -> str:
    return CHANNEL_NAME.get(channel.kind, channel.name)
