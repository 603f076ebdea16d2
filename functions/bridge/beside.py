"""The port to calls that run beside the caller's work."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Beside(Protocol):
    """Runs calls beside the caller's work."""

    def __call__(self, call: Callable[[], T], /) -> Callable[[], T]:
        """Begin the call. The result waits for it, and returns or raises what it did.

        Who begins a call also waits for it: Lambda freezes what still runs when an invocation ends.
        """
        ...
