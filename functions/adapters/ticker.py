"""Calls something again and again, in a thread of its own."""

import threading
from collections.abc import Callable


class ThreadTicker:
    """See `functions.bridge.turns.ports.Ticker`."""

    def every(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        ended = threading.Event()

        def tick() -> None:
            while not ended.wait(seconds):
                call()

        threading.Thread(target=tick, name="ticker", daemon=True).start()
        return ended.set
