"""The HTTP response of a run. Any thread may stop its reader."""

import threading
from contextlib import suppress
from typing import Any


class Connection:
    """Holds one response at a time. After `shutdown`, every later response is shut down too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._response: Any = None
        self._shut_down = False

    def hold(self, response: Any) -> None:
        """Hold urllib3's `response`. Closing boto3's wrapper would block while it is read."""
        with self._lock:
            self._response = response
            if self._shut_down:
                self._stop_reading()

    def shutdown(self) -> bool:
        """Make the current read and all later ones fail at once. Returns whether a response is held."""
        with self._lock:
            self._shut_down = True
            self._stop_reading()
            return self._response is not None

    def close(self) -> None:
        """Close the response."""
        with self._lock:
            response, self._response = self._response, None
        if response is not None:
            response.close()

    def _stop_reading(self) -> None:
        # At the end of a stream urllib3 has released the connection and raises these.
        with suppress(ValueError, RuntimeError):
            if self._response is not None:
                self._response.shutdown()
