"""What is the runtime kind's own, beside `test_agents_contract` and the recordings in `tests/streams`."""

import base64
import json
from dataclasses import replace

import pytest

from functions.adapters.agents import client as clients
from functions.adapters.agents.run import BackgroundRun
from functions.adapters.agents.runtime import AgentCoreRuntime, asked, envelope, from_settings
from functions.bridge.agents.events import CutShort, File, Finished, Guardrail
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import Question
from functions.settings import AgentSettings
from simulator.agent.agentcore import RUNTIME_ARNS, Framework
from simulator.agent.service import AgentService
from tests.functions.adapters.runs import (
    PORTS,
    QUESTION,
    WAIT,
    asking,
    events,
    failure,
    text,
    wait_until_over,
)

# SHA-256 of "T0123456789:C0123456789:1700000000.000100"
SESSION = "9b84249004f4af530e365ebd9f21ec8afcacaec4b2a41e9d08e8fbdf38ec3c9d"


def agent_at(
    framework: Framework = Framework.STRANDS, *, qualifier: str = "", tell_user_id: bool = False
) -> AgentCoreRuntime:
    client = clients.bedrock_agentcore(longest_silence=60)
    arn = RUNTIME_ARNS[framework]
    return AgentCoreRuntime(client, arn=arn, qualifier=qualifier, tell_user_id=tell_user_id)


def test_its_trace_continues_that_of_the_worker(
    agent_service: AgentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = "Root=1-67891233-abcdef012345678912345678"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"{root};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a:0")
    events(agent_at().ask(QUESTION))
    [run] = agent_service.invocations
    assert run.attributes["traceParent"] == "00-67891233abcdef012345678912345678-53995c3f42cd8ad8-01"


def test_the_agent_is_told_who_asks_and_where(agent_service: AgentService) -> None:
    events(agent_at().ask(QUESTION))
    [run] = agent_service.invocations
    assert run.attributes == {
        "user": "U0123456789",
        "team": "T0123456789",
        "channel": "C0123456789",
        "thread": "1700000000.000100",
        "name": "Ann",
    }


def test_the_user_id_is_sent_only_where_a_setting_says_so(agent_service: AgentService) -> None:
    events(agent_at(tell_user_id=True).ask(QUESTION))
    [run] = agent_service.invocations
    assert run.attributes["runtimeUserId"] == "U0123456789"


def test_a_session_has_an_id_that_the_service_takes(agent_service: AgentService) -> None:
    events(agent_at().ask(QUESTION))
    [run] = agent_service.invocations
    assert len(run.session_id) == 64
    assert run.session_id.isalnum()


def test_an_endpoint_is_asked_by_its_name(agent_service: AgentService) -> None:
    assert events(agent_at(qualifier="DEFAULT").ask(QUESTION))[-1] == Finished()
    assert failure(events(agent_at(qualifier="none").ask(QUESTION))) is Failure.NOT_FOUND
    assert len(agent_service.invocations) == 1


def test_files_are_sent_with_the_question(agent_service: AgentService) -> None:
    files = (File("data.csv", "text/csv", b"a,b\n"), File("plan.pdf", "application/pdf", b"%PDF-"))
    question = replace(QUESTION, text="what is in these files?", files=files)
    heard = events(agent_at().ask(question))
    assert "**plan.pdf**: `application/pdf`, 5 bytes" in text(heard)
    [run] = agent_service.invocations
    assert [(file.name, file.size) for file in run.files] == [("data.csv", 4), ("plan.pdf", 5)]


def test_the_payload_is_as_documented() -> None:
    question = replace(QUESTION, files=(File("a.txt", "text/plain", b"hi"),))
    sent = {**envelope(question), **asked(question)}
    [message] = sent["messages"]
    assert json.loads(json.dumps(sent)) == {
        "prompt": "what's the weather in Chicago today?",
        "slack": {
            "user": "U0123456789",
            "team": "T0123456789",
            "channel": "C0123456789",
            "thread": "1700000000.000100",
            "name": "Ann",
        },
        "files": [
            {"name": "a.txt", "mediaType": "text/plain", "data": base64.b64encode(b"hi").decode()},
        ],
        "sessionId": SESSION,
        "userId": SESSION,
        "threadId": SESSION,
        "runId": sent["runId"],
        "messages": [
            {"id": message["id"], "role": "user", "content": "what's the weather in Chicago today?"}
        ],
    }


def test_the_payload_names_the_asker_as_the_user_where_people_are_remembered() -> None:
    sent = envelope(QUESTION, remembers_people=True)
    assert sent["sessionId"] == SESSION
    assert sent["userId"] == "U0123456789"


def test_the_payload_names_nobody_whose_name_is_not_known() -> None:
    question = Question("s", "hello", replace(QUESTION.asker, name=""))
    assert "name" not in envelope(question)["slack"]
    assert "files" not in asked(question)


def test_a_limit_and_a_guardrail_are_told(agent_service: AgentService) -> None:
    heard = events(agent_at().ask(asking("run out of words")))
    assert heard[-2:] == [CutShort(), Finished()]
    heard = events(agent_at().ask(replace(asking("guardrail"), session_id="another")))
    assert heard[-2:] == [Guardrail(("guardrail intervened",)), Finished()]
    assert len(agent_service.invocations) == 2


def test_an_agent_that_breaks_down_before_it_says_anything_may_have_acted(
    agent_service: AgentService,
) -> None:
    agent_service.force("modelNotReadyException status")  # RuntimeClientError, as HTTP 424
    assert failure(events(agent_at().ask(QUESTION))) is Failure.INTERNAL


def test_a_run_that_waits_for_its_answer_is_left_behind(agent_service: AgentService) -> None:
    run = agent_at(Framework.WHOLE).ask(asking("never answer"))
    while not agent_service.invocations:
        run.next(timeout=0.01)
    run.cancel()
    agent_service.stop()
    assert run.next(timeout=0) is None  # what its reader hears now, nobody is told


# --- the end of a session -----------------------------------------------------------------------------------


def at_work(
    agent_service: AgentService, *, stop_session: bool = True, tell_user_id: bool = False
) -> BackgroundRun:
    """A run of an agent that would be silent for minutes."""
    settings = AgentSettings(
        "agentcore-runtime",
        arn=RUNTIME_ARNS[Framework.STRANDS],
        stop_session=stop_session,
        tell_user_id=tell_user_id,
    )
    run = from_settings(settings, PORTS).ask(asking("never answer"))
    while not agent_service.invocations:
        run.next(timeout=0.01)
    return run


@pytest.mark.parametrize("tell_user_id", [False, True])
def test_the_agent_stops_when_its_session_is_ended(agent_service: AgentService, tell_user_id: bool) -> None:
    run = at_work(agent_service, tell_user_id=tell_user_id)
    run.stop_session()
    assert run.session_trouble(timeout=WAIT) == ""
    wait_until_over(agent_service)
    assert agent_service.invocations[0].ended == "stopped"
    run.cancel()


def test_the_session_goes_on_where_no_setting_has_it_ended(agent_service: AgentService) -> None:
    run = at_work(agent_service, stop_session=False)
    run.stop_session()
    assert run.session_trouble(timeout=WAIT) == ""
    assert agent_service.invocations[0].ended is None
    run.cancel()


def test_a_session_that_is_not_there_any_more_has_ended(agent_service: AgentService) -> None:
    agent_service.refuse_stops("resourceNotFoundException")
    run = at_work(agent_service)
    run.stop_session()
    assert run.session_trouble(timeout=WAIT) == ""
    run.cancel()


@pytest.mark.parametrize("error", ["conflictException", "throttlingException", "internalServerException"])
def test_the_end_of_a_session_is_asked_for_again_after_an_error_that_passes(
    agent_service: AgentService, error: str
) -> None:
    agent_service.refuse_stops(error, error)
    run = at_work(agent_service)
    run.stop_session()
    assert run.session_trouble(timeout=WAIT) == ""
    wait_until_over(agent_service)
    assert agent_service.invocations[0].ended == "stopped"
    run.cancel()


def test_a_session_that_may_not_be_ended_is_told_by_the_name_of_the_error(
    agent_service: AgentService,
) -> None:
    agent_service.refuse_stops("accessDeniedException")
    run = at_work(agent_service)
    run.stop_session()
    assert run.session_trouble(timeout=WAIT) == "the agent's session was not ended: accessDeniedException"
    assert agent_service.invocations[0].ended is None
    run.cancel()


def test_errors_that_do_not_pass_after_some_tries_are_told(agent_service: AgentService) -> None:
    agent_service.refuse_stops(*["conflictException"] * 4)
    run = at_work(agent_service)
    run.stop_session()
    assert "not ended in time" in run.session_trouble(timeout=0)
    assert (
        run.session_trouble(timeout=WAIT) == "the agent's session was not ended: retryableConflictException"
    )
    run.cancel()
