"""Reads a thread from Slack. See `functions.bridge.turns.history.History`.

A message: docs.slack.dev/reference/events/message, docs.slack.dev/reference/objects/file-object
"""

from collections.abc import Mapping
from typing import Any

from functions.adapters.slack.block_text import block_text
from functions.adapters.slack.chat import METADATA_EVENT, SlackChat
from functions.bridge.fields import ID, SURROGATE, TS
from functions.bridge.incoming.user_text import question_text
from functions.bridge.turn import MOST_LISTED_FILES, Turn
from functions.bridge.turns.history import Author, Page, Said

# The most that Slack gives. A page may hold fewer.
MESSAGES_OF_A_PAGE = 1_000
# What somebody wrote; other subtypes report on joins, topics, reminders and the like.
_SPOKEN = (None, "bot_message", "file_share", "me_message", "thread_broadcast")


class SlackHistory:
    """Reads threads with the token, the client and the errors of `chat`."""

    def __init__(self, chat: SlackChat) -> None:
        self._chat = chat

    def page(self, turn: Turn, *, after: str, cursor: str = "") -> Page:
        messages, following = self._chat.replies(
            turn,
            cursor=cursor,
            latest=turn.ts,
            inclusive=False,
            limit=MESSAGES_OF_A_PAGE,
            **({"oldest": after} if after else {}),
        )
        said = (_said(message, turn) for message in messages if isinstance(message, dict))
        return Page(tuple(one for one in said if one is not None), following)


def _said(message: Mapping[str, Any], turn: Turn) -> Said | None:
    """A message of Slack's; None if nobody said it."""
    ts, user = _string(message, "ts"), _string(message, "user")
    if not TS.fullmatch(ts) or message.get("hidden") or message.get("subtype") not in _SPOKEN:
        return None
    bot = _object(message, "bot_profile")
    is_app = bool(message.get("bot_id") or bot or message.get("subtype") == "bot_message")
    written = (block_text(message.get("blocks")) if is_app else "") or _string(message, "text")
    profile = _object(message, "user_profile")
    named = (
        _string(bot, "name") or _string(message, "username") if is_app else _string(profile, "display_name")
    )
    return Said(
        ts=ts,
        author=Author.US if user == turn.bot_user else Author.BOT if is_app else Author.PERSON,
        user=user if ID.fullmatch(user) else "",
        # Nobody's mention is taken out of it.
        text=question_text(SURROGATE.sub("\ufffd", written), bot_user=""),
        name=named,
        team=_string(message, "user_team")
        or _string(message, "source_team")
        or _string(profile, "team")
        or _string(message, "team"),
        files=_files(message),
        question_ts=_question_of(message) if user == turn.bot_user else "",
    )


def _question_of(message: Mapping[str, Any]) -> str:
    """The ts of the question to which one of our messages is the answer; "" if it is no agent's answer."""
    metadata = _object(message, "metadata")
    payload = _object(metadata, "event_payload")
    ts = _string(payload, "turn_id").rpartition(":")[2]
    is_answer = metadata.get("event_type") == METADATA_EVENT and not payload.get("notice")
    return ts if is_answer and TS.fullmatch(ts) else ""


def _files(message: Mapping[str, Any]) -> tuple[str, ...]:
    listed = message.get("files")
    files = listed[:MOST_LISTED_FILES] if isinstance(listed, list) else []
    return tuple(_string(file, "name") or "file" for file in files if isinstance(file, dict))


def _object(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = message.get(name)
    return value if isinstance(value, dict) else {}


def _string(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    return SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""
