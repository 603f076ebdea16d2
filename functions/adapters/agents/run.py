"""Reads an agent's stream in a thread, so that the worker can do other things meanwhile.

A silent socket blocks its reader, and closing it from another thread blocks as well. Only urllib3's
`HTTPResponse.shutdown()` makes the blocked read fail.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from functions.adapters.agents.event_buffer import EventBuffer
from functions.bridge.agents.events import AgentEvent, Failed
from functions.bridge.agents.failures import Failure

# Seconds that `cancel` waits for the reader if it is connected, and if it is not.
JOIN_SECONDS = 5.0
JOIN_SECONDS_UNCONNECTED = 0.5


class Stream(Protocol):
    """One agent's response. `events` runs in the reader's thread; any thread may call `shutdown`."""

    def events(self) -> Iterator[AgentEvent]:
        """Open the stream and translate it. Ends with `Finished` or `Failed`."""
        ...

    def shutdown(self) -> bool:
        """Make the current read and all later ones fail at once. Returns whether the response has begun."""
        ...


class BackgroundRun:
    """A run that a thread reads. See `functions.bridge.agents.port.AgentRun`.

    Args:
        end_session: ends the agent's session and returns why that failed, or "". None where the service has
            no call for that or no setting asks for it.
    """

    def __init__(self, stream: Stream, *, end_session: Callable[[], str] | None = None) -> None:
        self._stream = stream
        self.ends_session = end_session is not None
        self._end_session = end_session
        self._stopper: threading.Thread | None = None
        self._session_trouble = ""
        self._events = EventBuffer()
        self._reader = threading.Thread(target=self._read, name="agent-stream", daemon=True)
        self._reader.start()

    def next(self, timeout: float) -> AgentEvent | None:
        return self._events.take(timeout)

    def gather(self, timeout: float) -> list[AgentEvent]:
        return self._events.take_all(timeout)

    def cancel(self) -> None:
        """Stop the reader and wait for it.

        While the connection is still being made, nothing can be aborted: the reader, a daemon thread, is left
        behind and ends when that is over.
        """
        self._events.close()
        was_connected = self._stream.shutdown()
        self._reader.join(JOIN_SECONDS if was_connected else JOIN_SECONDS_UNCONNECTED)

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
        except Exception as exc:  # noqa: BLE001 - the log has to name any error
            self._session_trouble = f"the agent's session was not ended: {type(exc).__name__}"

    def _read(self) -> None:
        try:
            for event in self._stream.events():
                if not self._events.put(event):
                    return
        except Exception as exc:  # noqa: BLE001 - the turn has to end after any error
            self._events.put(Failed(Failure.INTERNAL, type(exc).__name__))  # the text may quote the user
