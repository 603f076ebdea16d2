"""An agent that goes on and on, whoever still listens, and what that costs and does."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from werkzeug.wrappers import Response

from functions.adapters.agents.kinds import KINDS
from functions.adapters.agents.runtime import MOST_BYTES
from functions.bridge.agents.events import Failed, TextDelta, ToolAnswer
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import Agent, AgentRun, Question
from functions.bridge.replies.chat import ChatStopped
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turns.outcome import Verdict
from functions.settings import AgentSettings
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.service import AgentService
from tests.functions.adapters.runs import PORTS, QUESTION, events
from tests.functions.adapters.scripted_server import standing_in_for
from tests.functions.bridge.asking import take
from tests.functions.fakes import TURN, ScriptedAgent, Stage

RUNTIME = AgentSettings("agentcore-runtime", arn=RUNTIME_ARNS[Framework.STRANDS])
HARNESS = AgentSettings("agentcore-harness", arn=HARNESS_ARN)
ENDLESS = replace(TURN, text="never answer")


class Begun:
    """An agent whose runs are given out when the service has them."""

    def __init__(self, agent: Agent, service: AgentService) -> None:
        self._agent = agent
        self._service = service

    def ask(self, question: Question) -> AgentRun:
        return self._begun(self._agent.ask(question))

    def resume(self, question: Question, answers: Sequence[ToolAnswer]) -> AgentRun:
        return self._begun(self._agent.resume(question, answers))

    def _begun(self, run: AgentRun) -> AgentRun:
        while not self._service.invocations:
            time.sleep(0.001)
        return run


@pytest.fixture
def begun(agent_service: AgentService) -> Callable[[AgentSettings], Agent]:
    def agent(settings: AgentSettings) -> Agent:
        return Begun(KINDS[settings.kind](settings, PORTS), agent_service)

    return agent


def test_a_runtimes_agent_is_stopped_when_nobody_waits_for_it_any_more(
    stage: Stage, agent_service: AgentService, begun: Callable[[AgentSettings], Agent]
) -> None:
    # No time at all is left for the agent, and ten seconds to end its session.
    outcome = take(stage, turn=ENDLESS, agent=begun(replace(RUNTIME, stop_session=True)), seconds=10.0)
    assert (outcome.failure, outcome.detail) == (Failure.DEADLINE, "the function's time is nearly up")
    assert agent_service.stopped_sessions == [agent_service.invocations[0].session_id]


def test_the_operator_learns_of_an_agent_that_could_not_be_stopped(
    stage: Stage, agent_service: AgentService, begun: Callable[[AgentSettings], Agent]
) -> None:
    agent_service.refuse_stops("accessDeniedException")
    outcome = take(stage, turn=ENDLESS, agent=begun(replace(RUNTIME, stop_session=True)), seconds=10.0)
    assert outcome.detail.endswith("the agent's session was not ended: accessDeniedException")
    assert agent_service.stopped_sessions == []
    assert "session" not in stage.chat.texts()[0]


def test_the_session_of_an_agent_ends_when_a_person_stops_its_answer(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, [TextDelta("It is "), 5.0, TextDelta("sunny. " * 50), 50.0])
    stage.chat.trouble["append_stream"] = [ChatStopped("stopped_by_user")]
    outcome = take(stage, agent=agent, options=ReplyOptions(style=Style.STREAM))
    assert (outcome.verdict, outcome.detail) == (Verdict.STOPPED, "")
    [run] = agent.runs
    assert run.cancelled
    assert run.session_stopped_at is not None


def test_a_harness_is_told_how_long_an_answer_may_take_and_what_it_may_cost(
    agent_service: AgentService,
) -> None:
    limited = replace(HARNESS, timeout_seconds=120, max_iterations=9, max_tokens=4000)
    events(KINDS[limited.kind](limited, PORTS).ask(QUESTION))
    assert [run.limits for run in agent_service.invocations] == [
        {"timeoutSeconds": 120, "maxIterations": 9, "maxTokens": 4000}
    ]


WORDS = "words " * 100
ENDLESS_STREAMS = {
    "text": ("text/event-stream", "", f"data: {json.dumps({'data': WORDS})}\n\n"),
    "one event": ("text/event-stream", "data: ", WORDS),
    "plain text": ("text/plain", "", WORDS),
    "one object": ("application/json", '{"result": "', WORDS),
    "a thought": (
        "text/event-stream",
        "",
        "data: "
        + json.dumps({"event": {"contentBlockDelta": {"delta": {"reasoningContent": {"text": WORDS}}}}})
        + "\n\n",
    ),
}


@pytest.mark.parametrize(
    ("media_type", "begins", "goes_on"), ENDLESS_STREAMS.values(), ids=ENDLESS_STREAMS.keys()
)
def test_a_runtimes_answer_that_goes_on_for_ever_ends_before_it_fills_the_memory(
    media_type: str, begins: str, goes_on: str
) -> None:
    sent = 0

    def stream() -> Iterator[bytes]:
        nonlocal sent
        yield begins.encode()
        while sent < 4 * MOST_BYTES:  # else a failure would take the machine's memory
            piece = goes_on.encode() * 100
            sent += len(piece)
            yield piece

    with standing_in_for("BEDROCK_AGENTCORE") as server:
        server.answer = Response(stream(), content_type=media_type)
        heard = events(KINDS[RUNTIME.kind](RUNTIME, PORTS).ask(QUESTION))
    assert heard[-1] == Failed(Failure.NOT_SHOWABLE, f"the answer has more than {MOST_BYTES} bytes")
    assert sent < 3 * MOST_BYTES
