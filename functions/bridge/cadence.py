"""How often a growing answer is shown."""

FIRST_INTERVAL = 1.0
GROWTH = 1.5
LONGEST_INTERVAL = 5.0
LONGEST_WHEN_LIMITED = 30.0


class Cadence:
    """Says when the next edit is due: the first at once, then at growing intervals (seconds).

    chat.update takes about 50 calls a minute of one app in one workspace (tier 3), whatever the number of
    answers; a refusal (HTTP 429) doubles the interval. A 60-second answer takes some 15 edits.
    """

    def __init__(self) -> None:
        self._interval = 0.0
        self._last = float("-inf")

    def due_at(self) -> float:
        """When the next edit may be sent; any time before now means at once."""
        return self._last + self._interval

    def edited(self, now: float) -> None:
        self._last = now
        grown = self._interval * GROWTH if self._interval else FIRST_INTERVAL
        self._interval = max(self._interval, min(grown, LONGEST_INTERVAL))

    def refused(self, now: float, retry_after: float) -> None:
        """Slack asked for fewer calls. `retry_after` seconds is the least to wait."""
        self._last = now
        doubled = max(self._interval, FIRST_INTERVAL) * 2
        self._interval = max(min(doubled, LONGEST_WHEN_LIMITED), retry_after)
