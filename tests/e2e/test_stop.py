"""Stop, Slack's own and ours: what is being answered ends within moments, and nothing else does."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import wiring
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge

STOPPED = re.compile(r"_Stopped by <@U[0-9A-Z]+> at \d\d:\d\d UTC\.")


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1, lease_seconds=3) as simulation:
        yield Bridge(simulation)


def stop(bridge: Bridge, question: dict[str, Any], *, user: str = "bob") -> None:
    bridge.control("stop", channel=question["channel"], ts=question["ts"], user=user)


def press(bridge: Bridge, question: dict[str, Any], *, user: str = "bob") -> None:
    """Press our own Stop, which stands under the last message of the bot."""
    ts = bridge.replies(question)[-1]["ts"]
    bridge.control("press", channel=question["channel"], ts=ts, action_id="stop", user=user)


def at_work(bridge: Bridge, text: str, **more: Any) -> dict[str, Any]:
    """A question whose agent is at work, while Slack shows its own Stop."""
    question = bridge.say(text, **more)
    root = question.get("thread_ts") or question["ts"]
    workspace = bridge.simulation.slack.workspace
    bridge.until(lambda: bridge.replies(question) and bridge.runs(question))
    bridge.until(lambda: workspace.session_status(question["channel"], root) == "processing")
    return question


def test_what_was_said_stays_and_who_stopped_it_is_added(bridge: Bridge) -> None:
    question = at_work(bridge, "@agent fall silent: what's the weather in Chicago?")
    bridge.until(lambda: "In **Chicago**" in bridge.said(question))
    stop(bridge, question)
    assert bridge.settled(question) == "stopped"
    [text] = bridge.texts(question)
    assert "In **Chicago**" in text
    assert STOPPED.search(text)
    assert bridge.told(question, "bob") == []


def test_an_agent_that_is_silent_is_not_listened_to_any_longer(bridge: Bridge) -> None:
    question = at_work(bridge, "@agent silently: what's the weather in Chicago?")
    stop(bridge, question)
    assert bridge.settled(question) == "stopped"
    [text] = bridge.texts(question)
    assert STOPPED.match(text)
    bridge.until(lambda: bridge.invocations(question)[-1].ended == "client gone")


def test_questions_behind_it_are_answered_all_the_same(bridge: Bridge) -> None:
    question = at_work(bridge, "@agent silently: what's the weather in Chicago?")
    followers = [
        bridge.delivered(bridge.say(f"@agent what's the weather in {city}?", thread_ts=question["ts"]))
        for city in ("Lima", "Oslo")
    ]
    stop(bridge, question)
    assert bridge.settled(question) == "stopped"
    for follower in followers:
        assert bridge.settled(follower) == "answered"
    assert bridge.runs(question) == 3
    assert len(bridge.texts(question)) == 3


def test_a_stop_before_the_claim_is_no_stop_of_what_waits(bridge: Bridge) -> None:
    question = bridge.ask("@agent what's the weather in Chicago?")
    stop(bridge, question)
    follow_up = bridge.ask("@agent what's the weather in Lima?", thread_ts=question["ts"])
    assert bridge.state(follow_up) == "answered"
    bridge.until(lambda: bridge.told(question, "bob"))
    assert bridge.told(question, "bob") == [
        "There was nothing to stop: I am not working on anything in this thread right now."
    ]


def test_whoever_takes_over_after_a_crash_obeys(bridge: Bridge) -> None:
    question = at_work(bridge, "@agent silently: what's the weather in Chicago?")
    bridge.simulation.lambdas.kill(wiring.WORKER.name)
    stop(bridge, question)
    assert bridge.settled(question) == "stopped"
    assert bridge.runs(question) == 1
    assert STOPPED.match(bridge.texts(question)[0])


def test_an_agent_that_is_asked_again_is_not_asked_after_a_stop(bridge: Bridge) -> None:
    question = bridge.say("@agent throttle: what's the weather in Chicago?")
    bridge.until(lambda: any("Trying again" in text for text in bridge.texts(question)))
    stop(bridge, question)
    assert bridge.settled(question) == "stopped"


def test_a_second_press_comes_to_nothing(bridge: Bridge) -> None:
    question = at_work(bridge, "@agent silently: what's the weather in Chicago?")
    stop(bridge, question, user="bob")
    stop(bridge, question, user="alice")
    assert bridge.settled(question) == "stopped"
    assert len(bridge.texts(question)) == 1


def test_where_slack_has_no_sessions_there_is_a_button(bridge: Bridge) -> None:
    bridge.simulation.slack.installation.is_agent = False  # from here on the worker does not ask again
    question = bridge.say("@agent silently: what's the weather in Chicago?")
    bridge.until(lambda: bridge.replies(question) and "stop" in buttons(bridge, question))
    press(bridge, question)
    assert bridge.settled(question) == "stopped"
    [text] = bridge.texts(question)
    assert STOPPED.match(text)
    assert buttons(bridge, question) == []


def buttons(bridge: Bridge, question: dict[str, Any]) -> list[str]:
    return [
        element["action_id"]
        for reply in bridge.replies(question)
        for block in reply["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]
