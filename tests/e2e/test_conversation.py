"""What an agent is told of its thread, through the processes that `make demo` starts."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.agent.service import Invocation
from simulator.aws import TABLE
from simulator.simulation import AGENTS, Simulation
from simulator.slack.seed import TEAM
from tests.e2e.bridge import Bridge

READ = "conversations.replies"
FIRST = "@agent what's the weather in Rome today?"
HISTORY = ["channels:history", "groups:history", "im:history", "mpim:history"]


@pytest.fixture(scope="module", params=AGENTS)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    """Each kind of agent is told the same."""
    with Simulation(time_scale=0.1, agent=request.param) as simulation:
        yield Bridge(simulation)


def last_run(bridge: Bridge) -> Invocation:
    return bridge.simulation.agent.invocations[-1]


def follow_up(bridge: Bridge, first: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    """Ask in the thread and wait for the answer."""
    question = {**bridge.say(text, channel=first["channel"], thread_ts=first["ts"], **more)}
    bridge.settled({**question, "thread_ts": first["ts"]})
    return question


def reads(bridge: Bridge) -> int:
    return len([call for call in bridge.simulation.slack.web_api.calls if call.method == READ])


def set_seen_at(bridge: Bridge, first: dict[str, Any], milliseconds: int) -> None:
    """Let the agent's last answer in the thread have been then."""
    key = {"turn_id": {"S": f"{TEAM.id}:{first['channel']}:{first['ts']}"}, "item": {"S": "thread"}}
    bridge.simulation.aws.dynamodb.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET seen_at = :then",
        ConditionExpression="attribute_exists(seen)",
        ExpressionAttributeValues={":then": {"N": str(milliseconds)}},
    )


def test_an_agent_is_told_what_others_have_said_since_and_its_answer_says_so(bridge: Bridge) -> None:
    before = reads(bridge)
    first = bridge.ask(FIRST)
    assert reads(bridge) == before
    bridge.say("we fly to Lima instead, <everybody>", user="bob", thread_ts=first["ts"])
    follow_up(bridge, first, "@agent what's the weather tomorrow?")
    assert reads(bridge) == before + 1
    text = last_run(bridge).input_text
    assert '> "bob", ' in text
    assert "> we fly to Lima instead, <everybody>\n" in text
    assert "Rome" not in text
    answer = bridge.texts(first)[-1]
    assert "In **Lima**" in answer
    assert answer.endswith("_Read 1 message of this thread._")


def test_after_the_agents_idle_time_it_is_told_the_thread_from_its_beginning(bridge: Bridge) -> None:
    first = bridge.ask(FIRST)
    follow_up(bridge, first, "@agent and now?")
    assert last_run(bridge).input_text == "and now?"
    set_seen_at(bridge, first, 1_700_000_000_000)
    follow_up(bridge, first, "@agent and in Lima?")
    text = last_run(bridge).input_text
    assert '> @"you" what\'s the weather in Rome today?\n' in text
    assert "> You, " in text
    assert "> In **Rome**" in text
    assert "Processing…" not in text
    follow_up(bridge, first, "@agent and now?")
    assert last_run(bridge).input_text == "and now?"


def test_who_is_mentioned_in_the_middle_of_a_thread_knows_what_it_is_about(bridge: Bridge) -> None:
    first = bridge.say("who has been to Vienna?", user="bob")
    bridge.say("I have", thread_ts=first["ts"])
    follow_up(bridge, first, "@agent what's the weather there today?")
    text = last_run(bridge).input_text
    assert "> who has been to Vienna?\n" in text
    assert "> I have\n" in text
    assert "In **Vienna**" in bridge.texts(first)[-1]


def test_forget_begins_a_new_session(bridge: Bridge) -> None:
    first = bridge.ask(FIRST)
    before = last_run(bridge)
    follow_up(bridge, first, "@agent forget")
    assert "I have begun a new session" in bridge.texts(first)[-1]
    assert last_run(bridge) is before
    follow_up(bridge, first, "@agent what's the weather tomorrow?")
    assert last_run(bridge).session_id != before.session_id
    assert last_run(bridge).input_text == "what's the weather tomorrow?"
    assert "For which city" in bridge.texts(first)[-1]


def test_in_a_direct_message_a_thread_is_told_too(bridge: Bridge) -> None:
    first = bridge.ask("what's the weather in Rome today?", channel="dm")
    set_seen_at(bridge, first, 1_700_000_000_000)
    follow_up(bridge, first, "and tomorrow?")
    assert "> what's the weather in Rome today?\n" in last_run(bridge).input_text
    assert "In **Rome**" in bridge.said(first)
    assert bridge.said(first).endswith("_Read 2 messages of this thread._")


@pytest.mark.parametrize(
    "fault", [{"retry_after": 1}, {"status": 503}, {"drop": "before"}, {"drop": "after"}], ids=str
)
def test_a_thread_that_cannot_be_read_at_once_is_read_a_moment_later(
    bridge: Bridge, fault: dict[str, Any]
) -> None:
    first = bridge.ask(FIRST)
    bridge.say("we fly to Lima", user="bob", thread_ts=first["ts"])
    bridge.control("faults", method=READ, **fault)
    follow_up(bridge, first, "@agent and tomorrow?")
    assert "> we fly to Lima\n" in last_run(bridge).input_text


def test_an_app_that_may_read_no_threads_answers_all_the_same(bridge: Bridge) -> None:
    first = bridge.say("who has been to Vienna?", user="bob")
    bridge.control("scopes", remove=HISTORY)
    try:
        follow_up(bridge, first, "@agent what's the weather in Rome today?")
    finally:
        bridge.control("scopes", add=HISTORY)
    answer = bridge.texts(first)[-1]
    assert "In **Rome**" in answer
    assert "What was said in this thread before could not be read" in answer
    bridge.until(
        lambda: "the thread was not read: refused: missing_scope; it takes channels:history" in bridge.logs()
    )
