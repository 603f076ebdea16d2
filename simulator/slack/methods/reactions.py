"""reactions.add: docs.slack.dev/reference/methods/reactions.add."""

import re

from simulator.slack.errors import SlackError
from simulator.slack.methods.call import Call, Method
from simulator.slack.workspace import Json


def add(call: Call) -> Json:
    channel = call.joined_channel()
    if not call.args.get("timestamp"):
        raise SlackError("no_item_specified")
    message = call.message(channel, call.ts("timestamp"))
    name = call.required("name").strip(":")
    if not re.fullmatch(r"[\w+'-]{1,100}", name):
        raise SlackError("invalid_name")
    bot = call.installation.bot.id
    reaction = next((r for r in message.reactions if r["name"] == name), None)
    if reaction is None:
        reaction = {"name": name, "users": [], "count": 0}
        message.reactions.append(reaction)
    if bot in reaction["users"]:
        raise SlackError("already_reacted")
    reaction["users"].append(bot)
    reaction["count"] += 1
    call.workspace.touch()
    return {}


METHODS = {"reactions.add": Method(add, 3, ("reactions:write",))}
