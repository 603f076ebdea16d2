"""The port to the time."""

from typing import Protocol


class Clock(Protocol):
    """The time, and the waiting for it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
