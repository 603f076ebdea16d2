"""The messages of a turn's reply in its thread. Each of them is posted once at most.

Before a message is posted, the ledger knows that it may stand. A post whose answer got lost is looked for in
the thread (`unconfirmed`), and posted again only if it is not there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from functions.bridge.beside import Beside
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.replies.buttons import Button
from functions.bridge.replies.chat import (
    Chat,
    ChatAppRefused,
    ChatError,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
    Chunk,
    Message,
)
from functions.bridge.replies.refusals import NOT_EDITABLE, STILL_A_STREAM, STREAM_IS_OVER
from functions.bridge.replies.unconfirmed import Unconfirmed


class ThreadMessages:
    """The messages of one turn's reply, by their numbers.

    Methods named `try_…` are for progress. They make each call once, and raise its `ChatError`, or
    `ServiceUnavailable` of the ledger. The other methods that write repeat each call until it succeeds, and
    raise what `ClaimedTurn.write_until_deadline` raises, and the refusals that they say.
    """

    def __init__(self, claimed: ClaimedTurn, chat: Chat, beside: Beside) -> None:
        self._claimed = claimed
        self._chat = chat
        self._beside = beside
        # What is being posted beside the caller's work, and what waits for its ts.
        self._begun: tuple[Message, Callable[[], str]] | None = None
        self._unconfirmed = Unconfirmed(claimed, chat)
        # What each message shows, if no lost call has changed it.
        self._shown: dict[int, Message] = {}
        # Messages that may show something else: open streams, and those with an edit whose answer got lost.
        self._doubtful: set[int] = set()
        # Messages whose text came by an edit, which notifies nobody.
        self._edited: set[int] = set()

    @property
    def ends_silently(self) -> bool:
        """Whether the last message of the reply was edited, which notifies nobody."""
        return len(self._claimed.record.reply) - 1 in self._edited

    @property
    def are_shown(self) -> bool:
        """Whether we have written any message."""
        return bool(self._shown)

    # --- progress ---

    def begin(self, text: str, buttons: tuple[Button, ...] = ()) -> None:
        """Post the first message beside what the caller does, if nothing must be found or stored first."""
        first, reply = self._claimed.record.base, self._claimed.record.reply
        if len(reply) > first or self._unconfirmed or not self._claimed.knows_of(first):
            return
        message = Message(self._claimed.turn, first, text, buttons)
        self._begun = message, self._beside(lambda: self._chat.post(message))

    def try_join(self) -> None:
        """Wait for what `begin` has begun."""
        if self._begun is None:
            return
        (message, wait), self._begun = self._begun, None
        try:
            ts = wait()
        except ChatUnavailable:
            self._unconfirmed.add(message.number)
            raise
        self._put_on_record(ts)
        self._shown[message.number] = message

    def try_show(self, texts: Sequence[str], buttons: tuple[Button, ...] = ()) -> None:
        """Let the first messages that are not final say `texts`, with `buttons` under the last.

        A message that says its text already needs no call.
        """
        self.try_join()
        first = self._claimed.record.base
        last = first + len(texts) - 1
        for number, text in enumerate(texts, start=first):
            message = Message(self._claimed.turn, number, text, buttons if number == last else ())
            if self._shown.get(message.number) != message:
                self.try_check_lease()
                self.try_write(message)

    def try_check_lease(self) -> None:
        """Renew the lease if that is due. Raises `ChatUnavailable` if it has expired all the same."""
        self._claimed.heartbeat()
        if self._claimed.lease_expired():
            raise ChatUnavailable("not asked: the lease has expired")

    def try_write(self, message: Message) -> None:
        """Edit the message with this number, or post the next one."""
        reply = self._claimed.record.reply
        if message.number < len(reply):
            self._try_edit(reply[message.number], message)
        elif self._unconfirmed.is_hopeless(message.number):
            raise ChatUnavailable("not asked: an earlier post may stand, and Slack lets nobody look for it")
        else:
            self._try_intend(message.number)
            self._put_on_record(self._post_once(message, until_deadline=False))
        self._shown[message.number] = message

    def try_start(self, text: str, start: Callable[[], str]) -> tuple[int, str]:
        """Call `start`, which opens the next message as a stream that begins with `text`.

        Returns the number of the message and its ts. Raises `ChatUnavailable` where a post is unconfirmed:
        of a stream nobody can tell which message it is.
        """
        if self._unconfirmed:
            raise ChatUnavailable("not asked: an earlier message may stand")
        number = len(self._claimed.record.reply)
        self._try_intend(number)
        ts = self._once(number, start, until_deadline=False)
        self._put_on_record(ts)
        self._shown[number] = Message(self._claimed.turn, number, text)
        self._doubtful.add(number)  # it grows
        return number, ts

    def stream_ended_as(self, message: Message) -> None:
        """Note that a stream has ended as `message`."""
        self._shown[message.number] = message
        self._doubtful.discard(message.number)

    def try_take_back(self, kept: int) -> None:
        """Delete messages after the first `kept` that are not final: an earlier attempt's, or a first text
        that has moved."""
        reply = self._claimed.record.reply
        for number in reversed(range(self._claimed.record.base + kept, len(reply))):
            # On record first: nobody must edit a message that is gone.
            self._claimed.try_advance(reply=reply[:number])
            self._forget([number])
            try:
                self._delete_once(number, reply[number])
            except ChatStopped:
                raise
            except ChatRefused:
                pass
            except (ChatAppRefused, ChatRateLimited, ChatUnavailable):
                # The next call begins with this message again: the last one goes first.
                self._claimed.note(reply=reply[: number + 1])
                raise

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

    def _try_intend(self, number: int) -> None:
        if not self._claimed.knows_of(number):
            self._claimed.try_advance(intended=number + 1)

    def _put_on_record(self, ts: str) -> None:
        """Store that the next message stands. If the ledger fails, the message can be found in the thread."""
        self._claimed.note(reply=(*self._claimed.record.reply, ts))
        with suppress(ServiceUnavailable):
            self._claimed.try_advance()

    # --- messages that must land ---

    def standing(self) -> dict[int, str]:
        """The messages that are in the thread, number to ts. Looks for them where the ledger is not sure."""
        with suppress(ChatError):  # what must land is tried for longer
            self.try_join()
        known = dict(enumerate(self._claimed.record.reply))
        if self._claimed.record.intended > len(known):
            known = self._unconfirmed.all_found() | known
        return known

    def land(self, message: Message, standing: dict[int, str]) -> None:
        """Let `message` stand after those before it: edited, or posted where it cannot be edited.

        Args:
            standing: what `standing` has returned; it is kept up to date.

        Raises:
            ChatRefused: Slack refuses this text, or any text in this thread.
        """
        number = message.number
        stays = False
        if number in standing:
            self._note(number, standing[number])  # it stays as it is where a person stops its stream
            stays = self._make_say(standing[number], message)
        if not stays and any(other >= number for other in standing):
            self._make_way(number, standing)
        if number not in standing:
            standing[number] = self._post(message)
        self._shown[number] = message
        self._note(number, standing[number])

    def _note(self, number: int, ts: str) -> None:
        reply = self._claimed.record.reply
        self._claimed.note(reply=(*reply[:number], ts, *reply[number + 1 :]))

    def end_after(self, count: int, standing: dict[int, str]) -> None:
        """Delete the messages after the first `count` that are not final: an earlier, longer text's, or
        streams left open."""
        count += self._claimed.record.base
        every = standing | dict(enumerate(self._claimed.record.reply))
        self._delete({number: ts for number, ts in every.items() if number >= count})
        self._claimed.note(reply=self._claimed.record.reply[:count], intended=count)

    def _make_say(self, ts: str, message: Message) -> bool:
        """Edit the message `ts` unless it says that already. False when it cannot be edited any more."""
        if self._shown.get(message.number) == message and message.number not in self._doubtful:
            return True
        edit = partial(self._chat.edit, ts, message)
        try:
            self._claimed.write_until_deadline(lambda: self._once_stopped(ts, message.number, edit))
        except ChatRefused as exc:
            if exc.code not in NOT_EDITABLE and not _is_missing(exc, message.number):
                raise
            return False
        self._edited.add(message.number)
        return True

    def _make_way(self, first: int, standing: dict[int, str]) -> None:
        """Delete message `first`, which cannot be edited or is missing, and those after it: order must stay.

        On record first: the next owner of the turn must not edit a message that is gone.
        """
        record = self._claimed.record
        self._claimed.advance(reply=record.reply[:first], intended=max(record.intended, first + 1))
        gone = {number: standing.pop(number) for number in [*standing] if number >= first}
        self._forget(gone)
        self._unconfirmed.abandon(gone.values())  # they cannot be edited any more
        self._delete(gone)

    def _post(self, message: Message) -> str:
        if not self._claimed.knows_of(message.number):
            self._claimed.advance(intended=message.number + 1)
        return self._claimed.write_until_deadline(lambda: self._post_once(message, until_deadline=True))

    def _delete(self, messages: Mapping[int, str]) -> None:
        """Delete messages, the last one first. Those that Slack does not delete stay."""
        for number, ts in sorted(messages.items(), reverse=True):
            with suppress(ChatRefused):
                self._claimed.write_until_deadline(partial(self._delete_once, number, ts))

    # --- single calls ---

    def _post_once(self, message: Message, *, until_deadline: bool) -> str:
        return self._once(message.number, lambda: self._chat.post(message), until_deadline=until_deadline)

    def _once(self, number: int, post: Callable[[], str], *, until_deadline: bool) -> str:
        """The ts of message `number`, which is found in the thread if it may stand there, else posted."""
        ts, is_found = self._unconfirmed.once(number, post, until_deadline=until_deadline)
        if is_found:
            self._doubtful.add(number)  # it may say something else
        return ts

    def _delete_once(self, number: int, ts: str) -> None:
        self._once_stopped(ts, number, lambda: self._chat.delete(self._claimed.turn, ts))

    def _once_stopped(self, ts: str, number: int, call: Callable[[], None]) -> None:
        """`call`, again after a stop if Slack refuses it because the message is a stream that is open."""
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

    def _forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._shown.pop(number, None)
            self._doubtful.discard(number)
            self._edited.discard(number)


def _is_missing(refusal: ChatRefused, number: int) -> bool:
    """Whether a message is gone that we may have deleted ourselves. We never delete the first one alone."""
    return refusal.code == "message_not_found" and number > 0
