"""One bot, several agents."""

from collections.abc import Iterator

import pytest

from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.service import AGENT_ID, ALIAS_ID
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge

CLASSIC = f"{AGENT_ID}/{ALIAS_ID}"
RUNTIME = RUNTIME_ARNS[Framework.STRANDS]


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1) as simulation:
        yield Bridge(simulation)


def asked(question: dict[str, object], bridge: Bridge) -> list[str]:
    """Which agents were asked in the question's thread, in order."""
    return [run.agent for run in bridge.invocations(question)]


@pytest.mark.parametrize(
    ("channel", "agent"),
    [("agent-classic", CLASSIC), ("agent-harness", HARNESS_ARN), ("agent-runtime", RUNTIME)],
)
def test_each_channel_is_answered_by_its_agent(bridge: Bridge, channel: str, agent: str) -> None:
    question = bridge.ask("@agent what's the weather in Chicago today?", channel=channel)
    assert "In **Chicago** expect" in bridge.texts(question)[0]
    assert asked(question, bridge) == [agent]


def test_a_question_may_begin_with_the_name_of_an_agent(bridge: Bridge) -> None:
    question = bridge.ask("@agent harness: what's the weather in Lima today?")
    assert asked(question, bridge) == [HARNESS_ARN]
    [run] = bridge.invocations(question)
    assert run.input_text == "what's the weather in Lima today?"


def test_a_thread_stays_with_the_agent_that_it_began_with(bridge: Bridge) -> None:
    question = bridge.ask("@agent runtime: what's the weather in Lima today?")
    bridge.ask("@agent and tomorrow?", thread_ts=question["ts"])
    assert asked(question, bridge) == [RUNTIME, RUNTIME]
    bridge.ask("@agent harness: and in Rome?", thread_ts=question["ts"])
    assert asked(question, bridge) == [RUNTIME, RUNTIME]
    assert "This thread is with **runtime**" in bridge.texts(question)[-1]


def test_help_lists_the_agents(bridge: Bridge) -> None:
    question = bridge.ask("@agent help")
    [text] = bridge.texts(question)
    assert "- **harness**: on AgentCore's managed harness" in text
    assert "- **runtime**" in text
    assert asked(question, bridge) == []


def test_the_agent_learns_who_asks(bridge: Bridge) -> None:
    question = bridge.ask("@agent what's the weather in Lima today?", channel="agent-runtime", user="bob")
    [run] = bridge.invocations(question)
    assert run.attributes["user"] == "U02BOB"
    assert run.attributes["thread"] == question["ts"]
    assert run.attributes["name"] == "bob"


def test_files_for_an_agent_that_takes_none_are_refused_in_plain_words(bridge: Bridge) -> None:
    files = [{"name": "a.txt", "mimetype": "text/plain", "bytes": "aGVsbG8="}]
    question = bridge.ask("@agent what is in this file?", channel="agent-harness", files=files)
    assert bridge.state(question) == "failed"
    assert asked(question, bridge) == []
