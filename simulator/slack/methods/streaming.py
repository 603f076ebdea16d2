"""chat.startStream, .appendStream, .stopStream: docs.slack.dev/reference/methods/chat.startStream and so on.

Two errors that the documentation does not have, streaming_mode_mismatch and msg_too_long, are what several
projects got from Slack.
"""

from simulator.slack import limits
from simulator.slack.chunks import Payload, parse_payload
from simulator.slack.errors import SlackError, refusal
from simulator.slack.methods.call import Call, Method
from simulator.slack.methods.sessions import STATUSES
from simulator.slack.streams import Display, Stream
from simulator.slack.workspace import Channel, Json, Message

DISPLAYS: dict[str, Display] = {"timeline": "timeline", "plan": "plan"}


def start(call: Call) -> Json:
    channel = call.destination()
    call.ts("thread_ts")
    thread_ts = call.thread(channel)
    if channel.kind != "im":
        _check_recipient(call)
    display = DISPLAYS.get(call.text("task_display_mode") or "timeline")
    if display is None:
        raise refusal(
            "invalid_arguments", f"must be one of {', '.join(DISPLAYS)} [json-pointer:/task_display_mode]"
        )
    stream = Stream(display)
    stream.write(_payload(call))
    message = call.workspace.post(
        channel, call.installation.bot, stream.text, blocks=stream.blocks, thread_ts=thread_ts, stream=stream
    )
    call.workspace.set_session(channel.id, thread_ts or message.ts, "processing", stream)
    return {"channel": channel.id, "ts": message.ts}


def append(call: Call) -> Json:
    channel, message, stream = _open_stream(call)
    payload = _payload(call)
    if payload.mode is None:
        raise SlackError("no_text")
    stream.write(payload)
    call.workspace.show_stream(message, stream)
    return {"channel": channel.id, "ts": message.ts}


def stop(call: Call) -> Json:
    channel, message, stream = _open_stream(call)
    payload = _payload(call)
    blocks = limits.parse_blocks(call.args["blocks"]) if call.args.get("blocks") is not None else []
    metadata = limits.parse_metadata(call.args["metadata"]) if call.args.get("metadata") is not None else {}
    session_status = call.text("session_status") or "active"
    if session_status not in STATUSES:
        allowed = ", ".join(STATUSES)
        raise refusal("invalid_arguments", f"must be one of {allowed} [json-pointer:/session_status]")
    if payload.mode is None and not stream.blocks and not blocks:
        raise SlackError("no_text")
    stream.write(payload)
    stream.complete(blocks)
    call.workspace.show_stream(message, stream, metadata or None)
    call.workspace.set_session(channel.id, message.thread_ts or message.ts, session_status)
    shown = call.workspace.render(message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def _payload(call: Call) -> Payload:
    return parse_payload(call.text("markdown_text"), call.args.get("chunks"))


def _check_recipient(call: Call) -> None:
    user_id, team_id = call.text("recipient_user_id"), call.text("recipient_team_id")
    if not user_id:
        raise SlackError("missing_recipient_user_id")
    if not team_id:
        raise SlackError("missing_recipient_team_id")
    if user_id not in call.workspace.users or team_id not in call.workspace.teams:
        raise SlackError("user_not_found")


def _open_stream(call: Call) -> tuple[Channel, Message, Stream]:
    channel = call.joined_channel()
    if channel.is_archived:
        raise SlackError("is_archived")
    message = call.message(channel, call.ts("ts"))
    if message.user.id != call.installation.bot.id:
        raise SlackError("message_not_owned_by_app")
    state = call.workspace.streaming_state(message)
    if state == "stopped":
        raise SlackError("stopped_by_user")
    if message.stream is None or state != "in_progress":
        raise SlackError("message_not_in_streaming_state")
    return channel, message, message.stream


METHODS = {
    "chat.startStream": Method(start, 2, ("chat:write",)),
    "chat.appendStream": Method(append, 4, ("chat:write",)),
    "chat.stopStream": Method(stop, 2, ("chat:write",)),
}
