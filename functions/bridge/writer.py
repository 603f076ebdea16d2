"""The messages of a reply: progress that may be skipped, and the final text, which must land."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from functions.bridge import markdown
from functions.bridge.chat import Chat, ChatError, ChatRefused, ChatUnavailable, Part
from functions.bridge.custody import Custody
from functions.bridge.failures import Failure, explanation
from functions.bridge.ledger import State

T = TypeVar("T")

# Slack's names for a message that cannot be edited any more; a new one can be posted in its stead.
# docs.slack.dev/reference/methods/chat.update
_NOT_EDITABLE = {"edit_window_closed", "cant_update_message", "block_mismatch"}
# Its names for content that it does not show: smaller pieces have fewer characters, headings and tables.
_NOT_SHOWABLE = {
    "invalid_blocks",
    "invalid_blocks_format",
    "markdown_text_conflict",
    "msg_blocks_too_long",
    "msg_blocks_too_many",
    "msg_too_long",
    "no_text",
}
_SMALLEST_PIECE = 1000


class Writer:
    """Writes the reply of one turn while it is in our custody."""

    def __init__(self, custody: Custody, chat: Chat) -> None:
        self._custody = custody
        self._chat = chat
        # Whether a post may stand that nobody confirmed: ours, or one of the owner before us.
        self._unsure = custody.record.intended > len(custody.record.reply)
        self._may_search = True

    @property
    def stands(self) -> bool:
        """Whether there is a message already."""
        return bool(self._custody.record.reply)

    def try_show(self, text: str) -> None:
        """Show progress in the first message: posted, or edited into it, once. Raises `ChatError`."""
        if self._custody.has_lapsed():
            raise ChatUnavailable("not asked: the lease has lapsed")
        part = Part(self._custody.turn, 0, text)
        if self.stands:
            self._chat.edit(self._custody.record.reply[0], part)
            return
        if self._unsure and not self._may_search:
            raise ChatUnavailable("not asked: an earlier post may stand, and nobody may look")
        ts = self._post_once(part)
        self._custody.advance(reply=(ts,))

    def deliver(self) -> None:
        """Write every owed message for certain, the placeholder turning into the first, and settle the turn.

        What Slack does not show is cut smaller, and in the end replaced by an explanation.

        Raises:
            GiveBack: not before the deadline; what is missing lands at the next delivery.
            ChatRefused: the thread is gone or closed to us. The turn is settled as failed.
        """
        limit = markdown.MESSAGE_LIMIT
        while True:
            try:
                self._deliver_all()
            except ChatRefused as exc:
                limit //= 2
                if exc.code not in _NOT_SHOWABLE or limit < _SMALLEST_PIECE // 2:
                    self._custody.settle(State.FAILED)
                    raise
                self._owe_smaller(limit)
            else:
                break
        ending = self._custody.record.ending
        assert ending is not None
        self._custody.settle(ending)

    def _owe_smaller(self, limit: int) -> None:
        record = self._custody.record
        assert record.ending is not None
        if limit >= _SMALLEST_PIECE:
            pieces = [piece for text in record.owed for piece in markdown.split(text, limit=limit)]
            self._custody.owe(pieces, record.ending)
        else:
            note = explanation(Failure.NOT_SHOWABLE, reference=self._custody.turn.reference)
            self._custody.owe([note], State.FAILED)

    def _deliver_all(self) -> None:
        record = self._custody.record
        assert record.ending is not None, "deliver comes after owe"
        standing = self._standing()
        last = len(record.owed) - 1
        for number, text in enumerate(record.owed):
            offers_retry = number == last and record.ending is not State.ANSWERED
            part = Part(self._custody.turn, number, text, offers_retry)
            ts = self._edit(standing[number], part) if number in standing else self._post(part)
            reply = self._custody.record.reply
            self._remember(reply=(*reply[:number], ts, *reply[number + 1 :]))
        self._take_back(self._custody.record.reply[last + 1 :])

    def _remember(self, **changes: object) -> None:
        # Stored with the next advance or settle: until then the messages can be found in the thread.
        self._custody.record = replace(self._custody.record, **changes)  # type: ignore[arg-type]

    def _take_back(self, left_over: Sequence[str]) -> None:
        """Delete what an earlier, longer text has posted beyond this one."""
        for ts in left_over:
            with suppress(ChatError):
                self._chat.delete(self._custody.turn, ts)
        kept = len(self._custody.record.owed)
        self._remember(reply=self._custody.record.reply[:kept], intended=kept)

    def _standing(self) -> dict[int, str]:
        """The messages of the reply that are in the thread, found there when the ledger cannot be sure."""
        known = dict(enumerate(self._custody.record.reply))
        if self._custody.record.intended > len(known):
            known = self._found() | known
            self._unsure = False
        return known

    def _edit(self, ts: str, part: Part) -> str:
        try:
            self._certainly(lambda: self._chat.edit(ts, part))
        except ChatRefused as exc:
            if exc.code not in _NOT_EDITABLE:
                raise
            replacement = self._post(part)
            with suppress(ChatError):
                self._chat.delete(self._custody.turn, ts)
            return replacement
        return ts

    def _post(self, part: Part) -> str:
        if self._custody.record.intended <= part.number:
            self._custody.advance(intended=part.number + 1)
        return self._certainly(lambda: self._post_once(part))

    def _post_once(self, part: Part) -> str:
        if self._unsure and part.number in (found := self._found()):
            self._unsure = False
            return found[part.number]
        try:
            ts = self._chat.post(part)
        except ChatUnavailable:
            self._unsure = True
            raise
        self._unsure = False
        return ts

    def _found(self) -> dict[int, str]:
        if not self._may_search:
            return {}
        try:
            return self._custody.essential(lambda: self._chat.find(self._custody.turn))
        except ChatRefused:
            self._may_search = False  # no history scope: one message may be left over
            return {}

    def _certainly(self, call: Callable[[], T]) -> T:
        """An essential call, made only while the turn is ours."""

        def while_ours() -> T:
            self._custody.confirm()
            return call()

        return self._custody.essential(while_ours)
