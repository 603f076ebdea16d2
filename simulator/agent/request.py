"""Reads a request to InvokeAgent as strictly as the service does, or says which error it gets."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.agent.invoke_agent import (
    ERRORS,
    IDENTIFIER_MAX,
    IDENTIFIER_PATTERN,
    INPUT_TEXT_MAX,
    SESSION_LENGTHS,
    SESSION_PATTERN,
)


class AgentError(Exception):
    """An HTTP error answer. `error` begins with a small letter, as in ERRORS; `status` is the HTTP status."""

    def __init__(self, error: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.status = status or ERRORS[error]


@dataclass(frozen=True)
class InvokeAgentRequest:
    """One request.

    Attributes:
        attributes: `sessionState.sessionAttributes`.
        trace: whether traces are asked for.
        streaming: whether the final response is to come in pieces.
        consents: the results that answer a return of control, and `invocation_id` the one they belong to.
    """

    agent_id: str
    alias_id: str
    session_id: str
    input_text: str
    attributes: dict[str, str]
    trace: bool
    streaming: bool
    end_session: bool
    consents: tuple[dict[str, Any], ...]
    invocation_id: str | None


def check_signature(authorization: str | None) -> None:
    """Raises AgentError unless the header has the form of Signature Version 4 for `bedrock`.

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
    if scope["service"] != "bedrock":
        message = "Credential should be scoped to correct service: 'bedrock'."
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
