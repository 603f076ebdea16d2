"""A question that waits behind a running answer, as people see it: an hourglass, until its turn comes."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge

HOURGLASS = "hourglass_flowing_sand"
SLOW = "@agent silently: what's the weather in Chicago?"


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1) as simulation:
        yield Bridge(simulation)


def reactions(bridge: Bridge, question: dict[str, Any]) -> list[str]:
    message = bridge.simulation.slack.workspace.message(question["channel"], question["ts"])
    return [*message.reactions] if message else []


def running(bridge: Bridge, text: str = SLOW, **more: Any) -> dict[str, Any]:
    """A question whose agent is at work and says nothing."""
    question = bridge.say(text, **more)
    bridge.until(lambda: bridge.runs(question))
    return question


def behind(bridge: Bridge, first: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    """A question behind it, which waits and shows that."""
    question = bridge.say(text, channel=first["channel"], thread_ts=first["ts"], **more)
    bridge.until(lambda: reactions(bridge, question) == [HOURGLASS])
    return {**question, "thread_ts": first["ts"]}


def stop(bridge: Bridge, question: dict[str, Any]) -> None:
    workspace = bridge.simulation.slack.workspace
    bridge.until(lambda: workspace.session_status(question["channel"], question["ts"]) == "processing")
    bridge.control("stop", channel=question["channel"], ts=question["ts"], user="alice")


@pytest.mark.parametrize(
    ("channel", "first", "second"),
    [
        ("weather-demo", SLOW, "@agent what's the weather in Lima?"),
        ("dm", SLOW[7:], "what's the weather in Lima?"),
    ],
)
def test_a_question_behind_a_running_answer_shows_an_hourglass_until_its_turn(
    bridge: Bridge, channel: str, first: str, second: str
) -> None:
    question = running(bridge, first, channel=channel)
    assert reactions(bridge, question) == []
    follower = behind(bridge, question, second)
    stop(bridge, question)
    assert bridge.settled(follower) == "answered"
    assert reactions(bridge, follower) == []


def test_an_app_without_the_scope_answers_all_the_same_and_the_log_names_it(bridge: Bridge) -> None:
    bridge.control("scopes", remove=["reactions:write"])
    try:
        question = running(bridge)
        follower = bridge.say("@agent what's the weather in Lima?", thread_ts=question["ts"])
        bridge.until(lambda: "no hourglass: missing_scope; it takes reactions:write" in bridge.logs())
        stop(bridge, question)
        assert bridge.settled({**follower, "thread_ts": question["ts"]}) == "answered"
    finally:
        bridge.control("scopes", add=["reactions:write"])
    assert reactions(bridge, follower) == []
    assert len(bridge.texts(question)) == 2


def edit(bridge: Bridge, question: dict[str, Any], text: str) -> None:
    bridge.control("edit", channel=question["channel"], ts=question["ts"], text=text)


def changes(bridge: Bridge) -> int:
    """How many edits and deletions were handled."""
    return bridge.logs().count('"command": "edit_question"') + bridge.logs().count('"command": "take_back"')


def test_a_question_that_is_edited_while_it_waits_is_asked_as_it_says_then(bridge: Bridge) -> None:
    question = running(bridge, SLOW[7:], channel="dm")
    follower = behind(bridge, question, "what's the weather in Lima?")
    seen = changes(bridge)
    edit(bridge, follower, "what's the weather in Vienna?")
    bridge.until(lambda: changes(bridge) > seen)
    stop(bridge, question)
    assert bridge.settled(follower) == "answered"
    assert "In **Vienna**" in bridge.said(question)
    assert "Vienna" not in str(bridge.record(follower))
    assert "Vienna" not in bridge.logs()


def test_a_question_that_is_deleted_while_it_waits_is_not_asked(bridge: Bridge) -> None:
    question = running(bridge, SLOW[7:], channel="dm")
    follower = behind(bridge, question, "what's the weather in Lima?")
    seen = changes(bridge)
    bridge.control("delete", channel=follower["channel"], ts=follower["ts"])
    bridge.until(lambda: changes(bridge) > seen)
    stop(bridge, question)
    assert bridge.settled(follower) == "stopped"
    assert bridge.runs(question) == 1
    assert "Lima" not in bridge.said(question)


def test_an_edit_that_comes_too_late_is_told_under_the_answer(bridge: Bridge) -> None:
    question = running(bridge, SLOW[7:], channel="dm")
    edit(bridge, question, "silently: what's the weather in Vienna?")
    bridge.until(lambda: bridge.record(question).get("late_edit"))
    stop(bridge, question)
    assert bridge.settled(question) == "stopped"
    assert "The question was edited after I had begun with it" in bridge.said(question)
