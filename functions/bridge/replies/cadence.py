"""How often a growing answer is shown."""

FIRST_INTERVAL = 1.0
GROWTH = 1.5
LONGEST_INTERVAL = 5.0
LONGEST_WHEN_LIMITED = 30.0


class Cadence:
    """Says when the next edit is due: the first at once, then at growing intervals (seconds).

    chat.update takes about 50 calls a minute of one app in one workspace (tier 3), chat.appendStream 100
    (tier 4), whatever the number of answers (docs.slack.dev/apis/web-api/rate-limits). A 60-second answer
    takes some 15 edits, so that a few at once are too many, and all of them are refused (HTTP 429) until the
    same moment. None knows of the others. So a refusal doubles the interval, and makes it as long as the wait
    that Slack asks for, which is the longer the further all of them are beyond the limit; and from then on
    each answer stretches its intervals by a share of its own, or they would all come back at once. What is
    left over is for the final texts, which must land.

    Args:
        phase: from 0 to 1, another for each answer: by so much intervals are stretched after a refusal.
    """

    def __init__(self, phase: float) -> None:
        self._phase = phase
        self._interval = 0.0
        self._is_limited = False
        self._due_at = float("-inf")

    def due_at(self) -> float:
        """When the next edit may be sent; any time before now means at once."""
        return self._due_at

    def hurry(self) -> None:
        """Something has come that should not wait: the next edit is due at once."""
        self._due_at = float("-inf")

    def edited(self, now: float) -> None:
        grown = self._interval * GROWTH if self._interval else FIRST_INTERVAL
        self._interval = max(self._interval, min(grown, LONGEST_INTERVAL))
        self._due_at = now + self._interval + self._stretch()

    def refused(self, now: float, retry_after: float) -> None:
        """Slack asked for fewer calls. `retry_after` seconds is the least to wait."""
        self._is_limited = True
        wanted = max(self._interval * 2, FIRST_INTERVAL * 2, retry_after)
        self._interval = min(wanted, LONGEST_WHEN_LIMITED)
        self._due_at = now + max(self._interval, retry_after) + self._stretch()

    def _stretch(self) -> float:
        return self._phase * self._interval if self._is_limited else 0.0
