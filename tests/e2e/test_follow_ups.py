"""People who talk with the bot in a thread, and others who talk there too, where nobody has to mention it."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.simulation import Simulation
from simulator.slack.seed import WEATHER
from tests.e2e.bridge import Bridge

FIRST = "@agent what's the weather in Rome today?"


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1, follow_ups=[WEATHER]) as simulation:
        yield Bridge(simulation)


def say(bridge: Bridge, first: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    """Somebody says something in the thread."""
    said = bridge.say(text, channel=first["channel"], thread_ts=first["ts"], **more)
    return {**said, "thread_ts": first["ts"]}


def left_alone(bridge: Bridge, said: dict[str, Any]) -> bool:
    """Whether nothing came of a message, once that is clear."""
    bridge.delivered(said)
    bridge.until(bridge.queues_are_empty)
    return bridge.record(said) == {}


def test_who_has_asked_goes_on_without_a_mention(bridge: Bridge) -> None:
    first = bridge.ask(FIRST)
    follower = say(bridge, first, "and in Lima?")
    assert bridge.settled(follower) == "answered"
    assert "In **Lima**" in bridge.texts(first)[-1]
    assert bridge.runs(first) == 2


def test_what_others_say_and_what_is_said_to_others_is_left_alone(bridge: Bridge) -> None:
    first = bridge.ask(FIRST)
    calls = len(bridge.simulation.slack.web_api.calls)
    assert left_alone(bridge, say(bridge, first, "nice", user="bob"))
    assert left_alone(bridge, say(bridge, first, "@bob shall we go?"))
    assert left_alone(bridge, bridge.say("good morning"))
    assert len(bridge.simulation.slack.web_api.calls) == calls
    assert bridge.runs(first) == 1


def test_a_mention_is_asked_once_though_slack_tells_of_it_twice(bridge: Bridge) -> None:
    first = bridge.ask(FIRST)
    follower = say(bridge, first, "@agent and in Lima?")
    assert len(follower["event_ids"]) == 2
    assert bridge.settled(bridge.delivered(follower)) == "answered"
    assert bridge.runs(first) == 2


def test_a_thread_is_muted_and_unmuted(bridge: Bridge) -> None:
    first = bridge.ask(FIRST)
    bridge.settled(say(bridge, first, "@agent mute"))
    assert left_alone(bridge, say(bridge, first, "and in Lima?"))
    bridge.settled(say(bridge, first, "@agent unmute"))
    assert bridge.settled(say(bridge, first, "and in Lima?")) == "answered"
    assert "In **Lima**" in bridge.texts(first)[-1]


def test_elsewhere_the_bot_is_mentioned(bridge: Bridge) -> None:
    first = bridge.ask(FIRST, channel="general")
    assert left_alone(bridge, say(bridge, first, "and in Lima?"))
