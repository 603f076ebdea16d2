"""Whatever an agent service answers, a run ends, once, and is never taken for one that did not start."""

import json
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from functions.adapters.agents import client as clients
from functions.adapters.agents.bedrock_agent import BedrockAgent
from functions.adapters.agents.bedrock_agent_events import InvokeAgentTranslator
from functions.adapters.agents.interrupts import resumption
from functions.adapters.agents.runtime_events import RuntimeTranslator
from functions.bridge.agents.events import (
    AgentEvent,
    Citation,
    Failed,
    Finished,
    TextDelta,
    ToolAnswer,
    ToolRequest,
)
from functions.bridge.agents.failures import NOT_STARTED
from functions.bridge.agents.port import Question
from simulator.agent.eventstream import CONTENT_TYPE, encode
from simulator.agent.service import AGENT_ID, ALIAS_ID
from tests.functions.adapters.runs import ASKER
from tests.functions.adapters.scripted_server import ScriptedServer

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
            b'{"attribution": {"citations": [{"retrievedReferences": [{"location": {}}, null]}]}}',
            b'{"bytes": "SGVsbG8=", "attribution": {"citations": [{"generatedResponsePart": {'
            b'"textResponsePart": {"text": "ell", "span": {"start": -1}}}, "retrievedReferences": ['
            b'{"location": {"type": "S3", "s3Location": {"uri": "s3://b/a"}}}]}]}}',
            b'{"files": [{"name": "a", "bytes": "SGVsbG8="}, null, {"bytes": 1}]}',
            b'{"trace": {"guardrailTrace": {"action": "INTERVENED", "inputAssessments": [null]}}}',
            b'{"trace": {"failureTrace": {"failureCode": "x"}}}',
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


passages = st.tuples(
    st.text(max_size=5), st.integers(0, 40), st.sampled_from(["s3://b/a", "https://e.com/b"])
)


def attribution(passage: tuple[str, int, str]) -> dict[str, object]:
    words, start, address = passage
    part = {"text": words, "span": {"start": start, "end": start + len(words)}}
    reference = {"location": {"type": "WEB", "webLocation": {"url": address}}}
    return {"generatedResponsePart": {"textResponsePart": part}, "retrievedReferences": [reference]}


@given(
    text=st.text(alphabet="ab \n°🌈", max_size=40),
    sizes=st.lists(st.integers(0, 7), max_size=20),
    cited=st.lists(st.lists(passages, max_size=3), max_size=20),
)
def test_citations_take_nothing_from_the_text_and_add_nothing(
    text: str, sizes: list[int], cited: list[list[tuple[str, int, str]]]
) -> None:
    data, at, translate = text.encode(), 0, InvokeAgentTranslator(streaming=True)
    heard: list[AgentEvent] = []
    for size, passages_ in zip_longest([*sizes, len(data)], cited, fillvalue=None):
        piece = data[at : at + (size or 0)]
        at += len(piece)
        citations = [attribution(passage) for passage in passages_ or []]
        heard += translate({"chunk": {"bytes": piece, "attribution": {"citations": citations}}})
    heard += translate.end()
    deltas = [event.text for event in heard if isinstance(event, TextDelta)]
    assert "".join(deltas) == text
    assert all(deltas)
    assert sum(isinstance(event, Citation) for event in heard) == sum(map(len, cited))


def everything(agent: BedrockAgent) -> list[AgentEvent]:
    run = agent.ask(Question("T1:C1:1.1", "hello", ASKER))
    heard: list[AgentEvent] = []
    while not (heard and isinstance(heard[-1], Finished | Failed)):
        event = run.next(timeout=20)
        assert event is not None
        heard.append(event)
    assert run.next(timeout=0) is None
    run.cancel()
    return heard


interrupts = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["i", "j", ""]) | json_values,
        "name": json_values,
        "reason": st.sampled_from(["tool_call", "confirmation"]) | json_values,
        "message": json_values,
        "toolCallId": json_values,
        "responseSchema": json_values,
        "metadata": st.dictionaries(st.sampled_from(["reason", "tool_name", "tool_input"]), json_values),
    },
)
waiting = st.one_of(
    st.builds(lambda one: {"interrupt": one}, interrupts),
    st.builds(
        lambda use, some: {"tool_interrupt_event": {"tool_use": use, "interrupts": some}},
        st.dictionaries(st.sampled_from(["name", "input"]), json_values),
        st.lists(interrupts | json_values, max_size=3),
    ),
    st.builds(
        lambda some: {"type": "RUN_FINISHED", "outcome": {"type": "interrupt", "interrupts": some}},
        st.lists(interrupts | json_values, max_size=3),
    ),
)


@given(waiting)
def test_whatever_an_agent_waits_for_can_be_answered_or_is_not_asked_for(item: object) -> None:
    translate = RuntimeTranslator()
    said = list(translate(item))
    said += [] if translate.failed else list(translate.end())
    asked = [event for event in said if isinstance(event, ToolRequest)]
    for request in asked:
        assert request.call_id
        assert isinstance(json.loads(request.arguments), dict)
        request.message.encode()
    if asked:
        assert isinstance(said[-1], Failed)
        json.dumps(resumption([ToolAnswer(request, False, "No.") for request in asked]))
