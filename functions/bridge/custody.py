"""A turn in the hands of one owner: its record, its lease, and the writes that must succeed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from functions.bridge.chat import Chat, ChatError, ChatRateLimited, ChatRefused, ChatUnavailable, Part
from functions.bridge.ledger import Ledger, Record, State
from functions.bridge.turn import Turn

T = TypeVar("T")

FIRST_BACK_OFF = 1.0
LONGEST_BACK_OFF = 15.0


class ServiceUnavailable(Exception):
    """One of our own stores (ledger, queue) did not answer or refused for now."""


class GiveBack(Exception):
    """What is owed cannot be written within this invocation. Try again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None: ...


class Message(Protocol):
    """The queue message that brought the turn."""

    def hide(self, seconds: float) -> None:
        """Nobody else receives it for so long from now. Raises `ServiceUnavailable`."""
        ...


@dataclass(frozen=True)
class Ports:
    """Everything outside that a turn needs, whoever holds it. `lease_seconds` is how long a lease runs."""

    chat: Chat
    ledger: Ledger
    clock: Clock
    lease_seconds: float


@dataclass(frozen=True)
class Delivery:
    """One delivery of a turn to one invocation.

    Attributes:
        message: the queue message that brought it; kept hidden while the work goes on.
        owner: a name for this delivery that no other has.
        deadline: when essential writes must be given up, seconds since the epoch.
    """

    message: Message
    owner: str
    deadline: float


class Custody:
    """A claimed turn. Every change of its record goes through here and fails when the turn is not ours.

    Attributes:
        turn: the turn.
        record: what the ledger knows of it.
        beat_at: when the lease is renewed next, seconds since the epoch.
    """

    def __init__(self, turn: Turn, record: Record, delivery: Delivery, ports: Ports) -> None:
        self.turn = turn
        self.record = record
        self._deadline = delivery.deadline
        self._message = delivery.message
        self._chat = ports.chat
        self._ledger = ports.ledger
        self._clock = ports.clock
        self._lease_seconds = ports.lease_seconds
        self._leased_at = self.beat_at = ports.clock.now()
        # Whether a post may stand that nobody confirmed: ours, or one of the owner before us.
        self._unsure = record.intended > len(record.reply)

    def keep(self) -> None:
        """Renew the lease and hide the message, when a third of the lease has passed since the last time.

        The lease first: when the message shows up again, the lease has run out as well.
        """
        now = self._clock.now()
        if now < self.beat_at:
            return
        try:
            if now > self._leased_at:  # the claim was the first lease
                self._renew(now)
            self._message.hide(self._lease_seconds)
            self.beat_at = now + self._lease_seconds / 3
        except ServiceUnavailable:
            self.beat_at = now + self._lease_seconds / 12

    def release(self) -> None:
        """Let go of the turn, so that whoever receives the message next need not wait for the lease."""
        self._ledger.renew(self.record, until=0)

    def advance(self, **changes: Any) -> None:
        """Change state, reply or intended messages, in the ledger first."""
        changed = replace(self.record, **changes)
        self.essential(lambda: self._ledger.advance(changed))
        self.record = changed

    def owe(self, messages: Sequence[str], ending: State) -> None:
        """From here on `messages` must land, and the turn then settles as `ending`.

        When that is not the answer, the question is kept for a retry. (Later attempts find it kept.)
        """
        if ending is not State.ANSWERED and self.turn.attempt == 1:
            self.essential(lambda: self._ledger.keep_question(self.turn))
        owing = replace(self.record, state=State.REPLYING, owed=tuple(messages), ending=ending)
        self.essential(lambda: self._ledger.owe(owing))
        self.record = owing

    def deliver(self) -> None:
        """Write every owed message for certain, the placeholder turning into the first, and settle the turn.

        Raises:
            GiveBack: not before the deadline; what is missing lands at the next delivery.
            ChatRefused: Slack will never take it. The turn is settled as failed.
        """
        ending = self.record.ending
        assert ending is not None, "deliver comes after owe"
        try:
            standing = self._standing()
            last = len(self.record.owed) - 1
            for number, text in enumerate(self.record.owed):
                offers_retry = number == last and ending is not State.ANSWERED
                part = Part(self.turn, number, text, offers_retry)
                if number in standing:
                    ts = standing[number]
                    self._write(lambda ts=ts, part=part: self._chat.edit(ts, part))  # type: ignore[misc]
                else:
                    ts = self._post(part)
                self.record = replace(self.record, reply=_with(self.record.reply, number, ts))
            self._take_back(self.record.reply[last + 1 :])
        except ChatRefused:
            self._settle(State.FAILED)
            raise
        self._settle(ending)

    def try_post(self, part: Part) -> None:
        """Post a message, once, that the ledger has as intended. Raises `ChatError`."""
        self._skip_unless_ours()
        ts = self._post_once(part)
        self.advance(reply=(*self.record.reply, ts))

    def try_edit(self, part: Part) -> None:
        """Show progress in a message that stands already, once. Raises `ChatError`."""
        self._skip_unless_ours()
        self._chat.edit(self.record.reply[part.number], part)

    def essential(self, call: Callable[[], T]) -> T:
        """Repeat `call` until it succeeds, waiting as Slack asks, keeping the lease.

        Raises:
            GiveBack: the wait would end after the deadline.
        """
        back_off = FIRST_BACK_OFF
        while True:
            try:
                return call()
            except ChatRateLimited as exc:
                wait = max(exc.retry_after, FIRST_BACK_OFF)
            except (ChatUnavailable, ServiceUnavailable):
                wait = back_off
                back_off = min(back_off * 2, LONGEST_BACK_OFF)
            if self._clock.now() + wait >= self._deadline:
                raise GiveBack(wait)
            self.pause(wait)

    def pause(self, seconds: float) -> None:
        """Wait, keeping the lease."""
        end = self._clock.now() + seconds
        while (now := self._clock.now()) < end:
            self._clock.sleep(max(0.0, min(end, self.beat_at) - now))
            self.keep()

    def _renew(self, now: float) -> None:
        self._ledger.renew(self.record, until=now + self._lease_seconds)
        self._leased_at = now

    def _has_lapsed(self) -> bool:
        """Whether the lease could not be renewed in time, so that the turn may be somebody else's by now."""
        return self._clock.now() >= self._leased_at + self._lease_seconds

    def _skip_unless_ours(self) -> None:
        if self._has_lapsed():
            raise ChatUnavailable("not asked: the lease has lapsed")

    def _write(self, call: Callable[[], T]) -> T:
        """An essential call of Slack's, made only while the turn is ours."""

        def while_ours() -> T:
            if self._has_lapsed():
                self._renew(self._clock.now())
            return call()

        return self.essential(while_ours)

    def _take_back(self, left_over: Sequence[str]) -> None:
        """Delete what an earlier, longer attempt has posted beyond this one."""
        for ts in left_over:
            with suppress(ChatError):
                self._chat.delete(self.turn, ts)
        kept = len(self.record.owed)
        self.record = replace(self.record, reply=self.record.reply[:kept], intended=kept)

    def _standing(self) -> dict[int, str]:
        """The messages of the reply that are in the thread, found there when the ledger cannot be sure."""
        known = dict(enumerate(self.record.reply))
        if self.record.intended > len(known):
            known = self._found() | known
            self._unsure = False
        return known

    def _post(self, part: Part) -> str:
        if self.record.intended <= part.number:
            self.advance(intended=part.number + 1)
        return self._write(lambda: self._post_once(part))

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
        try:
            return self.essential(lambda: self._chat.find(self.turn))
        except ChatRefused:
            return {}  # no history scope: at most one message may be left over

    def _settle(self, state: State) -> None:
        settled = replace(self.record, state=state, owed=(), ending=None)
        self.essential(lambda: self._ledger.settle(settled))
        self.record = settled
        if state is State.ANSWERED and self.turn.attempt > 1:
            self.essential(lambda: self._ledger.forget_question(self.turn))


def _with(reply: tuple[str, ...], number: int, ts: str) -> tuple[str, ...]:
    return (*reply[:number], ts, *reply[number + 1 :])
