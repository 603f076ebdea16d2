"""Whatever an agent service answers, a run ends, once, and is never taken for one that did not start."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from functions.adapters import aws as clients
from functions.adapters.bedrock_agent import BedrockAgent
from functions.bridge.agent import AgentEvent, Failed, Finished, Question
from functions.bridge.failures import NOT_STARTED
from simulator.agent.eventstream import CONTENT_TYPE, encode
from simulator.agent.service import AGENT_ID, ALIAS_ID
from tests.fuzz.conftest import ScriptedServer

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
payloads = (
    st.binary(max_size=60)
    | json_values.map(json.dumps).map(str.encode)
    | st.sampled_from(
        [
            b'{"bytes": "SGVsbG8="}',
            b'{"bytes": "w"}',
            b'{"bytes": 1}',
            b'{"trace": {"orchestrationTrace": {"rationale": {"text": "hm"}}}}',
            b'{"trace": {"orchestrationTrace": {"invocationInput": {"actionGroupInvocationInput": {}}}}}',
            b'{"message": "no"}',
        ]
    )
)
types = st.sampled_from(
    [
        "chunk",
        "trace",
        "returnControl",
        "files",
        "throttlingException",
        "accessDeniedException",
        "unheard-of",
        "",
    ]
)
frames = st.builds(
    lambda kind, event, payload: encode(
        {":message-type": kind, f":{kind}-type": event, ":content-type": "application/json"}, payload
    ),
    st.sampled_from(["event", "exception", "error", "nonsense"]),
    types,
    payloads,
)


def spoilt(data: bytes, at: int, mask: int) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    changed[at % len(changed)] ^= mask
    return bytes(changed)


whole = st.lists(frames, max_size=5).map(b"".join)
streams = (
    whole
    | st.binary(max_size=100)
    | st.builds(spoilt, whole, st.integers(0, 10_000), st.integers(1, 255))
    | st.builds(lambda data, keep: data[: keep % (len(data) + 1)], whole, st.integers(0, 10_000))
)


@pytest.fixture(scope="module")
def agent(server: ScriptedServer) -> BedrockAgent:  # noqa: ARG001 - the client reads its address
    return BedrockAgent(
        clients.bedrock_agent_runtime(longest_silence=5), agent_id=AGENT_ID, alias_id=ALIAS_ID
    )


@given(stream=streams)
def test_a_run_over_any_stream_ends_once(server: ScriptedServer, agent: BedrockAgent, stream: bytes) -> None:
    server.answer = Response(stream, content_type=CONTENT_TYPE)
    heard = everything(agent)
    assert isinstance(heard[-1], Finished | Failed)
    assert not any(isinstance(event, Finished | Failed) for event in heard[:-1])
    if isinstance(heard[-1], Failed):
        assert heard[-1].failure not in NOT_STARTED


@given(
    status=st.sampled_from([200, 204, 301, 400, 403, 404, 409, 424, 429, 500, 502, 503]),
    body=st.binary(max_size=60) | json_values.map(json.dumps).map(str.encode),
    error=st.sampled_from(["", "ThrottlingException", "AccessDeniedException:http://x/", "Nonsense", "é"]),
)
def test_a_run_that_is_refused_in_any_way_ends_once(
    server: ScriptedServer, agent: BedrockAgent, status: int, body: bytes, error: str
) -> None:
    server.answer = Response(body, status, {"x-amzn-ErrorType": error})
    before = server.requests
    heard = everything(agent)
    assert isinstance(heard[-1], Finished | Failed)
    assert server.requests <= before + 2  # the second only without streaming, when that alone was refused


def everything(agent: BedrockAgent) -> list[AgentEvent]:
    run = agent.ask(Question("T1:C1:1.1", "hello"))
    heard: list[AgentEvent] = []
    while not (heard and isinstance(heard[-1], Finished | Failed)):
        event = run.next(timeout=20)
        assert event is not None
        heard.append(event)
    assert run.next(timeout=0) is None
    run.cancel()
    return heard
