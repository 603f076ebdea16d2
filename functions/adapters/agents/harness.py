"""Amazon Bedrock AgentCore's managed harness: InvokeHarness, translated into agent events.

docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeHarness.html
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from functions.adapters.agents.agentcore import (
    REFUSED,
    actor_of,
    client_of,
    runtime_session_id,
    trace_parent,
)
from functions.adapters.agents.call import AgentCall
from functions.adapters.agents.connection import Connection
from functions.adapters.agents.denials import denial
from functions.adapters.agents.harness_events import HarnessTranslator
from functions.adapters.agents.run import BackgroundRun
from functions.bridge.agents.events import AgentEvent, Failed, ToolAnswer
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import AgentPorts, Question
from functions.settings import AgentSettings

if TYPE_CHECKING:
    from mypy_boto3_bedrock_agentcore import BedrockAgentCoreClient
    from mypy_boto3_bedrock_agentcore.type_defs import HarnessMessageTypeDef, InvokeHarnessRequestTypeDef


@dataclass(frozen=True)
class Limits:
    """The limits of one answer: seconds, calls of the model, tokens that the model writes.

    They replace the harness's own, lower or higher; 0 keeps them.
    docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-operations.html
    """

    timeout_seconds: int = 0
    max_iterations: int = 0
    max_tokens: int = 0


_BROKEN_OFF = {"validationException": Failure.INVALID}


def from_settings(settings: AgentSettings, ports: AgentPorts) -> "AgentCoreHarness":
    """The harness at `arn`, or its endpoint `qualifier`, in the region that the ARN names."""
    return AgentCoreHarness(
        client_of(settings, longest_silence=ports.longest_silence),
        arn=settings.required("arn"),
        qualifier=settings.qualifier,
        remembers_people=settings.remembers_people,
        limits=Limits(settings.timeout_seconds, settings.max_iterations, settings.max_tokens),
    )


class AgentCoreHarness:
    """One harness, or one of its endpoints. See `functions.bridge.agents.port.Agent`.

    Args:
        arn: the whole ARN of the harness; its id alone is refused.
        qualifier: the name of an endpoint; "" for the default one.
        remembers_people: see `functions.adapters.agents.agentcore.actor_of`.
    """

    def __init__(
        self,
        client: "BedrockAgentCoreClient",
        *,
        arn: str,
        qualifier: str = "",
        remembers_people: bool = False,
        limits: Limits = Limits(),
    ) -> None:
        self._client = client
        self._arn = arn
        self._qualifier = qualifier
        self._remembers_people = remembers_people
        self._limits = limits

    def ask(self, question: Question) -> BackgroundRun:
        return _run(partial(self._answer, question))

    def resume(self, question: Question, answers: Sequence[ToolAnswer]) -> BackgroundRun:
        return _run(partial(self._rest, question, answers))

    def _answer(self, question: Question, connection: Connection) -> Iterator[AgentEvent]:
        if question.files:
            yield Failed(Failure.FILES_NOT_TAKEN, "a harness takes text only")
            return
        # Only `text` holds what people wrote, because the harness trusts all other members.
        message: HarnessMessageTypeDef = {"role": "user", "content": [{"text": question.text}]}
        yield from self._translated(question, [message], connection)

    def _rest(
        self, question: Question, answers: Sequence[ToolAnswer], connection: Connection
    ) -> Iterator[AgentEvent]:
        yield from self._translated(question, _messages(answers), connection)

    def _translated(
        self, question: Question, messages: "list[HarnessMessageTypeDef]", connection: Connection
    ) -> Iterator[AgentEvent]:
        stream = self._invoke(question, messages)
        connection.hold(stream._raw_stream)
        translate = HarnessTranslator()
        # Read to the end: several messages may come, and hook events may follow the last one.
        for member in stream:
            yield from translate(member)
        connection.close()
        yield from translate.end()

    def _invoke(self, question: Question, messages: "list[HarnessMessageTypeDef]") -> Any:
        """Send the request. Returns its event stream."""
        request: InvokeHarnessRequestTypeDef = {
            "harnessArn": self._arn,
            "runtimeSessionId": runtime_session_id(question.session_id),
            "actorId": actor_of(question, remembers_people=self._remembers_people),
            "messages": messages,
        }
        if self._qualifier:
            request["qualifier"] = self._qualifier
        if parent := trace_parent():
            request["traceParent"] = parent
        if self._limits.timeout_seconds:
            request["timeoutSeconds"] = self._limits.timeout_seconds
        if self._limits.max_iterations:
            request["maxIterations"] = self._limits.max_iterations
        if self._limits.max_tokens:
            request["maxTokens"] = self._limits.max_tokens
        return self._client.invoke_harness(**request)["stream"]


def _run(translated: Callable[[Connection], Iterator[AgentEvent]]) -> BackgroundRun:
    return BackgroundRun(AgentCall(translated, refused=REFUSED, broken_off=_BROKEN_OFF))


def _messages(answers: Sequence[ToolAnswer]) -> "list[HarnessMessageTypeDef]":
    """What became of the inline functions that the harness handed over.

    It needs the results only, but until August 2026 it needed its own calls too, and ignores them since:
    docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html
    """
    calls: HarnessMessageTypeDef = {
        "role": "assistant",
        "content": [
            {
                "toolUse": {
                    "toolUseId": answer.request.call_id,
                    "name": answer.request.context,
                    "input": json.loads(answer.request.arguments),
                }
            }
            for answer in answers
        ],
    }
    results: HarnessMessageTypeDef = {
        "role": "user",
        "content": [
            {
                "toolResult": {
                    "toolUseId": answer.request.call_id,
                    # A `json` block is in the service model, but the harness refuses it.
                    "content": [{"text": _result(answer)}],
                    "status": "success" if answer.is_approved and not answer.has_failed else "error",
                }
            }
            for answer in answers
        ],
    }
    return [calls, results]


def _result(answer: ToolAnswer) -> str:
    return (answer.result or "The tool returned nothing.") if answer.is_approved else denial(answer)
