"""The HTTP response that a run of an agent is reading, which any thread may make it stop reading."""

import threading
from contextlib import suppress
from typing import Any


class Connection:
    """Holds one response at a time; a later one is as good as shut down once `shutdown` was called."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._response: Any = None
        self._shut_down = False

    def hold(self, response: Any) -> None:
        """`response` is urllib3's: to close what boto3 wraps around it would block while it is read."""
        with self._lock:
            self._response = response
            if self._shut_down:
                self._stop_reading()

    def shutdown(self) -> bool:
        """Make a read that is under way, or any later one, fail at once; False if no response is held."""
        with self._lock:
            self._shut_down = True
            self._stop_reading()
            return self._response is not None

    def close(self) -> None:
        """Give the response back. From here on its connection may serve another run."""
        with self._lock:
            response, self._response = self._response, None
        if response is not None:
            response.close()

    def _stop_reading(self) -> None:
        # At the end of a stream urllib3 lets go of the connection by itself, and then has none to shut down.
        with suppress(ValueError, RuntimeError):
            if self._response is not None:
                self._response.shutdown()
