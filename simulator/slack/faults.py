"""Faults that tests put into the Web API, used up one call at a time."""

import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import Any, Literal


@dataclass
class Fault:
    """What goes wrong with the next calls of a method ("*": of any).

    Attributes:
        skip: how many calls go well first.
        times: how many calls it happens to.
        error: the answer is `{"ok": false, "error": error}`, and the method has no effect.
        status: the answer is this HTTP status with a body that is not JSON, and the method has no effect.
        retry_after: the answer is a 429 with this Retry-After (seconds), and the method has no effect.
        drop: the connection is closed without an answer, "before" or "after" the method had its effect.
        delay_seconds: the answer comes so much later; the method has its effect at once.
    """

    method: str
    times: int = 1
    skip: int = 0
    error: str | None = None
    status: int | None = None
    retry_after: int | None = None
    drop: Literal["before", "after"] | None = None
    delay_seconds: float = 0.0

    @classmethod
    def of(cls, given: dict[str, Any]) -> "Fault":
        """Raises TypeError for an unknown member, ValueError for one that makes no sense."""
        fault = cls(**given)
        kinds = (fault.error, fault.status, fault.retry_after, fault.drop, fault.delay_seconds or None)
        if all(kind is None for kind in kinds):
            raise ValueError("one of error, status, retry_after, drop, delay_seconds is needed")
        if fault.drop not in (None, "before", "after"):
            raise ValueError('drop is "before" or "after"')
        return fault


class Faults:
    """The faults that are waiting, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The fault of this call, if it has one."""
        with self._lock:
            for fault in self._waiting:
                if fault.method not in (method, "*"):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


def close_connection(environ: dict[str, Any]) -> None:
    """Ends the connection before the answer is written; werkzeug drops what it then cannot write."""
    connection: socket.socket = environ["werkzeug.socket"]
    with contextlib.suppress(OSError):  # the client may have gone already
        connection.shutdown(socket.SHUT_RDWR)
