"""reactions.*: docs.slack.dev/reference/methods/reactions.add and reactions.remove."""

import re

from simulator.slack.errors import SlackError
from simulator.slack.methods.call import Call, Method
from simulator.slack.workspace import Channel, Json, Message

# Of the emoji that every workspace has, those that somebody here may use.
EMOJI = {"eyes": "👀", "hourglass_flowing_sand": "⏳", "white_check_mark": "✅"}
_TS = re.compile(r"\d{1,12}\.\d{6}")


def add(call: Call) -> Json:
    channel, message, name = _item(call)
    if channel.is_archived:
        raise SlackError("is_archived")
    root = call.workspace.message(channel.id, message.thread_ts or message.ts)
    if root and root.is_locked:
        raise SlackError("thread_locked")
    if not call.workspace.react(message, call.installation.bot, name):
        raise SlackError("already_reacted")
    return {}


def remove(call: Call) -> Json:
    _, message, name = _item(call)
    if not call.workspace.take_reaction_back(message, call.installation.bot, name):
        raise SlackError("no_reaction")
    return {}


def _item(call: Call) -> tuple[Channel, Message, str]:
    """The message that a call is about, and the name of the emoji."""
    name, ts = call.required("name"), call.text("timestamp")
    if name not in EMOJI:
        raise SlackError("invalid_name")
    if not call.text("channel") or not ts:
        raise SlackError("no_item_specified")
    if not _TS.fullmatch(ts):
        raise SlackError("bad_timestamp")
    channel = call.joined_channel()
    return channel, call.message(channel, ts), name


METHODS = {
    "reactions.add": Method(add, 3, ("reactions:write",)),
    "reactions.remove": Method(remove, 2, ("reactions:write",)),
}
