"""From the queue to "Processing…" and to the agent: the worker cold, with dropped connections, and warm."""

import time
from dataclasses import dataclass, field

from bench import processes, tls
from bench.conversation import Conversation, conversation
from functions.bridge.replies.options import Style
from simulator import wiring
from simulator.agent import samples
from simulator.agent.scripts import BY_NAME, Script, say
from simulator.lambda_service.environment import ExecutionEnvironment
from simulator.tap import Call

ROUNDS = 5
QUESTION = "what's the weather in Chicago today?"
COLD, IDLE, WARM = "cold", "idle", "warm"
# The one call of the receiver's.
BY_RECEIVER = "SendMessage"
# Seconds until the functions' side of a dropped connection knows.
NOTICED = 0.1

DELTAS = 2000
CHARACTERS = 60_000
SECONDS = 60
# Not among the agent's own scripts: nobody wants to read it.
STREAM = Script(
    "a long stream",
    None,
    f"answers {CHARACTERS:,} characters in {DELTAS:,} pieces over a minute",
    lambda answer: iter(
        say(
            samples.report(CHARACTERS, answer.today),
            every=SECONDS / DELTAS,
            characters=CHARACTERS // DELTAS - 5,  # and the rest of a word
        )
    ),
)


@dataclass
class Questions:
    """Short questions, one of each round. Times in seconds, from when the worker takes it from the queue.

    Attributes:
        waiting: to "Processing…", Slack's answer included.
        asked: to the agent's being asked.
        work: of a processor, for all of the question.
        overhead: from start to end, but for the time in which the agent had the question.
        connections: how many were opened to AWS, Slack and the agent.
        calls: what the worker called at AWS.
        slack_calls: how many were made about the thread.
        logged: bytes of log lines.
    """

    waiting: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    overhead: list[float] = field(default_factory=list)
    connections: list[dict[str, int]] = field(default_factory=list)
    calls: list[list[Call]] = field(default_factory=list)
    slack_calls: list[int] = field(default_factory=list)
    logged: list[int] = field(default_factory=list)


@dataclass
class Worker:
    """Figures of the worker, in seconds.

    Attributes:
        init, init_work: process start to initialised, by the clock and of a processor.
        questions: by what the worker was before: cold, idle (with dropped connections) or warm.
        delta_work: of a processor, for one delta of a long answer.
        deltas: how many it had.
    """

    init: list[float] = field(default_factory=list)
    init_work: list[float] = field(default_factory=list)
    questions: dict[str, Questions] = field(
        default_factory=lambda: {kind: Questions() for kind in (COLD, IDLE, WARM)}
    )
    delta_work: float = 0.0
    deltas: int = 0


def measure() -> Worker:
    found = Worker()
    BY_NAME[STREAM.name] = STREAM
    with conversation(Style.EDIT) as talk:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            worker = talk.new_worker()
            found.init.append(time.perf_counter() - began)
            found.init_work.append(processes.processor_time(worker.pid))
            talk.limit(worker)
            for kind in (COLD, WARM, IDLE):
                if kind == IDLE:
                    tls.drop_connections()
                    time.sleep(NOTICED)
                _ask(talk, worker, found.questions[kind])
        talk.simulation.agent.force(STREAM.name)
        before = processes.processor_time(worker.pid)
        talk.ask(QUESTION)
        found.deltas = talk.simulation.agent.invocations[-1].pieces
        found.delta_work = (processes.processor_time(worker.pid) - before) / found.deltas
    return found


def _ask(talk: Conversation, worker: ExecutionEnvironment, figures: Questions) -> None:
    opened, calls, lines = _connections(talk), len(talk.calls), len(_log(talk))
    work = processes.processor_time(worker.pid)
    turn = talk.ask(QUESTION)
    figures.work.append(processes.processor_time(worker.pid) - work)
    figures.waiting.append(turn.waiting_at - turn.taken_at)
    figures.asked.append(turn.agent_asked_at - turn.taken_at)
    figures.overhead.append(turn.done_at - turn.taken_at - (turn.agent_ended_at - turn.agent_asked_at))
    figures.connections.append({name: count - opened[name] for name, count in _connections(talk).items()})
    figures.calls.append([call for call in talk.calls[calls:] if call.operation != BY_RECEIVER])
    figures.slack_calls.append(len(turn.calls))
    figures.logged.append(sum(len(line.encode()) + 1 for line in _log(talk)[lines:]))


def _log(talk: Conversation) -> list[str]:
    return talk.simulation.lambdas.logs(wiring.WORKER.name)


def _connections(talk: Conversation) -> dict[str, int]:
    simulation = talk.simulation
    return {
        name: tls.opened(url)
        for name, url in (
            ("AWS", simulation.aws.url),
            ("Slack", simulation.url),
            ("agent", simulation.agent.url),
        )
    }
