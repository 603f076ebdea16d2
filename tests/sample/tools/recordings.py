"""Recorded answers and events, and how the stand-in for Open-Meteo that plays them behaves."""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).parent


def sample(name: str) -> bytes:
    """An answer of Open-Meteo, as its documentation shows it."""
    return (HERE / "samples" / f"{name}.json").read_bytes()


def recorded(name: str) -> Any:
    """An event as one of the agents' services sends it."""
    return json.loads((HERE / "events" / f"{name}.json").read_text())


def gateway_context(custom: dict[str, str]) -> SimpleNamespace:
    return SimpleNamespace(client_context=SimpleNamespace(custom=custom))


@dataclass
class OpenMeteo:
    """Answers every request with `status` and `body`, and remembers what it was asked.

    `hangs_up` closes the connection instead; `hold` is waited for before the answer; `pause` (seconds) comes
    before each byte of the body, or of the headers if those are slow. `written` counts such bytes; after
    `over` no more of them come.
    """

    status: int = 200
    body: bytes = b""
    hangs_up: bool = False
    hold: threading.Event | None = None
    pause: float = 0.0
    slow_headers: bool = False
    written: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    queries: list[dict[str, str]] = field(default_factory=list)
