"""A turn in the hands of one owner: its record, its lease, and the calls that must succeed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from functions.bridge import waits, wording
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import GiveBack, ServiceUnavailable
from functions.bridge.ledger.record import Record, State
from functions.bridge.replies.chat import ChatRateLimited, ChatUnavailable
from functions.bridge.turn import Turn
from functions.bridge.turns.delivery import Delivery
from functions.bridge.turns.ports import Ports

T = TypeVar("T")

FIRST_BACK_OFF = 1.0
LONGEST_BACK_OFF = 15.0


class ClaimedTurn:
    """A claimed turn. Every change of its record goes through here and fails when the turn is not ours.

    Attributes:
        turn: the turn.
        record: what the ledger knows of it.
        next_heartbeat_at: when the lease is renewed next, seconds since the epoch.

    Args:
        leased_at: when the turn was claimed, seconds since the epoch: before the call, which may take long.
        is_hidden: whether the message was hidden just now (`Delivery.extend_for_claim`).
    """

    def __init__(
        self,
        turn: Turn,
        record: Record,
        delivery: Delivery,
        ports: Ports,
        *,
        leased_at: float,
        is_hidden: bool,
    ) -> None:
        self.turn = turn
        self.record = record
        self._delivery = delivery
        self._ledger = ports.ledger
        self._clock = ports.clock
        self._lease_seconds = ports.lease_seconds
        self._leased_at = leased_at
        self.next_heartbeat_at = leased_at + (ports.lease_seconds / 3 if is_hidden else 0)

    def heartbeat(self) -> None:
        """Renew the lease and hide the message, when a third of the lease has passed since the last time.

        The lease first: when the message shows up again, the lease has run out as well.
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

    def release(self, *, is_try: bool) -> None:
        """Let go of the turn, so that whoever receives the message next need not wait for the lease.

        Where this delivery `is_try` no try of the turn, it is not counted.
        """
        tries = self.record.tries - (0 if is_try else 1)
        self._ledger.release(replace(self.record, tries=tries))

    def advance(self, **changes: Any) -> None:
        """Change state, reply or intended messages, in the ledger first."""
        changed = replace(self.record, **changes)
        self.retry_until_deadline(lambda: self._ledger.advance(changed))
        self.record = changed

    def try_advance(self, **changes: Any) -> None:
        """The same for progress, which can do without: tried once. Raises `ServiceUnavailable`."""
        changed = replace(self.record, **changes)
        self._ledger.advance(changed)
        self.record = changed

    def owe(
        self, messages: Sequence[str], ending: State, *, failure: Failure | None = None, rest: str = ""
    ) -> None:
        """From here on `messages` must land, then `rest` as a file, and the turn then settles as `ending`,
        because of `failure`.

        When that is not the answer, the question is kept for a retry. (Later attempts find it kept.)
        """
        if ending is not State.ANSWERED and self.turn.attempt == 1:
            self.retry_until_deadline(lambda: self._ledger.keep_question(self.turn))
        owing = replace(
            self.record,
            state=State.REPLYING,
            owed=tuple(messages),
            rest=rest,
            ending=ending,
            failure=failure,
        )
        self.retry_until_deadline(lambda: self._ledger.owe(owing))
        self.record = owing

    def owe_explanation(self, failure: Failure, ending: State, *, about: str = "") -> None:
        """Owe nothing but why there is no answer; see `wording.explanation`."""
        words = wording.explanation(failure, reference=self.turn.reference, about=about)
        self.owe([words], ending, failure=failure)

    def settle(self, state: State) -> None:
        """The turn is over. Its text is not kept any longer, nor its question once it is answered."""
        settled = replace(self.record, state=state, owed=(), rest="", ending=None)
        self.retry_until_deadline(lambda: self._ledger.settle(settled))
        self.record = settled
        if state is State.ANSWERED and self.turn.attempt > 1:
            with suppress(ServiceUnavailable):  # it expires by itself
                self._ledger.forget_question(self.turn)

    def retry_until_deadline(self, call: Callable[[], T]) -> T:
        """Repeat `call` until it succeeds, waiting as Slack asks, keeping the lease.

        Raises:
            GiveBack: the wait would end after the deadline.
        """
        tries = 0
        while True:
            self.heartbeat()
            try:
                return call()
            except ChatRateLimited as exc:
                wait, why = max(self.after(exc), FIRST_BACK_OFF), str(exc)
            except (ChatUnavailable, ServiceUnavailable) as exc:
                tries += 1
                back_off = waits.grown(FIRST_BACK_OFF, tries, longest=LONGEST_BACK_OFF)
                wait, why = self.spread(back_off), str(exc)
            if self._clock.now() + wait >= self._delivery.deadline:
                raise GiveBack(why, wait)
            self.pause(wait)

    def spread(self, seconds: float) -> float:
        """A wait of ours, as long as this delivery makes it (`waits.spread`)."""
        return self._delivery.spread(seconds)

    def after(self, limit: ChatRateLimited) -> float:
        """How long to wait when Slack asks for a wait."""
        return waits.spread_beyond(limit.retry_after, self._delivery.share)

    def pause(self, seconds: float) -> None:
        """Wait, keeping the lease."""
        end = self._clock.now() + seconds
        while (now := self._clock.now()) < end:
            self._clock.sleep(max(0.0, min(end, self.next_heartbeat_at) - now))
            self.heartbeat()

    def ensure_lease(self) -> None:
        """Make sure that the turn is ours if the lease could not be renewed in time. Raises `LeaseLost`."""
        if self.lease_expired():
            self._renew(self._clock.now())

    def check_time(self) -> None:
        """Make sure that there is time for another message. Raises `GiveBack`."""
        if self._clock.now() >= self._delivery.deadline:
            raise GiveBack("no time for another message", FIRST_BACK_OFF)

    def lease_expired(self) -> bool:
        """Whether the turn may be somebody else's by now."""
        return self._clock.now() >= self._leased_at + self._lease_seconds

    def _renew(self, now: float) -> None:
        self._ledger.renew(self.record, until=now + self._lease_seconds)
        self._leased_at = now
