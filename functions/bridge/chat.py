"""The port to the thread: what the bridge may do in Slack, and how Slack may refuse."""

from dataclasses import dataclass
from typing import Protocol

from functions.bridge.turn import Turn


class ChatError(Exception):
    """Slack did not do what it was asked to."""


class ChatRateLimited(ChatError):
    """HTTP 429: nothing happened. `retry_after` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"rate limited, retry after {retry_after:g} s")
        self.retry_after = retry_after


class ChatUnavailable(ChatError):
    """No answer, or a server error: it may have happened or not."""


class ChatRefused(ChatError):
    """Slack's own refusal, which a repetition would not change. `code` is Slack's name of the error."""

    def __init__(self, code: str) -> None:
        super().__init__(f"refused: {code}")
        self.code = code


@dataclass(frozen=True)
class Part:
    """One message of the reply to a turn.

    Attributes:
        turn: where it goes and whose it is; Slack keeps the turn id, attempt and number with the message.
        number: 0 for the placeholder and what it becomes, 1 and up for the messages that follow.
        markdown: its text, at most 12,000 characters.
        offers_retry: whether a button stands under it that has the question asked again.
    """

    turn: Turn
    number: int
    markdown: str
    offers_retry: bool = False


class Chat(Protocol):
    """Each method is one call of Slack's API and raises `ChatError`."""

    def post(self, part: Part) -> str:
        """Post a message into the turn's thread and return its ts. Notifies like any message."""
        ...

    def edit(self, ts: str, part: Part) -> None:
        """Replace what the message `ts` says."""
        ...

    def delete(self, turn: Turn, ts: str) -> None:
        """Take back one of our messages in the turn's thread."""
        ...

    def whisper(self, turn: Turn, text: str) -> None:
        """Say something in the turn's thread that only its user sees, and only until they reload."""
        ...

    def find(self, turn: Turn) -> dict[int, str]:
        """The messages of this turn and attempt that stand in the thread: part number to ts."""
        ...
