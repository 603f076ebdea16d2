import json
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError
from urllib3.exceptions import ProtocolError

from simulator.agent import samples
from simulator.agent.service import AGENT_ID, ALIAS_ID, SESSION_ENDED, AgentService, Invocation
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER
from simulator.journal import Journal

if TYPE_CHECKING:
    from mypy_boto3_bedrock_agent_runtime import AgentsforBedrockRuntimeClient

CHICAGO = "what's the weather in Chicago today?"


def invoke(
    client: "AgentsforBedrockRuntimeClient",
    text: str,
    *,
    session: str = "T1:C1:1700000000.123456",
    trace: bool = True,
    streaming: bool = True,
    **more: Any,
) -> Iterator[Any]:
    """The events of one turn as boto3 gives them."""
    answer = client.invoke_agent(
        agentId=more.pop("agent", AGENT_ID),
        agentAliasId=more.pop("alias", ALIAS_ID),
        sessionId=session,
        inputText=text,
        enableTrace=trace,
        streamingConfigurations={"streamFinalResponse": streaming},
        **more,
    )
    assert answer["contentType"] == "application/json"
    assert answer["sessionId"] == session
    return events_of(answer["completion"])


def events_of(stream: Any) -> Iterator[Any]:
    try:
        yield from stream
    finally:
        stream.close()  # botocore does not, when the stream ends in an error


def sent(name: str, media_type: str, data: bytes) -> Any:
    """A member of `sessionState.files`."""
    content = {"mediaType": media_type, "data": data}
    return {
        "name": name,
        "useCase": "CHAT",
        "source": {"sourceType": "BYTE_CONTENT", "byteContent": content},
    }


def chunks(events: list[Any]) -> list[bytes]:
    return [event["chunk"]["bytes"] for event in events if "chunk" in event]


def text_of(events: list[Any]) -> str:
    return b"".join(chunks(events)).decode()


def traces(events: list[Any], member: str) -> list[Any]:
    """The orchestration traces of one kind."""
    found = [event["trace"]["trace"].get("orchestrationTrace", {}) for event in events if "trace" in event]
    return [trace[member] for trace in found if member in trace]


def taken_until(error: type[Exception], events: Iterator[Any]) -> tuple[list[Any], Any]:
    """What came before the stream broke off, and the error."""
    taken: list[Any] = []
    with pytest.raises(error) as caught:
        taken.extend(events)  # keeps what came first
    return taken, caught.value


def refused(call: Callable[[], object]) -> tuple[int, str, str]:
    """HTTP status, error code and message of the refusal that `call` meets."""
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"]["Message"],
    )


def ended(service: AgentService, journal: Journal) -> Invocation:
    """The last run, once it has ended."""
    seen = 0
    while service.invocations[-1].ended is None:
        entries = journal.wait(after=seen, timeout=10)
        assert entries, "the invocation does not end"
        seen = entries[-1].number
    return service.invocations[-1]


def connected(service: AgentService) -> socket.socket:
    address = urlsplit(service.url)
    return socket.create_connection((address.hostname, address.port), timeout=10)


# --- The normal answer


def test_an_answer_streams_through_boto3(client: "AgentsforBedrockRuntimeClient") -> None:
    events = list(invoke(client, CHICAGO))
    assert "**Chicago**" in text_of(events)
    assert len(chunks(events)) > 5


def test_traces_show_rationale_tools_and_final_answer(client: "AgentsforBedrockRuntimeClient") -> None:
    events = list(invoke(client, CHICAGO))
    assert "Chicago" in traces(events, "rationale")[0]["text"]
    tools = [trace["actionGroupInvocationInput"] for trace in traces(events, "invocationInput")]
    assert [tool["actionGroupName"] for tool in tools] == [FIND_PLACE, FIND_DATE, FIND_WEATHER]
    assert tools[0]["parameters"] == [{"name": "place_name", "type": "string", "value": "Chicago"}]
    assert tools[2]["parameters"] == [
        {"name": "latitude", "type": "number", "value": "41.88"},
        {"name": "longitude", "type": "number", "value": "-87.63"},
        {"name": "forecast_days", "type": "integer", "value": "3"},
    ]
    observations = traces(events, "observation")
    [place] = json.loads(observations[0]["actionGroupInvocationOutput"]["text"])["places"]
    assert (place["latitude"], place["longitude"]) == (41.88, -87.63)
    assert observations[-1]["finalResponse"]["text"] == text_of(events)


def test_a_trace_says_whose_it_is(client: "AgentsforBedrockRuntimeClient") -> None:
    trace = next(invoke(client, CHICAGO))["trace"]
    assert (trace["agentId"], trace["agentAliasId"], trace["agentVersion"]) == (AGENT_ID, ALIAS_ID, "DRAFT")
    assert trace["sessionId"] == "T1:C1:1700000000.123456"
    assert trace["eventTime"].tzinfo is not None


def test_without_streaming_there_is_one_chunk(client: "AgentsforBedrockRuntimeClient") -> None:
    events = list(invoke(client, CHICAGO, streaming=False))
    assert len(chunks(events)) == 1
    assert len(traces(events, "observation")) == 4


def test_without_traces_there_are_only_chunks(client: "AgentsforBedrockRuntimeClient") -> None:
    assert all("chunk" in event for event in invoke(client, CHICAGO, trace=False))


def test_any_alias_of_ten_characters_is_taken(client: "AgentsforBedrockRuntimeClient") -> None:
    first = next(invoke(client, CHICAGO, alias="ABCDE12345"))
    assert first["trace"]["agentVersion"] == "1"


def test_a_session_remembers_its_place_and_others_do_not(client: "AgentsforBedrockRuntimeClient") -> None:
    list(invoke(client, CHICAGO, session="one"))
    assert "**Chicago**" in text_of(list(invoke(client, "and tomorrow?", session="one")))
    assert "For which city" in text_of(list(invoke(client, "and tomorrow?", session="two")))


def test_an_ended_session_forgets(client: "AgentsforBedrockRuntimeClient") -> None:
    list(invoke(client, CHICAGO))
    assert text_of(list(invoke(client, "bye", endSession=True))) == SESSION_ENDED
    assert "For which city" in text_of(list(invoke(client, "and tomorrow?")))


def test_runs_are_recorded(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", journal: Journal
) -> None:
    state: Any = {"sessionAttributes": {"user": "U1"}}
    events = list(invoke(client, CHICAGO, sessionState=state))
    [run] = service.invocations
    assert (run.input_text, run.attributes, run.script) == (CHICAGO, {"user": "U1"}, "natural")
    assert (run.trace, run.streaming, run.ended, run.pieces) == (True, True, "complete", len(chunks(events)))
    assert [entry.kind for entry in journal.entries(source="agent")] == [
        "invocation started",
        "invocation ended",
    ]
    assert journal.entries(kind="invocation ended")[0].detail["pieces"] == run.pieces


# --- Refusals


def test_an_unknown_agent_or_alias_is_not_found(client: "AgentsforBedrockRuntimeClient") -> None:
    for unknown in ({"agent": "NOBODY"}, {"alias": "SHORT"}):
        status, code, _ = refused(lambda unknown=unknown: invoke(client, CHICAGO, **unknown))  # type: ignore[misc]
        assert (status, code) == (404, "ResourceNotFoundException")


def test_an_invalid_session_id_is_a_validation_error(client: "AgentsforBedrockRuntimeClient") -> None:
    status, code, message = refused(lambda: invoke(client, CHICAGO, session="two words"))
    assert (status, code) == (400, "ValidationException")
    assert "sessionId" in message


def test_an_unsigned_request_is_forbidden(service: AgentService, journal: Journal) -> None:
    url = f"{service.url}/agents/{AGENT_ID}/agentAliases/{ALIAS_ID}/sessions/s-1/text"
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST"), timeout=10)
    with caught.value as response:
        assert response.status == 403
        assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
        assert json.load(response) == {"message": "Missing Authentication Token"}
    assert service.invocations == []
    assert journal.entries(kind="invocation refused")[0].detail["status"] == 403


def test_an_unknown_path_is_an_unknown_operation(service: AgentService) -> None:
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(f"{service.url}/agents", timeout=10)
    with caught.value as response:
        assert (response.status, response.headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")


def test_a_second_turn_at_once_is_a_conflict(
    service: AgentService, client: "AgentsforBedrockRuntimeClient"
) -> None:
    service.time_scale = 1
    first = invoke(client, "Chicago silently")
    status, code, _ = refused(lambda: invoke(client, CHICAGO))
    assert (status, code) == (409, "ConflictException")
    next(invoke(client, CHICAGO, session="another"))
    next(first)
    assert service.invocations[0].ended is None


def test_throttle_is_a_429_and_no_run(service: AgentService, client: "AgentsforBedrockRuntimeClient") -> None:
    status, code, _ = refused(lambda: invoke(client, "throttle Chicago"))
    assert (status, code) == (429, "ThrottlingException")
    assert service.invocations == []


def test_deny_is_a_403_that_names_an_arn(client: "AgentsforBedrockRuntimeClient") -> None:
    status, code, message = refused(lambda: invoke(client, "deny"))
    assert (status, code) == (403, "AccessDeniedException")
    assert "arn:aws:sts::" in message


# --- Errors in the stream


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("fail", "internalServerException"),
        ("throttle in stream", "throttlingException"),
        ("dependency", "dependencyFailedException"),
    ],
)
def test_errors_come_within_the_stream(
    service: AgentService,
    client: "AgentsforBedrockRuntimeClient",
    journal: Journal,
    words: str,
    code: str,
) -> None:
    taken, error = taken_until(EventStreamError, invoke(client, f"{CHICAGO} {words}"))
    assert error.response["Error"]["Code"] == code
    assert len(traces(taken, "invocationInput")) == 3
    assert ended(service, journal).ended == code


def test_an_unmodelled_error_keeps_its_code(
    service: AgentService, client: "AgentsforBedrockRuntimeClient"
) -> None:
    service.force("unmodelled error")
    _, error = taken_until(EventStreamError, invoke(client, CHICAGO))
    assert error.response["Error"]["Code"] == "InternalFailure"


def test_streaming_that_is_not_allowed_is_denied_before_any_tool(
    service: AgentService, client: "AgentsforBedrockRuntimeClient"
) -> None:
    service.streaming_allowed = False
    taken, error = taken_until(EventStreamError, invoke(client, CHICAGO))
    assert error.response["Error"]["Code"] == "accessDeniedException"
    assert error.response["Error"]["Message"].startswith("Access denied when calling Bedrock")
    assert traces(taken, "invocationInput") == []
    assert "**Chicago**" in text_of(list(invoke(client, CHICAGO, streaming=False)))


@pytest.mark.parametrize("script", ["fail at once", "unmodelled error"])
def test_a_session_is_free_before_its_client_reads_an_error(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", script: str
) -> None:
    service.force(script, times=50)
    for number in range(50):
        taken_until(EventStreamError, invoke(client, CHICAGO))
        assert service.invocations[number].ended is not None


@pytest.mark.parametrize("script", ["cut", "cut in message"])
def test_a_cut_stream_does_not_look_complete(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", journal: Journal, script: str
) -> None:
    service.force(script)
    taken, _ = taken_until(ProtocolError, invoke(client, CHICAGO))
    assert "**Chicago**" in text_of(taken)
    assert ended(service, journal).ended == "cut"


def test_a_reset_before_the_headers_counts_as_a_run(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", journal: Journal
) -> None:
    service.force("reset")
    with pytest.raises(ConnectionClosedError) as caught:
        invoke(client, CHICAGO)
    assert "ConnectionResetError" in repr(caught.value.kwargs["error"])
    assert ended(service, journal).ended == "reset"


def test_a_reset_in_the_stream_is_an_error(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", journal: Journal
) -> None:
    service.force("reset in stream")
    taken_until(ProtocolError, invoke(client, CHICAGO))
    assert ended(service, journal).ended == "reset"


# --- Other answers


def test_the_empty_answer_is_a_complete_stream_without_text(
    service: AgentService, client: "AgentsforBedrockRuntimeClient"
) -> None:
    for streaming in (True, False):
        events = list(invoke(client, f"{CHICAGO} empty answer", streaming=streaming))
        assert chunks(events) == []
        assert len(traces(events, "invocationInput")) == 3
    assert {run.ended for run in service.invocations} == {"complete"}


def guardrails(events: list[Any]) -> list[Any]:
    found = [event["trace"]["trace"].get("guardrailTrace") for event in events if "trace" in event]
    return [trace for trace in found if trace]


def test_a_guardrail_that_blocks_shows_in_the_trace(client: "AgentsforBedrockRuntimeClient") -> None:
    events = list(invoke(client, "guardrail"))
    [trace] = guardrails(events)
    assert trace["action"] == "INTERVENED"
    assert trace["inputAssessments"] == [
        {
            "topicPolicy": {"topics": [{"name": "Insider tips", "type": "DENY", "action": "BLOCKED"}]},
            "wordPolicy": {"customWords": [{"match": "jackpot", "action": "BLOCKED"}]},
        }
    ]
    assert text_of(events) == "Sorry, the model cannot answer this question."


def test_a_guardrail_that_masks_shows_in_the_trace(client: "AgentsforBedrockRuntimeClient") -> None:
    events = list(invoke(client, f"{CHICAGO} guardrail masks"))
    first, *masked = guardrails(events)
    assert first["action"] == "NONE"
    for trace in masked:
        found = trace["outputAssessments"][0]["sensitiveInformationPolicy"]
        assert [entity["type"] for entity in found["piiEntities"]] == ["EMAIL", "PHONE"]
        assert found["regexes"] == [{"name": "station-number", "match": "ST-4711", "action": "ANONYMIZED"}]
    assert len(masked) == 2
    assert "{EMAIL}" in text_of(events)


@pytest.mark.parametrize("streaming", [True, False])
def test_citations_span_the_cited_words(client: "AgentsforBedrockRuntimeClient", streaming: bool) -> None:
    events = list(invoke(client, f"{CHICAGO} cite your sources", streaming=streaming))
    text = text_of(events)
    citations = [
        citation
        for event in events
        for citation in event.get("chunk", {}).get("attribution", {}).get("citations", [])
    ]
    assert len(citations) == 3
    for citation in citations:
        part = citation["generatedResponsePart"]["textResponsePart"]
        assert text[part["span"]["start"] : part["span"]["end"] + 1] == part["text"]
    locations = [
        reference["location"] for citation in citations for reference in citation["retrievedReferences"]
    ]
    assert [location["type"] for location in locations] == ["S3", "WEB", "S3", "S3"]
    assert locations[0]["s3Location"]["uri"] == "s3://weather-handbook/manuals/wind%20scale.pdf"
    assert locations[1]["webLocation"]["url"] == "https://www.example.com/weather/wind-chill"


def test_a_knowledge_base_s_passages_show_in_the_trace(client: "AgentsforBedrockRuntimeClient") -> None:
    events = list(invoke(client, f"{CHICAGO} cite your sources"))
    [lookup] = [
        trace["knowledgeBaseLookupInput"]
        for trace in traces(events, "invocationInput")
        if trace["invocationType"] == "KNOWLEDGE_BASE"
    ]
    assert lookup["knowledgeBaseId"] == "KBHANDBOOK"
    [found] = [
        trace["knowledgeBaseLookupOutput"]
        for trace in traces(events, "observation")
        if trace["type"] == "KNOWLEDGE_BASE"
    ]
    assert len(found["retrievedReferences"]) == 3


def test_a_collaborator_s_steps_are_told_under_its_name(client: "AgentsforBedrockRuntimeClient") -> None:
    events = list(invoke(client, f"{CHICAGO} ask a colleague"))
    asked = [trace.get("agentCollaboratorInvocationInput") for trace in traces(events, "invocationInput")]
    assert "marine-forecaster" in [call["agentCollaboratorName"] for call in asked if call]
    theirs = [e["trace"] for e in events if e.get("trace", {}).get("collaboratorName") == "marine-forecaster"]
    assert [list(trace["trace"]["orchestrationTrace"]) for trace in theirs] == [
        ["modelInvocationInput"],
        ["modelInvocationOutput"],
        ["rationale"],
        ["invocationInput"],
        ["observation"],
        ["observation"],
    ]
    assert all(len(trace["callerChain"]) == 2 for trace in theirs)
    assert text_of(events).endswith("Out at sea the waves are **1.5 m** high.")


def test_a_file_is_attached(client: "AgentsforBedrockRuntimeClient") -> None:
    [made] = [event["files"]["files"] for event in invoke(client, "Lima, attach a file") if "files" in event]
    assert (made[0]["name"], made[0]["type"]) == ("forecast.csv", "text/csv")
    assert made[0]["bytes"].startswith(b"date,sky")


def test_a_chart_comes_with_its_numbers(client: "AgentsforBedrockRuntimeClient") -> None:
    events = list(invoke(client, "chart for Chicago"))
    [made] = [event["files"]["files"] for event in events if "files" in event]
    assert [(file["name"], file["type"]) for file in made] == [
        ("temperatures.png", "image/png"),
        ("temperatures.csv", "text/csv"),
    ]
    code = [trace.get("codeInterpreterInvocationInput") for trace in traces(events, "invocationInput")]
    assert {"code": "plot(temperatures)"} in code
    assert "**Chicago**" in text_of(events)


def test_files_are_named_with_their_types_and_sizes(
    service: AgentService, client: "AgentsforBedrockRuntimeClient"
) -> None:
    events = list(
        invoke(
            client,
            "what is in this file?",
            sessionState={
                "files": [sent("a.csv", "text/csv", b"x" * 1234), sent("b.txt", "text/plain", b"b")]
            },
        )
    )
    assert text_of(events) == (
        "I received 2 files:\n\n- **a.csv**: `text/csv`, 1,234 bytes\n- **b.txt**: `text/plain`, 1 bytes"
    )
    assert [(file.name, file.size) for file in service.invocations[0].files] == [
        ("a.csv", 1234),
        ("b.txt", 1),
    ]
    assert service.invocations[0].files[0].media_type == "text/csv"


def test_a_question_about_the_weather_is_answered_beside_its_files(
    client: "AgentsforBedrockRuntimeClient",
) -> None:
    state: Any = {"files": [sent("a.csv", "text/csv", b"x")]}
    text = text_of(list(invoke(client, CHICAGO, sessionState=state)))
    assert "**Chicago**" in text
    assert text.endswith("I received 1 file:\n\n- **a.csv**: `text/csv`, 1 bytes")


def test_too_many_files_are_a_validation_error(client: "AgentsforBedrockRuntimeClient") -> None:
    state: Any = {"files": [sent(f"{n}.txt", "text/plain", b"x") for n in range(6)]}
    status, code, message = refused(lambda: invoke(client, CHICAGO, sessionState=state))
    assert (status, code) == (400, "ValidationException")
    assert "sessionState.files" in message


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("mention everyone", samples.MENTIONS),
        ("unicode", samples.UNICODE),
        ("right to left", samples.RIGHT_TO_LEFT),
        ("with emoji", samples.EMOJI),
        ("with comparisons", samples.COMPARISONS),
    ],
)
def test_pieces_add_up_to_the_answer(client: "AgentsforBedrockRuntimeClient", text: str, answer: str) -> None:
    assert text_of(list(invoke(client, text))) == answer


def test_a_very_long_answer_arrives_whole(client: "AgentsforBedrockRuntimeClient") -> None:
    assert text_of(list(invoke(client, "very long report"))).endswith("End of the report.\n")
    assert len(text_of(list(invoke(client, "very long report", streaming=False)))) > 200_000


@pytest.mark.parametrize(("state", "answer"), [("CONFIRM", "was sent"), ("DENY", "**no** warning")])
def test_an_approval_waits_for_a_person(
    client: "AgentsforBedrockRuntimeClient", state: Any, answer: str
) -> None:
    *_, last = invoke(client, "Chicago, ask me first")
    call = last["returnControl"]["invocationInputs"][0]["functionInvocationInput"]
    assert (call["function"], call["actionInvocationType"]) == ("send-storm-warning", "USER_CONFIRMATION")
    result: Any = {
        "actionGroup": call["actionGroup"],
        "function": call["function"],
        "confirmationState": state,
    }
    consent: Any = {
        "invocationId": last["returnControl"]["invocationId"],
        "returnControlInvocationResults": [{"functionResult": result}],
    }
    assert answer in text_of(list(invoke(client, "ignored", sessionState=consent)))
    _, code, _ = refused(lambda: invoke(client, "ignored", sessionState=consent))
    assert code == "ValidationException"


def paused(client: "AgentsforBedrockRuntimeClient", text: str, **more: Any) -> dict[str, Any]:
    """The last event, in which the agent returns control."""
    *_, last = invoke(client, text, **more)
    return dict(last["returnControl"])


def result(function: str = "send_email", state: str = "CONFIRM", **more: Any) -> dict[str, Any]:
    told = {"actionGroup": function, "function": function, "confirmationState": state, **more}
    return {"functionResult": told}


@pytest.mark.parametrize(
    "results",
    [
        [result()],
        [result(), result(), result()],
        [result(), result("send-storm-warning")],
        [result(), result(actionGroup="other")],
        [result(), {"apiResult": {"actionGroup": "send_email", "confirmationState": "CONFIRM"}}],
        [result(), {"functionResult": {"actionGroup": "send_email", "function": "send_email"}}],
    ],
    ids=["too few", "too many", "another function", "another group", "another form", "no confirmation"],
)
def test_decisions_that_do_not_fit_are_refused_and_change_nothing(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", results: Any
) -> None:
    state = {"invocationId": paused(client, "Chicago, send two e-mails")["invocationId"]}
    wrong: Any = {**state, "returnControlInvocationResults": results}
    assert refused(lambda: invoke(client, "", sessionState=wrong))[:2] == (400, "ValidationException")
    said = {"TEXT": {"body": "Not Bob."}}
    right: Any = {
        **state,
        "returnControlInvocationResults": [result(), result(state="DENY", responseBody=said)],
    }
    list(invoke(client, "", sessionState=right))
    decisions = [(one.is_approved, one.said) for one in service.invocations[-1].decisions]
    assert decisions == [(True, ""), (False, "Not Bob.")]


def test_a_decision_for_another_session_is_refused(client: "AgentsforBedrockRuntimeClient") -> None:
    state: Any = {"invocationId": paused(client, "Chicago, send an e-mail")["invocationId"]}
    state["returnControlInvocationResults"] = [result()]
    elsewhere = refused(lambda: invoke(client, "", session="T1:C1:2.2", sessionState=state))
    assert elsewhere[:2] == (400, "ValidationException")


def test_a_new_question_gives_up_what_was_asked_for(client: "AgentsforBedrockRuntimeClient") -> None:
    state: Any = {"invocationId": paused(client, "Chicago, send an e-mail")["invocationId"]}
    state["returnControlInvocationResults"] = [result()]
    list(invoke(client, CHICAGO))
    assert refused(lambda: invoke(client, "", sessionState=state))[:2] == (400, "ValidationException")


# --- Forced scripts


def test_faults_are_played_as_often_as_told(
    service: AgentService, client: "AgentsforBedrockRuntimeClient"
) -> None:
    service.force("conflictException status", times=2)
    for _ in range(2):
        assert refused(lambda: invoke(client, CHICAGO))[:2] == (409, "ConflictException")
    assert "**Chicago**" in text_of(list(invoke(client, CHICAGO)))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("accessDeniedException", 403),
        ("dependencyFailedException", 424),
        ("internalServerException", 500),
        ("modelNotReadyException", 424),
        ("resourceNotFoundException", 404),
    ],
)
def test_every_error_comes_as_a_status_too(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", error: str, status: int
) -> None:
    service.force(f"{error} status")
    assert refused(lambda: invoke(client, CHICAGO))[:2] == (status, error[0].upper() + error[1:])
    service.force(f"{error} in stream")
    _, raised = taken_until(EventStreamError, invoke(client, CHICAGO))
    assert raised.response["Error"]["Code"] == error


# --- Ends from outside


def test_a_client_that_closes_during_silence_ends_the_run(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", journal: Journal
) -> None:
    service.time_scale = 1
    response = client.invoke_agent(
        agentId=AGENT_ID, agentAliasId=ALIAS_ID, sessionId="s-1", inputText="silently", enableTrace=True
    )
    next(iter(response["completion"]))
    response["completion"].close()
    assert ended(service, journal).ended == "client gone"


def test_a_client_that_closes_while_text_flows_ends_the_run(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", journal: Journal
) -> None:
    service.time_scale = 0.1
    response = client.invoke_agent(
        agentId=AGENT_ID,
        agentAliasId=ALIAS_ID,
        sessionId="s-1",
        inputText="very long report",
        streamingConfigurations={"streamFinalResponse": True},
    )
    next(iter(response["completion"]))
    response["completion"].close()
    assert ended(service, journal).ended == "client gone"


def test_a_session_is_free_again_after_its_client_went_away(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", journal: Journal
) -> None:
    service.time_scale = 1
    response = client.invoke_agent(
        agentId=AGENT_ID, agentAliasId=ALIAS_ID, sessionId="s-1", inputText="silently"
    )
    response["completion"].close()
    ended(service, journal)
    service.time_scale = 0
    assert "**Chicago**" in text_of(list(invoke(client, CHICAGO, session="s-1")))


def test_stop_ends_a_silent_stream_at_once(
    service: AgentService, client: "AgentsforBedrockRuntimeClient", journal: Journal
) -> None:
    service.time_scale = 1
    events = invoke(client, "Chicago never answer")
    next(events)
    stopper = threading.Thread(target=service.stop)
    stopper.start()
    taken_until(ProtocolError, events)
    stopper.join(timeout=10)
    assert not stopper.is_alive()
    assert ended(service, journal).ended == "stopped"


def test_half_a_request_starts_nothing(service: AgentService) -> None:
    with connected(service) as half:
        half.sendall(b"POST /agents/METEOAGENT/agentAliases/TSTALIASID/sessions/s-1/text HTTP/1.1\r\n")
    assert service.invocations == []
