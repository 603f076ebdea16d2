"""The wire shapes of InvokeAgent: its requests, its errors, the events of its stream.

Source: the service model of `bedrock-agent-runtime`, and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html
"""

import base64
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import Headers

from simulator.agent import eventstream, model
from simulator.agent.actions import (
    Approval,
    Arguments,
    Citation,
    Collaborate,
    Files,
    Guardrail,
    Lookup,
    Policy,
    Reference,
    RunCode,
    ToolUse,
)
from simulator.agent.request import AgentError, AgentRequest, Decision, InputFile
from simulator.agent.wire import INPUT_TOKENS, OUTPUT_TOKENS, Tool

# From the model's documentation: all files together at most 10 MB, and at most five of them.
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_ByteContentFile.html
INPUT_FILES_MAX = 5
INPUT_FILES_TOTAL_MAX = 10_485_760

COLLABORATOR_ARN = "arn:aws:bedrock:us-east-1:123456789012:agent-alias/COLLEAGUE1/LIVEALIAS1"

# The stream's exception members and the HTTP status of each as an answer to the request.
# As an HTTP error the name is the shape's, with a capital.
ERRORS = {
    "accessDeniedException": 403,
    "badGatewayException": 502,
    "conflictException": 409,
    "dependencyFailedException": 424,
    "internalServerException": 500,
    "modelNotReadyException": 424,
    "resourceNotFoundException": 404,
    "serviceQuotaExceededException": 400,
    "throttlingException": 429,
    "validationException": 400,
}

# Of a function's parameter, in JSON Schema's words.
_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number"}

# The member of a location that tells of each kind, and its own member.
_LOCATIONS = {
    "S3": ("s3Location", "uri"),
    "WEB": ("webLocation", "url"),
    "CONFLUENCE": ("confluenceLocation", "url"),
    "CUSTOM": ("customDocumentLocation", "id"),
}

# Where an assessment tells of each kind of policy, and which member holds its name.
_POLICIES = {
    "topic": ("topicPolicy", "topics", "name"),
    "content": ("contentPolicy", "filters", "type"),
    "custom word": ("wordPolicy", "customWords", "match"),
    "word list": ("wordPolicy", "managedWordLists", "type"),
    "pii": ("sensitiveInformationPolicy", "piiEntities", "type"),
    "regex": ("sensitiveInformationPolicy", "regexes", "name"),
}


def read(*, uri: Mapping[str, str], headers: Headers, body: bytes) -> AgentRequest:
    """A request to InvokeAgent, or AgentError where the service would refuse it."""
    operation = model.operation("bedrock-agent-runtime", "InvokeAgent")
    members = model.read(operation, uri=uri, query={}, headers=headers, body=body)
    state = members.get("sessionState") or {}
    results = state.get("returnControlInvocationResults") or []
    text, ends = members.get("inputText", ""), members.get("endSession", False)
    if not (text.strip() or results or ends):
        raise AgentError("validationException", "Either inputText or a result of an invocation is required.")
    return AgentRequest(
        operation="InvokeAgent",
        agent=f"{members['agentId']}/{members['agentAliasId']}",
        session_id=members["sessionId"],
        input_text=text,
        attributes=state.get("sessionAttributes") or {},
        files=_input_files(state.get("files") or []),
        trace=members.get("enableTrace", False),
        streaming=bool(members.get("streamingConfigurations", {}).get("streamFinalResponse")),
        end_session=ends,
        decisions=tuple(_decision(result, state.get("invocationId", "")) for result in results),
    )


def _input_files(given: list[dict[str, Any]]) -> tuple[InputFile, ...]:
    if len(given) > INPUT_FILES_MAX:
        raise model.violation("sessionState.files", f"Member must have at most {INPUT_FILES_MAX} members")
    files = tuple(_input_file(file["name"], file["source"]) for file in given)
    if sum(file.size for file in files) > INPUT_FILES_TOTAL_MAX:
        raise AgentError("validationException", "The files are larger than 10 MB together.")
    return files


def _input_file(name: str, source: dict[str, Any]) -> InputFile:
    member = "s3Location" if source["sourceType"] == "S3" else "byteContent"
    if (content := source.get(member)) is None:
        raise model.violation(f"sessionState.files.source.{member}", "Member must not be null")
    if member == "s3Location":
        return InputFile(name, "", 0)
    return InputFile(name, content["mediaType"], len(base64.b64decode(content["data"])))


def _decision(result: dict[str, Any], invocation_id: str) -> Decision:
    # This agent asks for consent to functions only: see `return_control`.
    told = result.get("functionResult")
    if told is None or told.get("actionGroup") != told.get("function"):
        raise AgentError("validationException", "The result must be that of the function.")
    if "confirmationState" not in told:
        raise AgentError("validationException", "The function needs the confirmation of the user.")
    said = told.get("responseBody", {}).get("TEXT", {}).get("body", "")
    is_approved = told["confirmationState"] == "CONFIRM"
    return Decision(invocation_id, is_approved, tool=told["function"], said=said)


def chunk(data: bytes, citations: Iterable[Citation] = ()) -> bytes:
    """The event that carries a piece of the answer."""
    body: dict[str, Any] = {"bytes": _base64(data)}
    if shown := [_citation(citation) for citation in citations]:
        body["attribution"] = {"citations": shown}
    return eventstream.event("chunk", body)


def files(made: Files) -> bytes:
    """The event that carries files the agent made."""
    shown = [{"name": f.name, "type": f.media_type, "bytes": _base64(f.data)} for f in made.files]
    return eventstream.event("files", {"files": shown})


def return_control(approvals: Sequence[Approval]) -> bytes:
    """The event that asks the caller for a person's consent to functions, all under the id of the first."""
    calls = [
        {
            "actionGroup": approval.tool,
            "function": approval.tool,
            "actionInvocationType": "USER_CONFIRMATION",
            "parameters": _parameters(approval.parameters),
        }
        for approval in approvals
    ]
    inputs = [{"functionInvocationInput": call} for call in calls]
    body = {"invocationId": approvals[0].id, "invocationInputs": inputs}
    return eventstream.event("returnControl", body)


def failure(error: str, message: str) -> bytes:
    """The exception `error`, a key of ERRORS, within the stream."""
    return eventstream.exception(error, {"message": message})


@dataclass
class Tracer:
    """Makes the trace events of one turn; they share ids and count their steps.

    Attributes:
        collaborator: whose steps the events tell of; "" for the agent's own.
    """

    agent_id: str
    alias_id: str
    session_id: str
    collaborator: str = ""
    _turn: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    _step: int = 0

    def model_input(self, prompt: str) -> bytes:
        """The orchestration model is asked: the first event of each step."""
        self._step += 1
        return self._orchestration("modelInvocationInput", text=prompt, type="ORCHESTRATION")

    def model_output(self) -> bytes:
        """The orchestration model has answered. Its `Usage` has no total.

        https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Usage.html
        """
        usage = {"inputTokens": INPUT_TOKENS, "outputTokens": OUTPUT_TOKENS}
        return self._orchestration("modelInvocationOutput", metadata={"usage": usage})

    def rationale(self, text: str) -> bytes:
        return self._orchestration("rationale", text=text)

    def call(self, tool: Tool) -> bytes:
        """What a tool is asked for."""
        asked: dict[str, Any]
        match tool:
            case ToolUse(name, parameters):
                kind, member = "ACTION_GROUP", "actionGroupInvocationInput"
                asked = {"actionGroupName": name, "function": name, "executionType": "LAMBDA"}
                asked["parameters"] = _parameters(parameters)
            case Lookup(question):
                kind, member = "KNOWLEDGE_BASE", "knowledgeBaseLookupInput"
                asked = {"knowledgeBaseId": "KBHANDBOOK", "text": question}
            case RunCode(code):
                kind, member = "ACTION_GROUP_CODE_INTERPRETER", "codeInterpreterInvocationInput"
                asked = {"code": code}
            case Collaborate(name, task):
                kind, member = "AGENT_COLLABORATOR", "agentCollaboratorInvocationInput"
                asked = {**_collaborator(name), "input": {"type": "TEXT", "text": task}}
        return self._orchestration("invocationInput", invocationType=kind, **{member: asked})

    def result(self, tool: Tool) -> bytes:
        """What a tool has given."""
        given: dict[str, Any]
        match tool:
            case ToolUse(output=output):
                kind, member, given = "ACTION_GROUP", "actionGroupInvocationOutput", {"text": output}
            case Lookup(references=found):
                kind, member = "KNOWLEDGE_BASE", "knowledgeBaseLookupOutput"
                given = {"retrievedReferences": [_reference(reference) for reference in found]}
            case RunCode(output=output, files=names):
                kind, member = "ACTION_GROUP", "codeInterpreterInvocationOutput"
                given = {"executionOutput": output, "executionTimeout": False, "files": list(names)}
            case Collaborate(name, output=output):
                kind, member = "AGENT_COLLABORATOR", "agentCollaboratorInvocationOutput"
                given = {**_collaborator(name), "output": {"type": "TEXT", "text": output}}
        return self._orchestration("observation", type=kind, **{member: given})

    def final_response(self, text: str) -> bytes:
        """Repeats the whole answer, as the service does: an observation, not one more piece of text."""
        return self._orchestration("observation", type="FINISH", finalResponse={"text": text})

    def of_collaborator(self, name: str) -> "Tracer":
        """For the steps of another agent that this one has called."""
        return replace(self, collaborator=name, _turn=uuid.uuid4().hex[:10], _step=0)

    def guardrail(self, guardrail: Guardrail) -> bytes:
        body: dict[str, Any] = {
            "action": "INTERVENED" if guardrail.policies else "NONE",
            "traceId": self._trace_id(),
        }
        if guardrail.policies:
            side = "outputAssessments" if guardrail.of_answer else "inputAssessments"
            body[side] = [_assessment(guardrail.policies)]
        return self._event({"guardrailTrace": body})

    def failure(self, reason: str) -> bytes:
        return self._event({"failureTrace": {"traceId": self._trace_id(), "failureReason": reason}})

    def _orchestration(self, member: str, **body: Any) -> bytes:
        return self._event({"orchestrationTrace": {member: {"traceId": self._trace_id(), **body}}})

    def _event(self, trace: dict[str, Any]) -> bytes:
        alias_arn = f"arn:aws:bedrock:us-east-1:123456789012:agent-alias/{self.agent_id}/{self.alias_id}"
        callers = [alias_arn, COLLABORATOR_ARN] if self.collaborator else [alias_arn]
        body: dict[str, Any] = {
            "agentId": self.agent_id,
            "agentAliasId": self.alias_id,
            "agentVersion": "DRAFT" if self.alias_id == "TSTALIASID" else "1",
            "sessionId": self.session_id,
            "callerChain": [{"agentAliasArn": arn} for arn in callers],
            "eventTime": datetime.now(UTC).isoformat(),
            "trace": trace,
        }
        if self.collaborator:
            body["collaboratorName"] = self.collaborator
        return eventstream.event("trace", body)

    def _trace_id(self) -> str:
        return f"{self._turn}-{self._step}"


def _collaborator(name: str) -> dict[str, str]:
    return {"agentCollaboratorName": name, "agentCollaboratorAliasArn": COLLABORATOR_ARN}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _parameters(values: Arguments) -> list[dict[str, str]]:
    return [
        {"name": name, "type": _TYPES[type(value)], "value": str(value)} for name, value in values.items()
    ]


def _citation(citation: Citation) -> dict[str, Any]:
    span = {"start": citation.start, "end": citation.end}
    return {
        "generatedResponsePart": {"textResponsePart": {"text": citation.text, "span": span}},
        "retrievedReferences": [_reference(reference) for reference in citation.references],
    }


def _reference(reference: Reference) -> dict[str, Any]:
    location, member = _LOCATIONS[reference.kind]
    return {
        "content": {"type": "TEXT", "text": reference.text},
        "location": {"type": reference.kind, location: {member: reference.address}},
        "metadata": {"x-amz-bedrock-kb-source-uri": reference.address},
    }


def _assessment(policies: Iterable[Policy]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for fired in policies:
        policy, entries, member = _POLICIES[fired.kind]
        entry = {"action": fired.action, member: fired.name}
        if fired.kind == "topic":
            entry["type"] = "DENY"
        if fired.kind == "content":
            entry["confidence"] = "HIGH"
        if fired.match:
            entry["match"] = fired.match
        found.setdefault(policy, {}).setdefault(entries, []).append(entry)
    return found
