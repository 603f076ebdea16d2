"""The members of InvokeAgent's event stream, translated into agent events: no I/O.

Names are those of the service model of `bedrock-agent-runtime`. Documentation:
docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_ResponseStream.html
docs.aws.amazon.com/bedrock/latest/userguide/trace-events.html
"""

import codecs
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from functions.adapters.agents.deltas import ModelText, encodable, tool_arguments
from functions.adapters.agents.usage import usage_in
from functions.bridge import wording
from functions.bridge.agents.events import (
    AgentEvent,
    Citation,
    Failed,
    File,
    Finished,
    Guardrail,
    Rationale,
    Source,
    ToolKind,
    ToolRequest,
    ToolUse,
    Wanted,
)
from functions.bridge.agents.failures import Failure

_REASONING = {"modelInvocationInput", "modelInvocationOutput", "rationale"}
_STEPS = ("orchestrationTrace", "routingClassifierTrace")
_MODEL_CALLS = ("preProcessingTrace", *_STEPS, "postProcessingTrace")
_WITHOUT_EFFECT = {"preProcessingTrace", "guardrailTrace", "failureTrace", *_STEPS}

# The member of each kind of location that holds an address; custom documents and SQL have none.
_ADDRESSES = {
    "s3Location": "uri",
    "webLocation": "url",
    "confluenceLocation": "url",
    "salesforceLocation": "url",
    "sharePointLocation": "url",
    "oneDriveLocation": "url",
    "googleDriveLocation": "url",
    "kendraDocumentLocation": "uri",
}

# The lists of an assessment: the policy, its list, the word for an entry, and the member that names the entry
# without quoting the user (`match` would) or the pattern (`regex` would).
_POLICIES = (
    ("topicPolicy", "topics", "topic", "name"),
    ("contentPolicy", "filters", "content", "type"),
    ("wordPolicy", "customWords", "custom word", None),
    ("wordPolicy", "managedWordLists", "word list", "type"),
    ("sensitiveInformationPolicy", "piiEntities", "sensitive information", "type"),
    ("sensitiveInformationPolicy", "regexes", "pattern", "name"),
)
# docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_FunctionInvocationInput.html
_WANTED = {"USER_CONFIRMATION": Wanted.CONSENT, "USER_CONFIRMATION_AND_RESULT": Wanted.BOTH}
# The forms of a request, and that of the answer to each.
_RESULTS = {"functionInvocationInput": "functionResult", "apiInvocationInput": "apiResult"}
# Members that the answer to a request has to repeat: API_agent-runtime_FunctionResult.html, …_ApiResult.html
_REPEATED = ("actionGroup", "function", "apiPath", "httpMethod", "agentId")
_ACTIONS = {"BLOCKED": "blocked", "ANONYMIZED": "masked"}


def only_reasons(member: Mapping[str, Any]) -> bool:
    """Whether the member shows reasoning only. An unknown member may be a tool."""
    trace = member.get("trace", {}).get("trace", {})
    steps = {step for kind in _STEPS for step in trace.get(kind, {})}
    return bool(trace) and trace.keys() <= _WITHOUT_EFFECT and steps <= _REASONING


class InvokeAgentTranslator:
    """Translates the members of one answer, in order, into agent events.

    Attributes:
        streaming: whether the answer was asked for in deltas.
    """

    def __init__(self, *, streaming: bool) -> None:
        self.streaming = streaming
        # One decoder for the whole answer, because a chunk may end inside a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ModelText()
        self._answer = io.StringIO()  # the answer so far: citations count its characters
        self._guardrails: set[Guardrail] = set()
        self._has_output = False  # text or a file
        self._returned_control = False
        self._requests: list[ToolRequest] = []
        self._failure_code: int | None = None

    def __call__(self, member: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if "chunk" in member:
            yield from self._chunk(member["chunk"])
        elif "files" in member:
            yield from self._files(member["files"])
        elif "trace" in member:
            yield from self._trace(member["trace"].get("trace", {}))
        elif "returnControl" in member:
            self._returned_control = True
            self._requests += _requests(member["returnControl"], streaming=self.streaming)

    def end(self) -> Iterator[AgentEvent]:
        if rest := self._decoder.decode(b"", final=True):
            self._has_output = True
            yield from self._text.delta(rest)
        yield from self._text.end()
        if self._returned_control:
            yield from self._requests
            yield Failed(Failure.RETURN_OF_CONTROL, "the agent returned control")
        elif self._failure_code is not None and not self._has_output:
            # The reason is not logged: it may quote the user.
            failure = Failure.THROTTLED_AT_WORK if self._failure_code == 429 else Failure.INTERNAL
            yield Failed(failure, f"failureTrace (code {self._failure_code})")
        else:
            yield Finished()

    def _chunk(self, chunk: Mapping[str, Any]) -> Iterator[AgentEvent]:
        start = self._answer.tell()
        text = self._decoder.decode(chunk.get("bytes", b""))
        self._answer.write(text)
        self._has_output = self._has_output or bool(text)
        at = 0
        for cut, citation in sorted(self._citations(chunk, text, start), key=lambda found: found[0]):
            if cut > at:
                yield from self._text.delta(text[at:cut])
            yield citation
            at = max(at, cut)
        if text[at:]:
            yield from self._text.delta(text[at:])

    def _citations(self, chunk: Mapping[str, Any], text: str, start: int) -> Iterator[tuple[int, Citation]]:
        """The citations of a chunk that have sources, each with its position in `text`."""
        for found in chunk.get("attribution", {}).get("citations", []):
            references = found.get("retrievedReferences", [])
            sources = dict.fromkeys(source for reference in references if (source := _source(reference)))
            if sources:
                part = found.get("generatedResponsePart", {}).get("textResponsePart", {})
                end = min(max(self._end(part, text, start), 0), len(text))
                yield len(text[:end].rstrip()), Citation(tuple(sources))

    def _end(self, part: Mapping[str, Any], text: str, start: int) -> int:
        """The end of the cited part, counted from the beginning of `text`, the latest chunk.

        The documentation does not say whether a span counts from the beginning of the answer or of its chunk,
        nor in which units. So a span is used where the cited words are there; else they are searched for.
        """
        cited: str = part.get("text", "")
        first: int = part.get("span", {}).get("start", -1)
        if not cited:
            return len(text)
        if first >= 0:
            if self._answer_at(first, len(cited)) == cited:
                return first + len(cited) - start
            if text[first : first + len(cited)] == cited:
                return first + len(cited)
        found = text.find(cited)
        return found + len(cited) if found >= 0 else len(text)

    def _answer_at(self, first: int, length: int) -> str:
        self._answer.seek(first)
        found = self._answer.read(length)
        self._answer.seek(0, io.SEEK_END)
        return found

    def _files(self, part: Mapping[str, Any]) -> Iterator[AgentEvent]:
        for file in part.get("files", []):
            self._has_output = True
            name = encodable(file.get("name", "")).rpartition("/")[2]
            media_type = encodable(file.get("type", ""))
            yield File(name or "file", media_type or "application/octet-stream", file.get("bytes", b""))

    def _trace(self, trace: Mapping[str, Any]) -> Iterator[AgentEvent]:
        """The events of a trace, of the agent or of a collaborator.

        Of the model's calls, and of post-processing, only the tokens count: their text repeats the chunks.
        Other traces may have a `usage` too, but only that of a model's call is documented:
        docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Metadata.html
        """
        for kind in _MODEL_CALLS:
            output = trace.get(kind, {}).get("modelInvocationOutput", {})
            yield from usage_in(output.get("metadata", {}).get("usage"))
        preprocessed = trace.get("preProcessingTrace", {}).get("modelInvocationOutput", {})
        if text := preprocessed.get("parsedResponse", {}).get("rationale"):
            yield Rationale(encodable(text))
        for kind in _STEPS:
            steps = trace.get(kind, {})
            if text := steps.get("rationale", {}).get("text"):
                yield Rationale(encodable(text))
            invocation = steps.get("invocationInput", {})
            if used := _tool_use(invocation):
                yield used
                if given := _tool_input(invocation):
                    yield tool_arguments(used.name, given)
        guardrail = _guardrail(trace.get("guardrailTrace", {}))
        if guardrail and guardrail not in self._guardrails:  # a stream is assessed again every few characters
            self._guardrails.add(guardrail)
            yield guardrail
        # A failure counts only if no trace follows it: the agent may recover from a collaborator's failure.
        failed = "failureTrace" in trace
        self._failure_code = trace["failureTrace"].get("failureCode", 0) if failed else None


def _tool_use(invocation: Mapping[str, Any]) -> ToolUse | None:
    """The tool that the agent uses, by the name that its builder gave it; None when it uses none."""
    if action := invocation.get("actionGroupInvocationInput"):
        return ToolUse(_action_name(action) or encodable(action.get("actionGroupName", "")))
    if collaborator := invocation.get("agentCollaboratorInvocationInput"):
        return ToolUse(encodable(collaborator.get("agentCollaboratorName", "")), ToolKind.COLLABORATOR)
    if "knowledgeBaseLookupInput" in invocation:
        return ToolUse("", ToolKind.KNOWLEDGE_BASE)  # the trace has only its id
    if "codeInterpreterInvocationInput" in invocation:
        return ToolUse("", ToolKind.CODE_INTERPRETER)
    # A kind of tool that this code does not know may act like any other.
    return ToolUse("") if invocation and invocation.get("invocationType") != "FINISH" else None


def _tool_input(invocation: Mapping[str, Any]) -> Any:
    """The input of the tool that the agent uses; None where the trace does not show it."""
    if action := invocation.get("actionGroupInvocationInput"):
        return _arguments(action) if "parameters" in action or "requestBody" in action else None
    return (
        invocation.get("agentCollaboratorInvocationInput", {}).get("input")
        or invocation.get("knowledgeBaseLookupInput", {}).get("text")
        or invocation.get("codeInterpreterInvocationInput", {}).get("code")
    )


def _arguments(asked: Mapping[str, Any]) -> dict[str, str]:
    """The parameters by name, including those of the request body. One with another's name gets a number."""
    given = list(asked.get("parameters", []))
    for body in asked.get("requestBody", {}).get("content", {}).values():
        given += body.get("properties", []) if isinstance(body, dict) else body
    told: dict[str, str] = {}
    for one in given:
        name = encodable(one.get("name", ""))
        number = sum(known == name or known.startswith(f"{name} (") for known in told)
        told[f"{name} ({number + 1})" if name in told else name] = encodable(one.get("value", ""))
    return told


def _action_name(action: Mapping[str, Any]) -> str:
    return encodable(action.get("function") or _path_name(action.get("apiPath", "")))


def _requests(returned: Mapping[str, Any], *, streaming: bool) -> Iterator[ToolRequest]:
    """The tool requests of one `returnControl`, which are all answered under one id.

    The context of each has the beginning of its answer, a member of `returnControlInvocationResults`; and, as
    "streaming", whether the answer to it may be asked for in deltas.
    """
    for member in returned.get("invocationInputs", []):
        form = next((form for form in _RESULTS if form in member), "functionInvocationInput")
        asked = member.get(form, {})
        repeated = {name: asked[name] for name in _REPEATED if name in asked}
        yield ToolRequest(
            call_id=returned.get("invocationId", ""),
            name=_action_name(asked) or encodable(asked.get("actionGroup", "")),
            arguments=json.dumps(_arguments(asked), ensure_ascii=False),
            wanted=_WANTED.get(asked.get("actionInvocationType", ""), Wanted.RESULT),
            context=json.dumps({_RESULTS[form]: repeated, "streaming": streaming}, ensure_ascii=False),
            # The name is the same for reading something and for deleting it.
            message=encodable(f"{asked.get('httpMethod', '')} {asked.get('apiPath', '')}".strip()),
        )


def _path_name(path: str) -> str:
    """The fixed words of an API path: "weather-forecast" for "/weather/{city}/forecast"."""
    return "-".join(part for part in path.split("/") if part and not part.startswith("{"))


def _guardrail(trace: Mapping[str, Any]) -> Guardrail | None:
    """The policies that made a guardrail intervene; None when it did not."""
    if trace.get("action") != "INTERVENED":
        return None
    assessments = [*trace.get("inputAssessments", []), *trace.get("outputAssessments", [])]
    policies = [policy for assessment in assessments for policy in _policies(assessment)]
    return Guardrail(tuple(dict.fromkeys(policies)))


def _policies(assessment: Mapping[str, Any]) -> Iterator[str]:
    for policy, entries, kind, name in _POLICIES:
        for entry in assessment.get(policy, {}).get(entries, []):
            if action := _ACTIONS.get(entry.get("action", "")):
                called = f"{kind} {encodable(entry.get(name, ''))}" if name else kind
                yield f"{called.rstrip()} {action}"


def _source(reference: Mapping[str, Any]) -> Source | None:
    """The source of a retrieved passage; None when the service does not name it."""
    location = reference.get("location", {})
    for kind, member in _ADDRESSES.items():
        if address := location.get(kind, {}).get(member):
            return _at(encodable(address))
    if document := location.get("customDocumentLocation", {}).get("id"):
        return Source(encodable(document))
    return Source(wording.SQL_QUERY) if "sqlLocation" in location else None


def _at(address: str) -> Source:
    """The source at an address. Only web pages get a URL that people can open."""
    if not address.startswith(("https://", "http://")):
        return Source(_last_part(address) or address)  # "?" and "#" may be part of an S3 key
    try:
        parts = urlsplit(address)
    except ValueError:
        return Source(address)
    opens = bool(parts.netloc) and not any(map(str.isspace, address))
    return Source(_last_part(parts.path) or parts.netloc or address, address if opens else "")


def _last_part(path: str) -> str:
    """The text after the last slash, decoded, on one line."""
    return " ".join(unquote(path.rstrip("/").rpartition("/")[2]).split())
