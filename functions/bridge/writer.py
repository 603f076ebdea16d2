"""The messages of a reply: progress that may be skipped, and the final text, which must land."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from functions.bridge import markdown, pages, wording
from functions.bridge.chat import (
    Chat,
    ChatError,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
    Found,
    Part,
    Piece,
)
from functions.bridge.custody import Custody, GiveBack
from functions.bridge.failures import Failure, explanation
from functions.bridge.ledger import State
from functions.bridge.reply import Reply

T = TypeVar("T")

# Slack's names for a message that cannot be edited any more; a new one can be posted in its stead.
# docs.slack.dev/reference/methods/chat.update
_NOT_EDITABLE = {"edit_window_closed", "cant_update_message", "block_mismatch", "streaming_state_conflict"}
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
# Its names for a message that is a stream which nobody has stopped.
_STILL_A_STREAM = {"streaming_state_conflict", "cant_delete_message"}
# So short, in characters, is what Slack shows whatever it is: fifty blocks do not fit into less.
_SMALLEST_PIECE = 200


class Writer(Protocol):
    """Writes the reply of one turn while it is in our custody. A style of reply is one implementation."""

    def wait(self, words: str) -> None:
        """Show that somebody is at work, unless that is seen already. Progress: raises `ChatError`."""
        ...

    def show(self, reply: Reply) -> bool:
        """Show what there is of the answer; whether there was anything new. Progress: raises `ChatError`."""
        ...

    def pages(self, text: str) -> list[str]:
        """The messages that the final text makes after what was shown."""
        ...

    def deliver(self) -> None:
        """Write every owed message for certain, and settle the turn.

        What Slack does not show is cut smaller, and in the end replaced by an explanation.

        Raises:
            GiveBack: not before the deadline; what is missing lands at the next delivery.
            ChatRefused: the thread is gone or closed to us. The turn is settled as failed.
            ChatStopped: a person stopped the stream.
        """
        ...


class EditWriter:
    """A placeholder that is edited into the answer. See `Writer`.

    It also finishes what any other writer has left behind.
    """

    def __init__(self, custody: Custody, chat: Chat) -> None:
        self._custody = custody
        self._chat = chat
        self._pages = pages.Pages()
        # What each message shows, unless an edit whose answer got lost takes effect late.
        self._shown: dict[int, Part] = {}
        self._doubtful: set[int] = set()
        # Whether a post may stand that nobody confirmed: ours, or one of the owner before us.
        self._unsure = custody.record.intended > len(custody.record.reply)
        self._may_search = True
        self._delivering = 0

    def wait(self, words: str) -> None:
        if words != wording.PLACEHOLDER or not self._shown:
            self._try_show([words])

    def show(self, reply: Reply) -> bool:
        full = self.pages(reply.growing())
        last = markdown.preview(full.pop())
        line = f"_{markdown.escape(wording.step(reply.steps[-1]))}_" if reply.at_work else ""
        texts = [*full, "\n\n".join(part for part in (last, line) if part)]
        return self._try_show([text for text in texts if text])

    def pages(self, text: str) -> list[str]:
        return self._pages.of(text)

    def deliver(self) -> None:
        while True:
            try:
                self._deliver_all()
            except ChatStopped:
                raise
            except ChatRefused as exc:
                if exc.code not in _NOT_SHOWABLE or not self._owe_smaller(self._delivering):
                    self._custody.settle(State.FAILED)
                    raise
            else:
                break
        ending = self._custody.record.ending
        assert ending is not None
        self._custody.settle(ending)

    def _try_show(self, texts: Sequence[str]) -> bool:
        """Bring the messages to `texts`, each with one call at most; whether there was anything to do."""
        parts = [Part(self._custody.turn, number, text) for number, text in enumerate(texts)]
        news = [part for part in parts if self._shown.get(part.number) != part]
        for part in news:
            self._check_lease()
            self._try_write(part)
        return bool(news)

    def _check_lease(self) -> None:
        self._custody.keep()
        if self._custody.has_lapsed():
            raise ChatUnavailable("not asked: the lease has lapsed")

    def _try_write(self, part: Part) -> None:
        reply = self._custody.record.reply
        if part.number < len(reply):
            self._try_edit(reply[part.number], part)
        elif self._unsure and not self._may_search:
            raise ChatUnavailable("not asked: an earlier post may stand, and nobody may look")
        else:
            self._intend(part.number)
            self._custody.advance(reply=(*reply, self._post_once(part)))
        self._shown[part.number] = part

    def _try_edit(self, ts: str, part: Part) -> None:
        try:
            self._once_stopped(ts, part.number, lambda: self._chat.edit(ts, part))
        except ChatUnavailable:
            self._doubtful.add(part.number)
            raise

    def _intend(self, number: int) -> None:
        if self._custody.record.intended <= number:
            self._custody.advance(intended=number + 1)

    def _owe_smaller(self, number: int) -> bool:
        """Cut a message that was refused in two, or explain; False when that explanation was refused."""
        record = self._custody.record
        assert record.ending is not None
        owed, note = record.owed, explanation(Failure.NOT_SHOWABLE, reference=self._custody.turn.reference)
        limit = markdown.size(owed[number]) * 2 // 3
        if limit >= _SMALLEST_PIECE:
            pieces = pages.split(owed[number], limit=limit)
            self._custody.owe([*owed[:number], *pieces, *owed[number + 1 :]], record.ending)
        else:
            self._custody.owe([note], State.FAILED)
        return owed != (note,)

    def _owed(self) -> list[Part]:
        record = self._custody.record
        assert record.ending is not None, "deliver comes after owe"
        last = len(record.owed) - 1
        may_retry = record.ending is not State.ANSWERED
        return [
            Part(self._custody.turn, number, text, offers_retry=may_retry and number == last)
            for number, text in enumerate(record.owed)
        ]

    def _deliver_all(self) -> None:
        standing = self._standing()
        owed = self._owed()
        for part in owed:
            number = self._delivering = part.number
            if number not in standing:
                ts = self._post(part)
            elif self._shown.get(number) == part and number not in self._doubtful:
                ts = standing[number]
            else:
                ts = self._edit(standing[number], part)
            self._shown[number] = part
            reply = self._custody.record.reply
            self._remember(reply=(*reply[:number], ts, *reply[number + 1 :]))
        standing |= dict(enumerate(self._custody.record.reply))
        self._take_back([ts for number, ts in sorted(standing.items()) if number >= len(owed)])

    def _remember(self, **changes: object) -> None:
        # Stored with the next advance or settle: until then the messages can be found in the thread.
        self._custody.record = replace(self._custody.record, **changes)  # type: ignore[arg-type]

    def _take_back(self, left_over: Sequence[str]) -> None:
        """Delete what an earlier, longer text has posted beyond this one: a stream must not stay open."""
        for ts in left_over:
            delete = partial(self._once_stopped, ts, 0, partial(self._chat.delete, self._custody.turn, ts))
            with suppress(ChatRefused, GiveBack):
                self._certainly(delete)
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
            self._certainly(lambda: self._once_stopped(ts, part.number, lambda: self._chat.edit(ts, part)))
        except ChatRefused as exc:
            if exc.code not in _NOT_EDITABLE:
                raise
            replacement = self._post(part)
            with suppress(ChatError):
                self._chat.delete(self._custody.turn, ts)
            return replacement
        return ts

    def _once_stopped(self, ts: str, number: int, call: Callable[[], None]) -> None:
        """`call`, about a message that may be a stream which its owner left open."""
        try:
            call()
        except ChatRefused as exc:
            if exc.code not in _STILL_A_STREAM:
                raise
            try:
                self._chat.stop_stream(ts, Part(self._custody.turn, number, ""), Piece(""))
            except ChatStopped:
                raise
            except ChatRefused:
                pass  # it has expired in the meantime
            call()

    def _post(self, part: Part) -> str:
        self._intend(part.number)
        return self._certainly(lambda: self._post_once(part))

    def _post_once(self, part: Part) -> str:
        return self._once(part.number, lambda: self._chat.post(part))

    def _once(self, number: int, post: Callable[[], str]) -> str:
        """The ts of message `number`: found in the thread if it may stand there, else posted."""
        if self._unsure and number in (found := self._found()):
            self._unsure = False
            self._doubtful.add(number)  # it may say something else
            return found[number]
        try:
            ts = post()
        except ChatUnavailable:
            self._unsure = True
            raise
        self._unsure = False
        return ts

    def _found(self) -> dict[int, str]:
        if not self._may_search:
            return {}
        try:
            found = self._custody.essential(lambda: self._chat.find(self._custody.turn))
        except ChatRefused:
            self._may_search = False  # no history scope: one message may be left over
            return {}
        return self._open_stream(found) | found.parts

    def _open_stream(self, found: Found) -> dict[int, str]:
        """A stream that nobody stopped is the message that was intended last."""
        unknown = [ts for ts in found.streams if ts not in self._custody.record.reply]
        return {self._custody.record.intended - 1: unknown[-1]} if unknown else {}

    def _certainly(self, call: Callable[[], T]) -> T:
        """An essential call, made only while the turn is ours."""

        def while_ours() -> T:
            self._custody.confirm()
            return call()

        return self._custody.essential(while_ours)
