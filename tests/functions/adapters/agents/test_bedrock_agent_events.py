"""Each member of InvokeAgent's stream, written by hand after the service model and read by boto3."""

import base64
import functools
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Response

from functions.adapters.agents import client as clients
from functions.adapters.agents.bedrock_agent import BedrockAgent
from functions.adapters.agents.deltas import tool_arguments
from functions.bridge.agents.events import (
    AgentEvent,
    Citation,
    Failed,
    File,
    Finished,
    Guardrail,
    Rationale,
    Source,
    TextDelta,
    ToolArguments,
    ToolKind,
    ToolRequest,
    ToolUse,
    Usage,
    Wanted,
)
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import Question
from simulator.agent.eventstream import CONTENT_TYPE, event, exception
from tests.functions.adapters.runs import ASKER
from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedServer]:
    with standing_in_for("BEDROCK_AGENT_RUNTIME") as service:
        yield service


@functools.cache
def client() -> Any:
    """One for all tests, made when the service's address is known."""
    return clients.bedrock_agent_runtime(longest_silence=20)


def heard(service: ScriptedServer, *messages: bytes) -> list[AgentEvent]:
    """What the agent is heard to say when the service sends `messages`."""
    service.answer = Response(b"".join(messages), content_type=CONTENT_TYPE)
    agent = BedrockAgent(client(), agent_id="AGENT", alias_id="ALIAS")
    run = agent.ask(Question("T1:C1:1.1", "hello", ASKER))
    said: list[AgentEvent] = []
    while not (said and isinstance(said[-1], Finished | Failed)):
        said_next = run.next(timeout=20)
        assert said_next is not None
        said.append(said_next)
    run.cancel()
    return said


def chunk(text: str, *citations: dict[str, Any]) -> bytes:
    body: dict[str, Any] = {"bytes": base64.b64encode(text.encode()).decode()}
    return event("chunk", {**body, "attribution": {"citations": citations}} if citations else body)


def trace(kind: str, body: dict[str, Any], **more: Any) -> bytes:
    return event("trace", {"agentId": "AGENT", "sessionId": "T1:C1:1.1", **more, "trace": {kind: body}})


def step(member: str, **body: Any) -> bytes:
    return trace("orchestrationTrace", {member: {"traceId": "abc-0", **body}})


def cited(text: str | None = None, start: int | None = None, uri: str = "s3://b/a.pdf") -> dict[str, Any]:
    """A citation of one S3 document, with as much about the cited part as given."""
    part: dict[str, Any] = {} if text is None else {"text": text}
    if start is not None:
        part["span"] = {"start": start, "end": start + len(text or "") - 1}
    location = {"type": "S3", "s3Location": {"uri": uri}}
    return {
        "generatedResponsePart": {"textResponsePart": part},
        "retrievedReferences": [{"content": {"type": "TEXT", "text": "…"}, "location": location}],
    }


A, B = Citation((Source("a.pdf"),)), Citation((Source("b.pdf"),))


# --- Citations: where they stand


def test_a_citation_follows_the_words_at_its_span(service: ScriptedServer) -> None:
    # "It" stands twice: only the span tells which one is meant.
    assert heard(service, chunk("It rains. It", cited("It", 0)), chunk(" pours.")) == [
        TextDelta("It"),
        A,
        TextDelta(" rains. It"),
        TextDelta(" pours."),
        Finished(),
    ]


def test_a_span_counts_from_the_beginning_of_the_answer(service: ScriptedServer) -> None:
    assert heard(service, chunk("Wet, "), chunk("wet, wet.", cited("wet", 10))) == [
        TextDelta("Wet, "),
        TextDelta("wet, wet"),
        A,
        TextDelta("."),
        Finished(),
    ]


def test_a_span_may_count_from_the_beginning_of_its_chunk(service: ScriptedServer) -> None:
    assert heard(service, chunk("So, "), chunk("wet, wet.", cited("wet", 5))) == [
        TextDelta("So, "),
        TextDelta("wet, wet"),
        A,
        TextDelta("."),
        Finished(),
    ]


def test_the_words_are_looked_for_where_the_span_is_wrong(service: ScriptedServer) -> None:
    # As if it counted UTF-16 units: the emoji is one character and two of those.
    assert heard(service, chunk("☀️🌈 Dry. Bye.", cited("Dry.", 5))) == [
        TextDelta("☀️🌈 Dry."),
        A,
        TextDelta(" Bye."),
        Finished(),
    ]


@pytest.mark.parametrize("part", [cited("not there", 3), cited("not there"), cited(start=2), cited()])
def test_a_citation_of_unknown_words_ends_its_chunk(service: ScriptedServer, part: dict[str, Any]) -> None:
    assert heard(service, chunk("It rains.", part), chunk(" Bye.")) == [
        TextDelta("It rains."),
        A,
        TextDelta(" Bye."),
        Finished(),
    ]


def test_a_citation_may_come_after_its_words(service: ScriptedServer) -> None:
    assert heard(service, chunk("It rains."), chunk(" Bye.", cited("It rains.", 0))) == [
        TextDelta("It rains."),
        A,
        TextDelta(" Bye."),
        Finished(),
    ]
    attribution = event("chunk", {"attribution": {"citations": [cited("It rains.", 0)]}})
    assert heard(service, chunk("It rains."), attribution) == [TextDelta("It rains."), A, Finished()]


def test_a_citation_stands_before_the_white_space_that_ends_its_words(service: ScriptedServer) -> None:
    assert heard(service, chunk("It rains.\n\nBye.", cited("It rains.\n\n", 0))) == [
        TextDelta("It rains."),
        A,
        TextDelta("\n\nBye."),
        Finished(),
    ]


def test_citations_stand_in_the_order_of_their_words(service: ScriptedServer) -> None:
    second, first = cited("Dry.", 5, uri="s3://b/b.pdf"), cited("Wet.", 0)
    assert heard(service, chunk("Wet. Dry. Bye.", second, first)) == [
        TextDelta("Wet."),
        A,
        TextDelta(" Dry."),
        B,
        TextDelta(" Bye."),
        Finished(),
    ]


def test_citations_of_the_same_words_stand_together(service: ScriptedServer) -> None:
    found = heard(service, chunk("Wet.", cited("Wet.", 0), cited("Wet.", 0, uri="s3://b/b.pdf")))
    assert found == [TextDelta("Wet."), A, B, Finished()]


def test_a_citation_is_placed_in_a_chunk_that_ends_within_a_character(service: ScriptedServer) -> None:
    data = "25 °C".encode()
    body = {"bytes": base64.b64encode(data[:4]).decode(), "attribution": {"citations": [cited("25", 0)]}}
    rest = {"bytes": base64.b64encode(data[4:]).decode()}
    assert heard(service, event("chunk", body), event("chunk", rest)) == [
        TextDelta("25"),
        A,
        TextDelta(" "),
        TextDelta("°C"),
        Finished(),
    ]


def test_a_part_without_sources_is_not_cited(service: ScriptedServer) -> None:
    nothing = {"generatedResponsePart": {"textResponsePart": {"text": "Wet."}}, "retrievedReferences": []}
    assert heard(service, chunk("Wet.", nothing, {})) == [TextDelta("Wet."), Finished()]


# --- Citations: what they name


def sources(service: ScriptedServer, *locations: dict[str, Any]) -> tuple[Source, ...]:
    references = [{"location": location, "metadata": {"page": 3}} for location in locations]
    said = heard(service, chunk("Wet.", {"retrievedReferences": references}))
    [found] = [event.sources for event in said if isinstance(event, Citation)] or [()]
    return found


@pytest.mark.parametrize(
    ("location", "source"),
    [
        (
            {"type": "S3", "s3Location": {"uri": "s3://bucket/manuals/wind%20scale.pdf"}},
            Source("wind scale.pdf"),
        ),
        ({"type": "S3", "s3Location": {"uri": "s3://bucket/Grüße #1.pdf"}}, Source("Grüße #1.pdf")),
        ({"type": "S3", "s3Location": {"uri": "s3://bucket"}}, Source("bucket")),
        (
            {"type": "WEB", "webLocation": {"url": "https://example.com/docs/Wind%20chill/"}},
            Source("Wind chill", "https://example.com/docs/Wind%20chill/"),
        ),
        (
            {"type": "WEB", "webLocation": {"url": "http://example.com/?q=1"}},
            Source("example.com", "http://example.com/?q=1"),
        ),
        (
            {"type": "CONFLUENCE", "confluenceLocation": {"url": "https://x.atlassian.net/wiki/Runbook"}},
            Source("Runbook", "https://x.atlassian.net/wiki/Runbook"),
        ),
        (
            {"type": "SALESFORCE", "salesforceLocation": {"url": "https://x.my.salesforce.com/500"}},
            Source("500", "https://x.my.salesforce.com/500"),
        ),
        (
            {"type": "SHAREPOINT", "sharePointLocation": {"url": "https://x.sharepoint.com/s/Plan.docx"}},
            Source("Plan.docx", "https://x.sharepoint.com/s/Plan.docx"),
        ),
        (
            {"type": "ONEDRIVE", "oneDriveLocation": {"url": "https://x-my.sharepoint.com/a.xlsx"}},
            Source("a.xlsx", "https://x-my.sharepoint.com/a.xlsx"),
        ),
        (
            {"type": "GOOGLEDRIVE", "googleDriveLocation": {"url": "https://docs.google.com/d/1a"}},
            Source("1a", "https://docs.google.com/d/1a"),
        ),
        (
            {"type": "KENDRA", "kendraDocumentLocation": {"uri": "https://intranet.example.com/hr/leave"}},
            Source("leave", "https://intranet.example.com/hr/leave"),
        ),
        ({"type": "KENDRA", "kendraDocumentLocation": {"uri": "s3://bucket/a.txt"}}, Source("a.txt")),
        ({"type": "CUSTOM", "customDocumentLocation": {"id": "policy-7"}}, Source("policy-7")),
        ({"type": "SQL", "sqlLocation": {"query": "select salary from staff"}}, Source("SQL query")),
        ({"type": "WEB", "webLocation": {"url": "javascript:alert(1)"}}, Source("javascript:alert(1)")),
        ({"type": "WEB", "webLocation": {"url": "https:///nowhere"}}, Source("nowhere")),
        ({"type": "WEB", "webLocation": {"url": "https://[nonsense"}}, Source("https://[nonsense")),
        ({"type": "WEB", "webLocation": {"url": "https://e.com/a b"}}, Source("a b")),
        (
            {"type": "WEB", "webLocation": {"url": "https://e.com/a%0Ab"}},
            Source("a b", "https://e.com/a%0Ab"),
        ),
        ({"type": "WEB", "webLocation": {"url": "https://e.com/\ud800"}}, Source("e.com", "https://e.com/?")),
    ],
)
def test_a_source_has_a_title_and_an_address_that_opens(
    service: ScriptedServer, location: dict[str, Any], source: Source
) -> None:
    assert sources(service, location) == (source,)


def test_sources_of_one_citation_stand_together_and_once(service: ScriptedServer) -> None:
    a, b = ({"type": "S3", "s3Location": {"uri": f"s3://bucket/{name}.pdf"}} for name in "ab")
    assert sources(service, a, b, a) == (Source("a.pdf"), Source("b.pdf"))


def test_a_location_that_tells_nothing_is_no_source(service: ScriptedServer) -> None:
    assert sources(service, {"type": "S3"}, {"type": "TAPE", "tapeLocation": {"reel": 7}}) == ()


# --- Files


def test_files_come_with_name_type_and_bytes(service: ScriptedServer) -> None:
    members = [
        {"name": "plot.png", "type": "image/png", "bytes": base64.b64encode(b"\x89PNG").decode()},
        {"name": "out/data.csv", "type": "text/csv", "bytes": base64.b64encode(b"a,b").decode()},
        {"bytes": ""},
    ]
    assert heard(service, event("files", {"files": members})) == [
        File("plot.png", "image/png", b"\x89PNG"),
        File("data.csv", "text/csv", b"a,b"),
        File("file", "application/octet-stream", b""),
        Finished(),
    ]


# --- Steps


@pytest.mark.parametrize(
    ("invocation", "expected"),
    [
        (
            {
                "invocationType": "ACTION_GROUP",
                "actionGroupInvocationInput": {
                    "actionGroupName": "WeatherActions",
                    "function": "get_forecast",
                    "executionType": "LAMBDA",
                    "parameters": [{"name": "city", "type": "string", "value": "Chicago"}],
                },
            },
            ToolUse("get_forecast"),
        ),
        (
            {
                "invocationType": "ACTION_GROUP",
                "actionGroupInvocationInput": {
                    "actionGroupName": "WeatherApi",
                    "apiPath": "/weather/{city}/forecast",
                    "verb": "get",
                },
            },
            ToolUse("weather-forecast"),
        ),
        (
            {"actionGroupInvocationInput": {"actionGroupName": "WeatherApi", "apiPath": "/{city}"}},
            ToolUse("WeatherApi"),
        ),
        (
            {
                "invocationType": "KNOWLEDGE_BASE",
                "knowledgeBaseLookupInput": {"knowledgeBaseId": "KB12345678", "text": "gales"},
            },
            ToolUse("", ToolKind.KNOWLEDGE_BASE),
        ),
        (
            {
                "invocationType": "AGENT_COLLABORATOR",
                "agentCollaboratorInvocationInput": {
                    "agentCollaboratorName": "billing",
                    "input": {"type": "TEXT", "text": "how much?"},
                },
            },
            ToolUse("billing", ToolKind.COLLABORATOR),
        ),
        (
            {
                "invocationType": "ACTION_GROUP_CODE_INTERPRETER",
                "codeInterpreterInvocationInput": {"code": "print(1)", "files": []},
            },
            ToolUse("", ToolKind.CODE_INTERPRETER),
        ),
        ({"invocationType": "TELEPATHY"}, ToolUse("")),
    ],
)
def test_a_tool_use_has_a_name_and_a_kind(
    service: ScriptedServer, invocation: dict[str, Any], expected: ToolUse
) -> None:
    told = heard(service, step("invocationInput", **invocation), chunk("ok"))
    assert [event for event in told if not isinstance(event, ToolArguments)] == [
        expected,
        TextDelta("ok"),
        Finished(),
    ]


@pytest.mark.parametrize(
    ("invocation", "name", "given"),
    [
        (
            {"actionGroupInvocationInput": {
                "function": "get_forecast",
                "parameters": [
                    {"name": "days", "type": "integer", "value": "3"},
                    {"name": "city", "type": "string", "value": "Chicago"},
                ],
            }},
            "get_forecast",
            {"city": "Chicago", "days": "3"},
        ),
        (
            {"actionGroupInvocationInput": {
                "apiPath": "/bookings",
                "requestBody": {"content": {"application/json": [{"name": "city", "value": "Chicago"}]}},
            }},
            "bookings",
            {"city": "Chicago"},
        ),
        ({"knowledgeBaseLookupInput": {"knowledgeBaseId": "KB1", "text": "gales"}}, "", "gales"),
        ({"codeInterpreterInvocationInput": {"code": "print(1)"}}, "", "print(1)"),
        (
            {"agentCollaboratorInvocationInput": {"agentCollaboratorName": "a", "input": {"text": "how?"}}},
            "a",
            {"text": "how?"},
        ),
    ],
)  # fmt: skip
def test_a_tools_arguments_have_a_digest(
    service: ScriptedServer, invocation: dict[str, Any], name: str, given: Any
) -> None:
    told = heard(service, step("invocationInput", **invocation), chunk("ok"))
    assert told[1] == tool_arguments(name, given)


def test_arguments_that_the_trace_leaves_out_have_no_digest(service: ScriptedServer) -> None:
    action = {"actionGroupInvocationInput": {"actionGroupName": "Invoices", "function": "find-invoice"}}
    told = heard(service, step("invocationInput", **action), chunk("ok"))
    assert told == [ToolUse("find-invoice"), TextDelta("ok"), Finished()]


def test_a_router_and_a_collaborator_use_tools_too(service: ScriptedServer) -> None:
    call = {"agentCollaboratorInvocationInput": {"agentCollaboratorName": "billing"}}
    action = {"actionGroupInvocationInput": {"actionGroupName": "Invoices", "function": "find-invoice"}}
    assert heard(
        service,
        trace("routingClassifierTrace", {"invocationInput": call}),
        trace("orchestrationTrace", {"invocationInput": action}, collaboratorName="billing"),
        chunk("ok"),
    ) == [
        ToolUse("billing", ToolKind.COLLABORATOR),
        ToolUse("find-invoice"),
        TextDelta("ok"),
        Finished(),
    ]


def test_rationale_is_what_an_agent_thinks_before_and_while_it_works(service: ScriptedServer) -> None:
    parsed = {"parsedResponse": {"isValid": True, "rationale": "A question about the weather."}}
    assert heard(
        service,
        trace("preProcessingTrace", {"modelInvocationOutput": parsed}),
        step("rationale", text="I look \ud83d up."),
        chunk("ok"),
    ) == [Rationale("A question about the weather."), Rationale("I look ? up."), TextDelta("ok"), Finished()]


def test_traces_that_repeat_the_answer_or_show_prompts_yield_no_text(service: ScriptedServer) -> None:
    post = {"modelInvocationOutput": {"parsedResponse": {"text": "ok"}}}
    assert heard(
        service,
        step("modelInvocationInput", text="You are …", type="ORCHESTRATION"),
        step("modelInvocationOutput", rawResponse={"content": "<answer>ok</answer>"}),
        step("invocationInput", invocationType="FINISH"),
        chunk("ok"),
        step("observation", type="FINISH", finalResponse={"text": "ok"}),
        trace("postProcessingTrace", post),
        trace("customOrchestrationTrace", {"event": {"text": "{}"}}),
        trace("traceOfTheFuture", {"text": "ok"}),
        event("memberOfTheFuture", {"text": "ok"}),
    ) == [TextDelta("ok"), Finished()]


# --- Guardrails


ASSESSMENT = {
    "topicPolicy": {"topics": [{"name": "Insider tips", "type": "DENY", "action": "BLOCKED"}]},
    "contentPolicy": {"filters": [{"type": "VIOLENCE", "confidence": "HIGH", "action": "BLOCKED"}]},
    "wordPolicy": {
        "customWords": [{"match": "SECRET", "action": "BLOCKED"}],
        "managedWordLists": [{"match": "SECRET", "type": "PROFANITY", "action": "BLOCKED"}],
    },
    "sensitiveInformationPolicy": {
        "piiEntities": [
            {"type": "EMAIL", "match": "SECRET@example.com", "action": "ANONYMIZED"},
            {"type": "PASSWORD", "match": "SECRET", "action": "BLOCKED"},
        ],
        "regexes": [{"name": "account", "regex": "SECRET[0-9]+", "match": "SECRET1", "action": "ANONYMIZED"}],
    },
}
POLICIES = (
    "topic Insider tips blocked",
    "content VIOLENCE blocked",
    "custom word blocked",
    "word list PROFANITY blocked",
    "sensitive information EMAIL masked",
    "sensitive information PASSWORD blocked",
    "pattern account masked",
)


@pytest.mark.parametrize("side", ["inputAssessments", "outputAssessments"])
def test_a_guardrail_that_intervened_names_its_policies_and_nothing_that_was_said(
    service: ScriptedServer, side: str
) -> None:
    intervened = trace("guardrailTrace", {"action": "INTERVENED", "traceId": "abc-0", side: [ASSESSMENT]})
    said = heard(service, intervened, chunk("Sorry."))
    assert said == [Guardrail(POLICIES), TextDelta("Sorry."), Finished()]
    assert "SECRET" not in repr(said)


def test_a_guardrail_that_did_nothing_is_not_told_of(service: ScriptedServer) -> None:
    seen = {"topicPolicy": {"topics": [{"name": "Insider tips", "action": "NONE"}]}}
    nothing = trace("guardrailTrace", {"action": "NONE", "inputAssessments": [seen]})
    assert heard(service, nothing, chunk("ok")) == [TextDelta("ok"), Finished()]


def test_a_guardrail_may_intervene_for_reasons_of_its_own(service: ScriptedServer) -> None:
    unknown = trace("guardrailTrace", {"action": "INTERVENED", "outputAssessments": [{"newPolicy": {}}]})
    assert heard(service, unknown, chunk("ok")) == [Guardrail(()), TextDelta("ok"), Finished()]


def test_an_intervention_is_told_of_once(service: ScriptedServer) -> None:
    masked = trace("guardrailTrace", {"action": "INTERVENED", "outputAssessments": [ASSESSMENT]})
    other = trace("guardrailTrace", {"action": "INTERVENED"})
    assert heard(service, masked, chunk("o"), masked, chunk("k"), other) == [
        Guardrail(POLICIES),
        TextDelta("o"),
        TextDelta("k"),
        Guardrail(()),
        Finished(),
    ]


# --- Ends


FAILURE = trace("failureTrace", {"traceId": "abc-0", "failureCode": 424, "failureReason": "SECRET"})


def test_a_failure_trace_without_an_answer_is_a_failure(service: ScriptedServer) -> None:
    assert heard(service, FAILURE) == [Failed(Failure.INTERNAL, "failureTrace (code 424)")]


def test_a_failure_with_code_429_is_throttling(service: ScriptedServer) -> None:
    throttled = trace("failureTrace", {"traceId": "abc-0", "failureCode": 429, "failureReason": "SECRET"})
    assert heard(service, throttled) == [Failed(Failure.THROTTLED_AT_WORK, "failureTrace (code 429)")]


def test_a_failure_after_which_the_agent_goes_on_is_ignored(service: ScriptedServer) -> None:
    made = event("files", {"files": [{"name": "a.txt", "type": "text/plain", "bytes": ""}]})
    assert heard(service, FAILURE, step("rationale", text="Again.")) == [Rationale("Again."), Finished()]
    assert heard(service, FAILURE, chunk("ok")) == [TextDelta("ok"), Finished()]
    assert heard(service, FAILURE, made)[-1] == Finished()


def test_an_answer_that_ends_within_a_character_is_marked_there(service: ScriptedServer) -> None:
    half = event("chunk", {"bytes": base64.b64encode("25 °".encode()[:-1]).decode()})
    assert heard(service, half) == [TextDelta("25 "), TextDelta("\N{REPLACEMENT CHARACTER}"), Finished()]


def test_the_exception_of_a_failure_names_the_error(service: ScriptedServer) -> None:
    [failed] = heard(service, FAILURE, exception("dependencyFailedException", {"message": "SECRET"}))
    assert isinstance(failed, Failed)
    assert failed.failure is Failure.DEPENDENCY
    assert "SECRET" not in failed.detail


def test_a_return_of_control_is_a_failure(service: ScriptedServer) -> None:
    amount = {"name": "amount", "type": "number", "value": "20"}
    call = {"actionGroup": "a", "function": "issue-refund", "agentId": "A1", "parameters": [amount]}
    returned = event(
        "returnControl", {"invocationId": "1", "invocationInputs": [{"functionInvocationInput": call}]}
    )
    repeated = '{"actionGroup": "a", "function": "issue-refund", "agentId": "A1"}'
    context = f'{{"functionResult": {repeated}, "streaming": true}}'
    assert heard(service, chunk("ok"), returned)[1:] == [
        ToolRequest("1", "issue-refund", '{"amount": "20"}', context=context),
        Failed(Failure.RETURN_OF_CONTROL, "the agent returned control"),
    ]


def test_an_api_request_includes_the_parameters_of_its_body(service: ScriptedServer) -> None:
    properties = [{"name": "level", "value": "orange"}, {"name": "place", "value": "Bern"}]
    body = {"content": {"application/json": {"properties": properties}}}
    call = {
        "actionGroup": "warnings",
        "apiPath": "/warnings/{place}/send",
        "httpMethod": "POST",
        "actionInvocationType": "USER_CONFIRMATION_AND_RESULT",
        "parameters": [{"name": "place", "value": "Zürich"}],
        "requestBody": body,
    }
    nameless = {"actionGroup": "bell", "actionInvocationType": "USER_CONFIRMATION"}
    inputs = [{"apiInvocationInput": call}, {"functionInvocationInput": nameless}]
    said = heard(service, event("returnControl", {"invocationId": "1", "invocationInputs": inputs}))
    repeated = '{"actionGroup": "warnings", "apiPath": "/warnings/{place}/send", "httpMethod": "POST"}'
    context = f'{{"apiResult": {repeated}, "streaming": true}}'
    bell = '{"functionResult": {"actionGroup": "bell"}, "streaming": true}'
    arguments = '{"place": "Zürich", "level": "orange", "place (2)": "Bern"}'
    what = "POST /warnings/{place}/send"  # the name would be the same for another method
    assert said[:-1] == [
        ToolRequest("1", "warnings-send", arguments, Wanted.BOTH, context, what),
        ToolRequest("1", "bell", "{}", Wanted.CONSENT, bell),
    ]


# --- Tokens


@pytest.mark.parametrize(
    "kind", ["orchestrationTrace", "routingClassifierTrace", "preProcessingTrace", "postProcessingTrace"]
)
def test_each_call_of_a_model_has_its_tokens(service: ScriptedServer, kind: str) -> None:
    usage = {"usage": {"inputTokens": 1204, "outputTokens": 58}}
    first = trace(kind, {"modelInvocationOutput": {"metadata": usage}})
    theirs = trace(kind, {"modelInvocationOutput": {"metadata": usage}}, collaboratorName="marine-forecaster")
    assert heard(service, first, theirs) == [Usage(1204, 58), Usage(1204, 58), Finished()]


def test_what_contains_calls_of_models_does_not_count_again(service: ScriptedServer) -> None:
    usage = {"usage": {"inputTokens": 2408, "outputTokens": 116}}
    collaborator = step("observation", agentCollaboratorInvocationOutput={"metadata": usage})
    final = step("observation", finalResponse={"text": "Sunny.", "metadata": usage})
    assert heard(service, collaborator, final) == [Finished()]


def test_a_call_of_a_model_without_tokens_breaks_nothing(service: ScriptedServer) -> None:
    outputs: list[dict[str, Any]] = [{}, {"metadata": {}}, {"metadata": {"usage": {"inputTokens": "many"}}}]
    messages = [step("modelInvocationOutput", **output) for output in outputs]
    assert heard(service, *messages, chunk("Sunny.")) == [TextDelta("Sunny."), Finished()]


# --- Asking again without streaming

DENIED = exception("accessDeniedException", {"message": "Access denied when calling Bedrock."})


@pytest.mark.parametrize(
    "before",
    [
        step("modelInvocationInput", text="You are …"),
        step("rationale", text="Hm."),
        trace("preProcessingTrace", {"modelInvocationInput": {"text": "Is this …"}}),
        trace("routingClassifierTrace", {"modelInvocationInput": {"text": "Who …"}}),
        trace("guardrailTrace", {"action": "INTERVENED", "inputAssessments": [ASSESSMENT]}),
        FAILURE,
    ],
)
def test_an_agent_that_only_thought_is_asked_again(service: ScriptedServer, before: bytes) -> None:
    requests = service.requests
    said = heard(service, before, DENIED)
    assert service.requests == requests + 2
    assert isinstance(said[-1], Failed)
    assert len([event for event in said if isinstance(event, Guardrail)]) <= 1


@pytest.mark.parametrize(
    "before",
    [
        step("invocationInput", knowledgeBaseLookupInput={"knowledgeBaseId": "KB1"}),
        step("observation", type="ACTION_GROUP", actionGroupInvocationOutput={"text": "{}"}),
        trace("routingClassifierTrace", {"invocationInput": {"invocationType": "AGENT_COLLABORATOR"}}),
        trace("customOrchestrationTrace", {"event": {"text": "{}"}}),
        trace("postProcessingTrace", {"modelInvocationInput": {"text": "Put …"}}),
        trace("traceOfTheFuture", {}),
        event("files", {"files": []}),
        chunk("So"),
    ],
)
def test_an_agent_that_may_have_done_something_is_not_asked_again(
    service: ScriptedServer, before: bytes
) -> None:
    requests = service.requests
    assert isinstance(heard(service, before, DENIED)[-1], Failed)
    assert service.requests == requests + 1
