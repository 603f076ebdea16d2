"""Slack's own streams, when something goes wrong: nothing is lost, and no stream is left open."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import wiring
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge

MINUTE = "@agent for a minute: what's the weather in Chicago?"
# Says the first words, and then nothing for longer than any machine is busy.
UNFINISHED = "@agent fall silent: what's the weather in Chicago?"


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1, style="stream", lease_seconds=3) as simulation:
        yield Bridge(simulation)


def streams(question: dict[str, Any], bridge: Bridge) -> list[str]:
    """The states of the streams in the question's thread."""
    return [reply["streaming_state"] for reply in bridge.replies(question) if "streaming_state" in reply]


def text_of(question: dict[str, Any], bridge: Bridge) -> str:
    blocks = [block for reply in bridge.replies(question) for block in reply["blocks"]]
    return "\n\n".join(block["text"] for block in blocks if block["type"] == "markdown")


def streaming(bridge: Bridge, text: str = UNFINISHED) -> dict[str, Any]:
    """A question whose answer is being streamed."""
    question = bridge.say(text)
    bridge.until(lambda: streams(question, bridge) == ["in_progress"] and text_of(question, bridge))
    return question


def test_a_status_stands_under_the_thread_until_the_answer_begins(bridge: Bridge) -> None:
    question = bridge.say("@agent silently: what's the weather in Chicago?")
    bridge.until(lambda: "assistant.threads.setStatus" in methods(question, bridge))
    assert bridge.replies(question) == []
    assert bridge.settled(question) == "answered"


def methods(question: dict[str, Any], bridge: Bridge) -> list[str]:
    calls = bridge.simulation.slack.web_api.calls
    return [call.method for call in calls if call.args.get("thread_ts") == question["ts"]]


def test_a_crash_leaves_no_open_stream(bridge: Bridge) -> None:
    question = streaming(bridge)
    bridge.simulation.lambdas.kill(wiring.WORKER.name)
    assert bridge.settled(question) == "interrupted"
    assert "in_progress" not in streams(question, bridge)
    assert re.search(r"was not asked again.*Reference: `[0-9a-f]{8}`", text_of(question, bridge))
    assert bridge.runs(question) == 1


def test_who_presses_stop_gets_no_more(bridge: Bridge) -> None:
    question = streaming(bridge, MINUTE)  # the stop is met by the next words
    bridge.control("stop-stream", channel=question["channel"], ts=question["ts"], user="alice")
    assert bridge.settled(question) == "stopped"
    assert len(bridge.replies(question)) == 1
    assert "In **Chicago** expect" not in text_of(question, bridge).partition("Wind:")[2]


def test_an_answer_survives_the_end_of_its_stream(bridge: Bridge) -> None:
    question = streaming(bridge, MINUTE)
    bridge.control("lifetimes", stream_seconds=0)
    assert bridge.settled(question) == "answered"
    bridge.control("lifetimes", stream_seconds=300)
    assert "In **Chicago** expect" in text_of(question, bridge)
    assert "Wind:" in text_of(question, bridge)


@pytest.mark.parametrize("error", ["unknown_method", "feature_disabled", "missing_scope"])
def test_where_slack_has_no_streams_messages_are_edited(bridge: Bridge, error: str) -> None:
    bridge.control("faults", method="chat.startStream", times=10, error=error)
    question = bridge.ask("@agent what's the weather in Lima today? long report")
    bridge.simulation.slack.faults.clear()
    assert bridge.state(question) == "answered"
    assert "chat.startStream" in methods(question, bridge)
    assert streams(question, bridge) == []
    assert len(text_of(question, bridge)) > 29_000
