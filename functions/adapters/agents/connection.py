"""What a run of an agent reads from. Any thread may stop its reader.

That is a response once its answer has begun, and the socket of its request until then.
"""

import socket
import threading
from contextlib import suppress
from typing import Any

_opening = threading.local()


class Connection:
    """Holds one socket or response at a time. After `shutdown`, a later one is shut down at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._response: Any = None
        self._shut_down = False

    def of_this_thread(self) -> None:
        """From here on, the sockets are held that this thread opens for an agent (`hold_socket`)."""
        _opening.connection = self

    def hold(self, response: Any) -> None:
        """Hold urllib3's `response`. Closing boto3's wrapper would block while it is read."""
        with self._lock:
            self._response, self._socket = response, None
            if self._shut_down:
                self._stop_reading()

    def shutdown(self) -> bool:
        """Make the current read and all later ones fail at once. Returns whether anything is held."""
        with self._lock:
            self._shut_down = True
            self._stop_reading()
            return self._response is not None or self._socket is not None

    def close(self) -> None:
        """Close the response."""
        with self._lock:
            response, self._response, self._socket = self._response, None, None
        if response is not None:
            response.close()

    def _stop_reading(self) -> None:
        # At the end of a stream urllib3 has released the connection and raises these.
        with suppress(ValueError, RuntimeError):
            if self._response is not None:
                self._response.shutdown()
        if self._socket is not None:
            with suppress(OSError):  # the other end was faster
                self._socket.shutdown(socket.SHUT_RDWR)

    def _hold_socket(self, opened: socket.socket) -> None:
        with self._lock:
            self._socket = opened
            if self._shut_down:
                self._stop_reading()


def hold_socket(opened: socket.socket) -> None:
    """Have the connection of this thread, if there is one, hold the socket over which it asks its agent."""
    connection: Connection | None = getattr(_opening, "connection", None)
    if connection is not None:
        connection._hold_socket(opened)
