import threading

import pytest

from simulator.journal import Journal


class Log:
    """Collects log lines and lets a test wait for one: it may be read after the function has answered."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()

    def add(self, _function: str, line: str) -> None:
        with self._changed:
            self.lines.append(line)
            self._changed.notify_all()

    def wait_for(self, text: str, count: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: sum(text in x for x in self.lines) >= count, 30), self.lines


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def journal() -> Journal:
    return Journal()
