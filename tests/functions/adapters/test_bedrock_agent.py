"""The adapter with a real boto3 client against a server that speaks InvokeAgent's event stream."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from functions.adapters import aws as clients
from functions.adapters.bedrock_agent import BedrockAgent
from functions.bridge.agent import (
    AgentEvent,
    AgentRun,
    Failed,
    Finished,
    Question,
    Rationale,
    TextDelta,
    ToolUse,
)
from functions.bridge.failures import NOT_STARTED, Failure
from simulator.agent import samples
from simulator.agent.service import AGENT_ID, ALIAS_ID, AgentService

QUESTION = Question(session_id="T1:C1:1700000000.000100", text="what's the weather in Chicago today?")
WAIT = 20.0  # seconds; no test needs them


@pytest.fixture
def agent(agent_service: AgentService) -> BedrockAgent:  # noqa: ARG001 - the client reads its address
    return agent_at()


def agent_at(longest_silence: float = 60.0, agent_id: str = AGENT_ID) -> BedrockAgent:
    client = clients.bedrock_agent_runtime(longest_silence=longest_silence)
    return BedrockAgent(client, agent_id=agent_id, alias_id=ALIAS_ID)


def events(run: AgentRun) -> list[AgentEvent]:
    """Everything that the run says, to its end."""
    heard: list[AgentEvent] = []
    while not (heard and isinstance(heard[-1], Finished | Failed)):
        event = run.next(timeout=WAIT)
        assert event is not None, f"nothing came after {heard}"
        heard.append(event)
    run.cancel()
    return heard


def wait_until_over(service: AgentService) -> None:
    """A session takes no second question until the service has closed the first one's stream."""
    while any(run.ended is None for run in service.invocations):
        time.sleep(0.001)


def text(heard: list[AgentEvent]) -> str:
    return "".join(event.text for event in heard if isinstance(event, TextDelta))


def failure(heard: list[AgentEvent]) -> Failure:
    assert isinstance(heard[-1], Failed)
    return heard[-1].failure


def asking(words: str) -> Question:
    return replace(QUESTION, text=f"{words}: what's the weather in Chicago?")


def test_the_answer_comes_in_pieces_after_rationale_and_tools(
    agent: BedrockAgent, agent_service: AgentService
) -> None:
    heard = events(agent.ask(QUESTION))
    assert "Chicago" in text(heard)
    assert len([event for event in heard if isinstance(event, TextDelta)]) > 3
    assert any(isinstance(event, Rationale) for event in heard)
    assert ToolUse("obtain-weather-information-with-coordinates") in heard
    assert heard[-1] == Finished()
    [invocation] = agent_service.invocations
    assert (invocation.trace, invocation.streaming) == (True, True)
    assert (invocation.session_id, invocation.input_text) == (QUESTION.session_id, QUESTION.text)


def test_the_session_remembers_the_place(agent: BedrockAgent, agent_service: AgentService) -> None:
    events(agent.ask(QUESTION))
    wait_until_over(agent_service)
    assert "Chicago" in text(events(agent.ask(replace(QUESTION, text="and tomorrow?"))))


def test_a_character_that_is_cut_in_two_arrives_whole(agent: BedrockAgent) -> None:
    assert text(events(agent.ask(asking("unicode")))) == samples.UNICODE


def test_a_very_long_answer_arrives_complete(agent: BedrockAgent) -> None:
    assert len(text(events(agent.ask(asking("very long report"))))) > 195_000


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("throttle", Failure.THROTTLED),
        ("throttle in stream", Failure.INTERNAL),
        ("deny", Failure.ACCESS_DENIED),
        ("dependency", Failure.DEPENDENCY),
        ("fail", Failure.INTERNAL),
        ("cut the stream", Failure.CUT_OFF),
        ("ask me first", Failure.RETURN_OF_CONTROL),
    ],
)
def test_trouble_has_a_kind(agent: BedrockAgent, words: str, expected: Failure) -> None:
    assert failure(events(agent.ask(asking(words)))) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("throttlingException", Failure.THROTTLED),
        ("conflictException", Failure.BUSY),
        ("modelNotReadyException", Failure.NOT_READY),
        ("serviceQuotaExceededException", Failure.QUOTA),
        ("accessDeniedException", Failure.ACCESS_DENIED),
        ("resourceNotFoundException", Failure.NOT_FOUND),
        ("validationException", Failure.INVALID),
        ("dependencyFailedException", Failure.DEPENDENCY),
        ("internalServerException", Failure.INTERNAL),
        ("badGatewayException", Failure.INTERNAL),
    ],
)
def test_a_refused_request_and_a_broken_stream_are_told_apart(
    agent: BedrockAgent, agent_service: AgentService, error: str, expected: Failure
) -> None:
    agent_service.force(f"{error} status")
    assert failure(events(agent.ask(QUESTION))) is expected
    agent_service.force(f"{error} in stream")
    assert failure(events(agent.ask(QUESTION))) not in NOT_STARTED


@pytest.mark.parametrize("script", ["cut in message", "cut after tools", "reset", "reset in stream"])
def test_a_lost_connection_is_never_taken_for_a_run_that_did_not_start(
    agent: BedrockAgent, agent_service: AgentService, script: str
) -> None:
    agent_service.force(script)
    assert failure(events(agent.ask(QUESTION))) is Failure.CUT_OFF
    assert len(agent_service.invocations) == 1


def test_an_unknown_agent_is_not_found(agent_service: AgentService) -> None:
    assert failure(events(agent_at(agent_id="NOSUCHAGNT").ask(QUESTION))) is Failure.NOT_FOUND
    assert agent_service.invocations == []


def test_a_service_that_cannot_be_reached_did_not_start(
    agent_service: AgentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME", f"http://127.0.0.1:{port}")
    assert failure(events(agent_at().ask(QUESTION))) is Failure.UNREACHABLE
    assert agent_service.invocations == []


def test_a_slow_agent_is_run_once(agent_service: AgentService) -> None:
    # botocore's own default would run it again when the silence lasts too long.
    agent_service.force("never")
    assert failure(events(agent_at(longest_silence=0.3).ask(QUESTION))) is Failure.CUT_OFF
    assert len(agent_service.invocations) == 1


def test_an_agent_that_may_not_stream_answers_whole_and_is_not_asked_to_stream_again(
    agent: BedrockAgent, agent_service: AgentService
) -> None:
    agent_service.streaming_allowed = False
    heard = events(agent.ask(QUESTION))
    assert "Chicago" in text(heard)
    assert heard[-1] == Finished()
    wait_until_over(agent_service)
    events(agent.ask(replace(QUESTION, text="and tomorrow?")))
    assert [run.streaming for run in agent_service.invocations] == [True, False, False]


def test_access_that_is_denied_after_a_tool_ran_is_not_asked_again(
    agent: BedrockAgent, agent_service: AgentService
) -> None:
    agent_service.force("streaming denied after tools")
    assert failure(events(agent.ask(QUESTION))) is Failure.ACCESS_DENIED
    assert len(agent_service.invocations) == 1


def agent_threads() -> Iterator[threading.Thread]:
    return (thread for thread in threading.enumerate() if thread.name == "agent-stream")


def test_a_silent_stream_can_be_cancelled(agent: BedrockAgent) -> None:
    run = agent.ask(asking("never answer"))
    while not isinstance(event := run.next(timeout=WAIT), ToolUse):
        assert event is not None
    run.cancel()
    assert list(agent_threads()) == []


def test_a_busy_stream_can_be_cancelled(agent: BedrockAgent) -> None:
    run = agent.ask(asking("very long report"))
    assert run.next(timeout=WAIT) is not None
    run.cancel()
    assert list(agent_threads()) == []


def test_a_run_that_was_cancelled_leaves_the_client_fit_for_the_next(agent: BedrockAgent) -> None:
    for _ in range(3):
        run = agent.ask(asking("slowly"))
        assert run.next(timeout=WAIT) is not None
        run.cancel()
        assert events(agent.ask(replace(QUESTION, session_id="another")))[-1] == Finished()


def test_nothing_comes_while_an_agent_is_silent(agent: BedrockAgent) -> None:
    run = agent.ask(asking("never answer"))
    while run.next(timeout=1.0) is not None:
        pass
    assert run.next(timeout=0) is None
    run.cancel()
