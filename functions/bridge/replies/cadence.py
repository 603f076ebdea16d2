"""How often a growing answer is shown."""

FIRST_INTERVAL = 1.0
GROWTH = 1.5
LONGEST_INTERVAL = 5.0
LONGEST_WHEN_LIMITED = 30.0


class Cadence:
    """Says when the next edit is due: the first at once, then at growing intervals (seconds).

    One app in one workspace may call chat.update about 50 times a minute (tier 3) and chat.appendStream
    100 times (tier 4), for all answers together (docs.slack.dev/apis/web-api/rate-limits). An answer of 60
    seconds takes some 15 edits, so that a few answers at once exceed the limit. Slack then refuses all of
    them (HTTP 429) until the same moment, and none knows of the others. A refusal therefore doubles the
    interval, or makes it as long as the wait that Slack asks for, if that is longer. From then on each answer
    stretches its intervals by a share of its own, or all of them would come back at once. The calls that are
    left go to the final texts, which must land.

    Args:
        phase: from 0 to 1, different for each answer: the share by which it stretches intervals.
    """

    def __init__(self, phase: float) -> None:
        self._phase = phase
        self._interval = 0.0
        self._is_limited = False
        self._due_at = float("-inf")

    def due_at(self) -> float:
        """When the next edit may be sent, seconds since the epoch. A time in the past means at once."""
        return self._due_at

    def hurry(self) -> None:
        """Make the next edit due at once, for something that should not wait."""
        self._due_at = float("-inf")

    def edited(self, now: float) -> None:
        grown = self._interval * GROWTH if self._interval else FIRST_INTERVAL
        self._interval = max(self._interval, min(grown, LONGEST_INTERVAL))
        self._due_at = now + self._interval + self._stretch()

    def refused(self, now: float, retry_after: float) -> None:
        """Note that progress was refused. The next edit waits for `retry_after` seconds at least."""
        self._is_limited = True
        wanted = max(self._interval * 2, FIRST_INTERVAL * 2, retry_after)
        self._interval = min(wanted, LONGEST_WHEN_LIMITED)
        self._due_at = now + max(self._interval, retry_after) + self._stretch()

    def _stretch(self) -> float:
        return self._phase * self._interval if self._is_limited else 0.0
