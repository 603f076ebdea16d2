"""The style in which a placeholder is edited into the answer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from functions.bridge import wording
from functions.bridge.agents.events import File
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import State
from functions.bridge.markdown import growing, safe, split
from functions.bridge.markdown.split import MESSAGE_LIMIT
from functions.bridge.replies.buttons import RETRY, Button, retry_value
from functions.bridge.replies.chat import (
    Chat,
    ChatAppRefused,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
    ChatUndone,
    Chunk,
    Message,
)
from functions.bridge.replies.refusals import (
    IS_CLOSED,
    IS_TOO_MUCH,
    NOT_EDITABLE,
    STILL_A_STREAM,
    STREAM_IS_OVER,
)
from functions.bridge.replies.reply import Reply
from functions.bridge.replies.unconfirmed import Unconfirmed

T = TypeVar("T")

# The file of an answer's rest.
REST = "answer.md"
# Messages that Slack refuses become smaller ones, until there are so many times the usual number of them.
_MOST_TIMES = 2
# So short, in characters, is what Slack shows whatever it is: fifty blocks do not fit into less.
_SMALLEST_PIECE = 200


class EditWriter:
    """A placeholder that is edited into the answer. See `writer.Writer`.

    It also finishes what any other writer has left behind.

    Args:
        most: how many messages an answer has at most; the rest becomes a file.
    """

    def __init__(self, claimed: ClaimedTurn, chat: Chat, *, most: int) -> None:
        self._claimed = claimed
        self._chat = chat
        self._most = most
        self._pages = split.Pages(most=most)
        # What each message shows, unless an edit whose answer got lost takes effect late.
        self._shown: dict[int, Message] = {}
        self._doubtful: set[int] = set()
        self._edited: set[int] = set()
        self.shows_answer = False
        self.refusal = ""
        self._unconfirmed = Unconfirmed(claimed, chat)
        self._delivers = False
        self._delivering = 0
        self.seems_busy = claimed.record.intended > 0  # an owner before us may have written in any style

    @property
    def ends_silently(self) -> bool:
        return len(self._claimed.record.reply) - 1 in self._edited

    def wait(self, words: str) -> None:
        if words != wording.PLACEHOLDER or not self._shown:
            self._try_show([words])

    def show(self, reply: Reply) -> None:
        full, _ = self.pages(reply.growing())
        last = growing.preview(full.pop())
        line = f"_{safe.escape(wording.step(reply.steps[-1]))}_" if reply.at_work else ""
        texts = [*full, "\n\n".join(part for part in (last, line) if part)]
        texts = [text for text in texts if text]
        if not texts:  # what there is may still become anything
            return
        try:
            self._try_show(texts)
        except ChatRateLimited:
            if reply.has_text and not self.shows_answer and len(self._claimed.record.reply) == 1:
                # A crowd uses up the edits of a workspace. Posts are counted apart, so that the first text
                # need not wait; once edits are taken again, it moves to where it belongs.
                self._try_write(Message(self._claimed.turn, 1, texts[0]))
                self.shows_answer = True
            raise
        self.shows_answer = reply.has_text
        self._try_take_back(len(texts))

    def pages(self, text: str) -> tuple[list[str], str]:
        return self._pages.of(text), self._pages.rest

    def deliver(self) -> None:
        self._delivers = True
        while True:
            try:
                self._deliver_all()
            except ChatStopped:
                raise
            except ChatRefused as exc:
                if IS_CLOSED.fullmatch(exc.code) or not self._owe_something_else(exc.code):
                    self._claimed.settle(State.FAILED)
                    raise
            else:
                if not self._claimed.record.rest:
                    break
                self._bring_rest()
        ending = self._claimed.record.ending
        assert ending is not None
        self.release_session()  # before the turn is settled: whoever takes it over after a crash does it too
        self._claimed.settle(ending)

    def release_session(self) -> None:
        if self.seems_busy:
            with suppress(ChatRefused):
                self._certainly(lambda: self._chat.set_status(self._claimed.turn, ""))
            self.seems_busy = False

    # --- progress: each call is made once, and its trouble is told to the caller ---

    def _try_show(self, texts: Sequence[str]) -> None:
        """Bring the messages to `texts`, each with one call at most."""
        for message in (Message(self._claimed.turn, number, text) for number, text in enumerate(texts)):
            if self._shown.get(message.number) != message:
                self._check_lease()
                self._try_write(message)

    def _check_lease(self) -> None:
        self._claimed.heartbeat()
        if self._claimed.lease_expired():
            raise ChatUnavailable("not asked: the lease has lapsed")

    def _try_write(self, message: Message) -> None:
        reply = self._claimed.record.reply
        if message.number < len(reply):
            self._try_edit(reply[message.number], message)
        elif self._unconfirmed.is_hopeless(message.number):
            raise ChatUnavailable("not asked: an earlier post may stand, and nobody may look")
        else:
            self._intend(message.number)
            self._put_on_record(self._post_once(message))
        self._shown[message.number] = message

    def _try_edit(self, ts: str, message: Message) -> None:
        try:
            self._once_stopped(ts, message.number, lambda: self._chat.edit(ts, message))
        except ChatUnavailable:
            self._doubtful.add(message.number)
            raise
        except ChatRefused as exc:
            if not _is_missing(exc, message.number):
                raise
            self._claimed.note(reply=self._claimed.record.reply[: message.number])
            raise ChatUnavailable("not edited: it was deleted, and the answer to that got lost") from exc
        self._edited.add(message.number)

    def _try_take_back(self, kept: int) -> None:
        """Delete messages beyond the first `kept`: an earlier attempt's, or a first text that has moved."""
        reply = self._claimed.record.reply
        for number in reversed(range(kept, len(reply))):
            # On record first: nobody must edit what is gone.
            self._claimed.try_advance(reply=reply[:number])
            self._forget([number])
            try:
                self._delete_once(number, reply[number])
            except ChatStopped:
                raise
            except ChatRefused:
                pass
            except (ChatAppRefused, ChatRateLimited, ChatUnavailable):
                self._claimed.note(reply=reply[: number + 1])  # first of all again, for the sake of order
                raise

    def _intend(self, number: int) -> None:
        """On record before a message is posted: that it may stand."""
        if self._claimed.record.intended > number:
            return
        if self._delivers:
            self._claimed.advance(intended=number + 1)
        else:
            self._claimed.try_advance(intended=number + 1)

    def _put_on_record(self, ts: str) -> None:
        """That the next message stands: on record, unless the ledger fails; then it can be found."""
        self._claimed.note(reply=(*self._claimed.record.reply, ts))
        with suppress(ServiceUnavailable):
            self._claimed.try_advance()

    # --- the final text ---

    def _owe_something_else(self, refusal: str) -> bool:
        """Cut the message that was refused, or explain; False when that explanation was refused."""
        record, number = self._claimed.record, self._delivering
        assert record.ending is not None
        note = wording.explanation(Failure.NOT_SHOWABLE, reference=self._claimed.turn.reference)
        if record.owed == (note,):
            return False
        self.refusal = refusal
        limit = safe.size(record.owed[number]) * 2 // 3
        pieces: list[str] = []
        if limit >= _SMALLEST_PIECE:
            pieces = split.split(record.owed[number], limit=min(limit, MESSAGE_LIMIT), data_tables=False)
        owed = [*record.owed[:number], *pieces, *record.owed[number + 1 :]]
        if refusal in IS_TOO_MUCH and pieces and len(owed) <= _MOST_TIMES * self._most:
            self._claimed.owe(owed, record.ending, failure=record.failure, rest=record.rest)
        else:
            self._claimed.owe([note], State.FAILED, failure=Failure.NOT_SHOWABLE)
        return True

    def _bring_rest(self) -> None:
        """Upload what is too long for messages, and owe the last message again, which then says so.

        Whoever dies between the two uploads it twice: it is a part of the answer, which must land.
        """
        record = self._claimed.record
        assert record.ending is not None
        said = self._certainly(lambda: self._upload(File(REST, "text/markdown", record.rest.encode())))
        self._claimed.owe(
            [*record.owed[:-1], f"{record.owed[-1]}\n\n{said}"], record.ending, failure=record.failure
        )

    def _upload(self, file: File) -> str:
        """What is to be said about a file after a try to upload it; one that had no effect raises."""
        try:
            self._chat.upload(self._claimed.turn, file)
        except (ChatStopped, ChatUndone):
            raise
        except ChatRefused:
            return wording.missing_files([file.name])
        except ChatUnavailable:
            return wording.uncertain_files([file.name])
        return wording.rest_in_file(file.name)

    def _owed(self) -> list[Message]:
        record = self._claimed.record
        assert record.ending is not None, "deliver comes after owe"
        last = len(record.owed) - 1
        buttons = () if record.ending is State.ANSWERED else (self._retry_button(),)
        return [
            Message(self._claimed.turn, number, text, buttons if number == last else ())
            for number, text in enumerate(record.owed)
        ]

    def _retry_button(self) -> Button:
        return Button(wording.RETRY_BUTTON, RETRY, retry_value(self._claimed.turn))

    def _deliver_all(self) -> None:
        standing = self._standing()
        owed = self._owed()
        for message in owed:
            number = self._delivering = message.number
            if number:  # one message each delivery at the least
                self._claimed.check_time()
            stays = number in standing and self._makes_say(standing[number], message)
            if not stays and any(other >= number for other in standing):
                self._make_way(number, standing)
            if number not in standing:
                standing[number] = self._post(message)
            self._shown[number] = message
            reply = self._claimed.record.reply
            self._claimed.note(reply=(*reply[:number], standing[number], *reply[number + 1 :]))
        standing |= dict(enumerate(self._claimed.record.reply))
        # What an earlier, longer text has posted beyond this one. A stream must not stay open.
        self._delete({number: ts for number, ts in standing.items() if number >= len(owed)})
        self._claimed.note(reply=self._claimed.record.reply[: len(owed)], intended=len(owed))

    def _standing(self) -> dict[int, str]:
        """The messages of the reply that are in the thread, found there when the ledger cannot be sure."""
        known = dict(enumerate(self._claimed.record.reply))
        if self._claimed.record.intended > len(known):
            known = self._unconfirmed.all_found() | known
        return known

    def _makes_say(self, ts: str, message: Message) -> bool:
        """Edit the message `ts` into `message` unless it is that; False when it cannot be edited any more."""
        if self._shown.get(message.number) == message and message.number not in self._doubtful:
            return True
        try:
            self._certainly(
                lambda: self._once_stopped(ts, message.number, lambda: self._chat.edit(ts, message))
            )
        except ChatRefused as exc:
            if exc.code not in NOT_EDITABLE and not _is_missing(exc, message.number):
                raise
            return False
        self._edited.add(message.number)
        return True

    def _make_way(self, first: int, standing: dict[int, str]) -> None:
        """Take back message `first`, if there is one, and those that follow it: it cannot be edited, or is
        missing, and order must stay.

        On record before they go: the next owner of the turn must not edit what is gone.
        """
        record = self._claimed.record
        self._claimed.advance(reply=record.reply[:first], intended=max(record.intended, first + 1))
        gone = {number: standing.pop(number) for number in [*standing] if number >= first}
        self._forget(gone)
        self._unconfirmed.abandon(gone.values())  # they cannot be edited any more
        self._delete(gone)

    def _forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._shown.pop(number, None)
            self._doubtful.discard(number)
            self._edited.discard(number)

    def _delete(self, messages: Mapping[int, str]) -> None:
        """Delete messages for certain, the last first, but for those that Slack keeps."""
        for number, ts in sorted(messages.items(), reverse=True):
            with suppress(ChatRefused):
                self._certainly(partial(self._delete_once, number, ts))

    def _delete_once(self, number: int, ts: str) -> None:
        self._once_stopped(ts, number, lambda: self._chat.delete(self._claimed.turn, ts))

    def _once_stopped(self, ts: str, number: int, call: Callable[[], None]) -> None:
        """`call`, about a message that may be a stream which its owner left open."""
        try:
            call()
        except ChatRefused as exc:
            if exc.code not in STILL_A_STREAM:
                raise
            self._stop(ts, number)
            call()

    def _stop(self, ts: str, number: int) -> None:
        try:
            self._chat.stop_stream(ts, Message(self._claimed.turn, number, ""), Chunk(""))
        except ChatStopped:
            raise
        except ChatRefused as exc:
            if exc.code not in STREAM_IS_OVER:  # it goes on until it expires, in some minutes
                raise ChatUnavailable(f"the stream cannot be stopped: {exc.code}") from exc

    def _post(self, message: Message) -> str:
        self._intend(message.number)
        return self._certainly(lambda: self._post_once(message))

    def _post_once(self, message: Message) -> str:
        return self._once(message.number, lambda: self._chat.post(message))

    def _once(self, number: int, post: Callable[[], str]) -> str:
        """The ts of message `number`: found in the thread if it may stand there, else posted."""
        ts, is_found = self._unconfirmed.once(number, post, until_deadline=self._delivers)
        if is_found:
            self._doubtful.add(number)  # it may say something else
        return ts

    def _certainly(self, call: Callable[[], T]) -> T:
        return self._claimed.write_until_deadline(call)


def _is_missing(refusal: ChatRefused, number: int) -> bool:
    """Whether a message is gone that we may have deleted ourselves; the first one is never deleted so."""
    return refusal.code == "message_not_found" and number > 0
