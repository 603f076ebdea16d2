"""What an agent has said, between the thread that reads it and the one that shows it."""

from collections import deque
from threading import Condition, Lock

from functions.bridge.agents.events import AgentEvent, Failed, Finished

# When the buffer is full the reader waits, so a slow worker does not fill the memory.
MOST_EVENTS = 256
# So many are taken at the latest, long before the reader has to wait.
ENOUGH_EVENTS = MOST_EVENTS // 2


class EventBuffer:
    """Events in order: one thread puts them in, one takes them out, any thread may close it.

    A thread that waits is woken only when what it waits for is there. A switch of threads takes longer than
    all that is done for a delta.
    """

    def __init__(self) -> None:
        lock = Lock()
        self._for_taker = Condition(lock)
        self._for_reader = Condition(lock)
        self._events: deque[AgentEvent] = deque()
        self._wanted = 1
        self._has_ended = False
        self._is_closed = False

    def put(self, event: AgentEvent) -> bool:
        """Add an event, as soon as there is room. Returns False, and does not add it, after `close`."""
        with self._for_reader:
            self._for_reader.wait_for(lambda: len(self._events) < MOST_EVENTS or self._is_closed)
            if self._is_closed:
                return False
            self._events.append(event)
            self._has_ended = isinstance(event, Finished | Failed)
            if self._is_worth_taking():
                self._for_taker.notify()
        return True

    def take(self, timeout: float) -> AgentEvent | None:
        """The next event. None when `timeout` seconds pass without one, at the end, and after `close`."""
        with self._for_taker:
            self._wait(1, timeout)
            event = self._events.popleft() if self._events else None
            self._tell_reader()
            return event

    def take_all(self, timeout: float) -> list[AgentEvent]:
        """What there is after `timeout` seconds, or sooner if enough has come, the end, or `close`."""
        with self._for_taker:
            self._wait(ENOUGH_EVENTS, timeout)
            events = [*self._events]
            self._events.clear()
            self._tell_reader()
            return events

    def close(self) -> None:
        """Add nothing more, and let nobody wait. What is there can be taken."""
        with self._for_taker:
            self._is_closed = True
            self._for_taker.notify()
            self._for_reader.notify()

    def _wait(self, wanted: int, timeout: float) -> None:
        self._wanted = wanted
        self._for_taker.wait_for(self._is_worth_taking, timeout)

    def _is_worth_taking(self) -> bool:
        return len(self._events) >= self._wanted or self._has_ended or self._is_closed

    def _tell_reader(self) -> None:
        # Not at each free place: then the two threads would take turns.
        if len(self._events) <= ENOUGH_EVENTS:
            self._for_reader.notify()
