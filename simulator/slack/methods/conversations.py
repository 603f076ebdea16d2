"""conversations.*: docs.slack.dev/reference/methods/conversations.replies, .history, .info."""

import base64
import binascii

from simulator.slack.errors import SlackError
from simulator.slack.methods.call import Call, Method
from simulator.slack.workspace import Channel, Json, Message

PREFIX = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}
HISTORY = tuple(f"{prefix}:history" for prefix in PREFIX.values())
READ = tuple(f"{prefix}:read" for prefix in PREFIX.values())
MAX_LIMIT = 1_000  # 999 for history in the documentation, in practice the same
DEFAULT_REPLIES = 1_000
DEFAULT_HISTORY = 100


def replies(call: Call) -> Json:
    channel = _readable(call)
    message = call.workspace.message(channel.id, call.ts("ts"))
    if message is None:
        raise SlackError("thread_not_found")
    answer = _page(call, _between(call, call.workspace.replies(channel.id, message.ts)), DEFAULT_REPLIES)
    # Whatever is asked for, each page begins with the thread's first message; it counts to no limit here.
    first = call.workspace.render(message, metadata=bool(call.flag("include_all_metadata")))
    return {**answer, "messages": [first, *answer["messages"]]}


def history(call: Call) -> Json:
    channel = _readable(call)
    newest_first = call.workspace.history(channel.id)[::-1]
    return _page(call, _between(call, newest_first), DEFAULT_HISTORY)


def info(call: Call) -> Json:
    channel = call.visible_channel()
    call.need(f"{PREFIX[channel.kind]}:read")
    shown: Json = {
        "id": channel.id,
        "is_channel": channel.kind in ("public", "private"),
        "is_private": channel.kind != "public",
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_archived": channel.is_archived,
        "is_member": call.installation.bot.id in channel.members,
        "is_ext_shared": channel.is_ext_shared,
        "is_shared": channel.is_ext_shared,
        "context_team_id": call.installation.bot.team_id,
    }
    if channel.kind == "im":
        return {"channel": shown | {"user": next(iter(channel.members - {call.installation.bot.id}))}}
    return {"channel": shown | {"name": channel.name, "shared_team_ids": list(channel.teams)}}


def _readable(call: Call) -> Channel:
    channel = call.visible_channel()
    call.need(f"{PREFIX[channel.kind]}:history")
    if call.installation.bot.id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _between(call: Call, messages: list[Message]) -> list[Message]:
    oldest = call.ts("oldest") if call.args.get("oldest") else None
    latest = call.ts("latest") if call.args.get("latest") else None
    inclusive = bool(call.flag("inclusive"))

    def wanted(message: Message) -> bool:
        if inclusive and message.ts in (oldest, latest):
            return True
        return (oldest is None or message.ts > oldest) and (latest is None or message.ts < latest)

    return [message for message in messages if wanted(message)]


def _page(call: Call, messages: list[Message], default: int) -> Json:
    limit, first = _limit(call, default), _first(call)
    page = messages[first : first + limit]
    more = first + limit < len(messages)
    metadata = bool(call.flag("include_all_metadata"))
    answer: Json = {
        "messages": [call.workspace.render(message, metadata=metadata) for message in page],
        "has_more": more,
    }
    if more:
        cursor = base64.b64encode(f"next:{first + limit}".encode()).decode()
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def _limit(call: Call, default: int) -> int:
    given = call.args.get("limit")
    try:
        limit = default if given in (None, "") else int(str(given))
    except ValueError:
        raise SlackError("invalid_limit") from None
    if not 1 <= limit <= MAX_LIMIT:
        raise SlackError("invalid_limit")
    return limit


def _first(call: Call) -> int:
    cursor = call.text("cursor")
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (ValueError, binascii.Error):
        raise SlackError("invalid_cursor") from None


METHODS = {
    "conversations.replies": Method(replies, 3, HISTORY),
    "conversations.history": Method(history, 3, HISTORY),
    "conversations.info": Method(info, 3, READ),
}
