"""assistant.threads.setStatus: docs.slack.dev/reference/methods/assistant.threads.setStatus."""

from simulator.slack import limits
from simulator.slack.errors import SlackError, refusal
from simulator.slack.methods.call import Call, Method
from simulator.slack.workspace import Json

LOADING_MESSAGES = 10
LOADING_MESSAGE = 50  # characters


def set_status(call: Call) -> Json:
    channel = call.joined_channel("channel_id")
    root = call.workspace.message(channel.id, call.ts("thread_ts"))
    if root is None or root.is_reply:
        raise SlackError("invalid_thread_ts")
    status = call.text("status")
    if status is None:
        raise refusal("invalid_arguments", "missing required field: status")
    call.workspace.set_status(channel, root.ts, status, _loading_messages(call))
    return {}


def _loading_messages(call: Call) -> list[str]:
    given = call.args.get("loading_messages")
    if given is None:
        return []
    messages = limits.parsed(given, "invalid_arguments")
    if not isinstance(messages, list) or not 1 <= len(messages) <= LOADING_MESSAGES:
        raise refusal("invalid_arguments", f"1 to {LOADING_MESSAGES} items [json-pointer:/loading_messages]")
    for index, message in enumerate(messages):
        if not isinstance(message, str) or not 1 <= len(message) <= LOADING_MESSAGE:
            at = f"/loading_messages/{index}"
            raise refusal("invalid_arguments", f"1 to {LOADING_MESSAGE} characters [json-pointer:{at}]")
    return messages


METHODS = {"assistant.threads.setStatus": Method(set_status, 5, ("chat:write",))}
