"""Slack's own streams, when something goes wrong: nothing is lost, and no stream is left open."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1, style="stream") as simulation:
        yield Bridge(simulation)


def streaming(bridge: Bridge) -> dict[str, Any]:
    """A question whose answer is being streamed."""
    question = bridge.say("@agent for a minute: what's the weather in Chicago?")
    bridge.until(lambda: bridge.streams(question) == ["in_progress"] and bridge.said(question))
    return question


def test_a_status_stands_under_the_thread_until_the_answer_begins(bridge: Bridge) -> None:
    question = bridge.say("@agent silently: what's the weather in Chicago?")
    bridge.until(lambda: "assistant.threads.setStatus" in methods(question, bridge))
    assert bridge.replies(question) == []
    assert bridge.settled(question) == "answered"


def methods(question: dict[str, Any], bridge: Bridge) -> list[str]:
    calls = bridge.simulation.slack.web_api.calls
    return [call.method for call in calls if call.args.get("thread_ts") == question["ts"]]


def test_a_person_who_presses_stop_gets_no_more_text(bridge: Bridge) -> None:
    question = streaming(bridge)  # the stop is met by the next words
    bridge.control("stop", channel=question["channel"], ts=question["ts"], user="alice")
    assert bridge.settled(question) == "stopped"
    assert len(bridge.replies(question)) == 2  # Slack keeps the stream as it is
    assert "Stopped by <@U01ALICE>" in bridge.said(question)
    assert "In **Chicago** expect" not in bridge.said(question).partition("Wind:")[2]


def test_an_answer_survives_the_end_of_its_stream(bridge: Bridge) -> None:
    question = streaming(bridge)
    bridge.control("lifetimes", stream_seconds=0)
    assert bridge.settled(question) == "answered"
    bridge.control("lifetimes", stream_seconds=300)
    assert "In **Chicago** expect" in bridge.said(question)
    assert "Wind:" in bridge.said(question)


@pytest.mark.parametrize("error", ["unknown_method", "feature_disabled", "missing_scope"])
def test_where_slack_has_no_streams_messages_are_edited(bridge: Bridge, error: str) -> None:
    bridge.control("faults", method="chat.startStream", times=10, error=error)
    question = bridge.ask("@agent what's the weather in Lima today? long report")
    bridge.simulation.slack.faults.clear()
    assert bridge.state(question) == "answered"
    assert "chat.startStream" in methods(question, bridge)
    assert bridge.streams(question) == []
    assert len(bridge.said(question)) > 29_000
