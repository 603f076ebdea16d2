"""How long an agent is listened to after Slack's Stop, while it is silent and every worker is busy."""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

from bench import latencies, report
from simulator import wiring
from simulator.simulation import GENEROUS, Simulation
from simulator.slack.seed import TEAM

WORKERS = 10
SILENT = "@agent silently: what's the weather in Lima today?"
# Seconds between two presses.
BETWEEN_PRESSES = 0.5
PATIENCE = 60.0


def measure() -> None:
    report.heading(f"Stop while the agent is silent and all {WORKERS} workers are busy")
    with Simulation(slack_latency=latencies.SLACK, concurrency=WORKERS, fairness=GENEROUS) as simulation:
        simulation.lambdas.prewarm(wiring.CONTROL.name, 1)
        asked = [_post(simulation, "messages", text=SILENT, user="alice") for _ in range(WORKERS)]
        _wait(lambda: len(simulation.agent.invocations) == WORKERS)
        pressed = []
        for question in asked:
            time.sleep(BETWEEN_PRESSES)
            pressed.append(time.time())
            _post(simulation, "stop", ts=question["ts"], user="bob")
        _wait(lambda: all(run.ended for run in simulation.agent.invocations))
        _wait(lambda: all(_told_at(simulation, question) for question in asked))
        left = [_left_at(simulation, question) for question in asked]
        told = [_told_at(simulation, question) for question in asked]
    rows = [
        ("to the end of the connection to the agent", *_figures(pressed, left)),
        ("to “Stopped by …” in the thread", *_figures(pressed, told)),
    ]
    report.table(("from the press of Stop", "median", "longest"), rows)


def _post(simulation: Simulation, path: str, **body: object) -> dict[str, Any]:
    data = json.dumps({"channel": "C02WEATHER", **body}).encode()
    with urlopen(Request(f"{simulation.url}/control/{path}", data=data)) as answer:
        result: dict[str, Any] = json.load(answer)
    return result


def _left_at(simulation: Simulation, question: dict[str, Any]) -> float:
    """When the agent noticed that nobody listens any more, seconds since the epoch."""
    session = f"{TEAM.id}:{question['channel']}:{question['ts']}"
    return next(
        entry.at
        for entry in simulation.journal.entries()
        if (entry.source, entry.kind) == ("agent", "invocation ended") and entry.detail["session"] == session
    )


def _told_at(simulation: Simulation, question: dict[str, Any]) -> float:
    """When the thread said who has stopped it, seconds since the epoch; 0 while it does not."""
    replies = simulation.slack.workspace.replies(question["channel"], question["ts"])
    edits = [edit for reply in replies for edit in reply.edits if "Stopped by" in edit.text]
    return edits[0].at if edits else 0.0


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the agents were not asked, or not left")
        time.sleep(0.05)


def _figures(pressed: list[float], seen: list[float]) -> tuple[str, str]:
    seconds = [after - before for before, after in zip(pressed, seen, strict=True)]
    return f"{statistics.median(seconds):.2f} s", f"{max(seconds):.2f} s"
