"""Whatever AgentCore's services answer, a run ends, once, and is never taken for one that did not start."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from functions.adapters.agents import client as clients
from functions.adapters.agents.harness import AgentCoreHarness
from functions.adapters.agents.runtime import AgentCoreRuntime
from functions.bridge.agents.events import Failed, Finished
from functions.bridge.agents.failures import NOT_STARTED
from functions.bridge.agents.port import Agent
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.eventstream import CONTENT_TYPE, encode
from tests.functions.adapters.runs import QUESTION, events
from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
# The names that the adapters look for, with anything in them.
names = st.sampled_from(
    [
        *["event", "data", "message", "result", "error", "type", "content", "text", "role", "delta"],
        *["contentBlockDelta", "contentBlockStart", "messageStop", "stopReason", "start", "toolUse", "name"],
        *["metadata", "usage", "inputTokens", "outputTokens"],
        *["toolCallName", "messageId", "outcome", "reasoningContent", "current_tool_use", "output"],
        *[
            "toolCallId",
            "interrupts",
            "id",
            "input",
            "toolUseId",
            "contentBlockIndex",
            "status",
            "messageStart",
        ],
    ]
)
types = st.sampled_from(
    ["RUN_STARTED", "TEXT_MESSAGE_CHUNK", "RUN_FINISHED", "TOOL_CALL_CHUNK", "interrupt", "error", "tool_use"]
)
objects = st.recursive(
    json_values | types,
    lambda inner: st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
items = objects.map(lambda item: b"data: " + json.dumps(item).encode() + b"\n\n") | st.binary(max_size=20)
bodies = st.lists(items, max_size=6).map(b"".join) | objects.map(json.dumps).map(str.encode)
members = st.builds(
    lambda kind, name, body: encode(
        {":message-type": kind, f":{kind}-type": name, ":content-type": "application/json"},
        json.dumps(body).encode(),
    ),
    st.sampled_from(["event", "exception", "error", "nonsense"]),
    st.sampled_from(
        [
            *["messageStart", "contentBlockStart", "contentBlockDelta", "messageStop", "hookEvent"],
            *["metadata", "runtimeClientError", "validationException", "throttlingException", "unheard-of"],
        ]
    ),
    objects,
)


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with standing_in_for("BEDROCK_AGENTCORE") as server:
        yield server


@pytest.fixture(scope="module")
def harness(server: ScriptedServer) -> Agent:  # noqa: ARG001 - the client reads its address
    return AgentCoreHarness(clients.bedrock_agentcore(longest_silence=5), arn=HARNESS_ARN)


@pytest.fixture(scope="module")
def runtime(server: ScriptedServer) -> Agent:  # noqa: ARG001 - the client reads its address
    client = clients.bedrock_agentcore(longest_silence=5)
    return AgentCoreRuntime(client, arn=RUNTIME_ARNS[Framework.STRANDS])


def check(agent: Agent) -> None:
    heard = events(agent.ask(QUESTION))
    assert not any(isinstance(event, Finished | Failed) for event in heard[:-1])
    if isinstance(heard[-1], Failed):
        assert heard[-1].failure not in NOT_STARTED
        assert "Error" not in heard[-1].detail or not heard[-1].detail.isidentifier()  # no defect of ours


@settings(max_examples=50)
@given(
    body=bodies,
    content_type=st.sampled_from(["text/event-stream", "application/json", "text/plain", "image/png", ""]),
)
def test_any_response_of_a_runtime_ends_in_one_last_event(
    server: ScriptedServer, runtime: Agent, body: bytes, content_type: str
) -> None:
    server.answer = Response(body, headers={"Content-Type": content_type})
    check(runtime)


@settings(max_examples=50)
@given(stream=st.lists(members, max_size=5).map(b"".join) | st.binary(max_size=60))
def test_any_stream_of_a_harness_ends_in_one_last_event(
    server: ScriptedServer, harness: Agent, stream: bytes
) -> None:
    server.answer = Response(stream, content_type=CONTENT_TYPE)
    heard = events(harness.ask(QUESTION))
    assert not any(isinstance(event, Finished | Failed) for event in heard[:-1])
    if isinstance(heard[-1], Failed):
        assert heard[-1].failure not in NOT_STARTED


@settings(max_examples=50)
@given(
    status=st.sampled_from([301, 400, 402, 403, 404, 409, 424, 429, 500, 502, 503]),
    body=bodies,
)
def test_a_status_without_a_name_may_be_the_agents_own(
    server: ScriptedServer, harness: Agent, runtime: Agent, status: int, body: bytes
) -> None:
    server.answer = Response(body, status)
    for agent in (harness, runtime):
        [failed] = events(agent.ask(QUESTION))
        assert isinstance(failed, Failed)
        assert failed.failure not in NOT_STARTED
