"""How much memory a worker takes: idle, for a short answer, for a very long one."""

from bench import processes, report
from bench.answers import QUESTION
from bench.conversation import conversation
from simulator import wiring

WORKER = wiring.WORKER.name


def measure() -> None:
    with conversation() as (simulation, talk):
        [worker] = simulation.lambdas.environments(WORKER)
        figures = [("initialised, idle", processes.resident(worker.pid))]
        talk.ask(QUESTION)
        figures.append(("peak after a short answer", processes.peak(worker.pid)))
        talk.ask("very long report about Lima")
        figures.append(("peak after an answer of 200,000 characters", processes.peak(worker.pid)))
        if simulation.lambdas.environments(WORKER) != [worker]:
            raise RuntimeError("more than one worker: the figures may be of another one")
    report.heading("Memory of the worker")
    report.table(("worker's memory (resident)", "MB"), [(name, f"{kib / 1024:.0f}") for name, kib in figures])
