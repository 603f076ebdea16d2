"""A person at a running simulation: asks, waits, and says afterwards what happened when."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from typing import Any, TypeVar
from urllib.request import Request, urlopen

from functions.bridge.replies.options import Style
from simulator import wiring
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM
from simulator.slack.web_api import CallRecord

PATIENCE = 200.0  # seconds until a question is given up
MOST_RETURNS = 4  # to the queue, likewise
SLACK_LATENCY = 0.15  # seconds, about what Slack's Web API takes for a call
STYLES = (Style.EDIT, Style.STREAM)
RATE_LIMITED = 429
# So many characters of the agent's text tell it from a line about its work, in Slack or on the way there.
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
    """When things happened, in seconds since the epoch; Slack's calls count when Slack has answered them.

    Attributes:
        asked_at: the person's message stood in the channel.
        agent_text_at: the agent said its first words.
        agent_ended_at: it said its last.
        calls: of Slack's Web API, every one that was made for it, refused ones among them.
        text: the whole answer as it stands in the thread, its messages one after the other.
    """

    asked_at: float
    agent_text_at: float
    agent_ended_at: float
    calls: tuple[CallRecord, ...]
    text: str

    @property
    def waiting_at(self) -> float:
        """A sign of life stood in the thread: "Processing…", or Slack's own under it."""
        return self.calls[0].at

    @cached_property
    def first_text_at(self) -> float:
        """Something that the agent said stood in the thread."""
        return next(
            call.at
            for call in self.taken
            if (text := _markdown(call.args)[:_BEGINNING]) and self.text.startswith(text)
        )

    @property
    def complete_at(self) -> float:
        """The whole answer did."""
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


class AskAgent:
    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    def say(self, text: str, channel: str = "weather-demo") -> Asked:
        """Ask in a new thread."""
        said = {"channel": channel, "user": "alice", "text": f"@agent {text}"}
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
        self._wait_deleted(f"{asked.turn_id}#1")
        [run] = [run for run in self.simulation.agent.invocations if run.session_id == asked.turn_id]
        [end] = [
            entry
            for entry in self.simulation.journal.entries(source="agent", kind="invocation ended")
            if entry.detail["number"] == run.number
        ]
        assert run.first_text_at is not None
        return Turn(
            asked_at=asked.at,
            agent_text_at=run.first_text_at,
            agent_ended_at=end.at,
            calls=_calls_for(asked, list(self.simulation.slack.web_api.calls)),
            text="\n\n".join(self._texts(asked)),
        )

    def _wait_deleted(self, deduplication_id: str) -> None:
        deadline = time.monotonic() + PATIENCE
        seen, returned = 0, 0
        while time.monotonic() < deadline:
            for entry in self.simulation.journal.wait(after=seen, timeout=1.0):
                seen = entry.number
                if entry.detail.get("deduplication_id") != deduplication_id:
                    continue
                if entry.kind == "message deleted":
                    return
                returned += entry.kind == "message returned"
                if returned == MOST_RETURNS:
                    raise RuntimeError(f"{deduplication_id} returned to the queue:\n{self._logs()}")
        last = [f"{entry.source} {entry.kind}" for entry in self.simulation.journal.entries()[-8:]]
        raise TimeoutError(
            f"{deduplication_id} not answered within {PATIENCE:g} s; the last that happened: {last}\n"
            f"{self._logs()}"
        )

    def _logs(self) -> str:
        """The last that the workers wrote."""
        return "\n".join(self.simulation.lambdas.logs(wiring.WORKER.name)[-5:])

    def _texts(self, asked: Asked) -> list[str]:
        """The Markdown of the replies."""
        workspace = self.simulation.slack.workspace
        with workspace.lock:
            thread = [workspace.inspect(reply) for reply in workspace.replies(asked.channel, asked.ts)]
        return [text for reply in thread if (text := _text_of(reply.get("blocks", [])))]


class Asking:
    """A question that is asked in a thread of its own; `turn` waits for the answer."""

    def __init__(self, conversation: AskAgent, text: str) -> None:
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
def conversation(style: Style = Style.EDIT, *, concurrency: int = 10) -> Iterator[AskAgent]:
    """A person at a simulation of their own, whose functions are initialised."""
    with Simulation(slack_latency=SLACK_LATENCY, style=style, concurrency=concurrency) as simulation:
        if broken := simulation.wait_warm():
            raise RuntimeError(f"cannot be initialised: {', '.join(broken)}")
        yield AskAgent(simulation)


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
