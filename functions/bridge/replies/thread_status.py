"""What Slack shows under a thread while the bot works in it."""

from contextlib import suppress

from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.replies.chat import Chat, ChatRefused


class ThreadStatus:
    """The status of the thread of one turn. See `Chat.set_status`.

    Attributes:
        seems_busy: whether Slack may show the thread's session as processing.
    """

    def __init__(self, claimed: ClaimedTurn, chat: Chat) -> None:
        self._claimed = claimed
        self._chat = chat
        self.seems_busy = claimed.record.intended > 0  # an owner before us may have written in any style

    def try_set(self, words: str) -> None:
        """Let Slack show `words`. Progress: one call, whose `ChatError` is raised."""
        self.seems_busy = True
        self._chat.set_status(self._claimed.turn, words)

    def clear(self) -> None:
        """Let Slack show the session as processing no longer. Every end of a turn does this.

        Raises:
            GiveBack: there is no time left for it.
            ChatAppRefused: it is done when the app is let in again.
        """
        if self.seems_busy:
            with suppress(ChatRefused):
                self._claimed.write_until_deadline(lambda: self._chat.set_status(self._claimed.turn, ""))
            self.seems_busy = False
