"""What happened in the simulator, in order: the page's inspector and the tests read it."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    Attributes:
        number: position in the journal, from 1.
        at: seconds since the epoch.
        source: who tells: "slack", "gateway", "lambda", "queue" or "agent".
        kind: what it was, e.g. "event delivered", "api call", "message received".
        detail: JSON-ready facts. Never a token or a signing secret.
    """

    number: int
    at: float
    source: str
    kind: str
    detail: dict[str, Any] = field(default_factory=dict)


class Journal:
    """An append-only list that many threads write and that readers can wait on."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._changed = threading.Condition()

    def add(self, source: str, kind: str, **detail: Any) -> Entry:
        with self._changed:
            entry = Entry(len(self._entries) + 1, time.time(), source, kind, detail)
            self._entries.append(entry)
            self._changed.notify_all()
        return entry

    def entries(self, *, after: int = 0, source: str | None = None, kind: str | None = None) -> list[Entry]:
        """The entries whose number is greater than `after`, optionally of one source or kind."""
        with self._changed:
            found = self._entries[after:]
        return [e for e in found if source in (None, e.source) and kind in (None, e.kind)]

    def wait(self, *, after: int, timeout: float) -> list[Entry]:
        """Like `entries`, but waits up to `timeout` seconds until there is at least one."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._entries) > after, timeout)
            return self._entries[after:]
