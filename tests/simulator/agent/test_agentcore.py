"""The fake's InvokeHarness and InvokeAgentRuntime, as boto3 speaks to them."""

import base64
import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import ProtocolError
from werkzeug.datastructures import Headers

from simulator.agent import agentcore, invoke_agent, model, samples, scripts
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.request import AgentError
from simulator.agent.service import AgentService
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER

CHICAGO = "what's the weather in Chicago today?"
SESSION = "session-of-at-least-33-characters-1"


@pytest.fixture
def client(service: AgentService) -> Iterator[Any]:
    client: Any = boto3.client(
        "bedrock-agentcore",
        endpoint_url=service.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )
    yield client
    client.close()


def invoke_harness(client: Any, text: str, *, session: str = SESSION, **more: Any) -> list[Any]:
    """The members of one turn's stream."""
    messages = more.pop("messages", [{"role": "user", "content": [{"text": text}]}])
    arn = more.pop("arn", HARNESS_ARN)
    stream = client.invoke_harness(harnessArn=arn, runtimeSessionId=session, messages=messages, **more)[
        "stream"
    ]
    try:
        return list(stream)
    finally:
        stream.close()


def invoke_runtime(
    client: Any, payload: Any, framework: Framework = Framework.STRANDS, **more: Any
) -> tuple[str, bytes]:
    """The media type and the body of one answer."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    arn = more.pop("arn", RUNTIME_ARNS[framework])
    answer = client.invoke_agent_runtime(
        agentRuntimeArn=arn, runtimeSessionId=SESSION, payload=data, contentType="application/json", **more
    )
    assert answer["runtimeSessionId"] == SESSION
    return answer["contentType"], answer["response"].read()


def items(body: bytes) -> list[Any]:
    return [json.loads(part.removeprefix(b"data: ")) for part in body.split(b"\n\n") if part]


def said(members: list[Any]) -> str:
    deltas = [member.get("contentBlockDelta", {}).get("delta", {}) for member in members]
    return "".join(delta.get("text", "") for delta in deltas)


def stop_reasons(members: list[Any]) -> list[str]:
    return [member["messageStop"]["stopReason"] for member in members if "messageStop" in member]


def error_of(call: Any) -> tuple[int, str]:
    """HTTP status and code of the refusal that `call` meets."""
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


# --- The harness


def test_a_harness_thinks_calls_tools_and_answers(client: Any) -> None:
    members = invoke_harness(client, CHICAGO)
    assert "**Chicago**" in said(members)
    assert stop_reasons(members) == [*["tool_use", "tool_result"] * 3, "end_turn"]
    starts = [member["contentBlockStart"]["start"] for member in members if "contentBlockStart" in member]
    uses = [start["toolUse"]["name"] for start in starts if "toolUse" in start]
    assert uses == [f"places___{FIND_PLACE}", f"clock___{FIND_DATE}", f"weather___{FIND_WEATHER}"]
    deltas = [member["contentBlockDelta"]["delta"] for member in members if "contentBlockDelta" in member]
    arguments = "".join(delta["toolUse"]["input"] for delta in deltas[:6] if "toolUse" in delta)
    assert json.loads(arguments) == {"place_name": "Chicago"}
    thoughts = [delta.get("reasoningContent", {}).get("text", "") for delta in deltas]
    assert "coordinates" in "".join(thoughts)


def test_a_hook_event_follows_the_last_stop_of_a_harness(client: Any) -> None:
    members = invoke_harness(client, "hello")
    assert [next(iter(member)) for member in members[-3:]] == ["messageStop", "metadata", "hookEvent"]


def test_a_harness_remembers_the_place(client: Any, service: AgentService) -> None:
    invoke_harness(client, CHICAGO)
    assert "Chicago" in said(invoke_harness(client, "and tomorrow?"))
    assert "For which city" in said(invoke_harness(client, "and tomorrow?", session=f"{SESSION}-b"))
    assert [run.operation for run in service.invocations] == ["InvokeHarness"] * 3


def test_a_harness_is_told_who_asks(client: Any, service: AgentService) -> None:
    invoke_harness(client, "hello", actorId="U1", runtimeUserId="U2", qualifier="DEFAULT")
    [run] = service.invocations
    assert run.attributes == {"actorId": "U1", "runtimeUserId": "U2"}
    assert (run.agent, run.session_id) == (HARNESS_ARN, SESSION)


def test_a_harness_waits_for_a_person_and_goes_on(client: Any) -> None:
    members = invoke_harness(client, f"ask me first: {CHICAGO}")
    assert stop_reasons(members)[-1] == "tool_use"
    start = [member for member in members if "contentBlockStart" in member][-1]["contentBlockStart"]
    use = start["start"]["toolUse"]
    assert use["name"] == "send-storm-warning"
    result = {"toolUseId": use["toolUseId"], "content": [{"text": "approved"}], "status": "success"}
    answer = [{"role": "user", "content": [{"toolResult": result}]}]
    assert "**was sent**" in said(invoke_harness(client, "", messages=answer))
    assert error_of(lambda: invoke_harness(client, "", messages=answer)) == (400, "ValidationException")


def test_a_harness_hands_over_one_call_after_the_other(client: Any, service: AgentService) -> None:
    def calls(members: list[Any]) -> list[str]:
        starts = [member["contentBlockStart"] for member in members if "contentBlockStart" in member]
        uses = [start["start"].get("toolUse", {}) for start in starts]
        return [use["toolUseId"] for use in uses if use.get("name") == "send_email"]

    def results(*ids: str) -> list[Any]:
        content = [{"toolResult": {"toolUseId": one, "content": [{"text": "Sent."}]}} for one in ids]
        return [{"role": "user", "content": content}]

    first, second = calls(invoke_harness(client, f"send two e-mails: {CHICAGO}"))
    for wrong in (results(second), results(first, second), results("tooluse_other")):
        refused = error_of(lambda wrong=wrong: invoke_harness(client, "", messages=wrong))
        assert refused == (400, "ValidationException")
    assert calls(invoke_harness(client, "", messages=results(first))) == [second]
    assert "bob@example.com" in said(invoke_harness(client, "", messages=results(second)))
    assert [len(run.decisions) for run in service.invocations] == [0, 1, 1]


@pytest.mark.parametrize("reason", scripts.STOP_REASONS)
def test_a_harness_stops_in_every_way(client: Any, service: AgentService, reason: str) -> None:
    service.force(f"stop {reason}")
    assert stop_reasons(invoke_harness(client, CHICAGO))[-1] == reason


def test_the_ways_to_stop_are_those_of_the_model() -> None:
    shape = model.operation("bedrock-agentcore", "InvokeHarness").service_model.shape_for("HarnessStopReason")
    assert tuple(shape.enum) == scripts.STOP_REASONS


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("throttlingException in stream", "runtimeClientError"),
        ("validationException in stream", "validationException"),
        ("internalServerException in stream", "internalServerException"),
    ],
)
def test_a_harness_breaks_off_with_an_error_of_the_model(
    client: Any, service: AgentService, script: str, name: str
) -> None:
    service.force(script)
    with pytest.raises(EventStreamError) as caught:
        invoke_harness(client, CHICAGO)
    assert caught.value.response["Error"]["Code"] == name


@pytest.mark.parametrize(
    "change",
    [
        {"arn": "meteorologist-A1b2C3d4E5"},
        {"session": "short"},
        {"session": "T0123456789:C0123456789:1700000000.000100"},
        {"messages": []},
        {"messages": [{"role": "user", "content": [{"text": ""}]}]},
        {"messages": [{"role": "assistant", "content": [{"text": "hello"}]}]},
        {
            "messages": [
                {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"json": {}}]}}]}
            ]
        },
    ],
)
def test_a_harness_refuses_what_the_model_does_not_allow(
    service: AgentService, change: dict[str, Any]
) -> None:
    unchecked: Any = boto3.client(
        "bedrock-agentcore",
        endpoint_url=service.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )
    assert error_of(lambda: invoke_harness(unchecked, "hello", **change)) == (400, "ValidationException")
    assert service.invocations == []
    unchecked.close()


def test_another_harness_is_not_found(client: Any) -> None:
    other = HARNESS_ARN.replace("A1b2", "XXXX")
    assert error_of(lambda: invoke_harness(client, "x", arn=other)) == (404, "ResourceNotFoundException")
    assert error_of(lambda: invoke_harness(client, "x", qualifier="none")) == (
        404,
        "ResourceNotFoundException",
    )


# --- The runtime


def test_strands_tells_everything_twice(client: Any) -> None:
    content_type, body = invoke_runtime(client, {"prompt": CHICAGO})
    assert content_type == "text/event-stream; charset=utf-8"
    found = items(body)
    deltas = [event(item).get("contentBlockDelta", {}).get("delta", {}) for item in found]
    text = "".join(delta.get("text", "") for delta in deltas)
    assert "**Chicago**" in text
    last = [item["message"] for item in found if isinstance(item, dict) and "message" in item][-1]
    assert "".join(block["text"] for block in last["content"]) == text
    assert any(isinstance(item, str) and item.startswith("{'data': ") for item in found)


def event(item: Any) -> Any:
    return item.get("event", {}) if isinstance(item, dict) else {}


def test_ag_ui_starts_and_finishes_a_run(client: Any) -> None:
    given = {"threadId": "t", "runId": "r", "messages": [{"id": "m", "role": "user", "content": CHICAGO}]}
    _, body = invoke_runtime(client, given, Framework.AG_UI)
    kinds = [item["type"] for item in items(body)]
    assert (kinds[0], kinds[-1]) == ("RUN_STARTED", "RUN_FINISHED")
    assert kinds.count("TOOL_CALL_START") == kinds.count("TOOL_CALL_RESULT") == 3
    assert "TEXT_MESSAGE_CONTENT" in kinds


def test_a_generator_of_words_streams_text(client: Any) -> None:
    _, body = invoke_runtime(client, {"prompt": "unicode"}, Framework.WORDS)
    assert "".join(items(body)) == samples.UNICODE


def test_a_whole_answer_is_json(client: Any) -> None:
    content_type, body = invoke_runtime(client, {"prompt": "with code"}, Framework.WHOLE)
    assert content_type == "application/json"
    message = {"role": "assistant", "content": [{"text": samples.CODE}]}
    assert json.loads(body) == {"result": message}


def test_an_agent_on_the_runtime_is_told_who_asks_and_given_files(client: Any, service: AgentService) -> None:
    file = {"name": "a.csv", "mediaType": "text/csv", "data": base64.b64encode(b"a,b\n").decode()}
    given = {"prompt": "what is this?", "slack": {"user": "U1", "channel": "C1"}, "files": [file]}
    _, body = invoke_runtime(client, given, Framework.WORDS, runtimeUserId="U1")
    assert "**a.csv**: `text/csv`, 4 bytes" in "".join(items(body))
    [run] = service.invocations
    assert run.attributes == {"user": "U1", "channel": "C1", "runtimeUserId": "U1"}


EMAIL = f"send an e-mail: {CHICAGO}"
RUN = {"threadId": "t", "runId": "r"}
# How an agent of each framework is asked, and told that the interrupt with an id is approved.
INTERRUPTIBLE: dict[Framework, tuple[Any, Callable[[str, Any], Any]]] = {
    Framework.STRANDS: (
        {"prompt": EMAIL},
        lambda under, yes: {"prompt": [{"interruptResponse": {"interruptId": under, "response": yes}}]},
    ),
    Framework.AG_UI: (
        {**RUN, "messages": [{"id": "m", "role": "user", "content": EMAIL}]},
        lambda under, yes: {
            **RUN,
            "messages": [],
            "resume": [{"interruptId": under, "status": "resolved", "payload": {"approved": yes}}],
        },
    ),
    Framework.WELT: (
        {"prompt": EMAIL},
        lambda under, yes: {"interrupt_responses": {under: {"value": yes, "source": "option"}}},
    ),
}
each_interruptible = pytest.mark.parametrize("framework", INTERRUPTIBLE)


def interrupt_of(body: bytes) -> str:
    """The id of the only interrupt."""
    found = items(body)
    told = [item for item in found if isinstance(item, dict)]
    lists = [item["tool_interrupt_event"]["interrupts"] for item in told if "tool_interrupt_event" in item]
    lists += [[item["interrupt"]] for item in told if "interrupt" in item]
    lists += [item["outcome"]["interrupts"] for item in told if "outcome" in item]
    [[interrupt]] = lists
    return str(interrupt["id"])


@each_interruptible
def test_an_agent_on_the_runtime_that_waits_takes_nothing_else(
    client: Any, service: AgentService, framework: Framework
) -> None:
    question, told = INTERRUPTIBLE[framework]
    under = interrupt_of(invoke_runtime(client, question, framework)[1])
    for sent in (question, told("other", True), told(under, True)):
        invoke_runtime(client, sent, framework)
    endings = [run.ended for run in service.invocations]
    assert endings == ["approval", "INTERRUPT_PENDING", "UNKNOWN_INTERRUPT", "complete"]


@each_interruptible
def test_an_agent_on_the_runtime_goes_on(client: Any, service: AgentService, framework: Framework) -> None:
    question, told = INTERRUPTIBLE[framework]
    under = interrupt_of(invoke_runtime(client, question, framework)[1])
    invoke_runtime(client, told(under, True), framework)
    invoke_runtime(client, told(under, True), framework)
    assert [run.ended for run in service.invocations] == ["approval", "complete", "UNKNOWN_INTERRUPT"]
    assert [len(run.decisions) for run in service.invocations] == [0, 1, 0]


@each_interruptible
def test_a_decision_that_could_be_read_as_a_yes_is_no_decision(client: Any, framework: Framework) -> None:
    question, told = INTERRUPTIBLE[framework]
    under = interrupt_of(invoke_runtime(client, question, framework)[1])
    for answer in ("n", {"approved": False}, None):
        refused = error_of(lambda answer=answer: invoke_runtime(client, told(under, answer), framework))
        assert refused == (424, "RuntimeClientError")


@pytest.mark.parametrize(
    ("framework", "payload"),
    [
        (Framework.STRANDS, {"prompt": [{"text": "yes"}]}),
        (Framework.STRANDS, {"prompt": [{"interruptResponse": {"interruptId": "i"}}]}),
        (Framework.AG_UI, {**RUN, "messages": [], "resume": [{"interruptId": "i", "status": "cancelled"}]}),
        (Framework.WELT, {"messages": [], "interrupt_responses": {"i": {"value": True, "source": "option"}}}),
        (Framework.WELT, {"interrupt_responses": {"i": True}}),
    ],
)
def test_an_answer_of_another_form_breaks_an_agent_down(
    client: Any, framework: Framework, payload: Any
) -> None:
    assert error_of(lambda: invoke_runtime(client, payload, framework)) == (424, "RuntimeClientError")


@pytest.mark.parametrize("framework", Framework)
def test_an_agent_tells_of_an_error_although_the_status_says_200(
    client: Any, service: AgentService, framework: Framework
) -> None:
    service.force("internalServerException in stream")
    given = {"prompt": CHICAGO, "threadId": "t", "runId": "r"}
    given["messages"] = [{"role": "user", "content": CHICAGO}]  # type: ignore[assignment]
    _, body = invoke_runtime(client, given, framework)
    last = json.loads(body) if framework is Framework.WHOLE else items(body)[-1]
    assert "Injected internalServerException." in (last.get("error"), last.get("message"))


@pytest.mark.parametrize(
    "given", [b"hello", {"question": CHICAGO}, {"prompt": 1}, {"prompt": "x", "files": [{"name": "a"}]}]
)
def test_an_agent_breaks_down_over_a_payload_that_it_does_not_know(client: Any, given: Any) -> None:
    assert error_of(lambda: invoke_runtime(client, given)) == (424, "RuntimeClientError")


def test_another_runtime_is_not_found(client: Any) -> None:
    other = RUNTIME_ARNS[Framework.STRANDS].replace("A1b2", "XXXX")
    expected = (404, "ResourceNotFoundException")
    assert error_of(lambda: invoke_runtime(client, {"prompt": "x"}, arn=other)) == expected


def test_a_stream_of_the_runtime_can_be_cut(client: Any, service: AgentService) -> None:
    service.force("cut in message")
    answer = client.invoke_agent_runtime(
        agentRuntimeArn=RUNTIME_ARNS[Framework.STRANDS], runtimeSessionId=SESSION, payload=b'{"prompt": "x"}'
    )
    with pytest.raises(ProtocolError):
        answer["response"]._raw_stream.read()


def stop(client: Any, session: str = SESSION, *, arn: str = RUNTIME_ARNS[Framework.STRANDS]) -> Any:
    return client.stop_runtime_session(agentRuntimeArn=arn, runtimeSessionId=session)


def test_a_session_that_is_stopped_cuts_its_stream(client: Any, service: AgentService) -> None:
    service.force("never")
    service.time_scale = 1.0
    arn = RUNTIME_ARNS[Framework.STRANDS]
    answer = client.invoke_agent_runtime(
        agentRuntimeArn=arn, runtimeSessionId=SESSION, payload=b'{"prompt": "x"}'
    )
    assert stop(client)["runtimeSessionId"] == SESSION
    with pytest.raises(ProtocolError):
        answer["response"]._raw_stream.read()
    assert service.invocations[0].ended == "stopped"
    assert error_of(lambda: stop(client)) == (404, "ResourceNotFoundException")


def test_a_session_that_is_stopped_forgets_what_was_said(client: Any) -> None:
    def answer(question: str) -> bytes:
        return invoke_runtime(client, {"prompt": question}, Framework.WHOLE)[1]

    before = answer("and tomorrow?")
    answer(CHICAGO)
    assert answer("and tomorrow?") != before
    stop(client, arn=RUNTIME_ARNS[Framework.WHOLE])
    assert answer("and tomorrow?") == before


def test_a_session_that_there_is_not_cannot_be_stopped(client: Any) -> None:
    assert error_of(lambda: stop(client)) == (404, "ResourceNotFoundException")
    assert error_of(lambda: stop(client, arn=HARNESS_ARN)) == (404, "ResourceNotFoundException")


def test_stops_are_refused_as_the_model_says(client: Any, service: AgentService) -> None:
    service.refuse_stops("conflictException", "accessDeniedException")
    assert error_of(lambda: stop(client)) == (409, "RetryableConflictException")
    assert error_of(lambda: stop(client)) == (403, "AccessDeniedException")


@pytest.mark.parametrize("limit", agentcore.LIMITS)
def test_limits_of_a_harness_are_positive_numbers(client: Any, service: AgentService, limit: str) -> None:
    more: dict[str, Any] = {limit: 60}
    invoke_harness(client, CHICAGO, **more)
    assert service.invocations[0].limits == {limit: 60}
    assert error_of(lambda: invoke_harness(client, CHICAGO, **{**more, limit: 0})) == (
        400,
        "ValidationException",
    )


# --- Both


@pytest.mark.parametrize("error", invoke_agent.ERRORS)
def test_errors_have_the_names_and_statuses_of_the_model(
    client: Any, service: AgentService, error: str
) -> None:
    service.force(f"{error} status", times=2)
    name, status, _ = agentcore.refusal(error, of_harness=True)
    assert error_of(lambda: invoke_harness(client, CHICAGO)) == (status, name)
    name, status, _ = agentcore.refusal(error, of_harness=False)
    assert error_of(lambda: invoke_runtime(client, {"prompt": CHICAGO})) == (status, name)


def test_a_harness_has_a_reason_for_a_conflict_instead_of_a_name(client: Any, service: AgentService) -> None:
    service.force("conflictException status")
    with pytest.raises(client.exceptions.ValidationException) as caught:
        invoke_harness(client, CHICAGO)
    assert caught.value.response["reason"] == "ResourceConflict"


@pytest.mark.parametrize(
    ("operation", "of_harness"),
    [("InvokeHarness", True), ("InvokeAgentRuntime", False), ("StopRuntimeSession", False)],
)
def test_every_error_is_one_of_the_model(operation: str, of_harness: bool) -> None:
    shapes = model.operation("bedrock-agentcore", operation).error_shapes
    known = {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in shapes}
    told = (agentcore.refusal(error, of_harness=of_harness) for error in invoke_agent.ERRORS)
    assert {name: status for name, status, _ in told}.items() <= known.items()


def test_a_request_without_a_signature_is_refused(service: AgentService) -> None:
    request = urllib.request.Request(f"{service.url}/harnesses/invoke", b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 403


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"[]", "serializationException"),
        (b'{"messages": {}}', "serializationException"),
        (b'{"messages": [{"role": "user", "content": [{}]}]}', "serializationException"),
        (b'{"messages": [{"role": "system", "content": []}]}', "validationException"),
        (b'{"messages": [{"role": "user"}]}', "validationException"),
        (b'{"messages": [], "maxIterations": true}', "serializationException"),
        (b'{"messages": [], "model": {"bedrockModelConfig": {"topP": 2}}}', "validationException"),
        (b'{"messages": [], "tools": [{"type": "shell"}]}', "validationException"),
    ],
)
def test_a_body_is_checked_member_by_member(service: AgentService, body: bytes, error: str) -> None:
    with pytest.raises(AgentError) as caught:
        agentcore.read_harness(
            query={"harnessArn": HARNESS_ARN},
            headers=Headers({"x-amzn-bedrock-agentcore-runtime-session-id": SESSION}),
            body=body,
        )
    assert caught.value.error == error
    assert service.invocations == []
