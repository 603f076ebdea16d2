"""Slack's rate limits: per method, workspace and app, in windows of a minute.

docs.slack.dev/apis/web-api/rate-limits. Slack allows at least so much; the fake allows exactly so much.
"""

import math
import threading
import time
from collections import defaultdict, deque

# The fifth is called special: "t5" in docs.slack.dev/reference/methods/assistant.threads.setStatus.
CALLS_PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100, 5: 600}
# chat.postMessage has a rule of its own: one a second in a channel, with bursts, and several hundred a minute
# in the workspace.
POSTS_PER_MINUTE_AND_CHANNEL = 60
POSTS_PER_MINUTE = 300
MINUTE = 60.0


class Tiers:
    """Counts calls and says when one is too many. Switched off until `switch`."""

    def __init__(self) -> None:
        self.enabled = False
        self._window = MINUTE
        self._calls: dict[tuple[str, ...], deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def switch(self, enabled: bool, scale: float = 1.0) -> None:
        """Starts counting anew, in windows of a minute times `scale`."""
        with self._lock:
            self.enabled, self._window = enabled, MINUTE * scale
            self._calls.clear()

    def retry_after(
        self, method: str, tier: int | None, channel: str, now: float | None = None
    ) -> int | None:
        """Counts a call, or returns in how many whole seconds it may be tried again.

        `tier` None is chat.postMessage's own rule. A call that is too many is not counted.
        """
        if not self.enabled:
            return None
        moment = time.monotonic() if now is None else now
        if tier is None:
            rules = {(method, channel): POSTS_PER_MINUTE_AND_CHANNEL, (method,): POSTS_PER_MINUTE}
        else:
            rules = {(method,): CALLS_PER_MINUTE[tier]}
        with self._lock:
            for key, limit in rules.items():
                calls = self._calls[key]
                while calls and calls[0] <= moment - self._window:
                    calls.popleft()
                if len(calls) >= limit:
                    return max(1, math.ceil(calls[0] + self._window - moment))
            for key in rules:
                self._calls[key].append(moment)
        return None
