"""What Amazon Bedrock's agents alone do, with a real boto3 client. The rest: `test_agents_contract`."""

from dataclasses import replace

import pytest

from functions.adapters.agents import client as clients
from functions.adapters.agents.bedrock_agent import BedrockAgent
from functions.bridge.agents.events import Citation, File, Finished, Guardrail, Source, ToolKind, ToolUse
from functions.bridge.agents.failures import Failure
from simulator.agent import samples
from simulator.agent.service import AGENT_ID, ALIAS_ID, AgentService
from tests.functions.adapters.runs import (
    QUESTION,
    WAIT,
    asking,
    events,
    failure,
    text,
    wait_until_over,
)


@pytest.fixture
def agent(agent_service: AgentService) -> BedrockAgent:  # noqa: ARG001 - the client reads its address
    return agent_at()


def agent_at(agent_id: str = AGENT_ID) -> BedrockAgent:
    client = clients.bedrock_agent_runtime(longest_silence=60)
    return BedrockAgent(client, agent_id=agent_id, alias_id=ALIAS_ID)


def test_the_request_says_who_asks_and_asks_for_traces_and_streaming(
    agent: BedrockAgent, agent_service: AgentService
) -> None:
    events(agent.ask(QUESTION))
    [invocation] = agent_service.invocations
    assert (invocation.trace, invocation.streaming) == (True, True)
    assert (invocation.session_id, invocation.input_text) == (QUESTION.session_id, QUESTION.text)
    assert invocation.attributes == {
        "slack_user": "U0123456789",
        "slack_team": "T0123456789",
        "slack_channel": "C0123456789",
        "slack_thread": "1700000000.000100",
        "slack_name": "Ann",
    }


WIND = Source("wind scale.pdf")
CHILL = (Source("wind-chill", "https://www.example.com/weather/wind-chill"), Source("wind-chill.pdf"))
CITED = [
    ("Winds above 62 km/h count as a gale.", (WIND,)),
    ("The wind chill is defined below 10 °C only.", CHILL),
    ("A gale has force 8.", (WIND,)),
]


@pytest.mark.parametrize("streaming", [True, False])
def test_citations_follow_the_cited_words(
    agent: BedrockAgent, agent_service: AgentService, streaming: bool
) -> None:
    # Without streaming all citations come with one chunk.
    agent_service.streaming_allowed = streaming
    heard = events(agent.ask(asking("cite your sources")))
    places = [n for n, event in enumerate(heard) if isinstance(event, Citation)]
    for place, (words, sources) in zip(places, CITED, strict=True):
        assert text(heard[:place]).endswith(words)
        assert heard[place] == Citation(sources)
    assert text(heard).endswith(
        "count as a gale. The wind chill is defined below 10 °C only. A gale has force 8. Ask me for more."
    )
    assert ToolUse("", ToolKind.KNOWLEDGE_BASE) in heard


def test_files_that_the_agent_made_arrive(agent: BedrockAgent) -> None:
    heard = events(agent.ask(asking("chart")))
    made = [event for event in heard if isinstance(event, File)]
    assert [(file.name, file.media_type) for file in made] == [
        ("temperatures.png", "image/png"),
        ("temperatures.csv", "text/csv"),
    ]
    assert made[0].data.startswith(b"\x89PNG\r\n")
    assert ToolUse("", ToolKind.CODE_INTERPRETER) in heard


def test_a_colleague_s_tools_are_seen_too(agent: BedrockAgent) -> None:
    heard = events(agent.ask(asking("ask a colleague")))
    used = [event for event in heard if isinstance(event, ToolUse)]
    assert used[-2:] == [ToolUse("marine-forecaster", ToolKind.COLLABORATOR), ToolUse("read-buoys")]


def test_a_guardrail_that_blocks_is_named(agent: BedrockAgent) -> None:
    heard = events(agent.ask(asking("guardrail")))
    assert Guardrail(("topic Insider tips blocked", "custom word blocked")) in heard
    assert heard[-1] == Finished()


def test_a_guardrail_that_masks_is_named_once(agent: BedrockAgent) -> None:
    heard = events(agent.ask(asking("guardrail masks")))
    masked = ("sensitive information EMAIL masked", "sensitive information PHONE masked")
    assert [event for event in heard if isinstance(event, Guardrail)] == [
        Guardrail((*masked, "pattern station-number masked"))
    ]
    assert text(heard) == samples.MASKED


def test_the_user_s_files_go_along_under_names_of_their_own(
    agent: BedrockAgent, agent_service: AgentService
) -> None:
    files = (
        File("data.csv", "text/csv", b"a,b\n"),
        File("DATA.csv", "text/csv", b"c"),
        File("data.csv", "text/csv", b"d"),
        File("../plan.pdf", "application/pdf", b"%PDF-"),
        File("", "text/plain", b"?"),
    )
    heard = events(agent.ask(replace(QUESTION, text="what is in these files?", files=files)))
    [run] = agent_service.invocations
    assert [(file.name, file.media_type, file.size) for file in run.files] == [
        ("data.csv", "text/csv", 4),
        ("DATA (2).csv", "text/csv", 1),
        ("data (3).csv", "text/csv", 1),
        ("plan.pdf", "application/pdf", 5),
        ("file", "text/plain", 1),
    ]
    assert "**plan.pdf**: `application/pdf`, 5 bytes" in text(heard)


def test_more_files_than_the_service_takes_are_refused(agent: BedrockAgent) -> None:
    files = tuple(File(f"{n}.txt", "text/plain", b"x") for n in range(6))
    assert failure(events(agent.ask(replace(QUESTION, files=files)))) is Failure.INVALID


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("dependency", Failure.DEPENDENCY),
        ("fail", Failure.INTERNAL),
    ],
)
def test_an_error_in_the_stream_has_a_kind(agent: BedrockAgent, words: str, expected: Failure) -> None:
    assert failure(events(agent.ask(asking(words)))) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("modelNotReadyException", Failure.NOT_READY),
        ("dependencyFailedException", Failure.DEPENDENCY),
        ("badGatewayException", Failure.INTERNAL),
    ],
)
def test_a_refusal_that_other_kinds_of_agents_do_not_know_has_a_kind(
    agent: BedrockAgent, agent_service: AgentService, error: str, expected: Failure
) -> None:
    agent_service.force(f"{error} status")
    assert failure(events(agent.ask(QUESTION))) is expected


def test_an_unknown_agent_is_not_found(agent_service: AgentService) -> None:
    assert failure(events(agent_at(agent_id="NOSUCHAGNT").ask(QUESTION))) is Failure.NOT_FOUND
    assert agent_service.invocations == []


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


def test_a_run_that_was_cancelled_leaves_the_client_fit_for_the_next(agent: BedrockAgent) -> None:
    for _ in range(3):
        run = agent.ask(asking("slowly"))
        assert run.next(timeout=WAIT) is not None
        run.cancel()
        assert events(agent.ask(replace(QUESTION, session_id="another")))[-1] == Finished()


def test_a_silent_agent_yields_no_event(agent: BedrockAgent) -> None:
    run = agent.ask(asking("never answer"))
    while run.next(timeout=1.0) is not None:
        pass
    assert run.next(timeout=0) is None
    run.cancel()
