"""What Slack shows under a thread while the bot works in it, and how people can stop that.

Slack has two methods for it, which write the same thing: a status in words, and the session of the thread
(docs.slack.dev/reference/methods/agents.sessions.setStatus). A turn uses one of them: words where there is no
placeholder that has them. With both, Slack shows a Stop of its own.
"""

from contextlib import suppress

from functions.bridge import wording
from functions.bridge.clock import Clock
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.replies.buttons import STOP, Button, stop_value
from functions.bridge.replies.chat import Chat, ChatAppRefused, ChatError, ChatRefused, SessionStatus

# Seconds after which a session is said to be processing anew. After an hour Slack makes it active by itself.
RENEW_SECONDS = 50 * 60.0


class ThreadStatus:
    """The status of the thread of one turn.

    Attributes:
        seems_busy: whether Slack may show the thread's session as processing.
    """

    def __init__(self, claimed: ClaimedTurn, chat: Chat, clock: Clock) -> None:
        self._claimed = claimed
        self._chat = chat
        self._clock = clock
        self.seems_busy = claimed.record.intended > 0  # an owner before us may have written in any style
        self._is_refused = False
        self._says_busy_until = float("-inf")

    def try_set(self, words: str) -> None:
        """Let Slack show `words`. Progress: one call, whose `ChatError` is raised."""
        self.seems_busy = True
        self._chat.set_status(self._claimed.turn, words)

    def try_begin_session(self) -> bool:
        """Let Slack show the session as processing, if that is due. Returns whether `stop_buttons` change.

        Where Slack does not take that, our own Stop button takes the place of Slack's. Raises ChatAppRefused.
        """
        if not self._has_session() or self._clock.now() < self._says_busy_until:
            return False
        self.seems_busy = True
        self._says_busy_until = self._clock.now() + RENEW_SECONDS
        try:
            self._chat.set_session(self._claimed.turn, SessionStatus.PROCESSING)
        except ChatAppRefused:
            raise
        except ChatError:
            self._is_refused = True
        return self._is_refused

    def stop_buttons(self) -> tuple[Button, ...]:
        """Our Stop button, where Slack may not show one."""
        if self._has_session():
            return ()
        return (Button(wording.STOP_BUTTON, STOP, stop_value(self._claimed.turn)),)

    def suspend(self) -> None:
        """Let Slack show that the session waits for a person. Where that fails, as `clear` does it.

        Raises what `clear` raises.
        """
        if not self._has_session():
            self.clear()
            return
        try:
            self._chat.set_session(self._claimed.turn, SessionStatus.SUSPENDED)
        except ChatAppRefused:
            raise
        except ChatError:
            self.clear()
        self.seems_busy = False

    def clear(self) -> None:
        """Let Slack show the session as processing no longer. Every end of a turn does this.

        Raises:
            GiveBack: there is no time left for it.
            ChatAppRefused: it is done when the app is let in again.
        """
        if self.seems_busy:
            with suppress(ChatRefused):
                self._claimed.write_until_deadline(self._clear)
            self.seems_busy = False

    def _clear(self) -> None:
        """An empty status makes the session active too. Slack takes far more of them in a minute."""
        if self._says_busy_until > self._clock.now() and self._has_session():
            try:
                self._chat.set_session(self._claimed.turn, SessionStatus.ACTIVE)
            except ChatAppRefused:
                raise
            except ChatError:
                self._is_refused = True
            else:
                return
        self._chat.set_status(self._claimed.turn, "")

    def _has_session(self) -> bool:
        """Whether Slack has not refused a session here."""
        return not self._is_refused and self._chat.has_sessions()
