"""How much memory a worker takes: idle, for a short answer, for very long ones."""

from bench import processes, report
from bench.answers import QUESTION
from bench.conversation import conversation, side_by_side
from functions.bridge.replies.options import Style
from simulator import wiring
from simulator.agent import samples
from simulator.agent.scripts import BY_NAME, Script, say

WORKER = wiring.WORKER.name
# Not among the agent's own scripts: nobody wants to read it.
MEGABYTE = Script(
    "a megabyte",
    None,
    "answers about 1,000,000 characters",
    lambda answer: iter(say(samples.report(1_000_000, answer.today), every=0.005, characters=1000)),
)


def measure() -> None:
    columns = side_by_side(_peaks)
    report.heading("Memory of the worker")
    rows = list(columns[Style.EDIT])
    report.table(
        ("worker's memory (resident), MB", *(f"`{style}`" for style in columns)),
        [(row, *(f"{column[row] / 1024:.0f}" for column in columns.values())) for row in rows],
    )


def _peaks(style: Style) -> dict[str, int]:
    """In KiB."""
    BY_NAME[MEGABYTE.name] = MEGABYTE
    with conversation(style) as talk:
        [worker] = talk.simulation.lambdas.environments(WORKER)
        figures = {"initialised, idle": processes.resident(worker.pid)}
        talk.ask(QUESTION)
        figures["peak after a short answer"] = processes.peak(worker.pid)
        talk.ask("very long report about Lima")
        figures["peak after an answer of 200,000 characters"] = processes.peak(worker.pid)
        talk.simulation.agent.force(MEGABYTE.name)
        talk.ask(QUESTION)
        figures["peak after an answer of 1,000,000 characters"] = processes.peak(worker.pid)
        if talk.simulation.lambdas.environments(WORKER) != [worker]:
            raise RuntimeError("more than one worker: the figures may be of another one")
        run = talk.simulation.agent.invocations[-1]
        assert (run.script, run.ended) == (MEGABYTE.name, "complete"), run
    return figures
