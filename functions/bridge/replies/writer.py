"""Writes the reply of a turn: progress, which may be skipped, and then the text that must land."""

from collections.abc import Sequence
from typing import Protocol

from functions.bridge.beside import Beside
from functions.bridge.clock import Clock
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.replies.chat import Chat, Message
from functions.bridge.replies.deliver import OwedText
from functions.bridge.replies.edit_style import EditStyle
from functions.bridge.replies.options import Style
from functions.bridge.replies.reply import Reply
from functions.bridge.replies.stream_style import StreamStyle
from functions.bridge.replies.thread_messages import ThreadMessages
from functions.bridge.replies.thread_status import ThreadStatus


class Progress(Protocol):
    """Shows a growing answer in one style."""

    @property
    def shows_answer(self) -> bool:
        """Whether any words of the agent have been shown."""
        ...

    def begin(self) -> None:
        """Begin to show that somebody is at work, beside what the caller does, where that needs a call."""
        ...

    def join(self) -> None:
        """Wait for what `begin` has begun. Trouble with it is left to `wait`, and to what must land."""
        ...

    def wait(self, words: str) -> None:
        """Show that somebody is at work, unless that is shown already.

        Raises `ChatError`, or `ServiceUnavailable` of the ledger. The caller may skip progress.
        """
        ...

    def show(self, reply: Reply) -> None:
        """Show what there is of the answer. Raises what `wait` raises."""
        ...

    def pages(self, text: str) -> tuple[list[str], str]:
        """The messages that the final text makes after what was shown, and the rest, which becomes a file."""
        ...

    def finish(self, owed: Sequence[Message]) -> None:
        """End what is still growing. If it can become an owed message, it does.

        Raises `GiveBack`, `LeaseLost`, `ChatAppRefused` or `ChatStopped`.
        """
        ...


class Writer:
    """Everything that writes the reply of one claimed turn.

    Args:
        style: `EDIT` or `STREAM`.
        most_messages: how many messages an answer has at most; the rest becomes a file.
    """

    def __init__(
        self,
        claimed: ClaimedTurn,
        chat: Chat,
        clock: Clock,
        beside: Beside,
        *,
        style: Style,
        most_messages: int,
    ) -> None:
        self.messages = ThreadMessages(claimed, chat, beside)
        self.status = ThreadStatus(claimed, chat, clock)
        self.owed = OwedText(claimed, chat, self.messages, self.status, most_messages=most_messages)
        edits = EditStyle(claimed, self.messages, self.status, most_messages=most_messages)
        self.progress: Progress = edits
        if style is Style.STREAM:
            self.progress = StreamStyle(
                claimed, chat, clock, self.messages, self.status, edits, most_messages=most_messages
            )

    def deliver(self) -> None:
        """Land the owed text and settle the turn. Raises what `OwedText.land` raises."""
        self.progress.finish(self.owed.messages())
        self.owed.land()
