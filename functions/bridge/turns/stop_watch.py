"""Whether somebody wants a claimed turn stopped, and which turn the mark of a thread is meant for."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from functions.bridge.agents.port import AgentRun
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import Record
from functions.bridge.ledger.stops import Stop, StopWanted
from functions.bridge.turns.ports import Ports

# So often the marks are read while an agent is at work, in seconds.
EVERY = 0.5


class StopWatch:
    """Looks for the marks of one claimed turn.

    Attributes:
        stop: who wants the turn stopped, as far as that is known; None: nobody.
    """

    def __init__(self, claimed: ClaimedTurn, ports: Ports) -> None:
        self.stop: Stop | None = claimed.record.stop
        self._claimed = claimed
        self._stops = ports.stops
        self._ticker = ports.ticker
        self._clock = ports.clock
        self._run: AgentRun | None = None

    def look(self, *, newest: bool = True) -> Stop | None:
        """Read both marks, unless one was found before. What cannot be read counts as none.

        Unless `newest`, a mark of the last second may be missing.
        """
        with suppress(ServiceUnavailable):
            self._read(newest=newest)
        return self.stop

    def look_surely(self) -> Stop | None:
        """The same, but raises `ServiceUnavailable` where the marks cannot be read."""
        self._read(newest=True)
        return self.stop

    def start(self, *, goes_on: bool = False) -> bool:
        """Put on record that the agent is about to be asked; False if somebody wants the turn stopped.

        What stands with the thread is read beside that. `goes_on` is whether the agent is told about what the
        turn has waited for: then the card is final. Raises `GiveBack`.
        """
        record = self._claimed.record
        if self.stop is None:
            mark = self._stops.begin(
                self._claimed.turn.thread_id,
                turn_id=record.turn_id,
                attempt=record.attempt,
                began_at=record.began_at,
            )
            try:
                base = record.base + 1 if goes_on else record.base
                self._claimed.start(base=base, intended=max(base + 1, record.intended))
            except StopWanted as exc:
                self.stop = exc.stop
            with suppress(ServiceUnavailable):  # else it is read in half a second
                self.stop = self.stop or self._of_thread(mark().stop)
        return self.stop is None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look every half second, beside whatever goes on. A stop ends the agent's run."""
        end = self._ticker.every(EVERY, self._tick)
        try:
            yield
        finally:
            end()
            self._run = None

    def ends(self, run: AgentRun) -> None:
        """A stop ends this run from here on."""
        self._run = run
        if self.stop is not None:
            run.cancel()

    def pause(self, seconds: float) -> None:
        """Wait, keeping the lease; no longer than until somebody wants the turn stopped."""
        end = self._clock.now() + seconds
        while self.stop is None and (left := end - self._clock.now()) > 0:
            self._claimed.pause(min(EVERY, left))

    def wait(self, seconds: float) -> None:
        """Wait for a mark that must be on its way, as Slack has stopped the stream."""
        end = self._clock.now() + seconds
        while self.look() is None and self._clock.now() < end:
            self._claimed.pause(EVERY)

    def obeyed(self) -> None:
        """Take the mark of the thread away, once the turn's record says that it is stopped."""
        if self.stop is not None:
            with suppress(ServiceUnavailable):  # no other turn obeys it, and it expires by itself
                self._stops.obeyed(self._claimed.turn.thread_id, self.stop)

    def _read(self, *, newest: bool) -> None:
        if self.stop is None:
            record, thread_id = self._claimed.record, self._claimed.turn.thread_id
            stop, of_thread = self._stops.marks(record.turn_id, record.attempt, thread_id, newest=newest)
            self.stop = stop or self._of_thread(of_thread.stop)

    def _tick(self) -> None:
        # Each answer is looked at again and again: for its length, that is half of what DynamoDB costs.
        if self.stop is None and self.look(newest=False) is not None and (run := self._run) is not None:
            run.cancel()

    def _of_thread(self, stop: Stop | None) -> Stop | None:
        return stop if stop and is_meant(self._claimed.record, stop) else None


def is_meant(record: Record, stop: Stop) -> bool:
    """Whether somebody who stopped a thread meant this turn: it was at work by then.

    It was if Slack has stopped a stream of it, or if its first message, which carries the time by Slack's
    clock, stood by then; without a message, if it was claimed by then. A question that waited behind it on
    the queue was not claimed, and the next one had not been asked. A later attempt has the messages of the
    one before, which may have been the one that was meant.
    """
    pressed_at = float(stop.ts)
    if record.attempt > 1 and pressed_at < record.began_at:
        return False
    if {*record.reply} & {*stop.streams}:
        return True
    return pressed_at >= (float(record.reply[0]) if record.reply else record.began_at)
