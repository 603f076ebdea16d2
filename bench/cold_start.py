"""Cold starts: from the start of a function's process to its first answer, in its two halves."""

import statistics
import time

from bench import report
from bench.answers import QUESTION
from bench.conversation import conversation
from simulator import wiring
from simulator.journal import Entry
from simulator.simulation import PREWARMED, Simulation

REPEATS = 5
FIRST_WORK = {
    wiring.RECEIVER.name: "first event, to the 200",
    wiring.WORKER.name: "first question, to “Processing…”",
}


def measure() -> None:
    initialisations: dict[str, list[float]] = {name: [] for name in FIRST_WORK}
    first_works: dict[str, list[float]] = {name: [] for name in FIRST_WORK}
    with conversation() as talk:
        simulation = talk.simulation
        for _ in range(REPEATS):
            for function in PREWARMED:
                initialisations[function.name].append(_initialise(simulation, function.name))
            seen = len(simulation.journal.entries())
            turn = talk.ask(QUESTION)
            entries = simulation.journal.entries(after=seen, source="lambda")
            first_works["receiver"].append(_invocation(entries, "receiver"))
            first_works["worker"].append(turn.waiting_at - _started(entries, "worker"))
    report.heading(f"Cold start, median of {REPEATS}")
    report.table(
        ("function", "process start to initialised", "first work", "together"),
        [
            (
                name,
                report.median(initialisations[name]),
                f"{report.median(first_works[name])} ({what})",
                report.milliseconds(
                    statistics.median(initialisations[name]) + statistics.median(first_works[name])
                ),
            )
            for name, what in FIRST_WORK.items()
        ],
    )


def _initialise(simulation: Simulation, name: str) -> float:
    """Seconds from the start of a new process, which replaces the old ones, until it asks for an event."""
    for environment in simulation.lambdas.environments(name):
        environment.kill()
    began = time.perf_counter()
    simulation.lambdas.prewarm(name, 1)
    [environment] = simulation.lambdas.environments(name)
    if not environment.wait_initialised():
        raise RuntimeError(f"{name} cannot be initialised")
    return time.perf_counter() - began


def _started(entries: list[Entry], name: str) -> float:
    return next(e.at for e in entries if e.kind == "invocation started" and e.detail["function"] == name)


def _invocation(entries: list[Entry], name: str) -> float:
    ended = next(e.at for e in entries if e.kind == "invocation ended" and e.detail["function"] == name)
    return ended - _started(entries, name)
