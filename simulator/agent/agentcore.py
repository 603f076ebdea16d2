"""Requests to AgentCore's harness and runtimes: the fake's own agents, what is read, which errors there are.

Source: the service model of `bedrock-agentcore`, and for what is in a runtime's payload, which is the agent's
own affair, the examples of
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-http-protocol-contract.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from werkzeug.datastructures import Headers

from simulator.agent import model
from simulator.agent.request import AgentError, AgentRequest, Decision, InputFile

_ACCOUNT = "arn:aws:bedrock-agentcore:us-east-1:123456789012"
HARNESS_ARN = f"{_ACCOUNT}:harness/meteorologist-A1b2C3d4E5"
QUALIFIER = "DEFAULT"  # of the endpoint that every harness and runtime has
LIMITS = ("timeoutSeconds", "maxIterations", "maxTokens")  # that a request to a harness may set


class Framework(StrEnum):
    """What an agent on the runtime is written with decides what its answer looks like."""

    STRANDS = "strands"
    AG_UI = "ag-ui"
    WELT = "welt"
    WORDS = "words"
    WHOLE = "whole"


# One agent for each.
RUNTIME_ARNS = {
    Framework.STRANDS: f"{_ACCOUNT}:runtime/meteorologist-A1b2C3d4E5",
    Framework.AG_UI: f"{_ACCOUNT}:runtime/meteorologist_ag_ui-A1b2C3d4E5",
    Framework.WELT: f"{_ACCOUNT}:runtime/meteorologist_welt-A1b2C3d4E5",
    Framework.WORDS: f"{_ACCOUNT}:runtime/meteorologist_words-A1b2C3d4E5",
    Framework.WHOLE: f"{_ACCOUNT}:runtime/meteorologist_whole-A1b2C3d4E5",
}

# The errors of `invoke_agent.ERRORS` as AgentCore's API has them: name and HTTP status.
ERRORS = {
    "accessDeniedException": ("AccessDeniedException", 403),
    "badGatewayException": ("InternalServerException", 500),
    "conflictException": ("RetryableConflictException", 409),
    "dependencyFailedException": ("RuntimeClientError", 424),
    "internalServerException": ("InternalServerException", 500),
    "modelNotReadyException": ("RuntimeClientError", 424),
    "resourceNotFoundException": ("ResourceNotFoundException", 404),
    "serviceQuotaExceededException": ("ServiceQuotaExceededException", 402),
    "throttlingException": ("ThrottlingException", 429),
    "validationException": ("ValidationException", 400),
}

_SERVICE = "bedrock-agentcore"
_REASON = "FieldValidationFailed"


def read_harness(*, query: Mapping[str, str], headers: Headers, body: bytes) -> AgentRequest:
    """A request to InvokeHarness, or AgentError where the service would refuse it."""
    operation = model.operation(_SERVICE, "InvokeHarness")
    members = model.read(operation, uri={}, query=query, headers=headers, body=body)
    _check_agent(members["harnessArn"], [HARNESS_ARN], members.get("qualifier"))
    if not members["messages"]:
        raise AgentError("validationException", "At least one message is required.")
    last = members["messages"][-1]
    texts = [block["text"] for block in last["content"] if "text" in block]
    results = [block["toolResult"] for block in last["content"] if "toolResult" in block]
    if last["role"] != "user" or not (texts or results):
        raise AgentError("validationException", "The last message must be the user's.")
    # The model allows it, but the service does not:
    # https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html
    if any("json" in content for result in results for content in result["content"]):
        raise AgentError("validationException", "The content of a tool result must be text.")
    identity: dict[str, str] = {
        name: members[name] for name in ("actorId", "runtimeUserId", "traceParent") if name in members
    }
    limits: dict[str, int] = {name: members[name] for name in LIMITS if name in members}
    # The model has no lowest value; that they must be positive is not documented, and so it is refused here.
    if wrong := [name for name, limit in limits.items() if limit < 1]:
        raise AgentError("validationException", f"{wrong[0]} must be at least 1.")
    return AgentRequest(
        operation="InvokeHarness",
        agent=members["harnessArn"],
        session_id=members["runtimeSessionId"],
        input_text="\n".join(texts),
        attributes=identity,
        limits=limits,
        decisions=tuple(map(_tool_result, results)),
    )


def read_runtime(
    arn: str, *, query: Mapping[str, str], headers: Headers, body: bytes
) -> tuple[AgentRequest, Framework]:
    """A request to InvokeAgentRuntime, or AgentError where the service, or the agent, would refuse it."""
    operation = model.operation(_SERVICE, "InvokeAgentRuntime")
    uri = {"agentRuntimeArn": arn}
    members = model.read(operation, uri=uri, query=query, headers=headers, body=body)
    _check_agent(arn, list(RUNTIME_ARNS.values()), members.get("qualifier"))
    framework = next(framework for framework, known in RUNTIME_ARNS.items() if known == arn)
    if "runtimeSessionId" not in members:
        raise AgentError("validationException", "This fake has no sessions without an id.")
    given = _payload(body)
    identity: dict[str, str] = {
        name: members[name] for name in ("runtimeUserId", "traceParent") if name in members
    }
    decisions = _decisions(given, framework)
    asked = AgentRequest(
        operation="InvokeAgentRuntime",
        agent=arn,
        session_id=members["runtimeSessionId"],
        input_text="" if decisions else _prompt(given, framework),
        attributes={**_slack(given), **identity},
        files=tuple(map(_file, given.get("files", []))),
        decisions=decisions,
    )
    return asked, framework


def read_stop(arn: str, *, query: Mapping[str, str], headers: Headers, body: bytes) -> str:
    """The session that a request to StopRuntimeSession is about; AgentError where the service refuses it."""
    operation = model.operation(_SERVICE, "StopRuntimeSession")
    members = model.read(operation, uri={"agentRuntimeArn": arn}, query=query, headers=headers, body=body)
    _check_agent(arn, list(RUNTIME_ARNS.values()), members.get("qualifier"))
    return str(members["runtimeSessionId"])


def refusal(error: str, *, of_harness: bool) -> tuple[str, int, dict[str, str]]:
    """An error as the API has it: its name, its HTTP status and its members besides the message.

    InvokeHarness' model knows no conflict; that the session is in use is a reason of a ValidationException.
    """
    if error == "conflictException" and of_harness:
        return "ValidationException", 400, {"reason": "ResourceConflict"}
    name, status = ERRORS[error]
    return name, status, {"reason": _REASON} if name == "ValidationException" else {}


def _check_agent(arn: str, known: list[str], qualifier: str | None) -> None:
    if arn not in known or qualifier not in (None, QUALIFIER):
        raise AgentError("resourceNotFoundException", f"No endpoint or agent found for {arn}.")


def _tool_result(result: Mapping[str, Any]) -> Decision:
    said = "".join(content["text"] for content in result["content"])
    return Decision(result["toolUseId"], result.get("status") != "error", said=said)


def _decisions(given: Mapping[str, Any], framework: Framework) -> tuple[Decision, ...]:
    """What the payload says about interrupts of the agent; () where it asks the agent something."""
    try:
        match framework:
            case Framework.AG_UI:  # https://docs.ag-ui.com/concepts/interrupts
                return tuple(map(_resume_entry, given.get("resume", ())))
            case Framework.STRANDS if isinstance(given.get("prompt"), list):
                reasons = _reasons(given)
                return tuple(_interrupt_response(item, reasons) for item in given["prompt"])
            case Framework.WELT if "interrupt_responses" in given:
                # Either this or messages: https://github.com/iwamot/welt/blob/main/docs/wire.md
                assert not {"messages", "prompt"} & given.keys()
                reasons = _reasons(given)
                return tuple(
                    Decision(under, _yes_or_no(answer["value"]), said=reasons.get(under, ""))
                    for under, answer in given["interrupt_responses"].items()
                    if answer["source"] == "option"
                )
        return ()
    except (AssertionError, AttributeError, LookupError, TypeError):
        raise _broke_down("the payload is not what this agent takes") from None


def _resume_entry(entry: Mapping[str, Any]) -> Decision:
    assert entry["status"] == "resolved"
    payload = entry["payload"]  # as the `responseSchema` of the interrupt says
    said = payload.get("reason", "")
    return Decision(entry["interruptId"], _yes_or_no(payload["approved"]), said=said)


def _interrupt_response(item: Mapping[str, Any], reasons: Mapping[str, str]) -> Decision:
    # Strands takes nothing beside these: `_InterruptState.resume` raises TypeError.
    assert item.keys() == {"interruptResponse"}
    told = item["interruptResponse"]
    under = told["interruptId"]
    return Decision(under, _yes_or_no(told["response"]), said=reasons.get(under, ""))


def _reasons(given: Mapping[str, Any]) -> dict[str, str]:
    """Why what is denied, by the id of the interrupt: only this bridge's own member says it."""
    return {decision["id"]: decision.get("reason", "") for decision in given.get("decisions", ())}


def _yes_or_no(answer: object) -> bool:
    # Many agents ask whether the answer is true, and any text or object would be.
    assert isinstance(answer, bool)
    return answer


def _payload(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise _broke_down("the payload is no JSON object")
    return given


def _prompt(given: Mapping[str, Any], framework: Framework) -> str:
    try:
        if framework is Framework.AG_UI:  # https://docs.ag-ui.com/sdk/python/core/types
            assert isinstance(given["threadId"], str)
            assert isinstance(given["runId"], str)
            assert given["messages"][-1]["role"] == "user"
            return str(given["messages"][-1]["content"])
        assert isinstance(given["prompt"], str)
        return str(given["prompt"])
    except (AssertionError, LookupError, TypeError):
        raise _broke_down("the payload is not what this agent takes") from None


def _slack(given: Mapping[str, Any]) -> dict[str, str]:
    facts = given.get("slack", {})
    if not (isinstance(facts, dict) and all(isinstance(fact, str) for fact in facts.values())):
        raise _broke_down("'slack' is not an object of strings")
    return facts


def _file(file: Any) -> InputFile:
    try:
        return InputFile(file["name"], file["mediaType"], len(base64.b64decode(file["data"], validate=True)))
    except (LookupError, TypeError, binascii.Error):
        raise _broke_down("a file is not as it should be") from None


def _broke_down(why: str) -> AgentError:
    """What the caller learns when the agent's own code answers with an HTTP error."""
    message = f"Received error (500) from runtime. Please check your CloudWatch logs. ({why})"
    return AgentError("dependencyFailedException", message)
