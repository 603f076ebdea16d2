"""Repeats calls after temporary failures, and computes the waits between tries, in seconds.

A wait doubles with each try. Each delivery shortens it by its own share, so that calls that failed together
are not repeated together. This is the "equal jitter" of
aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter
"""

from collections.abc import Callable
from typing import TypeVar

from functions.bridge.clock import Clock
from functions.bridge.errors import PassingTrouble

T = TypeVar("T")

# The wait after the first try of a call, and the longest one (seconds).
FIRST_WAIT = 1.0
LONGEST_WAIT = 15.0


class Retry:
    """Repeats one call while it raises `PassingTrouble`. Make a new object for each call.

    Args:
        pause: waits for so many seconds. The owner of a turn renews its lease meanwhile.
        share: from 0 to 1, see `spread`.
        until: seconds since the epoch. A wait that would end then or later is not begun.
        most_tries: the most tries; None sets no limit.
        after: the exceptions after which the call is repeated. Any other is raised at once.

    Attributes:
        wait: seconds to wait after the last failure. When `run` raises, this wait has not been done.
    """

    def __init__(
        self,
        clock: Clock,
        pause: Callable[[float], None],
        share: float,
        *,
        until: float,
        most_tries: int | None = None,
        after: tuple[type[PassingTrouble], ...] = (PassingTrouble,),
    ) -> None:
        self.wait = 0.0
        self._clock = clock
        self._pause = pause
        self._share = share
        self._until = until
        self._most_tries = most_tries
        self._after = after
        self._unanswered = 0

    def run(self, call: Callable[[], T]) -> T:
        """What `call` returns. Raises its last exception when no try or no time is left."""
        tries = 0
        while True:
            try:
                return call()
            except self._after as exc:
                tries += 1
                self.wait = self._wait_after(exc)
                if tries == self._most_tries or self._clock.now() + self.wait >= self._until:
                    raise
            self._pause(self.wait)

    def _wait_after(self, trouble: PassingTrouble) -> float:
        if trouble.retry_after is not None:
            return max(spread_beyond(trouble.retry_after, self._share), FIRST_WAIT)
        self._unanswered += 1
        return spread(grown(FIRST_WAIT, self._unanswered, longest=LONGEST_WAIT), self._share)


def grown(first: float, tries: int, *, longest: float) -> float:
    """`first` seconds after one try, doubled with each further try, `longest` at most."""
    return min(first * 2.0 ** min(max(tries, 1) - 1, 30), longest)


def spread(seconds: float, share: float) -> float:
    """Between half of `seconds` and all of it, by a share from 0 to 1."""
    return seconds * (1 + share) / 2


def spread_beyond(seconds: float, share: float) -> float:
    """Between `seconds` and 1.25 times that: a wait that Slack asked for must not be shorter."""
    return seconds * (1 + share / 4)
