"""The wire shapes of InvokeAgent: limits of its input, its errors, the events of its stream.

Source: the service model of `bedrock-agent-runtime`, and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html
"""

import base64
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator.agent import eventstream
from simulator.agent.actions import Approval, Citation, File, Guardrail, ToolUse

IDENTIFIER_PATTERN = "^[0-9a-zA-Z]+$"  # of agents and aliases
IDENTIFIER_MAX = 10
SESSION_PATTERN = "^[0-9a-zA-Z._:-]+$"  # of memories too
SESSION_LENGTHS = (2, 100)
INPUT_TEXT_MAX = 25_000_000
CHUNK_MAX = 1_000_000

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


def chunk(data: bytes, citations: Iterable[Citation] = ()) -> bytes:
    """The event that carries a piece of the answer."""
    body: dict[str, Any] = {"bytes": _base64(data)}
    if shown := [_citation(citation) for citation in citations]:
        body["attribution"] = {"citations": shown}
    return eventstream.event("chunk", body)


def files(*made: File) -> bytes:
    """The event that carries files the agent made."""
    shown = [{"name": file.name, "type": file.media_type, "bytes": _base64(file.data)} for file in made]
    return eventstream.event("files", {"files": shown})


def return_control(approval: Approval, invocation_id: str) -> bytes:
    """The event that asks the caller for a person's consent to a function."""
    call = {
        "actionGroup": approval.tool,
        "function": approval.tool,
        "actionInvocationType": "USER_CONFIRMATION",
        "parameters": _parameters(approval.parameters),
    }
    inputs = [{"functionInvocationInput": call}]
    return eventstream.event("returnControl", {"invocationId": invocation_id, "invocationInputs": inputs})


def failure(error: str, message: str) -> bytes:
    """The exception `error`, a key of ERRORS, within the stream."""
    return eventstream.exception(error, {"message": message})


@dataclass
class Tracer:
    """Makes the trace events of one turn; they share ids and count their steps."""

    agent_id: str
    alias_id: str
    session_id: str
    _turn: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    _step: int = 0

    def model_input(self, prompt: str) -> bytes:
        """The orchestration model is asked: the first event of each step."""
        self._step += 1
        return self._orchestration("modelInvocationInput", text=prompt, type="ORCHESTRATION")

    def model_output(self) -> bytes:
        usage = {"usage": {"inputTokens": 0, "outputTokens": 0}}
        return self._orchestration("modelInvocationOutput", metadata=usage)

    def rationale(self, text: str) -> bytes:
        return self._orchestration("rationale", text=text)

    def tool_input(self, use: ToolUse) -> bytes:
        call = {
            "actionGroupName": use.tool,
            "function": use.tool,
            "executionType": "LAMBDA",
            "parameters": _parameters(use.parameters),
        }
        return self._orchestration(
            "invocationInput", invocationType="ACTION_GROUP", actionGroupInvocationInput=call
        )

    def tool_output(self, use: ToolUse) -> bytes:
        result = {"text": use.output}
        return self._orchestration("observation", type="ACTION_GROUP", actionGroupInvocationOutput=result)

    def final_response(self, text: str) -> bytes:
        """Repeats the whole answer, as the service does: an observation, not one more piece of text."""
        return self._orchestration("observation", type="FINISH", finalResponse={"text": text})

    def guardrail(self, guardrail: Guardrail) -> bytes:
        topic = {"name": guardrail.topic, "type": "DENY", "action": "BLOCKED"}
        assessment = {"topicPolicy": {"topics": [topic]}}
        body = {"action": "INTERVENED", "traceId": self._trace_id(), "inputAssessments": [assessment]}
        return self._event({"guardrailTrace": body})

    def failure(self, reason: str) -> bytes:
        return self._event({"failureTrace": {"traceId": self._trace_id(), "failureReason": reason}})

    def _orchestration(self, member: str, **body: Any) -> bytes:
        return self._event({"orchestrationTrace": {member: {"traceId": self._trace_id(), **body}}})

    def _event(self, trace: dict[str, Any]) -> bytes:
        alias_arn = f"arn:aws:bedrock:us-east-1:123456789012:agent-alias/{self.agent_id}/{self.alias_id}"
        body = {
            "agentId": self.agent_id,
            "agentAliasId": self.alias_id,
            "agentVersion": "DRAFT" if self.alias_id == "TSTALIASID" else "1",
            "sessionId": self.session_id,
            "callerChain": [{"agentAliasArn": alias_arn}],
            "eventTime": datetime.now(UTC).isoformat(),
            "trace": trace,
        }
        return eventstream.event("trace", body)

    def _trace_id(self) -> str:
        return f"{self._turn}-{self._step}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _parameters(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": "string", "value": value} for name, value in values.items()]


def _citation(citation: Citation) -> dict[str, Any]:
    span = {"start": citation.start, "end": citation.end}
    reference = {
        "content": {"type": "TEXT", "text": citation.text},
        "location": {"type": "S3", "s3Location": {"uri": citation.source_uri}},
        "metadata": {"x-amz-bedrock-kb-source-uri": citation.source_uri},
    }
    return {
        "generatedResponsePart": {"textResponsePart": {"text": citation.text, "span": span}},
        "retrievedReferences": [reference],
    }
