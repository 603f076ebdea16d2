"""Messages of people, and what Slack tells of their edits and deletions.

docs.slack.dev/reference/events/message/message_changed and message_deleted. Slack tells of them where the app
hears of every message: in direct messages, and in channels where it has subscribed to that.
"""

from collections.abc import Collection, Mapping
from typing import Any

from functions.bridge.channel_ids import DIRECT_MESSAGES
from functions.bridge.fields import any_text
from functions.bridge.incoming.user_text import (
    mentioned_people,
    mentions,
    mentions_somebody,
    question_text,
)
from functions.bridge.queue_commands import LONGEST_EDIT, EditQuestion, TakeBack

CHANGES = ("message_changed", "message_deleted")
# The subtypes of messages that a person wrote. Every other subtype reports a change.
SPOKEN_SUBTYPES = (None, "file_share", "thread_broadcast", "me_message")
# Slack's own bot, whose posts have no bot_id.
_SLACKBOT = "USLACKBOT"


def is_from_person(message: Mapping[str, Any], bot_user: str) -> bool:
    """Whether a person wrote the message.

    Posts of bots have a bot_id and no subtype. A post that an app makes with a person's token has that person
    as `user`, and names the app.
    """
    if "bot_id" in message or message.get("app_id") or message.get("bot_profile"):
        return False
    return message.get("user") not in (None, bot_user, _SLACKBOT)


def may_be_follow_up(
    message: Mapping[str, Any], event: Mapping[str, Any], follow_ups: Collection[str]
) -> bool:
    """Whether a message in a channel is a reply in a thread that mentions nobody. `event`: says where it is.

    One that mentions the bot comes a second time, as app_mention, and SQS takes only the first of the two.
    """
    is_group = event.get("channel_type") == "mpim"
    if (DIRECT_MESSAGES if is_group else any_text(event, "channel")) not in follow_ups:
        return False
    is_reply = any_text(message, "thread_ts") not in ("", any_text(message, "ts"))
    return is_reply and not mentions_somebody(any_text(message, "text"))


def change_of(
    event: Mapping[str, Any], *, team: str, bot_user: str, follow_ups: Collection[str]
) -> EditQuestion | TakeBack | None:
    """What a person has done to a message that may be a question; None for anything else.

    Slack also reports a change where it adds a preview or counts replies: then the text stays.
    """
    before, after = event.get("previous_message"), event.get("message")
    if not isinstance(before, dict) or before.get("subtype") not in SPOKEN_SUBTYPES:
        return None
    if not is_from_person(before, bot_user):
        return None
    is_follow_up = may_be_follow_up(before, event, follow_ups)
    is_addressed = event.get("channel_type") == "im" or mentions(any_text(before, "text"), bot_user)
    if not (is_follow_up or is_addressed):
        return None
    where = {
        "team": team,
        "channel": any_text(event, "channel"),
        "ts": any_text(before, "ts"),
        "thread_ts": any_text(before, "thread_ts") or any_text(before, "ts"),
        "user": any_text(before, "user"),
        "event_ts": any_text(event, "event_ts") or any_text(event, "ts"),
    }
    # The first message of a thread leaves a tombstone behind.
    if event.get("subtype") == "message_deleted" or _is_tombstone(after):
        return TakeBack(**where, is_follow_up=is_follow_up)
    if not isinstance(after, dict) or after.get("subtype") not in SPOKEN_SUBTYPES:
        return None
    text = any_text(after, "text")
    if text == any_text(before, "text") or len(text) > LONGEST_EDIT:
        return None
    return EditQuestion(
        **where,
        is_follow_up=is_follow_up,
        text=question_text(text, bot_user=bot_user),
        mentioned=mentioned_people(text, bot_user=bot_user),
    )


def _is_tombstone(message: object) -> bool:
    return isinstance(message, dict) and message.get("subtype") == "tombstone"
