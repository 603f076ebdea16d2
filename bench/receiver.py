"""From a signed event to the 200: the receiver beside Bolt and the floor, cold and warm."""

import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bench import processes
from bench.ingress import BOLT, COUNTED, FLOOR, OURS, Ingress, ingress
from bench.rivals import MODULES

ROUNDS = 7
WARM_UP = 3
WARM = 20
ACKS = 300
# Seconds until a line of a function's log has certainly been read.
PATIENCE = 5.0


@dataclass
class Receiver:
    """Figures of one of them, one of each round. In seconds: "work" is a processor's, the others the clock's.

    Attributes:
        init, init_work: from the start of the process until it is initialised.
        first, first_work: the first event after that, with the function's share of a processor.
        warm, warm_work: an event after some more.
        memory: the most, in MB.
        modules: how many there are after the first event.
    """

    init: list[float] = field(default_factory=list)
    init_work: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    first_work: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    warm_work: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    modules: int = 0

    @property
    def cold_work(self) -> list[float]:
        return [sum(pair) for pair in zip(self.init_work, self.first_work, strict=True)]

    @property
    def cold(self) -> list[float]:
        return [sum(pair) for pair in zip(self.init, self.first, strict=True)]


@dataclass
class Receivers:
    """All of them, by name, and more about ours.

    Attributes:
        calls: what it calls at AWS for one event, in words.
        logged: bytes of log lines for one event.
        acks: seconds, by the kind of event.
    """

    by_name: dict[str, Receiver]
    calls: str
    logged: int
    acks: dict[str, list[float]]

    @property
    def ours(self) -> Receiver:
        return self.by_name[OURS]

    @property
    def bolt(self) -> Receiver:
        return self.by_name[BOLT]

    @property
    def floor(self) -> Receiver:
        return self.by_name[FLOOR]


def measure() -> Receivers:
    found = {name: Receiver() for name in (BOLT, FLOOR, OURS)}
    with ingress() as running:
        # Once before: the files are read from disk, the bytecode is written.
        for name, figures in found.items():
            running.initialised(COUNTED + name)
            _accepted(running, COUNTED + name)
            figures.modules = _modules(running, COUNTED + name)
        # Side by side in each round, so that what else the machine does meets all of them.
        for _ in range(ROUNDS):
            for name, figures in found.items():
                _start(running, name, figures)
        return Receivers(found, *_events(running), _acks(running))


def _modules(running: Ingress, name: str) -> int:
    """As the function has written it: the line is read a moment after the answer.

    Raises:
        RuntimeError: there is no such line within `PATIENCE`.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for line in running.log(name):
            if line.startswith(MODULES):
                return int(line.removeprefix(MODULES))
        time.sleep(0.01)
    raise RuntimeError(f"{name} has not written {MODULES!r}")


def _start(running: Ingress, name: str, figures: Receiver) -> None:
    began = time.perf_counter()
    environment = running.initialised(name)
    figures.init.append(time.perf_counter() - began)
    running.limit(environment)
    work = [processes.processor_time(environment.pid)]
    figures.init_work.append(work[0])
    figures.first.append(_accepted(running, name))
    work.append(processes.processor_time(environment.pid))
    figures.first_work.append(work[1] - work[0])
    for _ in range(WARM_UP):
        _accepted(running, name)
    before = processes.processor_time(environment.pid)
    figures.warm.append(statistics.median(_accepted(running, name) for _ in range(WARM)))
    figures.warm_work.append((processes.processor_time(environment.pid) - before) / WARM)
    figures.memory.append(processes.peak(environment.pid) / 1024)


def _accepted(running: Ingress, name: str) -> float:
    return _timed(lambda: running.invoke(name, running.body()), 200)


def _timed(request: Callable[[], int], expected: int) -> float:
    """Seconds that a request took.

    Raises:
        RuntimeError: it was not answered as `expected`; the figures would be of something else.
    """
    began = time.perf_counter()
    status = request()
    seconds = time.perf_counter() - began
    if status != expected:
        raise RuntimeError(f"HTTP {status} instead of {expected}")
    return seconds


def _acks(running: Ingress) -> dict[str, list[float]]:
    """Of the receiver that the last round has left, warm."""
    requests: dict[str, tuple[Callable[[], int], int]] = {
        "verified, on the queue, 200": (lambda: running.invoke(OURS, running.body()), 200),
        "to ignore (signed; the bot's own message), 200": (
            lambda: running.invoke(OURS, running.body(bot_id="B0AGENT01")),
            200,
        ),
        "a forgery, 401": (lambda: running.invoke(OURS, running.body(), secret="guessed"), 401),
    }
    return {kind: [_timed(*request) for _ in range(ACKS)] for kind, request in requests.items()}


def _events(running: Ingress) -> tuple[str, int]:
    """Each operation that was called at AWS, and how often for one event; the bytes that it logged."""
    calls, lines = len(running.calls), len(running.log(OURS))
    for _ in range(WARM):
        _accepted(running, OURS)
    names = Counter(call.operation for call in running.calls[calls:])
    logged = sum(len(line.encode()) + 1 for line in running.log(OURS)[lines:])
    return ", ".join(f"{count / WARM:g} {name}" for name, count in names.items()), logged // WARM
