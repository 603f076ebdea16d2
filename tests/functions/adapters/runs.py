"""Runs of an agent, heard to their end."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from functions.adapters.agents.kinds import agent_ports
from functions.bridge.agents.events import (
    AgentEvent,
    Failed,
    Finished,
    TextDelta,
    ToolAnswer,
    ToolRequest,
    Wanted,
)
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import AgentRun, Asker, Question
from simulator.agent.service import AgentService

ASKER = Asker(
    user="U0123456789",
    team="T0123456789",
    channel="C0123456789",
    thread_ts="1700000000.000100",
    name="Ann",
)
QUESTION = Question(
    session_id="T0123456789:C0123456789:1700000000.000100",
    text="what's the weather in Chicago today?",
    asker=ASKER,
)
WAIT = 20.0  # seconds; no test needs them
PORTS = replace(agent_ports(), longest_silence=WAIT)


def asking(words: str) -> Question:
    return replace(QUESTION, text=f"{words}: what's the weather in Chicago?")


def events(run: AgentRun) -> list[AgentEvent]:
    """Everything that the run says, to its end."""
    heard: list[AgentEvent] = []
    while not (heard and isinstance(heard[-1], Finished | Failed)):
        event = run.next(timeout=WAIT)
        assert event is not None, f"nothing came after {heard}"
        heard.append(event)
    assert run.next(timeout=0) is None
    run.cancel()
    return heard


def text(heard: list[AgentEvent]) -> str:
    return "".join(event.text for event in heard if isinstance(event, TextDelta))


def failure(heard: list[AgentEvent]) -> Failure:
    assert isinstance(heard[-1], Failed)
    return heard[-1].failure


def requests(heard: list[AgentEvent]) -> list[ToolRequest]:
    """What the agent asks for at the end of its run."""
    assert failure(heard) is Failure.RETURN_OF_CONTROL
    return [event for event in heard if isinstance(event, ToolRequest)]


def approved(asked: Sequence[ToolRequest]) -> list[ToolAnswer]:
    """The approval of all requests, with a result where the agent wants one."""
    return [
        ToolAnswer(request, True, result=None if request.wanted is Wanted.CONSENT else "Sent.")
        for request in asked
    ]


def denied(asked: Sequence[ToolRequest], reason: str) -> list[ToolAnswer]:
    return [ToolAnswer(request, False, reason) for request in asked]


def wait_until_over(service: AgentService) -> None:
    """A session takes no second question until the service has closed the first one's stream."""
    while any(run.ended is None for run in service.invocations):
        time.sleep(0.001)


def agent_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "agent-stream"]
