"""The style in which a placeholder is edited into the answer."""

from collections.abc import Sequence
from contextlib import suppress

from functions.bridge import wording
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import State
from functions.bridge.markdown import growing, safe
from functions.bridge.markdown.split import Pages
from functions.bridge.replies.chat import ChatError, ChatRateLimited, Message
from functions.bridge.replies.reply import Reply
from functions.bridge.replies.thread_messages import ThreadMessages
from functions.bridge.replies.thread_status import ThreadStatus


class EditStyle:
    """Shows an answer by editing its messages. See `functions.bridge.replies.writer.Progress`.

    Args:
        most_messages: how many messages an answer has at most; the rest becomes a file.
    """

    def __init__(
        self, claimed: ClaimedTurn, messages: ThreadMessages, status: ThreadStatus, *, most_messages: int
    ) -> None:
        self._claimed = claimed
        self._messages = messages
        self._status = status
        self._said: list[str] = []
        self._pages = Pages(most=most_messages)
        self.shows_answer = False

    def begin(self) -> None:
        self._said = [wording.PLACEHOLDER]
        self._messages.begin(wording.PLACEHOLDER, self._status.stop_buttons())

    def join(self) -> None:
        with suppress(ChatError):
            self._messages.try_join()

    def wait(self, words: str) -> None:
        self._messages.try_join()
        if words != wording.PLACEHOLDER or not self._messages.are_shown:
            self._say([words])
        is_asked = self._claimed.record.state is State.STARTED  # before, nothing holds up the question
        if is_asked and self._status.try_begin_session() and self._said:
            self._say(self._said)

    def show(self, reply: Reply) -> None:
        full, _ = self.pages(reply.growing())
        last = growing.preview(full.pop())
        line = f"_{safe.escape(wording.step(reply.steps[-1]))}_" if reply.at_work else ""
        texts = [*full, "\n\n".join(part for part in (last, line) if part)]
        texts = [text for text in texts if text]
        if not texts:  # what has come may still become anything
            return
        try:
            self._say(texts)
        except ChatRateLimited:
            first = self._claimed.record.base
            if reply.has_text and not self.shows_answer and len(self._claimed.record.reply) == first + 1:
                # A crowd uses up the edits of a workspace. Slack counts posts apart, so that the first text
                # need not wait; once Slack takes edits again, it moves into the first message.
                self._messages.try_write(Message(self._claimed.turn, first + 1, texts[0]))
                self.shows_answer = True
            raise
        self.shows_answer = reply.has_text
        self._messages.try_take_back(len(texts))

    def _say(self, texts: list[str]) -> None:
        self._messages.try_show(texts, self._status.stop_buttons())
        self._said = texts

    def pages(self, text: str) -> tuple[list[str], str]:
        return self._pages.of(text), self._pages.rest

    def finish(self, owed: Sequence[Message]) -> None:
        """Edited messages need no end of their own."""
