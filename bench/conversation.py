"""A person who asks at a running simulation, and the times at which things happened."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from typing import Any, TypeVar
from urllib.request import Request, urlopen

from bench import latencies, tls
from bench.cpu_share import Limit, shares
from functions.bridge.replies.options import Style
from simulator import wiring
from simulator.lambda_service.environment import ExecutionEnvironment
from simulator.simulation import GENEROUS, Simulation
from simulator.slack.seed import TEAM
from simulator.slack.web_api import CallRecord

PATIENCE = 200.0  # seconds until a question is given up
MOST_RETURNS = 4  # to the queue, likewise
STYLES = (Style.EDIT, Style.STREAM)
RATE_LIMITED = 429
# Characters of the agent's text that are enough to tell it from a line about its work.
_BEGINNING = 3

T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """A message that asks the bot, alone in its thread."""

    channel: str
    ts: str
    at: float

    @property
    def turn_id(self) -> str:
        return f"{TEAM.id}:{self.channel}:{self.ts}"


@dataclass(frozen=True)
class Turn:
    """The times of a turn, in seconds since the epoch. A call of Slack counts when Slack has answered it.

    Attributes:
        asked_at: the person's message was in the channel.
        taken_at: the worker got the question from the queue.
        agent_asked_at: the agent was asked.
        agent_text_at: the agent sent its first text.
        agent_ended_at: the agent sent its last text.
        done_at: the worker was done.
        calls: all calls of Slack's Web API for the turn, including refused ones.
        text: the whole answer in the thread: its messages one after the other.
    """

    asked_at: float
    taken_at: float
    agent_asked_at: float
    agent_text_at: float
    agent_ended_at: float
    done_at: float
    calls: tuple[CallRecord, ...]
    text: str

    @property
    def waiting_at(self) -> float:
        """The thread showed "Processing…" or Slack's status."""
        return self.calls[0].at

    @cached_property
    def first_text_at(self) -> float:
        """The thread showed text of the agent."""
        return next(
            call.at
            for call in self.taken
            if (text := _markdown(call.args)[:_BEGINNING]) and self.text.startswith(text)
        )

    @property
    def complete_at(self) -> float:
        """The thread showed the whole answer."""
        return self.written_at[-1]

    @property
    def seconds(self) -> float:
        return self.complete_at - self.asked_at

    @property
    def taken(self) -> list[CallRecord]:
        """The calls that Slack did not refuse for being too many."""
        return [call for call in self.calls if call.status != RATE_LIMITED]

    @property
    def written_at(self) -> list[float]:
        """When the text in the thread changed."""
        return [call.at for call in self.taken if _markdown(call.args)]

    def count(self, *methods: str) -> int:
        return sum(call.method in methods for call in self.calls)


class Conversation:
    """Attributes:
    simulation: where it takes place.
    calls: what the functions called at AWS, but for the agent, oldest first.
    """

    def __init__(self, simulation: Simulation, limit: Limit) -> None:
        self.simulation = simulation
        self._limit = limit
        self._limited: set[str] = set()
        simulation.tap.interceptor = interceptor = latencies.Latencies()
        self.calls = interceptor.calls

    def prepare(self, workers: int = 1) -> None:
        """Initialise so many workers and a receiver, and give each its share of a processor."""
        for function, count in ((wiring.RECEIVER.name, 1), (wiring.WORKER.name, workers)):
            there = len(self.simulation.lambdas.environments(function))
            self.simulation.lambdas.prewarm(function, max(0, count - there))
            for environment in self.simulation.lambdas.environments(function):
                if environment.name not in self._limited:
                    self._initialised(environment)
                    self.limit(environment)

    def new_worker(self) -> ExecutionEnvironment:
        """The only one, initialised; it has all of a processor until `limit`."""
        name = wiring.WORKER.name
        self.simulation.lambdas.retire(name)
        self.simulation.lambdas.prewarm(name, 1)
        [environment] = self.simulation.lambdas.environments(name)
        self._initialised(environment)
        return environment

    def limit(self, environment: ExecutionEnvironment) -> None:
        self._limit(environment)
        self._limited.add(environment.name)

    def _initialised(self, environment: ExecutionEnvironment) -> None:
        if not environment.wait_initialised():
            raise RuntimeError(f"{environment.function.name} cannot be initialised:\n{self._logs()}")

    def say(self, text: str, channel: str = "weather-demo", *, user: str = "alice") -> Asked:
        """Ask in a new thread."""
        said = {"channel": channel, "user": user, "text": f"@agent {text}"}
        asked_at = time.time()
        request = Request(f"{self.simulation.url}/control/messages", data=json.dumps(said).encode())
        with urlopen(request) as response:
            answer = json.load(response)
        return Asked(answer["channel"], answer["ts"], asked_at)

    def ask(self, text: str) -> Turn:
        """Ask in a new thread and wait for the answer."""
        return self.answer(self.say(text))

    def answer(self, asked: Asked) -> Turn:
        """What became of a question, as soon as it is off the queue.

        Raises:
            TimeoutError: that took too long.
            RuntimeError: the worker breaks down at it.
        """
        done_at = self._wait_deleted(f"{asked.turn_id}#1")
        [run] = [run for run in self.simulation.agent.invocations if run.session_id == asked.turn_id]
        [end] = [
            entry
            for entry in self.simulation.journal.entries(source="agent", kind="invocation ended")
            if entry.detail["number"] == run.number
        ]
        assert run.first_text_at is not None
        return Turn(
            asked_at=asked.at,
            taken_at=self._taken_at(f"{asked.turn_id}#1"),
            agent_asked_at=run.started_at,
            agent_text_at=run.first_text_at,
            agent_ended_at=end.at,
            done_at=done_at,
            calls=_calls_for(asked, list(self.simulation.slack.web_api.calls)),
            text="\n\n".join(self._texts(asked)),
        )

    def _wait_deleted(self, deduplication_id: str) -> float:
        deadline = time.monotonic() + PATIENCE
        seen, returned = 0, 0
        while time.monotonic() < deadline:
            for entry in self.simulation.journal.wait(after=seen, timeout=1.0):
                seen = entry.number
                if entry.detail.get("deduplication_id") != deduplication_id:
                    continue
                if entry.kind == "message deleted":
                    return entry.at
                returned += entry.kind == "message returned"
                if returned == MOST_RETURNS:
                    raise RuntimeError(f"{deduplication_id} returned to the queue:\n{self._logs()}")
        last = [f"{entry.source} {entry.kind}" for entry in self.simulation.journal.entries()[-8:]]
        raise TimeoutError(
            f"{deduplication_id} not answered within {PATIENCE:g} s; the last that happened: {last}\n"
            f"{self._logs()}"
        )

    def _taken_at(self, deduplication_id: str) -> float:
        received = self.simulation.journal.entries(source="queue", kind="message received")
        return next(entry.at for entry in received if entry.detail["deduplication_id"] == deduplication_id)

    def _logs(self) -> str:
        """The workers' last log lines."""
        return "\n".join(self.simulation.lambdas.logs(wiring.WORKER.name)[-5:])

    def _texts(self, asked: Asked) -> list[str]:
        """The Markdown of the replies."""
        workspace = self.simulation.slack.workspace
        with workspace.lock:
            thread = [workspace.inspect(reply) for reply in workspace.replies(asked.channel, asked.ts)]
        return [text for reply in thread if (text := _text_of(reply.get("blocks", [])))]


class Asking:
    """A question that is asked in a thread of its own; `turn` waits for the answer."""

    def __init__(self, conversation: Conversation, text: str) -> None:
        self._turns: list[Turn] = []
        self._thread = threading.Thread(
            target=lambda: self._turns.append(conversation.ask(text)), daemon=True
        )
        self._thread.start()

    @property
    def answered(self) -> bool:
        return bool(self._turns)

    def turn(self) -> Turn:
        self._thread.join()
        return self._turns[0]


@contextmanager
def conversation(
    style: Style = Style.EDIT, *, concurrency: int = 10, fairness: Mapping[str, int] = GENEROUS
) -> Iterator[Conversation]:
    """A person at a simulation of their own, over TLS, whose functions are prepared."""
    simulation = Simulation(
        slack_latency=latencies.SLACK,
        style=style,
        concurrency=concurrency,
        fairness=fairness,
        server=tls.TlsServer,
        variables=tls.variables(),
    )
    with shares() as limit, simulation:
        talk = Conversation(simulation, limit)
        talk.prepare()
        yield talk


def side_by_side(measure: Callable[[Style], T]) -> dict[Style, T]:
    """`measure` for all styles at once, each in a process of its own: a process has one simulated AWS."""
    with ProcessPoolExecutor(len(STYLES), mp_context=get_context("spawn")) as pool:
        return dict(zip(STYLES, pool.map(measure, STYLES), strict=True))


def _calls_for(asked: Asked, calls: Sequence[CallRecord]) -> tuple[CallRecord, ...]:
    """The calls about the thread of a question and about the messages that they brought there."""
    found: list[CallRecord] = []
    messages: set[str] = set()
    for call in calls:
        if call.args.get("thread_ts") == asked.ts:
            messages.add(str(call.result.get("ts")))
        elif call.args.get("ts") not in messages:
            continue
        found.append(call)
    return tuple(found)


def _markdown(args: dict[str, Any]) -> str:
    """The text that a call brings into the thread."""
    return _text_of([*_parsed(args.get("blocks")), *_parsed(args.get("chunks"))])


def _text_of(parts: list[dict[str, Any]]) -> str:
    return "".join(part["text"] for part in parts if part["type"] in ("markdown", "markdown_text"))


def _parsed(given: Any) -> list[dict[str, Any]]:
    return list(json.loads(given) if isinstance(given, str) else given or [])
