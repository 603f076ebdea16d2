"""Amazon Bedrock Agents: InvokeAgent and its event stream, translated into agent events.

docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html
"""

import codecs
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    EventStreamError,
)
from urllib3.exceptions import HTTPError

from functions.adapters.stream import BackgroundRun
from functions.bridge.agent import AgentEvent, Failed, Finished, Question, Rationale, TextDelta, ToolUse
from functions.bridge.failures import Failure

if TYPE_CHECKING:
    from mypy_boto3_bedrock_agent_runtime import AgentsforBedrockRuntimeClient

# The request itself was refused, with an HTTP status: throttling, a turn of the same session under way, and a
# model that is still being loaded left the agent untouched. The rest will not change by asking again.
_REFUSED = {
    "throttlingException": Failure.THROTTLED,
    "conflictException": Failure.BUSY,
    "modelNotReadyException": Failure.NOT_READY,
    "serviceQuotaExceededException": Failure.QUOTA,
    "accessDeniedException": Failure.ACCESS_DENIED,
    "resourceNotFoundException": Failure.NOT_FOUND,
    "validationException": Failure.INVALID,
    "dependencyFailedException": Failure.DEPENDENCY,
}
# The same words inside a stream come from an agent that was running.
_BROKEN_OFF = {
    "serviceQuotaExceededException": Failure.QUOTA,
    "accessDeniedException": Failure.ACCESS_DENIED,
    "resourceNotFoundException": Failure.NOT_FOUND,
    "validationException": Failure.INVALID,
    "dependencyFailedException": Failure.DEPENDENCY,
}


class BedrockAgent:
    """One alias of one agent. See `functions.bridge.agent.Agent`."""

    def __init__(self, client: "AgentsforBedrockRuntimeClient", *, agent_id: str, alias_id: str) -> None:
        self._client = client
        self._agent_id = agent_id
        self._alias_id = alias_id
        # Streaming needs a permission that older agents' roles lack; once refused, it is not asked for again.
        self._may_stream = True

    def ask(self, question: Question) -> BackgroundRun:
        return BackgroundRun(_InvokeAgent(self, question))

    def invoke(self, question: Question) -> tuple[Any, bool]:
        """Send the request; return its event stream, and whether the text comes in pieces."""
        streaming = self._may_stream
        response = self._client.invoke_agent(
            agentId=self._agent_id,
            agentAliasId=self._alias_id,
            sessionId=question.session_id,
            inputText=question.text,
            # Always: without traces the first event comes after the agent's tools ran.
            enableTrace=True,
            streamingConfigurations={"streamFinalResponse": streaming},
        )
        return response["completion"], streaming

    def streaming_was_refused(self) -> None:
        self._may_stream = False


class _InvokeAgent:
    """One InvokeAgent call. See `functions.adapters.stream.Stream`."""

    def __init__(self, agent: BedrockAgent, question: Question) -> None:
        self._agent = agent
        self._question = question
        self._lock = threading.Lock()
        self._response: Any = None
        self._shut_down = False

    def events(self) -> Iterator[AgentEvent]:
        try:
            yield from self._translated()
        except (BotoCoreError, HTTPError) as exc:
            # urllib3's ReadTimeoutError and ProtocolError escape botocore in the middle of a stream.
            # Only the type: some of these exceptions quote what was sent.
            yield Failed(_connection_failure(exc), type(exc).__name__)
        except EventStreamError as exc:
            yield Failed(_BROKEN_OFF.get(_code(exc), Failure.INTERNAL), _detail(exc))
        except ClientError as exc:
            yield Failed(_REFUSED.get(_code(exc), Failure.INTERNAL), _detail(exc))
        finally:
            self._close()

    def shutdown(self) -> None:
        with self._lock:
            self._shut_down = True
            self._stop_reading()

    def _close(self) -> None:
        # From here on the connection may serve another run: it must not be shut down any more.
        with self._lock:
            response, self._response = self._response, None
        if response is not None:
            response.close()

    def _translated(self) -> Iterator[AgentEvent]:
        harmless = True  # nothing was done yet, so that asking again repeats nothing
        stream, streaming = self._open()
        translate = _Translation()
        try:
            for member in stream:
                harmless = harmless and _is_harmless(member)
                yield from translate(member)
        except EventStreamError as exc:
            if not (streaming and harmless and _code(exc) == "accessDeniedException"):
                raise
            self._close()
            self._agent.streaming_was_refused()
            stream, _ = self._open()
            for member in stream:
                yield from translate(member)
        self._close()
        yield from translate.end()

    def _open(self) -> tuple[Any, bool]:
        stream, streaming = self._agent.invoke(self._question)
        with self._lock:
            # urllib3's response: closing the EventStream instead would block while a read is under way.
            self._response = stream._raw_stream
            if self._shut_down:
                self._stop_reading()
        return stream, streaming

    def _stop_reading(self) -> None:
        # At the end of a stream urllib3 lets go of the connection by itself, and then has none to shut down.
        with suppress(ValueError, RuntimeError):
            if self._response is not None:
                self._response.shutdown()


class _Translation:
    """Turns the members of one stream into agent events."""

    def __init__(self) -> None:
        # Chunks may end inside a character: one decoder for the whole answer.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._returned_control = False

    def __call__(self, member: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if "chunk" in member:
            yield TextDelta(self._decoder.decode(member["chunk"].get("bytes", b"")))
        elif "trace" in member:
            yield from _trace_events(member["trace"].get("trace", {}))
        self._returned_control = self._returned_control or "returnControl" in member

    def end(self) -> Iterator[AgentEvent]:
        if rest := self._decoder.decode(b"", final=True):
            yield TextDelta(rest)
        if self._returned_control:
            yield Failed(Failure.RETURN_OF_CONTROL, "the agent returned control")
        else:
            yield Finished()


def _is_harmless(member: Mapping[str, Any]) -> bool:
    """Whether the agent has only thought so far. What we do not know may be anything."""
    trace = member.get("trace", {}).get("trace", {})
    steps = trace.get("orchestrationTrace", {})
    thoughts = {"modelInvocationInput", "modelInvocationOutput", "rationale"}
    kinds = {"preProcessingTrace", "guardrailTrace", "orchestrationTrace", "failureTrace"}
    return bool(trace) and trace.keys() <= kinds and steps.keys() <= thoughts


def _trace_events(trace: Mapping[str, Any]) -> Iterator[AgentEvent]:
    for kind in ("orchestrationTrace", "routingClassifierTrace", "customOrchestrationTrace"):
        steps = trace.get(kind, {})
        if text := steps.get("rationale", {}).get("text"):
            # JSON may hold halves of surrogate pairs, which can be sent nowhere.
            yield Rationale(text.encode("utf-8", "replace").decode())
        if name := _tool_name(steps.get("invocationInput", {})):
            yield ToolUse(name)


def _tool_name(invocation: Mapping[str, Any]) -> str:
    """What the agent uses, by the name that its builder gave it."""
    return str(
        invocation.get("actionGroupInvocationInput", {}).get("actionGroupName")
        or invocation.get("agentCollaboratorInvocationInput", {}).get("agentCollaboratorName")
        or invocation.get("knowledgeBaseLookupInput", {}).get("knowledgeBaseId")
        or invocation.get("invocationType", "")
    )


def _connection_failure(exc: Exception) -> Failure:
    # Refused, unknown host, or no connection in time: the request was never sent.
    unsent = isinstance(exc, EndpointConnectionError | ConnectTimeoutError)
    return Failure.UNREACHABLE if unsent else Failure.CUT_OFF


def _detail(exc: ClientError) -> str:
    """What the service said, for the operator; but of what it may quote from the question only the name."""
    error = exc.response.get("Error", {})
    metadata = exc.response.get("ResponseMetadata", {})
    quotes = _code(exc) in ("validationException", "dependencyFailedException")
    message = "" if quotes else f": {error.get('Message', '')}"
    return f"{error.get('Code', '')} (request {metadata.get('RequestId', 'unknown')}){message}"


def _code(exc: ClientError) -> str:
    """The error's name as the service model spells it in a stream; HTTP errors begin with a capital."""
    code = exc.response.get("Error", {}).get("Code", "")
    return code[:1].lower() + code[1:]
