"""A turn in the hands of one owner: its record, its lease, and the calls that must succeed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import TypedDict, TypeVar, Unpack

from functions.bridge import wording
from functions.bridge.agents.failures import Failure
from functions.bridge.clock import Clock
from functions.bridge.delivery import Delivery
from functions.bridge.errors import GiveBack, PassingTrouble, ServiceUnavailable
from functions.bridge.ledger.pauses import Decision, Pause
from functions.bridge.ledger.record import Ledger, Record, State
from functions.bridge.turn import Turn
from functions.bridge.waits import FIRST_WAIT, Retry

T = TypeVar("T")


class Changes(TypedDict, total=False):
    """What `Ledger.advance` stores of a record. See `functions.bridge.ledger.record.Record`."""

    state: State
    reply: tuple[str, ...]
    intended: int
    base: int


class ClaimedTurn:
    """A claimed turn. It alone changes the turn's record, and the ledger refuses that once it is not ours.

    Attributes:
        turn: the turn.
        owes_notice: whether what is owed are words of the bridge's own, and nothing of an agent's. After a
            crash this is not known, and they count as an agent's.
        next_heartbeat_at: when the lease is renewed next, seconds since the epoch.
        before_settling: is called with the state in which the turn is about to settle.

    Args:
        lease_seconds: an owner that renews its lease no more counts as alive for so long.
        leased_at: when the claim was sent, seconds since the epoch. The lease began then or later.
        is_hidden: whether the message was hidden just now (`Delivery.extend_for_claim`).
    """

    def __init__(
        self,
        turn: Turn,
        record: Record,
        delivery: Delivery,
        ledger: Ledger,
        clock: Clock,
        *,
        lease_seconds: float,
        leased_at: float,
        is_hidden: bool,
    ) -> None:
        self.turn = turn
        self.owes_notice = False
        self._record = replace(record, is_new=False)
        self._intended_in_ledger = 1 if record.is_new else record.intended
        self._delivery = delivery
        self._ledger = ledger
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._leased_at = leased_at
        self.next_heartbeat_at = leased_at + (lease_seconds / 3 if is_hidden else 0)
        self.before_settling: Callable[[State], None] = lambda _: None

    # --- the record ---

    @property
    def record(self) -> Record:
        """What the ledger knows of the turn, and what `note` has noted since."""
        return self._record

    def advance(self, **changes: Unpack[Changes]) -> None:
        """Change the record, in the ledger first. Raises `GiveBack`."""
        changed = replace(self._record, **changes)
        self.retry_until_deadline(lambda: self._ledger.advance(changed))
        self._stored(changed)

    def try_advance(self, **changes: Unpack[Changes]) -> None:
        """The same with one try, for progress, which may be skipped. Raises `ServiceUnavailable`."""
        changed = replace(self._record, **changes)
        self._ledger.advance(changed)
        self._stored(changed)

    def knows_of(self, number: int) -> bool:
        """Whether the ledger knows that message `number` may stand: then it can be posted."""
        if number >= max(self._intended_in_ledger, self._record.intended):
            return False
        self.note(intended=max(self._record.intended, number + 1))
        return True

    def note(self, **changes: Unpack[Changes]) -> None:
        """Change the record here. The ledger gets to know that with the next change that it stores.

        For messages that stand in the thread: until then they can be found there.
        """
        self._record = replace(self._record, **changes)

    def owe(
        self,
        messages: Sequence[str],
        ending: State,
        *,
        failure: Failure | None = None,
        rest: str = "",
        pause: Pause | None = None,
    ) -> None:
        """Store that `messages` must land, then `rest` as a file, and that the turn then settles as `ending`.

        `failure` says why it does not end with its answer. Where it can be asked again, the question is kept
        for that; later attempts find it kept. With the ending `WAITING`, `pause` is what the turn waits for,
        and the last message is its card. Where a pause ends here instead, the agent is not told about it, and
        a new session begins. Raises `GiveBack`.
        """
        if pause is None:
            self._end_pause()
        if ending in (State.INTERRUPTED, State.FAILED) and self.turn.attempt == 1:
            self.retry_until_deadline(lambda: self._ledger.keep_question(self.turn))
        owing = replace(
            self._record,
            state=State.REPLYING,
            owed=tuple(messages),
            rest=rest,
            ending=ending,
            failure=failure,
            pause=pause,
            decision=None,
        )
        self.retry_until_deadline(lambda: self._ledger.owe(owing))
        self._stored(owing)

    def _end_pause(self) -> None:
        if (ended := self._record.pause) is not None:
            self.begin_session(ended.session_person)

    def begin_session(self, person: str) -> None:
        """Begin a new session of the agent with this turn: `person` as in `Ledger.session`.

        For an agent that waits for an answer which it will not get: in its old session it would take the next
        question for a mistake. Raises `GiveBack`.
        """
        turn = self.turn
        # Each attempt's is another one: they are a millionth of a second apart, as Slack's timestamps are.
        began = str(Decimal(turn.ts) + Decimal(turn.attempt - 1).scaleb(-6))
        self.retry_until_deadline(lambda: self._ledger.begin_session(turn.thread_id, person, began=began))

    def owe_notice(self, words: str, ending: State = State.ANSWERED) -> None:
        """Owe one message, in which the bridge answers the turn without an agent. Raises `GiveBack`."""
        self.owes_notice = True
        self.owe([words], ending)

    def owe_explanation(
        self, failure: Failure, ending: State, *, about: str = "", after: Sequence[str] = ()
    ) -> None:
        """Owe a message below those of `after`, which says why there is no answer (`wording.explanation`)."""
        words = wording.explanation(failure, reference=self.turn.reference, about=about)
        self.owes_notice = not after
        self.owe([*after, words], ending, failure=failure)

    def settle(self, state: State) -> None:
        """End the turn. The ledger forgets the text, and the question of an answer. Raises `GiveBack`.

        Where a pause ends with it, a new session begins, as in `owe`.
        """
        self._end_pause()
        self.before_settling(state)
        settled = replace(self._record, state=state, owed=(), rest="", ending=None)
        self.retry_until_deadline(lambda: self._ledger.settle(settled))
        self._stored(settled)
        if state is State.ANSWERED and self.turn.attempt > 1:
            with suppress(ServiceUnavailable):  # it expires by itself
                self._ledger.forget_question(self.turn)

    def wait_for_decision(self) -> None:
        """End the lease of a turn whose card stands. Raises `GiveBack`.

        From here on somebody else may go on with it, as soon as its queue message shows up.
        """
        record = self._record
        waiting = replace(
            record,
            state=State.WAITING,
            base=len(record.reply) - 1,
            owed=(),
            rest="",
            ending=None,
            tries=record.tries - 1,
        )
        receipt = self._delivery.message.receipt
        self.retry_until_deadline(lambda: self._ledger.wait(waiting, receipt=receipt))
        self._stored(waiting)

    def take_decision(self, decision: Decision) -> None:
        """Note what the ledger says that was decided."""
        self._record = replace(self._record, decision=decision)

    def start(self, *, base: int, intended: int) -> None:
        """Store that the agent is about to be asked, or told what was decided.

        Raises `GiveBack`, or `StopWanted` if somebody wants the turn stopped.
        """
        started = replace(
            self._record, state=State.STARTED, base=base, intended=intended, pause=None, decision=None
        )
        self.retry_until_deadline(lambda: self._ledger.start(started))
        self._stored(started)

    def release(self, *, is_try: bool) -> None:
        """End the lease, so that whoever receives the message next need not wait for it.

        A delivery that was no try of the turn (`is_try` is false) is not counted. Raises `LeaseLost` or
        `ServiceUnavailable`.
        """
        tries = self._record.tries - (0 if is_try else 1)
        self._ledger.release(replace(self._record, tries=tries))

    def _stored(self, record: Record) -> None:
        self._record = record
        self._intended_in_ledger = record.intended

    # --- the lease ---

    def heartbeat(self) -> None:
        """Renew the lease and hide the message, if a third of the lease has passed since the last time.

        The lease is renewed first: when the message shows up again, the lease has expired as well.
        """
        now = self._clock.now()
        if now < self.next_heartbeat_at:
            return
        try:
            if now - self._leased_at > self._lease_seconds / 6:  # the claim was the first lease
                self._renew(now)
            self._delivery.message.extend_visibility(self._lease_seconds)
            self.next_heartbeat_at = now + self._lease_seconds / 3
        except ServiceUnavailable:
            self.next_heartbeat_at = now + self._lease_seconds / 12

    def ensure_lease(self) -> None:
        """Renew the lease if it has expired. Raises `LeaseLost` or `ServiceUnavailable`."""
        if self.lease_expired():
            self._renew(self._clock.now())

    def lease_expired(self) -> bool:
        """Whether somebody else may have claimed the turn by now."""
        return self._clock.now() >= self._leased_at + self._lease_seconds

    def _renew(self, now: float) -> None:
        self._ledger.renew(self._record, until=now + self._lease_seconds)
        self._leased_at = now

    # --- calls that must succeed, and waiting ---

    def retry_until_deadline(self, call: Callable[[], T]) -> T:
        """Repeat `call` until it succeeds, keeping the lease.

        Raises:
            GiveBack: the next try would come after the delivery's deadline.
        """

        def keeping_the_lease() -> T:
            self.heartbeat()
            return call()

        retry = self._retry(until=self._delivery.deadline)
        try:
            return retry.run(keeping_the_lease)
        except PassingTrouble as exc:
            raise GiveBack(str(exc), retry.wait) from exc

    def write_until_deadline(self, write: Callable[[], T]) -> T:
        """`retry_until_deadline` for a write in the thread, which is made only while the turn is ours.

        Raises:
            GiveBack: the next try would come after the delivery's deadline.
            LeaseLost: the lease has expired, and somebody else has claimed the turn.
        """

        def while_ours() -> T:
            self.ensure_lease()
            return write()

        return self.retry_until_deadline(while_ours)

    def retry(
        self, call: Callable[[], T], *, until: float, most_tries: int, after: tuple[type[PassingTrouble], ...]
    ) -> T:
        """Repeat `call` a few times, keeping the lease meanwhile. See `functions.bridge.waits.Retry`."""
        return self._retry(until=until, most_tries=most_tries, after=after).run(call)

    def _retry(
        self,
        *,
        until: float,
        most_tries: int | None = None,
        after: tuple[type[PassingTrouble], ...] = (PassingTrouble,),
    ) -> Retry:
        share = self._delivery.share
        return Retry(self._clock, self.pause, share, until=until, most_tries=most_tries, after=after)

    def pause(self, seconds: float) -> None:
        """Wait, keeping the lease."""
        end = self._clock.now() + seconds
        while (now := self._clock.now()) < end:
            self._clock.sleep(max(0.0, min(end, self.next_heartbeat_at) - now))
            self.heartbeat()

    def spread(self, seconds: float) -> float:
        """A wait, as long as this delivery makes it (`waits.spread`)."""
        return self._delivery.spread(seconds)

    def check_time(self) -> None:
        """Raises `GiveBack` if the delivery's deadline has passed, so that no further message is begun."""
        if self._clock.now() >= self._delivery.deadline:
            raise GiveBack("no time for another message", FIRST_WAIT)
