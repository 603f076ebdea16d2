"""Reads a request to InvokeAgent as strictly as the service does, or says which error it gets."""

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.agent.asked import AgentError, InputFile
from simulator.agent.invoke_agent import (
    FILE_SOURCE_TYPES,
    FILE_USE_CASES,
    IDENTIFIER_MAX,
    IDENTIFIER_PATTERN,
    INPUT_FILE_LENGTHS,
    INPUT_FILES_MAX,
    INPUT_FILES_TOTAL_MAX,
    INPUT_TEXT_MAX,
    S3_URI_LENGTHS,
    S3_URI_PATTERN,
    SESSION_LENGTHS,
    SESSION_PATTERN,
)


@dataclass(frozen=True)
class InvokeAgentRequest:
    """One request.

    Attributes:
        attributes: `sessionState.sessionAttributes`.
        files: `sessionState.files`.
        trace: whether traces are asked for.
        streaming: whether the final response is to come in pieces.
        consents: the results that answer a return of control, and `invocation_id` the one they belong to.
    """

    agent_id: str
    alias_id: str
    session_id: str
    input_text: str
    attributes: dict[str, str]
    files: tuple[InputFile, ...]
    trace: bool
    streaming: bool
    end_session: bool
    consents: tuple[dict[str, Any], ...]
    invocation_id: str | None


def check_signature(authorization: str | None, service: str = "bedrock") -> None:
    """Raises AgentError unless the header has the form of Signature Version 4 for `service`.

    The signature itself is not computed: the fake has no keys. Form:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
    """
    if not authorization:
        raise AgentError("missingAuthenticationTokenException", "Missing Authentication Token", 403)
    scope = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=[^/, ]+/\d{8}/[a-z0-9-]+/(?P<service>[a-z0-9-]+)/aws4_request, ?"
        r"SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}",
        authorization,
    )
    if scope is None:
        message = "Authorization header is not of the form of AWS Signature Version 4."
        raise AgentError("incompleteSignatureException", message, 403)
    if scope["service"] != service:
        message = f"Credential should be scoped to correct service: '{service}'."
        raise AgentError("invalidSignatureException", message, 403)


def parse(agent_id: str, alias_id: str, session_id: str, body: bytes) -> InvokeAgentRequest:
    """The request, or AgentError where the service would refuse it."""
    _check("agentId", agent_id, IDENTIFIER_PATTERN, 1, IDENTIFIER_MAX)
    _check("agentAliasId", alias_id, IDENTIFIER_PATTERN, 1, IDENTIFIER_MAX)
    _check("sessionId", session_id, SESSION_PATTERN, *SESSION_LENGTHS)
    members = _object(body)
    if (memory_id := _member(members, "memoryId", str)) is not None:
        _check("memoryId", memory_id, SESSION_PATTERN, *SESSION_LENGTHS)
    state = _member(members, "sessionState", dict) or {}
    streaming = _member(members, "streamingConfigurations", dict) or {}
    if (interval := _member(streaming, "applyGuardrailInterval", int)) is not None and interval < 1:
        raise _violation("applyGuardrailInterval", "Member must have value greater than or equal to 1")
    parsed = InvokeAgentRequest(
        agent_id=agent_id,
        alias_id=alias_id,
        session_id=session_id,
        input_text=_member(members, "inputText", str) or "",
        attributes=_strings(state, "sessionAttributes"),
        files=_files(_member(state, "files", list) or []),
        trace=_member(members, "enableTrace", bool) or False,
        streaming=_member(streaming, "streamFinalResponse", bool) or False,
        end_session=_member(members, "endSession", bool) or False,
        consents=tuple(_member(state, "returnControlInvocationResults", list) or ()),
        invocation_id=_member(state, "invocationId", str),
    )
    _strings(state, "promptSessionAttributes")
    if len(parsed.input_text) > INPUT_TEXT_MAX:
        raise _violation("inputText", f"Member must have length less than or equal to {INPUT_TEXT_MAX}")
    if not (parsed.input_text.strip() or parsed.consents or parsed.end_session):
        raise AgentError("validationException", "Either inputText or a result of an invocation is required.")
    if len(parsed.consents) > 5:
        raise _violation("returnControlInvocationResults", "Member must have length less than or equal to 5")
    return parsed


def _files(values: list[Any]) -> tuple[InputFile, ...]:
    if len(values) > INPUT_FILES_MAX:
        raise _violation(
            "sessionState.files", f"Member must have length less than or equal to {INPUT_FILES_MAX}"
        )
    files = tuple(_file(f"sessionState.files.{n}.member", value) for n, value in enumerate(values, 1))
    if sum(file.size for file in files) > INPUT_FILES_TOTAL_MAX:
        raise AgentError("validationException", "The files are larger than 10 MB together.")
    return files


def _file(path: str, value: Any) -> InputFile:
    if not isinstance(value, dict):
        raise AgentError("serializationException", f"'{path}' has the wrong type.", 400)
    name = _required(path, value, "name", str)
    _one_of(f"{path}.useCase", _required(path, value, "useCase", str), FILE_USE_CASES)
    source = _required(path, value, "source", dict)
    path = f"{path}.source"
    kind = _required(path, source, "sourceType", str)
    _one_of(f"{path}.sourceType", kind, FILE_SOURCE_TYPES)
    if kind == "S3":
        location = _required(path, source, "s3Location", dict)
        uri = _required(f"{path}.s3Location", location, "uri", str)
        _check(f"{path}.s3Location.uri", uri, S3_URI_PATTERN, *S3_URI_LENGTHS)
        return InputFile(name, "", 0)
    content = _required(path, source, "byteContent", dict)
    path = f"{path}.byteContent"
    media_type = _required(path, content, "mediaType", str)
    data = _blob(path, _required(path, content, "data", str))
    minimum, maximum = INPUT_FILE_LENGTHS
    if not minimum <= len(data) <= maximum:
        raise _violation(f"{path}.data", f"Member must have length between {minimum} and {maximum}")
    return InputFile(name, media_type, len(data))


def _blob(path: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raise AgentError("serializationException", f"'{path}' is not Base64.", 400) from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise AgentError("serializationException", "The request body is not a JSON object.", 400)
    return members


def _member(members: Mapping[str, Any], name: str, kind: type) -> Any:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise AgentError("serializationException", f"'{name}' has the wrong type.", 400)
    return value


def _required(path: str, members: Mapping[str, Any], name: str, kind: type) -> Any:
    if (value := _member(members, name, kind)) is None:
        raise _violation(f"{path}.{name}", "Member must not be null")
    return value


def _one_of(path: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise _violation(path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")


def _strings(state: Mapping[str, Any], name: str) -> dict[str, str]:
    values = _member(state, name, dict) or {}
    if not all(isinstance(value, str) for value in values.values()):
        raise AgentError("serializationException", f"'{name}' has a value that is no string.", 400)
    return dict(values)


def _check(name: str, value: str, pattern: str, minimum: int, maximum: int) -> None:
    if not minimum <= len(value) <= maximum:
        raise _violation(name, f"Member must have length between {minimum} and {maximum}")
    if not re.fullmatch(pattern, value):
        raise _violation(name, f"Member must satisfy regular expression pattern: {pattern}")


def _violation(name: str, constraint: str) -> AgentError:
    message = f"1 validation error detected: Value at '{name}' failed to satisfy constraint: {constraint}"
    return AgentError("validationException", message)
