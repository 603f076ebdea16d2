import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from simulator.agent import invoke_agent, model
from simulator.agent.request import AgentError, AgentRequest, InputFile

GOOD = (
    "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/bedrock/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
)


def parse(data: bytes, *, agent_id: str = "METEOAGENT", session_id: str = "s-1") -> AgentRequest:
    uri = {"agentId": agent_id, "agentAliasId": "TSTALIASID", "sessionId": session_id}
    return invoke_agent.read(uri=uri, headers=Headers(), body=data)


def body(**members: Any) -> bytes:
    return json.dumps({"inputText": "hello", **members}).encode()


OF = {"actionGroup": "send-storm-warning"}
RESULT = {"functionResult": OF}


def refusal(data: bytes, *, session_id: str = "s-1") -> str:
    with pytest.raises(AgentError) as caught:
        parse(data, session_id=session_id)
    return caught.value.error


def test_the_errors_are_those_of_the_service_model() -> None:
    operation = model.operation("bedrock-agent-runtime", "InvokeAgent")
    stream = operation.output_shape.members["completion"].members
    statuses = {
        name: shape.metadata["error"]["httpStatusCode"]
        for name, shape in stream.items()
        if shape.metadata.get("exception")
    }
    assert statuses == invoke_agent.ERRORS


def test_every_member_that_the_fake_uses_is_read() -> None:
    data = body(
        enableTrace=True,
        streamingConfigurations={"streamFinalResponse": True},
        sessionState={"sessionAttributes": {"user": "U1"}},
    )
    read = parse(data, session_id="T1:C1:1.2")
    assert (read.agent, read.session_id) == ("METEOAGENT/TSTALIASID", "T1:C1:1.2")
    assert (read.input_text, read.trace, read.streaming) == ("hello", True, True)
    assert read.attributes == {"user": "U1"}


def test_members_that_are_left_out_are_off() -> None:
    read = parse(body(sessionState={"files": None, "sessionAttributes": None}))
    assert (read.trace, read.streaming, read.end_session) == (False, False, False)
    assert (read.attributes, read.files, read.decisions) == ({}, (), ())


@pytest.mark.parametrize("session_id", ["x", "s" * 101, "a b", "a/b", "é1", "ab\n"])
def test_a_session_id_outside_the_pattern_is_refused(session_id: str) -> None:
    assert refusal(body(), session_id=session_id) == "validationException"


@pytest.mark.parametrize("session_id", ["ab", "s" * 100, "T123:C456:1700000000.123456"])
def test_a_session_id_within_the_pattern_is_taken(session_id: str) -> None:
    assert parse(body(), session_id=session_id).session_id == session_id


@pytest.mark.parametrize("agent_id", ["", "A" * 11, "A-B"])
def test_an_agent_id_outside_the_pattern_is_refused(agent_id: str) -> None:
    with pytest.raises(AgentError, match="agentId"):
        parse(body(), agent_id=agent_id)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "validationException"),
        (b'{"inputText": "  "}', "validationException"),
        (body(memoryId="x"), "validationException"),
        (body(streamingConfigurations={"applyGuardrailInterval": 0}), "validationException"),
        (body(sessionState={"returnControlInvocationResults": [RESULT] * 6}), "validationException"),
        (body(sessionState={"returnControlInvocationResults": [{"apiResult": OF}]}), "validationException"),
        (body(sessionState={"returnControlInvocationResults": [{}]}), "serializationException"),
        (
            body(promptCreationConfigurations={"previousConversationTurnsToInclude": -1}),
            "validationException",
        ),
        (b"{", "serializationException"),
        (b"[]", "serializationException"),
        (b"\xff", "serializationException"),
        (b"[" * 100_000, "serializationException"),
        (b'{"inputText": 7}', "serializationException"),
        (body(enableTrace="yes"), "serializationException"),
        (body(sessionState=[]), "serializationException"),
        (body(sessionState={"sessionAttributes": {"a": 1}}), "serializationException"),
        (body(sessionState={"promptSessionAttributes": {"a": None}}), "serializationException"),
        (body(streamingConfigurations={"applyGuardrailInterval": True}), "serializationException"),
    ],
)
def test_a_bad_body_is_refused(data: bytes, error: str) -> None:
    assert refusal(data) == error


@given(
    st.dictionaries(st.sampled_from(["inputText", "sessionState", "endSession", "memoryId"]), st.integers())
)
def test_wrong_types_are_refused_and_never_crash(members: dict[str, int]) -> None:
    assert refusal(json.dumps(members).encode()) in ("validationException", "serializationException")


def attached(**changed: Any) -> Any:
    """A good file of four bytes, but for what is `changed` in its byteContent."""
    content = {"mediaType": "text/csv", "data": "YSxiCg==", **changed}
    source = {"sourceType": "BYTE_CONTENT", "byteContent": content}
    return {"name": "data.csv", "useCase": "CHAT", "source": source}


def with_files(*files: Any) -> bytes:
    return body(sessionState={"files": files})


def test_files_are_read_with_their_sizes() -> None:
    in_s3 = {
        "name": "big.csv",
        "useCase": "CODE_INTERPRETER",
        "source": {"sourceType": "S3", "s3Location": {"uri": "s3://bucket/big.csv"}},
    }
    read = parse(with_files(attached(), in_s3))
    assert read.files == (InputFile("data.csv", "text/csv", 4), InputFile("big.csv", "", 0))


LARGEST = base64.b64encode(bytes(10_485_760)).decode()


def test_the_largest_file_is_taken() -> None:
    [file] = parse(with_files(attached(data=LARGEST))).files
    assert file.size == 10_485_760


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ([attached()] * 6, "validationException"),
        ([attached(data=LARGEST), attached()], "validationException"),
        ([attached(data=base64.b64encode(bytes(10_485_761)).decode())], "validationException"),
        ([attached(data="")], "validationException"),
        ([attached(data=None)], "validationException"),
        ([attached(mediaType=None)], "validationException"),
        ([attached() | {"name": None}], "validationException"),
        ([attached() | {"useCase": "READING"}], "validationException"),
        ([attached() | {"source": {"sourceType": "URL"}}], "validationException"),
        ([attached() | {"source": {"sourceType": "BYTE_CONTENT"}}], "validationException"),
        (
            [attached() | {"source": {"sourceType": "S3", "s3Location": {"uri": "s3:/x"}}}],
            "validationException",
        ),
        ([attached(data="no Base64!")], "serializationException"),
        ([attached(data="é")], "serializationException"),
        ([attached(data=4)], "serializationException"),
        (["data.csv"], "serializationException"),
    ],
)
def test_bad_files_are_refused(files: list[Any], error: str) -> None:
    assert refusal(with_files(*files)) == error


def test_a_signature_of_the_right_form_passes() -> None:
    model.check_signature(GOOD, "bedrock")


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (None, "missingAuthenticationTokenException"),
        ("", "missingAuthenticationTokenException"),
        ("Bearer abc", "incompleteSignatureException"),
        (GOOD[:-1], "incompleteSignatureException"),
        (GOOD.replace("/bedrock/", "/sqs/"), "invalidSignatureException"),
    ],
)
def test_any_other_authorization_is_refused(header: str | None, error: str) -> None:
    with pytest.raises(AgentError) as caught:
        model.check_signature(header, "bedrock")
    assert (caught.value.error, caught.value.status) == (error, 403)
