"""Listens to an agent in a thread, so that the worker can do other things meanwhile.

A socket that is silent blocks its reader, and closing it from another thread blocks as well; what works is
urllib3's `HTTPResponse.shutdown()`, which makes the blocked read fail.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from functions.bridge.agents.events import AgentEvent, Failed
from functions.bridge.agents.failures import Failure

# A worker that falls behind makes the agent wait instead of filling the memory.
BUFFERED_EVENTS = 256
# Seconds that `cancel` waits for the reader if the answer has begun, and if it has not.
JOIN_SECONDS = 5.0
JOIN_SECONDS_UNANSWERED = 0.5


class Stream(Protocol):
    """One agent's answer. `events` is called in the reader's thread, `shutdown` in any."""

    def events(self) -> Iterator[AgentEvent]:
        """Open the stream and translate it. Ends with `Finished` or `Failed`."""
        ...

    def shutdown(self) -> bool:
        """Make a read that is under way, or any later one, fail at once; False if there is none to end."""
        ...


class BackgroundRun:
    """A run of an agent, read in the background. See `functions.bridge.agents.port.AgentRun`.

    Args:
        end_session: ends the agent's session; returns why it could not, or "". None where there is no call
            for that, or nobody wants it.
    """

    def __init__(self, stream: Stream, *, end_session: Callable[[], str] | None = None) -> None:
        self._stream = stream
        self._end_session = end_session
        self._stopper: threading.Thread | None = None
        self._session_trouble = ""
        self._events: queue.Queue[AgentEvent] = queue.Queue(maxsize=BUFFERED_EVENTS)
        self._cancelled = threading.Event()
        self._reader = threading.Thread(target=self._read, name="agent-stream", daemon=True)
        self._reader.start()

    def next(self, timeout: float) -> AgentEvent | None:
        try:
            return self._events.get(timeout=timeout) if timeout > 0 else self._events.get_nowait()
        except queue.Empty:
            return None

    def cancel(self) -> None:
        """Stop the reader and wait for it.

        A request whose answer has not begun cannot be cut short; its reader is left behind (a daemon thread)
        and throws the answer away when it comes.
        """
        self._cancelled.set()
        was_answering = self._stream.shutdown()
        self._drain()
        self._reader.join(JOIN_SECONDS if was_answering else JOIN_SECONDS_UNANSWERED)

    def stop_session(self) -> None:
        if self._end_session is not None and self._stopper is None:
            self._session_trouble = "the agent's session was not ended in time"
            self._stopper = threading.Thread(
                target=self._stop, args=[self._end_session], name="agent-session", daemon=True
            )
            self._stopper.start()

    def session_trouble(self, timeout: float) -> str:
        if self._stopper is not None:
            self._stopper.join(max(0.0, timeout))
        return self._session_trouble

    def _stop(self, end_session: Callable[[], str]) -> None:
        try:
            self._session_trouble = end_session()
        except Exception as exc:  # noqa: BLE001 - whatever it is, the log must tell of it
            self._session_trouble = f"the agent's session was not ended: {type(exc).__name__}"

    def _read(self) -> None:
        try:
            for event in self._stream.events():
                if not self._put(event):
                    return
        except Exception as exc:  # noqa: BLE001 - whatever it is, the turn must hear of it
            self._put(Failed(Failure.INTERNAL, type(exc).__name__))  # its text may quote what was said

    def _put(self, event: AgentEvent) -> bool:
        while not self._cancelled.is_set():
            try:
                self._events.put(event, timeout=1.0)
            except queue.Full:
                continue
            return True
        return False

    def _drain(self) -> None:
        """Make room, so that a reader that waits for it sees at once that it was cancelled."""
        while self.next(0) is not None:
            pass
