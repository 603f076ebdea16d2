"""Amazon Bedrock AgentCore's runtime: InvokeAgentRuntime, translated into agent events.

docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeAgentRuntime.html
docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-http-protocol-contract.html
"""

import base64
import codecs
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from functions.adapters.agents.agentcore import (
    REFUSED,
    actor_of,
    client_of,
    runtime_session_id,
    stop_session,
    trace_parent,
)
from functions.adapters.agents.asker import asker_attributes
from functions.adapters.agents.call import AgentCall
from functions.adapters.agents.connection import Connection
from functions.adapters.agents.interrupts import resumption
from functions.adapters.agents.run import BackgroundRun
from functions.adapters.agents.runtime_events import RuntimeTranslator, item_of, last_item_of
from functions.adapters.agents.sse import EventParser
from functions.bridge.agents.events import AgentEvent, Failed, ToolAnswer
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import AgentPorts, Question
from functions.settings import AgentSettings

if TYPE_CHECKING:
    from mypy_boto3_bedrock_agentcore import BedrockAgentCoreClient
    from mypy_boto3_bedrock_agentcore.type_defs import InvokeAgentRuntimeRequestTypeDef

# The most bytes of one read.
READ_BYTES = 65_536
# Bytes that an answer has at most: some ten times the longest that people could read. The worker has 192 MB.
MOST_BYTES = 10_000_000
# The read timeout of StopRuntimeSession, in seconds.
STOP_SILENCE = 3.0
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,80}")


def from_settings(settings: AgentSettings, ports: AgentPorts) -> "AgentCoreRuntime":
    """The runtime at `arn`, or its endpoint `qualifier`, in the region that the ARN names."""
    return AgentCoreRuntime(
        client_of(settings, longest_silence=ports.longest_silence),
        arn=settings.required("arn"),
        qualifier=settings.qualifier,
        tell_user_id=settings.tell_user_id,
        remembers_people=settings.remembers_people,
        stop_client=client_of(settings, longest_silence=STOP_SILENCE) if settings.stop_session else None,
    )


class AgentCoreRuntime:
    """One agent runtime, or one of its endpoints. See `functions.bridge.agents.port.Agent`.

    Args:
        arn: the whole ARN of the runtime.
        qualifier: the name of an endpoint; "" for the default one.
        tell_user_id: send the Slack user's id as the runtime's user id, so that the agent can get tokens on
            their behalf. Needs `bedrock-agentcore:InvokeAgentRuntimeForUser` too. Each person of a thread
            then has a separate session, because the agent may have read one person's data.
        remembers_people: see `functions.adapters.agents.agentcore.actor_of`.
        stop_client: ends the session when a run is stopped; None lets the agent go on. Needs
            `bedrock-agentcore:StopRuntimeSession` too.
    """

    def __init__(
        self,
        client: "BedrockAgentCoreClient",
        *,
        arn: str,
        qualifier: str = "",
        tell_user_id: bool = False,
        remembers_people: bool = False,
        stop_client: "BedrockAgentCoreClient | None" = None,
    ) -> None:
        self._client = client
        self._arn = arn
        self._qualifier = qualifier
        self._tell_user_id = tell_user_id
        self._remembers_people = remembers_people
        self._stop_client = stop_client

    def ask(self, question: Question) -> BackgroundRun:
        return self._run(question, partial(asked, question))

    def resume(self, question: Question, answers: Sequence[ToolAnswer]) -> BackgroundRun:
        return self._run(question, partial(resumption, answers))

    def _run(self, question: Question, told: Callable[[], Mapping[str, Any]]) -> BackgroundRun:
        """A run of the agent, which is told the members of the payload that `told` makes."""
        if self._tell_user_id:
            question = replace(question, session_id=f"{question.session_id}:{question.asker.user}")
        call = AgentCall(partial(self._translated, question, told), refused=REFUSED, broken_off={})
        if self._stop_client is None:
            return BackgroundRun(call)
        end_session = partial(
            stop_session,
            self._stop_client,
            arn=self._arn,
            qualifier=self._qualifier,
            session_id=question.session_id,
        )
        return BackgroundRun(call, end_session=end_session)

    def _translated(
        self, question: Question, told: Callable[[], Mapping[str, Any]], connection: Connection
    ) -> Iterator[AgentEvent]:
        try:
            yield from self._answer(question, told(), connection)
        except _TooLong:
            yield Failed(Failure.NOT_SHOWABLE, f"the answer has more than {MOST_BYTES} bytes")

    def _answer(
        self, question: Question, told: Mapping[str, Any], connection: Connection
    ) -> Iterator[AgentEvent]:
        body, media_type = self._invoke(question, told)
        response = body._raw_stream
        connection.hold(response)
        translate = RuntimeTranslator()
        if media_type == "application/json":
            yield from translate.whole(_json(b"".join(_pieces(response))))
        elif media_type.startswith("text/"):
            items = _data_of(response) if media_type == "text/event-stream" else _text(response)
            for item in items:
                yield from translate(item)
                if translate.failed:
                    return
        else:
            known = _MEDIA_TYPE.fullmatch(media_type)  # any other text may quote the user
            yield Failed(Failure.NOT_SHOWABLE, f"the answer is {media_type if known else 'of no media type'}")
            return
        connection.close()
        if not translate.failed:
            yield from translate.end()

    def _invoke(self, question: Question, told: Mapping[str, Any]) -> tuple[Any, str]:
        """Send the request. Returns the response's body, and its media type without parameters."""
        payload = {**envelope(question, remembers_people=self._remembers_people), **told}
        request: InvokeAgentRuntimeRequestTypeDef = {
            "agentRuntimeArn": self._arn,
            "runtimeSessionId": runtime_session_id(question.session_id),
            "contentType": "application/json",
            "accept": "text/event-stream, application/json",
            "payload": json.dumps(payload).encode(),
        }
        if self._qualifier:
            request["qualifier"] = self._qualifier
        if parent := trace_parent():
            request["traceParent"] = parent
        if self._tell_user_id:
            request["runtimeUserId"] = question.asker.user
        answer = self._client.invoke_agent_runtime(**request)
        return answer["response"], answer.get("contentType", "").partition(";")[0].strip().lower()


def envelope(question: Question, *, remembers_people: bool = False) -> dict[str, Any]:
    """What the JSON that the agent's own code gets says besides what is asked.

    `slack`: who asks and where (`functions.adapters.agents.asker`).

    `sessionId` and `userId`: the session and the actor of AgentCore's memory, under the names that AWS's
    sample for Slack uses. `sessionId` is the runtime's session, one for each thread. `userId` is the same, as
    in that sample; with `remembers_people` it is the Slack user.
    github.com/aws-samples/sample-Integrating-Amazon-Bedrock-AgentCore-with-Slack (agentcore/agent_runtime.py)

    The other members, with those of `asked` or `resumption`, make the object a RunAgentInput of the AG-UI
    protocol, which allows unknown members: docs.ag-ui.com/sdk/python/core/types
    """
    session = runtime_session_id(question.session_id)
    return {
        "slack": asker_attributes(question.asker),
        "sessionId": session,
        "userId": actor_of(question, remembers_people=remembers_people),
        "threadId": session,
        "runId": str(uuid.uuid4()),
    }


def asked(question: Question) -> dict[str, Any]:
    """What the agent is asked: `prompt`, the question; `messages`, the same for AG-UI.

    `files`, when there are any: each with `name`, `mediaType` and `data` (Base64).
    """
    files = [
        {"name": file.name, "mediaType": file.media_type, "data": base64.b64encode(file.data).decode()}
        for file in question.files
    ]
    return {
        "prompt": question.text,
        **({"files": files} if files else {}),
        "messages": [{"id": str(uuid.uuid4()), "role": "user", "content": question.text}],
    }


class _TooLong(Exception):
    """An answer has more than MOST_BYTES."""


def _pieces(response: Any) -> Iterator[bytes]:
    """The body as it arrives. botocore's iter_lines and iter_chunks wait until they have 1,024 bytes.

    Raises `_TooLong`: what goes on for ever would use up the worker's memory, whatever of it is kept.
    """
    size = 0
    while piece := response.read1(READ_BYTES, decode_content=True):
        size += len(piece)
        if size > MOST_BYTES:
            raise _TooLong
        yield piece


def _data_of(response: Any) -> Iterator[Any]:
    parser = EventParser()
    for piece in _pieces(response):
        yield from map(item_of, parser.feed(piece))
    yield from map(last_item_of, parser.end())


def _text(response: Any) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in _pieces(response):
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
