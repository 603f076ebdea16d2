"""The system's clock."""

import time


class SystemClock:
    """See `functions.bridge.clock.Clock`."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
