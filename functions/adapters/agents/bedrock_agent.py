"""Amazon Bedrock Agents: InvokeAgent and its event stream, translated into agent events.

docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from botocore.exceptions import EventStreamError

from functions.adapters.agents.asker import asker_attributes
from functions.adapters.agents.bedrock_agent_events import InvokeAgentTranslator, only_reasons
from functions.adapters.agents.bedrock_agent_results import may_stream, results
from functions.adapters.agents.call import AgentCall
from functions.adapters.agents.client import bedrock_agent_runtime, role_of
from functions.adapters.agents.connection import Connection
from functions.adapters.agents.errors import code
from functions.adapters.agents.run import BackgroundRun
from functions.bridge.agents.events import AgentEvent, File, ToolAnswer
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import AgentPorts, Question
from functions.settings import AgentSettings

if TYPE_CHECKING:
    from mypy_boto3_bedrock_agent_runtime import AgentsforBedrockRuntimeClient
    from mypy_boto3_bedrock_agent_runtime.type_defs import InputFileTypeDef, InvokeAgentRequestTypeDef

# Errors that refuse the request with an HTTP status. The first three leave the agent untouched and may be
# retried: throttling, a running turn in the same session, a model that is being loaded.
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
# The same errors inside a stream come from an agent that was running.
_BROKEN_OFF = {
    "serviceQuotaExceededException": Failure.QUOTA,
    "accessDeniedException": Failure.ACCESS_DENIED,
    "resourceNotFoundException": Failure.NOT_FOUND,
    "validationException": Failure.INVALID,
    "dependencyFailedException": Failure.DEPENDENCY,
}


def from_settings(settings: AgentSettings, ports: AgentPorts) -> "BedrockAgent":
    """The alias `alias_id` of the agent `agent_id`, in `region` or, where that is "", in the Lambda's own."""
    client = bedrock_agent_runtime(
        longest_silence=ports.longest_silence, role=role_of(settings), region=settings.region
    )
    return BedrockAgent(
        client, agent_id=settings.required("agent_id"), alias_id=settings.required("alias_id")
    )


class BedrockAgent:
    """One alias of one agent. See `functions.bridge.agents.port.Agent`."""

    def __init__(self, client: "AgentsforBedrockRuntimeClient", *, agent_id: str, alias_id: str) -> None:
        self._client = client
        self._agent_id = agent_id
        self._alias_id = alias_id
        # Streaming needs a permission that older agents' roles lack. Once denied, it is not requested again.
        self._may_stream = True

    def ask(self, question: Question) -> BackgroundRun:
        return _run(partial(self._answer, question))

    def resume(self, question: Question, answers: Sequence[ToolAnswer]) -> BackgroundRun:
        return _run(partial(self._rest, question, answers))

    def _answer(self, question: Question, connection: Connection) -> Iterator[AgentEvent]:
        only_reasoned = True  # no tool has run, so asking again repeats nothing
        translate = InvokeAgentTranslator(streaming=self._may_stream)
        request = self._request(question, streaming=translate.streaming)
        request["inputText"] = question.text
        request["sessionState"]["files"] = _input_files(question.files)
        try:
            for member in self._stream(request, connection):
                only_reasoned = only_reasoned and only_reasons(member)
                yield from translate(member)
        except EventStreamError as exc:
            if not (translate.streaming and only_reasoned and code(exc) == "accessDeniedException"):
                raise
            connection.close()
            self._may_stream = translate.streaming = False
            request["streamingConfigurations"] = {"streamFinalResponse": False}
            for member in self._stream(request, connection):
                yield from translate(member)
        connection.close()
        yield from translate.end()

    def _rest(
        self, question: Question, answers: Sequence[ToolAnswer], connection: Connection
    ) -> Iterator[AgentEvent]:
        # Sent once: the agent may have acted on it when its service breaks off.
        translate = InvokeAgentTranslator(streaming=may_stream(answers))
        request = self._request(question, streaming=translate.streaming)
        request["sessionState"]["invocationId"] = answers[0].request.call_id  # all share it
        request["sessionState"]["returnControlInvocationResults"] = results(answers)
        for member in self._stream(request, connection):
            yield from translate(member)
        connection.close()
        yield from translate.end()

    def _request(self, question: Question, *, streaming: bool) -> "InvokeAgentRequestTypeDef":
        """What each request for a question has."""
        who = asker_attributes(question.asker).items()
        return {
            "agentId": self._agent_id,
            "agentAliasId": self._alias_id,
            "sessionId": question.session_id,
            "sessionState": {"sessionAttributes": {f"slack_{name}": fact for name, fact in who}},
            # Without traces the first event would come after the agent's tools have run.
            "enableTrace": True,
            "streamingConfigurations": {"streamFinalResponse": streaming},
        }

    def _stream(self, request: "InvokeAgentRequestTypeDef", connection: Connection) -> Any:
        """Send the request. Returns its event stream."""
        stream: Any = self._client.invoke_agent(**request)["completion"]
        connection.hold(stream._raw_stream)
        return stream


def _run(translated: Callable[[Connection], Iterator[AgentEvent]]) -> BackgroundRun:
    return BackgroundRun(AgentCall(translated, refused=_REFUSED, broken_off=_BROKEN_OFF))


def _input_files(files: tuple[File, ...]) -> list["InputFileTypeDef"]:
    """`sessionState.files`. Each file needs a unique name, by which the agent identifies it."""
    taken: set[str] = set()
    sent: list[InputFileTypeDef] = []
    for file in files:
        name = _free_name(PurePath(file.name).name or "file", taken)
        taken.add(name.casefold())
        content: InputFileTypeDef = {
            "name": name,
            "useCase": "CHAT",
            "source": {
                "sourceType": "BYTE_CONTENT",
                "byteContent": {"mediaType": file.media_type, "data": file.data},
            },
        }
        sent.append(content)
    return sent


def _free_name(name: str, taken: set[str]) -> str:
    """`name`, or `name` with a number before its extension: "data (2).csv"."""
    path, free, number = PurePath(name), name, 2
    while free.casefold() in taken:
        free, number = f"{path.stem} ({number}){path.suffix}", number + 1
    return free
