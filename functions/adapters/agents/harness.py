"""Amazon Bedrock AgentCore's managed harness: InvokeHarness, translated into agent events.

docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeHarness.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.adapters.agents.agentcore import REFUSED, actor_of, runtime_session_id
from functions.adapters.agents.client import bedrock_agentcore, region_of, role_of
from functions.adapters.agents.connection import Connection
from functions.adapters.agents.errors import errors_as_events
from functions.adapters.agents.harness_events import HarnessTranslator
from functions.adapters.agents.run import BackgroundRun
from functions.bridge.agents.events import AgentEvent, Failed
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import Question
from functions.settings import AgentSettings

if TYPE_CHECKING:
    from mypy_boto3_bedrock_agentcore import BedrockAgentCoreClient
    from mypy_boto3_bedrock_agentcore.type_defs import InvokeHarnessRequestTypeDef


@dataclass(frozen=True)
class Limits:
    """Of one answer: seconds that it takes, calls of the model, tokens that the model writes.

    They replace those of the harness, whether they are lower or higher; 0 leaves the harness its own.
    docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-operations.html
    """

    timeout_seconds: int = 0
    max_iterations: int = 0
    max_tokens: int = 0


_BROKEN_OFF = {"validationException": Failure.INVALID}


def from_settings(settings: AgentSettings, *, longest_silence: float) -> "AgentCoreHarness":
    """The harness at `arn`, or its endpoint `qualifier`, in the region that the ARN names."""
    arn = settings.target("arn")
    client = bedrock_agentcore(longest_silence=longest_silence, role=role_of(settings), region=region_of(arn))
    return AgentCoreHarness(
        client,
        arn=arn,
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
        return BackgroundRun(_InvokeHarness(self, question))

    def invoke(self, question: Question) -> Any:
        """Send the request; return its event stream."""
        request: InvokeHarnessRequestTypeDef = {
            "harnessArn": self._arn,
            "runtimeSessionId": runtime_session_id(question.session_id),
            "actorId": actor_of(question, remembers_people=self._remembers_people),
            # Of what people wrote nothing but the text: the harness trusts everything else in this request.
            "messages": [{"role": "user", "content": [{"text": question.text}]}],
        }
        if self._qualifier:
            request["qualifier"] = self._qualifier
        if self._limits.timeout_seconds:
            request["timeoutSeconds"] = self._limits.timeout_seconds
        if self._limits.max_iterations:
            request["maxIterations"] = self._limits.max_iterations
        if self._limits.max_tokens:
            request["maxTokens"] = self._limits.max_tokens
        return self._client.invoke_harness(**request)["stream"]


class _InvokeHarness:
    """One InvokeHarness call. See `functions.adapters.agents.run.Stream`."""

    def __init__(self, harness: AgentCoreHarness, question: Question) -> None:
        self._harness = harness
        self._question = question
        self._connection = Connection()
        self.shutdown = self._connection.shutdown

    def events(self) -> Iterator[AgentEvent]:
        if self._question.files:
            yield Failed(Failure.FILES_NOT_TAKEN, "a harness takes text only")
            return
        try:
            yield from errors_as_events(self._translated(), refused=REFUSED, broken_off=_BROKEN_OFF)
        finally:
            self._connection.close()

    def _translated(self) -> Iterator[AgentEvent]:
        stream = self._harness.invoke(self._question)
        self._connection.hold(stream._raw_stream)
        translate = HarnessTranslator()
        # To its very end: messages follow each other, and hooks may follow the last of them.
        for member in stream:
            yield from translate(member)
        self._connection.close()
        yield from translate.end()
