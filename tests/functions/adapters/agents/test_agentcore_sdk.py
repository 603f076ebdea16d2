"""The runtime's adapter against agents that AWS's own SDK serves, on loopback instead of in a container.

What the service does between the two is played by `_Runtime`: it forwards the request, and turns an HTTP
error of the agent into RuntimeClientError.
"""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

pytest.importorskip("bedrock_agentcore")

import uvicorn
from bedrock_agentcore.runtime import BedrockAgentCoreApp

from functions.adapters.agents import client as clients
from functions.adapters.agents.runtime import AgentCoreRuntime
from functions.bridge.agents.events import (
    AgentEvent,
    Failed,
    File,
    Finished,
    Rationale,
    TextDelta,
    ToolUse,
    Usage,
)
from functions.bridge.agents.failures import Failure
from simulator.agent.agentcore import RUNTIME_ARNS, Framework
from simulator.aws import FAKE_CREDENTIALS, REGION
from tests.functions.adapters.runs import QUESTION, WAIT, approved, denied, events, requests

Serve = Callable[[Any], AgentCoreRuntime]


class _Runtime:
    """An ASGI application: InvokeAgentRuntime before an agent's own application."""

    def __init__(self, agent: Any) -> None:
        self._agent = agent

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": "/invocations", "raw_path": b"/invocations"}

        async def forward(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = [*message["headers"], (b"x-amzn-errortype", b"RuntimeClientError")]
                message = {**message, "status": 424, "headers": headers}
            await send(message)

        await self._agent(scope, receive, forward)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    for name, value in {**FAKE_CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: Any) -> AgentCoreRuntime:
        config = uvicorn.Config(_Runtime(app), host="127.0.0.1", port=0, log_level="error", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", f"http://127.0.0.1:{port}")
        client = clients.bedrock_agentcore(longest_silence=20)
        return AgentCoreRuntime(client, arn=RUNTIME_ARNS[Framework.STRANDS])

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


def heard(serve: Serve, entrypoint: Any) -> list[AgentEvent]:
    """What an agent is heard to say whose code is `entrypoint`."""
    app = BedrockAgentCoreApp()
    app.entrypoint(entrypoint)
    return events(serve(app).ask(QUESTION))


def test_an_agent_may_yield_words(serve: Serve) -> None:
    async def agent(payload: dict[str, Any]) -> AsyncIterator[str]:
        yield "You asked: "
        yield payload["prompt"]

    assert heard(serve, agent) == [TextDelta("You asked: "), TextDelta(QUESTION.text), Finished()]


def test_words_arrive_while_the_agent_still_works(serve: Serve) -> None:
    goes_on = threading.Event()

    def agent(_: dict[str, Any]) -> Iterator[str]:
        yield "It is "
        assert goes_on.wait(WAIT)
        yield "sunny."

    app = BedrockAgentCoreApp()
    app.entrypoint(agent)
    run = serve(app).ask(QUESTION)
    assert run.next(timeout=WAIT) == TextDelta("It is ")
    goes_on.set()
    assert run.next(timeout=WAIT) == TextDelta("sunny.")
    assert run.next(timeout=WAIT) == Finished()
    run.cancel()


def test_an_agent_may_pass_strands_events_on(serve: Serve) -> None:
    async def agent(_: dict[str, Any]) -> AsyncIterator[Any]:
        yield {"init_event_loop": True}
        yield {"event": {"messageStart": {"role": "assistant"}}}
        thought = {"reasoningContent": {"text": "Rome."}}
        yield {"event": {"contentBlockDelta": {"delta": thought, "contentBlockIndex": 0}}}
        yield {"event": {"contentBlockStop": {"contentBlockIndex": 0}}}
        use = {"toolUse": {"toolUseId": "t", "name": "get_forecast"}}
        yield {"event": {"contentBlockStart": {"start": use, "contentBlockIndex": 1}}}
        yield {"event": {"contentBlockDelta": {"delta": {"text": "Sunny"}, "contentBlockIndex": 2}}}
        yield {"data": "Sunny", "agent": object()}  # no JSON: becomes a string of Python's notation
        yield {"event": {"messageStop": {"stopReason": "end_turn"}}}
        yield {"result": object()}

    expected = [Rationale("Rome."), ToolUse("get_forecast"), TextDelta("Sunny"), Finished()]
    assert heard(serve, agent) == expected


@pytest.mark.parametrize(
    "result",
    [
        "It is sunny ☀️.",
        {"result": "It is sunny ☀️."},
        {"result": {"role": "assistant", "content": [{"text": "It is sunny ☀️."}]}},
    ],
)
def test_an_agent_may_return_its_answer(serve: Serve, result: Any) -> None:
    def agent(_: dict[str, Any]) -> Any:
        return result

    assert heard(serve, agent) == [TextDelta("It is sunny ☀️."), Finished()]


def test_an_agent_that_breaks_down_in_its_stream_has_failed(serve: Serve) -> None:
    def agent(_: dict[str, Any]) -> Iterator[str]:
        yield "It is "
        raise RuntimeError("boom")

    failed = Failed(Failure.INTERNAL, "an error in the answer (RuntimeError)")
    assert heard(serve, agent) == [TextDelta("It is "), failed]


def test_an_agent_that_breaks_down_at_once_has_failed(serve: Serve) -> None:
    def agent(_: dict[str, Any]) -> str:
        raise RuntimeError("boom")

    [failed] = heard(serve, agent)
    assert isinstance(failed, Failed)
    assert failed.failure is Failure.INTERNAL
    assert "boom" not in failed.detail


def test_an_agent_is_given_session_asker_and_files(serve: Serve) -> None:
    def agent(payload: dict[str, Any], context: Any) -> dict[str, str]:
        [file] = payload["files"]
        told = (context.session_id == payload["threadId"], payload["slack"]["channel"], file["name"])
        return {"result": " ".join(map(str, told))}

    app = BedrockAgentCoreApp()
    app.entrypoint(agent)
    question = replace(QUESTION, files=(File("a.csv", "text/csv", b"a,b\n"),))
    assert events(serve(app).ask(question))[0] == TextDelta("True C0123456789 a.csv")


def test_an_agent_may_speak_ag_ui(serve: Serve) -> None:
    core = pytest.importorskip("ag_ui.core")
    from bedrock_agentcore.runtime import AGUIApp

    app = AGUIApp()

    async def agent(given: Any) -> AsyncIterator[Any]:
        yield core.RunStartedEvent(thread_id=given.thread_id, run_id=given.run_id)
        yield core.ToolCallStartEvent(tool_call_id="c", tool_call_name="get_forecast")
        yield core.TextMessageContentEvent(message_id="m", delta=given.messages[-1].content)
        usage = [core.TokenUsage(model="nova", input_tokens=1204, output_tokens=58)]
        yield core.RunFinishedEvent(thread_id=given.thread_id, run_id=given.run_id, usage=usage)

    app.entrypoint(agent)
    expected = [ToolUse("get_forecast"), TextDelta(QUESTION.text), Usage(1204, 58), Finished()]
    assert events(serve(app).ask(QUESTION)) == expected


def test_an_agent_that_speaks_ag_ui_and_breaks_down_has_failed(serve: Serve) -> None:
    core = pytest.importorskip("ag_ui.core")
    from bedrock_agentcore.runtime import AGUIApp

    app = AGUIApp()

    async def agent(given: Any) -> AsyncIterator[Any]:
        yield core.RunStartedEvent(thread_id=given.thread_id, run_id=given.run_id)
        raise RuntimeError("boom")

    app.entrypoint(agent)
    failed = Failed(Failure.INTERNAL, "RUN_ERROR (INTERNAL_ERROR)")
    assert events(serve(app).ask(QUESTION)) == [failed]


# --- Agents that wait for a person


@dataclass
class Interrupt:
    """Strands' own, which the SDK of the runtime makes JSON of."""

    id: str
    name: str
    reason: Any
    response: Any = None


def test_an_agent_of_strands_waits_for_a_person_and_goes_on(serve: Serve) -> None:
    async def agent(payload: dict[str, Any]) -> AsyncIterator[Any]:
        if isinstance(payload["prompt"], str):
            use = {"toolUseId": "t", "name": "send_email", "input": {"to": "Ann"}}
            interrupts = [Interrupt("i", "approve", "Send it?")]
            yield {"tool_interrupt_event": {"tool_use": use, "interrupts": interrupts}}
            yield {"result": "AgentResult"}
            return
        [answer] = payload["prompt"]
        yield f"{answer['interruptResponse']} {payload['decisions'][0].get('reason')}"

    app = BedrockAgentCoreApp()
    app.entrypoint(agent)
    runtime = serve(app)
    asked = requests(events(runtime.ask(QUESTION)))
    assert [(request.name, request.arguments) for request in asked] == [("send_email", '{"to": "Ann"}')]
    [yes, _] = events(runtime.resume(QUESTION, approved(asked)))
    assert yes == TextDelta("{'interruptId': 'i', 'response': True} None")
    [no, _] = events(runtime.resume(QUESTION, denied(asked, "Not today.")))
    assert no == TextDelta("{'interruptId': 'i', 'response': False} Not today.")


def test_an_agent_that_speaks_ag_ui_waits_for_a_person_and_goes_on(serve: Serve) -> None:
    core = pytest.importorskip("ag_ui.core")
    from bedrock_agentcore.runtime import AGUIApp

    app = AGUIApp()

    async def agent(given: Any) -> AsyncIterator[Any]:
        run = {"thread_id": given.thread_id, "run_id": given.run_id}
        yield core.RunStartedEvent(**run)
        if given.resume:
            [entry] = given.resume
            yield core.TextMessageContentEvent(message_id="m", delta=f"{entry.interrupt_id} {entry.payload}")
            yield core.RunFinishedEvent(**run)
            return
        yield core.ToolCallStartEvent(tool_call_id="c", tool_call_name="send_email")
        interrupt = core.Interrupt(id="i", reason="tool_call", tool_call_id="c", message="Send it?")
        outcome = core.RunFinishedInterruptOutcome(type="interrupt", interrupts=[interrupt])
        yield core.RunFinishedEvent(**run, outcome=outcome)

    app.entrypoint(agent)
    runtime = serve(app)
    asked = requests(events(runtime.ask(QUESTION)))
    assert [(request.name, request.message) for request in asked] == [("send_email", "Send it?")]
    [said, _] = events(runtime.resume(QUESTION, denied(asked, "Not today.")))
    assert said == TextDelta("i {'approved': False, 'reason': 'Not today.'}")
