"""What is the harness kind's own, beside `test_agents_contract` and the recordings in `tests/streams`."""

import json
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.wrappers import Response

from functions.adapters.agents import client as clients
from functions.adapters.agents.harness import AgentCoreHarness, from_settings
from functions.bridge.agents.events import (
    CutShort,
    Failed,
    File,
    Finished,
    Guardrail,
    Rationale,
    ToolAnswer,
    ToolRequest,
)
from functions.bridge.agents.failures import MAY_HAVE_ACTED, Failure
from functions.settings import AgentSettings, MemoryBy
from simulator.agent.agentcore import HARNESS_ARN
from simulator.agent.eventstream import CONTENT_TYPE, event
from simulator.agent.service import AgentService
from tests.functions.adapters.runs import (
    PORTS,
    QUESTION,
    approved,
    asking,
    events,
    failure,
    requests,
    text,
    wait_until_over,
)
from tests.functions.adapters.scripted_server import standing_in_for
from tests.streams.shapes import named, problems

# SHA-256 of "T0123456789:C0123456789:1700000000.000100"
SESSION = "9b84249004f4af530e365ebd9f21ec8afcacaec4b2a41e9d08e8fbdf38ec3c9d"


def agent_at(
    arn: str = HARNESS_ARN, qualifier: str = "", *, remembers_people: bool = False
) -> AgentCoreHarness:
    client = clients.bedrock_agentcore(longest_silence=60)
    return AgentCoreHarness(client, arn=arn, qualifier=qualifier, remembers_people=remembers_people)


def test_session_and_memory_belong_to_the_thread(agent_service: AgentService) -> None:
    events(agent_at().ask(QUESTION))
    [run] = agent_service.invocations
    assert run.attributes == {"actorId": SESSION}
    assert run.session_id == SESSION


def test_memory_belongs_to_the_asker_where_people_are_remembered(agent_service: AgentService) -> None:
    events(agent_at(remembers_people=True).ask(QUESTION))
    [run] = agent_service.invocations
    assert run.attributes == {"actorId": "U0123456789"}
    assert run.session_id == SESSION


def test_memory_by_person_is_a_setting(agent_service: AgentService) -> None:
    for memory_by in MemoryBy:
        settings = AgentSettings("agentcore-harness", arn=HARNESS_ARN, memory_by=memory_by)
        events(from_settings(settings, PORTS).ask(QUESTION))
        wait_until_over(agent_service)
    actors = [run.attributes["actorId"] for run in agent_service.invocations]
    assert actors == [SESSION, "U0123456789"]


def test_its_trace_continues_that_of_the_worker(
    agent_service: AgentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = "Root=1-67891233-abcdef012345678912345678"
    for header in (
        f"{root};Parent=53995c3f42cd8ad8;Sampled=1",
        f"{root};Parent=53995c3f42cd8ad8;Sampled=0",
        "",
    ):
        monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
        events(agent_at().ask(QUESTION))
        wait_until_over(agent_service)
    parents = [run.attributes.get("traceParent") for run in agent_service.invocations]
    assert parents == ["00-67891233abcdef012345678912345678-53995c3f42cd8ad8-01", None, None]


def test_limits_are_sent_where_they_are_set(agent_service: AgentService) -> None:
    limited = AgentSettings("agentcore-harness", arn=HARNESS_ARN, timeout_seconds=120, max_iterations=9)
    for settings in (limited, replace(limited, timeout_seconds=0, max_tokens=4000)):
        events(from_settings(settings, PORTS).ask(QUESTION))
        wait_until_over(agent_service)
    assert [run.limits for run in agent_service.invocations] == [
        {"timeoutSeconds": 120, "maxIterations": 9},
        {"maxIterations": 9, "maxTokens": 4000},
    ]


def test_a_harness_keeps_its_own_limits_where_none_is_set(agent_service: AgentService) -> None:
    events(from_settings(AgentSettings("agentcore-harness", arn=HARNESS_ARN), PORTS).ask(QUESTION))
    assert [run.limits for run in agent_service.invocations] == [{}]


def test_an_endpoint_is_asked_by_its_name(agent_service: AgentService) -> None:
    assert events(agent_at(qualifier="DEFAULT").ask(QUESTION))[-1] == Finished()
    assert failure(events(agent_at(qualifier="none").ask(QUESTION))) is Failure.NOT_FOUND
    assert len(agent_service.invocations) == 1


def test_an_id_instead_of_an_arn_is_not_accepted(agent_service: AgentService) -> None:
    assert failure(events(agent_at("meteorologist-A1b2C3d4E5").ask(QUESTION))) is Failure.INVALID
    assert agent_service.invocations == []


def test_files_are_not_taken_and_nothing_is_asked(agent_service: AgentService) -> None:
    question = replace(QUESTION, files=(File("a.csv", "text/csv", b"a,b\n"),))
    assert events(agent_at().ask(question)) == [Failed(Failure.FILES_NOT_TAKEN, "a harness takes text only")]
    assert agent_service.invocations == []


def test_a_request_for_consent_is_a_return_of_control(agent_service: AgentService) -> None:
    heard = events(agent_at().ask(asking("ask me first")))
    assert failure(heard) is Failure.RETURN_OF_CONTROL
    wait_until_over(agent_service)
    assert agent_service.invocations[0].ended == "approval"


def test_an_answer_that_is_too_long_is_cut_short(agent_service: AgentService) -> None:
    heard = events(agent_at().ask(asking("run out of words")))
    assert "Chicago" in text(heard)
    assert heard[-2:] == [CutShort(), Finished()]
    wait_until_over(agent_service)
    agent_service.force("limit at once")
    assert failure(events(agent_at().ask(QUESTION))) is Failure.LIMIT


def test_content_that_is_filtered_counts_as_a_guardrail(agent_service: AgentService) -> None:
    heard = events(agent_at().ask(asking("guardrail")))
    assert heard[-2:] == [Guardrail(("content filtered",)), Finished()]
    assert len(agent_service.invocations) == 1


@pytest.mark.parametrize(
    "reason", ["timeout_exceeded", "max_iterations_exceeded", "interrupted", "malformed_tool_use"]
)
def test_a_harness_that_stops_too_early_may_have_acted(agent_service: AgentService, reason: str) -> None:
    agent_service.force(f"stop {reason}")
    heard = events(agent_at().ask(QUESTION))
    assert failure(heard) in MAY_HAVE_ACTED
    assert text(heard)


def test_each_thought_is_one_rationale(agent_service: AgentService) -> None:
    heard = events(agent_at().ask(asking("think aloud")))
    thoughts = [event.text for event in heard if isinstance(event, Rationale)]
    assert thoughts[0] == "Let me see which place and which day the question is about."
    assert len(thoughts) == 5
    assert len(agent_service.invocations) == 1


# --- What became of an inline function


CALL = ToolRequest("tooluse_1", "send_email", '{"to": "ann@example.com"}', context="mail___send_email")


@pytest.mark.parametrize(
    ("answer", "said", "status"),
    [
        (ToolAnswer(CALL, True, result='{"sent": true}'), '{"sent": true}', "success"),
        (ToolAnswer(CALL, True, result=""), "The tool returned nothing.", "success"),
        (ToolAnswer(CALL, True, result="No such address.", has_failed=True), "No such address.", "error"),
        (
            ToolAnswer(CALL, False, "Not today."),
            "The tool was not run, because the use of it was not approved. The reason given: Not today. "
            "Do not call it again with the same arguments unless the user asks for that.",
            "error",
        ),
    ],
)
def test_a_result_follows_a_copy_of_the_call(answer: ToolAnswer, said: str, status: str) -> None:
    with standing_in_for("BEDROCK_AGENTCORE") as server:
        server.answer = Response(event("messageStop", {"stopReason": "end_turn"}), content_type=CONTENT_TYPE)
        assert events(agent_at().resume(QUESTION, [answer])) == [Finished()]
        messages: Any = json.loads(server.body)["messages"]
    assert list(problems(named("bedrock-agentcore", "HarnessMessages"), messages)) == []
    use = {"toolUseId": "tooluse_1", "name": "mail___send_email", "input": {"to": "ann@example.com"}}
    result = {"toolUseId": "tooluse_1", "content": [{"text": said}], "status": status}
    assert messages == [
        {"role": "assistant", "content": [{"toolUse": use}]},
        {"role": "user", "content": [{"toolResult": result}]},
    ]


def test_going_on_keeps_limits_endpoint_and_actor(agent_service: AgentService) -> None:
    settings = AgentSettings(
        "agentcore-harness",
        arn=HARNESS_ARN,
        qualifier="DEFAULT",
        memory_by=MemoryBy.PERSON,
        timeout_seconds=120,
    )
    agent = from_settings(settings, PORTS)
    asked = requests(events(agent.ask(asking("send an e-mail"))))
    wait_until_over(agent_service)
    events(agent.resume(QUESTION, approved(asked)))
    _, run = agent_service.invocations
    assert (run.limits, run.attributes) == ({"timeoutSeconds": 120}, {"actorId": "U0123456789"})


def test_going_on_sends_no_files(agent_service: AgentService) -> None:
    asked = requests(events(agent_at().ask(asking("send an e-mail"))))
    wait_until_over(agent_service)
    question = replace(QUESTION, files=(File("a.csv", "text/csv", b"a,b\n"),))
    assert events(agent_at().resume(question, approved(asked)))[-1] == Finished()
