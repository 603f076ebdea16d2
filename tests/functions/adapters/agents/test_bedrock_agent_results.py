"""The answers to what Amazon Bedrock's agents ask for: each form, as boto3 sends it and the model has it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Response

from functions.adapters.agents import client as clients
from functions.adapters.agents.bedrock_agent import BedrockAgent
from functions.bridge.agents.events import Failed, Finished, TextDelta, ToolAnswer, ToolRequest
from functions.bridge.agents.failures import Failure
from simulator.agent.eventstream import CONTENT_TYPE, event, exception
from tests.functions.adapters.runs import QUESTION, events, requests
from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for
from tests.streams.shapes import named, problems

FUNCTION = {"actionGroup": "mail", "function": "send_email", "agentId": "COLLEAGUE1"}
API = {"actionGroup": "mail", "apiPath": "/mails/{to}", "httpMethod": "POST"}
SAID = event("chunk", {"bytes": "T2su"})
DENIED = exception("accessDeniedException", {"message": "Access denied when calling Bedrock."})


@pytest.fixture
def service() -> Iterator[ScriptedServer]:
    with standing_in_for("BEDROCK_AGENT_RUNTIME") as service:
        yield service


@pytest.fixture
def agent(service: ScriptedServer) -> BedrockAgent:  # noqa: ARG001 - the client reads its address
    client = clients.bedrock_agent_runtime(longest_silence=20)
    return BedrockAgent(client, agent_id="AGENT", alias_id="ALIAS")


def asked(agent: BedrockAgent, service: ScriptedServer, *calls: dict[str, Any]) -> list[ToolRequest]:
    """The agent's requests for these calls."""
    inputs = [
        {("apiInvocationInput" if "apiPath" in call else "functionInvocationInput"): call} for call in calls
    ]
    answer = event("returnControl", {"invocationId": "i-1", "invocationInputs": inputs})
    service.answer = Response(answer, content_type=CONTENT_TYPE)
    return requests(events(agent.ask(QUESTION)))


def state_sent(agent: BedrockAgent, service: ScriptedServer, answers: list[ToolAnswer]) -> dict[str, Any]:
    """`sessionState` of the request that answers."""
    service.answer = Response(SAID, content_type=CONTENT_TYPE)
    assert events(agent.resume(QUESTION, answers)) == [TextDelta("Ok."), Finished()]
    body = json.loads(service.body)
    assert "inputText" not in body
    state: dict[str, Any] = body["sessionState"]
    assert list(problems(named("bedrock-agent-runtime", "SessionState"), state)) == []
    assert state["sessionAttributes"]["slack_user"] == QUESTION.asker.user
    assert state["invocationId"] == "i-1"
    return state


NOT_RUN = "The tool was not run, because the use of it was not approved."
NOT_AGAIN = "Do not call it again with the same arguments unless the user asks for that."


@pytest.mark.parametrize(
    ("wanted", "told", "expected"),
    [
        ("USER_CONFIRMATION", {"is_approved": True}, {"confirmationState": "CONFIRM"}),
        (
            "USER_CONFIRMATION",
            {"is_approved": False, "reason": "Not today."},
            {
                "confirmationState": "DENY",
                "body": f"{NOT_RUN} The reason given: Not today. {NOT_AGAIN}",
            },
        ),
        (
            "USER_CONFIRMATION_AND_RESULT",
            {"is_approved": True, "result": "Sent."},
            {"confirmationState": "CONFIRM", "body": "Sent."},
        ),
        (
            "USER_CONFIRMATION_AND_RESULT",
            {"is_approved": False},
            {"confirmationState": "DENY", "body": f"{NOT_RUN} {NOT_AGAIN}"},
        ),
        ("RESULT", {"is_approved": True, "result": "Sent."}, {"body": "Sent."}),
        ("RESULT", {"is_approved": False}, {"body": f"{NOT_RUN} {NOT_AGAIN}"}),
        (
            "RESULT",
            {"is_approved": True, "result": "No such address.", "has_failed": True},
            {"body": "No such address.", "responseState": "REPROMPT"},
        ),
    ],
)
@pytest.mark.parametrize("call", [FUNCTION, API], ids=["function", "api"])
def test_each_decision_has_its_form(
    agent: BedrockAgent,
    service: ScriptedServer,
    call: dict[str, str],
    wanted: str,
    told: dict[str, Any],
    expected: dict[str, str],
) -> None:
    [request] = asked(agent, service, {**call, "actionInvocationType": wanted})
    state = state_sent(agent, service, [ToolAnswer(request, **told)])
    form, media_type = ("apiResult", "application/json") if call is API else ("functionResult", "TEXT")
    result = {**call, **expected}
    if "body" in result:
        result["responseBody"] = {media_type: {"body": result.pop("body")}}  # type: ignore[assignment]
    assert state["returnControlInvocationResults"] == [{form: result}]


def test_all_requests_of_an_invocation_are_answered_together(
    agent: BedrockAgent, service: ScriptedServer
) -> None:
    calls = ({**FUNCTION, "actionInvocationType": "USER_CONFIRMATION"}, API)
    first, second = asked(agent, service, *calls)
    state = state_sent(agent, service, [ToolAnswer(first, True), ToolAnswer(second, True, result="Sent.")])
    assert [next(iter(result)) for result in state["returnControlInvocationResults"]] == [
        "functionResult",
        "apiResult",
    ]


def test_an_agent_that_may_not_stream_is_not_asked_to_when_it_goes_on(service: ScriptedServer) -> None:
    def fresh() -> BedrockAgent:
        client = clients.bedrock_agent_runtime(longest_silence=20)
        return BedrockAgent(client, agent_id="AGENT", alias_id="ALIAS")

    denied = fresh()
    service.answer = Response(DENIED, content_type=CONTENT_TYPE)
    events(denied.ask(QUESTION))
    [request] = asked(denied, service, FUNCTION)
    service.answer = Response(SAID, content_type=CONTENT_TYPE)
    events(fresh().resume(QUESTION, [ToolAnswer(request, True, result="Sent.")]))  # of another process
    assert json.loads(service.body)["streamingConfigurations"] == {"streamFinalResponse": False}


def test_a_decision_is_sent_once_whatever_comes_of_it(agent: BedrockAgent, service: ScriptedServer) -> None:
    [request] = asked(agent, service, FUNCTION)
    before = service.requests
    service.answer = Response(DENIED, content_type=CONTENT_TYPE)
    [failed] = events(agent.resume(QUESTION, [ToolAnswer(request, True, result="Sent.")]))
    assert isinstance(failed, Failed)
    assert (failed.failure, failed.begun) == (Failure.ACCESS_DENIED, True)
    assert service.requests == before + 1
