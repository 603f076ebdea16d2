"""A person at a running simulation: asks, waits, and says afterwards what happened when."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from functions.bridge.wording import PLACEHOLDER
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM
from simulator.slack.web_api import CallRecord

PATIENCE = 150.0  # seconds until a question is given up
SLACK_LATENCY = 0.15  # seconds, about what Slack's Web API takes for a call


@dataclass(frozen=True)
class Turn:
    """When things happened, in seconds since the epoch; Slack's calls count when Slack has answered them.

    Attributes:
        asked_at: the person's message stood in the channel.
        placeholder_at: "Processing…" stood in the thread.
        agent_text_at: the agent said its first words.
        first_text_at: something of them stood in the thread.
        complete_at: the whole answer did.
        methods: of every call of Slack's Web API that was made for it.
    """

    asked_at: float
    placeholder_at: float
    agent_text_at: float
    first_text_at: float
    complete_at: float
    methods: tuple[str, ...]

    @property
    def posts(self) -> int:
        return self.methods.count("chat.postMessage")

    @property
    def edits(self) -> int:
        return self.methods.count("chat.update")

    @property
    def seconds(self) -> float:
        return self.complete_at - self.asked_at


class Conversation:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def ask(self, text: str, channel: str = "weather-demo") -> Turn:
        """Ask in a new thread and wait until the question is off the queue.

        Raises:
            TimeoutError: that took too long.
        """
        seen = len(self._simulation.journal.entries())
        said = {"channel": channel, "user": "alice", "text": f"@agent {text}"}
        asked_at = time.time()
        request = Request(f"{self._simulation.url}/control/messages", data=json.dumps(said).encode())
        with urlopen(request) as response:
            answer = json.load(response)
        turn_id = f"{TEAM.id}:{answer['channel']}:{answer['ts']}"
        self._wait_deleted(f"{turn_id}#1", after=seen)
        return self._turn(turn_id, asked_at)

    def _wait_deleted(self, deduplication_id: str, after: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for entry in self._simulation.journal.wait(after=after, timeout=1.0):
                after = entry.number
                if entry.kind == "message deleted" and entry.detail["deduplication_id"] == deduplication_id:
                    return
        last = [f"{entry.source} {entry.kind}" for entry in self._simulation.journal.entries()[-8:]]
        logs = "\n".join(self._simulation.lambdas.logs("worker")[-5:])
        raise TimeoutError(
            f"{deduplication_id} not answered within {PATIENCE:g} s; the last that happened: {last}\n{logs}"
        )

    def _turn(self, turn_id: str, asked_at: float) -> Turn:
        calls = [call for call in list(self._simulation.slack.web_api.calls) if _turn_id(call) == turn_id]
        [run] = [run for run in self._simulation.agent.invocations if run.session_id == turn_id]
        assert run.first_text_at is not None
        return Turn(
            asked_at=asked_at,
            placeholder_at=calls[0].at,
            agent_text_at=run.first_text_at,
            first_text_at=next(call.at for call in calls if call.args["text"] != PLACEHOLDER),
            complete_at=calls[-1].at,
            methods=tuple(call.method for call in calls),
        )


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
def conversation() -> Iterator[tuple[Simulation, Conversation]]:
    with Simulation(slack_latency=SLACK_LATENCY) as simulation:
        if broken := simulation.wait_warm():
            raise RuntimeError(f"cannot be initialised: {', '.join(broken)}")
        yield simulation, Conversation(simulation)


def _turn_id(call: CallRecord) -> str | None:
    """The turn that a message of the bridge's belongs to, by its metadata."""
    metadata: Any = call.args.get("metadata") or {}
    if isinstance(metadata, str):
        metadata = json.loads(metadata)
    found = metadata.get("event_payload", {}).get("turn_id")
    return str(found) if found else None
