"""chat.*: docs.slack.dev/reference/methods/chat.postMessage, chat.postEphemeral, chat.update, chat.delete."""

from simulator.slack import limits
from simulator.slack.errors import SlackError
from simulator.slack.methods.call import Call, Method
from simulator.slack.workspace import Json


def post_message(call: Call) -> Json:
    channel = call.destination()
    text, blocks, _ = _content(call)
    if len(text) > limits.TEXT_OF_POST:
        text = text[: limits.TEXT_OF_POST]
        call.warnings.append("message_truncated")
    metadata = limits.parse_metadata(call.args["metadata"]) if call.args.get("metadata") is not None else {}
    thread_ts = call.thread(channel)
    message = call.workspace.post(
        channel,
        call.installation.bot,
        text,
        blocks=blocks,
        thread_ts=thread_ts,
        broadcast=bool(thread_ts and call.flag("reply_broadcast")),
        metadata=metadata or None,
        unfurl_links=call.flag("unfurl_links"),
        unfurl_media=call.flag("unfurl_media"),
    )
    shown = call.workspace.render(message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def update(call: Call) -> Json:
    channel = call.visible_channel()
    message = call.message(channel, call.ts("ts"))
    if message.user.id != call.installation.bot.id:
        raise SlackError("cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    if call.workspace.streaming_state(message) == "in_progress":
        raise SlackError("streaming_state_conflict")
    text, blocks, given_markdown = _content(call)
    if len(text) > limits.TEXT_OF_UPDATE and not given_markdown:
        raise SlackError("msg_too_long")
    # Blocks and metadata that are not given stay; an empty value removes them.
    if blocks is None:
        blocks = message.blocks
    if call.args.get("text") is None and not given_markdown:
        text = message.text
    metadata = message.metadata
    if call.args.get("metadata") is not None:
        metadata = limits.parse_metadata(call.args["metadata"]) or None
    call.workspace.edit(message, call.installation.bot, text, blocks, metadata)
    shown = call.workspace.render(message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": text, "message": shown}


def delete(call: Call) -> Json:
    channel = call.visible_channel()
    message = call.message(channel, call.ts("ts"))
    if message.user.id != call.installation.bot.id:
        raise SlackError("cant_delete_message")
    if call.workspace.streaming_state(message) == "in_progress":
        raise SlackError("cant_delete_message")
    call.workspace.delete(message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(call: Call) -> Json:
    """Shown to one person, and in no history."""
    channel = call.destination()
    text, blocks, _ = _content(call)
    thread_ts, user = call.thread(channel), call.required("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    bot = call.installation.bot
    shown = call.workspace.post_ephemeral(channel, bot, text, blocks or [], thread_ts, only_for=user)
    return {"message_ts": shown.ts}


def _content(call: Call) -> tuple[str, list[Json] | None, bool]:
    """Text, blocks (None if not given) and whether they come from markdown_text."""
    text, markdown_text = call.text("text"), call.text("markdown_text")
    given_blocks = call.args.get("blocks")
    blocks = None if given_blocks is None else limits.parse_blocks(given_blocks)
    limits.check_content(text, blocks, markdown_text)
    if markdown_text:
        return markdown_text, [{"type": "markdown", "text": markdown_text}], True
    return text or "", blocks, False


METHODS = {
    "chat.postMessage": Method(post_message, None, ("chat:write",)),
    "chat.postEphemeral": Method(post_ephemeral, 4, ("chat:write",)),
    "chat.update": Method(update, 3, ("chat:write",)),
    "chat.delete": Method(delete, 3, ("chat:write",)),
}
