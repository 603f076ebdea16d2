"""A turn: one message addressed to the bot, as it travels from the receiver to the worker."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum


class MalformedTurn(ValueError):
    """A queue message that is no turn. Names what is wrong, not the content."""


class Notice(StrEnum):
    """Why a turn is answered by the bridge itself and reaches no agent."""

    EMPTY = "empty"
    """A mention without a word: the user gets help."""
    EXTERNAL = "external"
    """The sender belongs to another organisation (a Slack Connect channel)."""
    FILES = "files"
    """The message carries files, which the bridge cannot hand on."""
    TOO_LONG = "too_long"
    """The question does not fit into a queue message."""
    NOT_YOURS = "not_yours"
    """Somebody pressed Retry on another person's question: told to that person alone."""


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
    """The same turn, asked once more. Its text stays in the ledger."""
    return replace(turn, text="", attempt=turn.attempt + 1)


def to_json(turn: Turn) -> str:
    """ASCII only: SQS refuses some characters that JSON may escape (lone surrogates, U+FFFE)."""
    return json.dumps(asdict(turn), separators=(",", ":"))


def from_json(text: str) -> Turn:
    """The turn that `to_json` wrote.

    Raises:
        MalformedTurn: anything else.
    """
    try:
        data = json.loads(text)
        data["notice"] = Notice(data["notice"]) if data["notice"] is not None else None
        # Fields that we do not know come from a newer receiver, while a deployment is under way.
        turn = Turn(**{field.name: data[field.name] for field in fields(Turn)})
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise MalformedTurn(f"not a turn: {type(exc).__name__}") from exc
    for field in fields(turn):
        value = getattr(turn, field.name)
        expected = int if field.name == "attempt" else str
        if not isinstance(value, expected) and not (field.name == "notice" and value is None):
            raise MalformedTurn(f"not a turn: {field.name} is a {type(value).__name__}")
    return turn
