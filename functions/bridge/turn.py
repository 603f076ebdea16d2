"""A turn: one message addressed to the bot, as it travels from the receiver to the worker."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")


class MalformedTurn(ValueError):
    """A queue message that is no turn. Names what is wrong, not the content."""


class Notice(StrEnum):
    """Why a turn is answered by the bridge itself and reaches no agent."""

    EMPTY = "empty"
    """A mention without a word: the user gets help."""
    EXTERNAL = "external"
    """The sender belongs to another organisation (a Slack Connect channel)."""
    TOO_LONG = "too_long"
    """The question does not fit into a queue message."""
    NOT_YOURS = "not_yours"
    """Somebody pressed Retry on another person's question: told to that person alone."""


@dataclass(frozen=True)
class Attachment:
    """A file that hangs on a user's message, as Slack describes it.

    Attributes:
        media_type: Slack's guess, such as "image/png".
        size: in bytes.
        url: where the bot may fetch it; "" when Slack keeps it from the bot.
    """

    name: str
    media_type: str
    size: int
    url: str


@dataclass(frozen=True)
class Turn:
    """One message addressed to the bot and everything its answer needs.

    Attributes:
        team: the workspace that the bot is installed in ("T…").
        channel: where the message stands ("C…", "D…", "G…").
        ts: the message's own timestamp, Slack's id of it.
        thread_ts: the thread it belongs to; its own `ts` when it opens one.
        user: who asks ("U…" or "W…").
        bot_user: the bot's own user id, by which the user mentions it.
        text: the question in plain text; "" when there is a notice, and in later attempts, for which the
            ledger has kept it.
        notice: why no agent is asked, or None.
        attempt: 1, and one more each time that a person presses Retry.
        files: what hangs on the message; in later attempts the ledger has kept it, like the text.
        mentioned: the people whose ids stand in the text as "@U…".
    """

    team: str
    channel: str
    ts: str
    thread_ts: str
    user: str
    bot_user: str
    text: str
    notice: Notice | None = None
    attempt: int = 1
    files: tuple[Attachment, ...] = ()
    mentioned: tuple[str, ...] = ()

    @property
    def turn_id(self) -> str:
        """The same for Slack's retries, for two events about one post, and for an edited mention."""
        return f"{self.team}:{self.channel}:{self.ts}"

    @property
    def thread_id(self) -> str:
        """One message group and one agent session. Legal as it is for both services:
        at most 100 of `[0-9a-zA-Z._:-]` (Bedrock's `SessionId`)."""
        return f"{self.team}:{self.channel}:{self.thread_ts}"

    @property
    def group_id(self) -> str:
        """The queue's message group: the thread, in which turns stay in order."""
        return f"control:{self.turn_id}" if self.notice is Notice.NOT_YOURS else self.thread_id

    @property
    def deduplication_id(self) -> str:
        """One message on the queue for each attempt, however often Slack delivers or a button is pressed."""
        return f"{self.turn_id}#{self.attempt}"

    @property
    def reference(self) -> str:
        """Eight characters that a user can read out and an operator can find in the log."""
        return hashlib.sha256(self.deduplication_id.encode()).hexdigest()[:8]


def next_attempt(turn: Turn) -> Turn:
    """The same turn, asked once more. What was asked stays in the ledger."""
    return replace(turn, text="", files=(), mentioned=(), attempt=turn.attempt + 1)


def to_json(turn: Turn, *, ascii_only: bool = True) -> str:
    """ASCII only for SQS, which refuses some characters that JSON may escape (lone surrogates, U+FFFE)."""
    return json.dumps(asdict(turn), separators=(",", ":"), ensure_ascii=ascii_only)


def from_json(text: str) -> Turn:
    """The turn that `to_json` wrote.

    Raises:
        MalformedTurn: anything else.
    """
    try:
        data = json.loads(text)
        data["notice"] = Notice(data["notice"]) if data["notice"] is not None else None
        data["files"] = tuple(_read(Attachment, file) for file in data["files"])
        data["mentioned"] = tuple(data["mentioned"])
        return _read(Turn, data)
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise MalformedTurn(
            f"not a turn: {exc if isinstance(exc, _WrongType) else type(exc).__name__}"
        ) from exc


class _WrongType(ValueError):
    """Says which field has which type."""


_TYPES = {"attempt": int, "size": int, "notice": Notice | None, "files": tuple, "mentioned": tuple}


def _read(kind: type[T], data: dict[str, Any]) -> T:
    # Fields that we do not know come from a newer receiver, while a deployment is under way.
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in names:
        if not isinstance(data[name], _TYPES.get(name, str)):
            raise _WrongType(f"{name} is a {type(data[name]).__name__}")
    return kind(**{name: data[name] for name in names})
