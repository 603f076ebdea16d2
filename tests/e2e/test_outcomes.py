"""What a turn comes to when processes die and Slack does not answer: always exactly one visible outcome."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import wiring
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge

LEASE_SECONDS = 3


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    """A crash is noticed after three seconds; the second receive of a question is its last."""
    with Simulation(time_scale=0.1, lease_seconds=LEASE_SECONDS, max_receive_count=2) as simulation:
        yield Bridge(simulation)


def no_placeholder_is_left(bridge: Bridge) -> bool:
    channels = bridge.simulation.slack.workspace
    messages = channels.messages("C02WEATHER")
    return all(message.blocks[0].get("text") != "Processing…" for message in messages if message.blocks)


def test_a_worker_killed_while_the_agent_streams_leaves_one_message_that_says_so(bridge: Bridge) -> None:
    question = bridge.say("@agent fall silent: what's the weather in Chicago?")
    bridge.until(lambda: any("In **Chicago**" in text for text in bridge.texts(question)))
    assert bridge.simulation.lambdas.kill(wiring.WORKER.name) == 1
    assert bridge.settled(question) == "interrupted"
    [text] = bridge.texts(question)
    assert re.search(r"was not asked again.*Reference: `[0-9a-f]{8}`", text)
    assert bridge.runs(question) == 1


def test_a_worker_killed_before_the_first_word_leaves_one_message_that_says_so(bridge: Bridge) -> None:
    question = bridge.say("@agent silently: what's the weather in Chicago?")
    bridge.until(lambda: bridge.replies(question) and bridge.runs(question))
    bridge.simulation.lambdas.kill(wiring.WORKER.name)
    assert bridge.settled(question) == "interrupted"
    assert len(bridge.texts(question)) == 1
    assert bridge.runs(question) == 1
    assert no_placeholder_is_left(bridge)


def test_the_thread_goes_on_after_a_crash(bridge: Bridge) -> None:
    question = bridge.say("@agent silently: what's the weather in Chicago?")
    bridge.until(lambda: bridge.replies(question))
    bridge.simulation.lambdas.kill(wiring.WORKER.name)
    bridge.settled(question)
    follow_up = bridge.ask("@agent what's the weather in Lima?", thread_ts=question["ts"])
    assert bridge.state(follow_up) == "answered"
    assert "In **Lima**" in bridge.texts({**follow_up, "thread_ts": question["ts"]})[-1]


def test_a_crash_after_the_answer_has_landed_does_not_overwrite_it(bridge: Bridge) -> None:
    # The worker's last edit takes effect, but its answer is held back; that is when the worker dies.
    question = bridge.say("@agent slowly: what's the weather in Chicago?")
    bridge.until(lambda: bridge.runs(question))
    bridge.control("faults", method="chat.update", times=100, delay_seconds=1.5)
    final = bridge.until(lambda: _has_landed(bridge, question) and bridge.texts(question))
    bridge.simulation.lambdas.kill(wiring.WORKER.name)
    _no_faults(bridge)
    assert bridge.settled(question) == "answered"
    assert bridge.texts(question) == final
    assert bridge.runs(question) == 1


def _has_landed(bridge: Bridge, question: dict[str, Any]) -> bool:
    """Whether the thread shows what is owed: an edit on the way there may look like it, to its last words."""
    record = bridge.record(question)
    owed = [message["S"] for message in record.get("owed", {}).get("L", [])]
    return record["state"]["S"] == "answered" or owed == bridge.texts(question)


def test_a_question_that_fails_for_good_is_explained_by_dead_letters(bridge: Bridge) -> None:
    bridge.control("faults", method="*", times=1000, status=503)
    question = bridge.say("@agent silently: what's the weather in Chicago?")
    _kill_the_worker_at_its_receive(bridge, question, 1)
    _kill_the_worker_at_its_receive(bridge, question, 2)
    bridge.until(lambda: _receives(bridge, question, wiring.DEAD_LETTER_QUEUE))
    _no_faults(bridge)
    assert bridge.settled(question) in ("failed", "interrupted")
    [text] = bridge.texts(question)
    assert re.search(r":warning:.*Reference: `[0-9a-f]{8}`", text)
    assert bridge.runs(question) <= 1
    assert no_placeholder_is_left(bridge)


def test_a_worker_that_runs_out_of_receives_while_the_agent_works_is_not_given_up(bridge: Bridge) -> None:
    question = bridge.say("@agent slowly: what's the weather in Chicago?")
    assert bridge.settled(question) == "answered"
    assert not _receives(bridge, question, wiring.DEAD_LETTER_QUEUE)


def test_the_final_text_lands_when_slack_was_down_for_a_while(bridge: Bridge) -> None:
    question = bridge.say("@agent what's the weather in Chicago?")
    bridge.until(lambda: bridge.replies(question))
    bridge.control("faults", method="chat.update", times=4, status=503)
    assert bridge.settled(question) == "answered"
    assert "In **Chicago** expect" in bridge.texts(question)[0]
    _no_faults(bridge)


def test_a_lost_confirmation_of_the_placeholder_leaves_no_second_one(bridge: Bridge) -> None:
    bridge.control("faults", method="chat.postMessage", times=1, drop="after")
    question = bridge.ask("@agent slowly: what's the weather in Chicago?")
    assert len(bridge.texts(question)) == 1


@pytest.mark.parametrize(
    ("words", "state", "explanation"),
    [
        ("fail", "interrupted", "error of its own"),
        ("throttle", "failed", "too much to do"),
        ("deny", "failed", "not set up to reach its agent"),
        ("dependency", "interrupted", "One of the agent's tools failed"),
        ("cut the stream", "interrupted", "connection to the agent broke"),
        ("empty answer", "interrupted", "without saying anything"),
        ("ask me first", "interrupted", "consent to use “Send storm warning”"),
    ],
)
def test_an_agents_trouble_is_told_in_plain_words(
    bridge: Bridge, words: str, state: str, explanation: str
) -> None:
    question = bridge.ask(f"@agent {words}: what's the weather in Chicago?")
    assert bridge.state(question) == state
    assert explanation in bridge.texts(question)[-1]
    assert bridge.runs(question) <= 1


def test_retry_asks_the_question_again_in_the_same_message(bridge: Bridge) -> None:
    bridge.simulation.agent.force("throttlingException in stream")
    question = bridge.ask("@agent what's the weather in Chicago?")
    [failed] = bridge.replies(question)
    press = {"channel": question["channel"], "ts": failed["ts"], "action_id": "retry"}
    bridge.control("press", user="bob", **press)
    bridge.until(lambda: [call for call in _calls(bridge, "chat.postEphemeral") if call["user"] == "U02BOB"])
    assert bridge.runs(question) == 1
    bridge.control("press", user="alice", times=2, **press)
    bridge.until(lambda: bridge.state(question) == "answered")
    bridge.until(bridge.queues_are_empty)
    [answered] = bridge.replies(question)
    assert answered["ts"] == failed["ts"]
    assert "In **Chicago** expect" in answered["blocks"][0]["text"]
    assert len(answered["blocks"]) == 1
    assert bridge.runs(question) == 2


@pytest.mark.parametrize("error", ["msg_blocks_too_many", "edit_window_closed"])
def test_a_final_text_that_slack_refuses_leaves_no_placeholder(bridge: Bridge, error: str) -> None:
    question = bridge.say("@agent silently: what's the weather in Chicago?")
    bridge.until(lambda: bridge.replies(question))
    bridge.control("faults", method="chat.update", times=1, error=error)
    bridge.settled(question)
    _no_faults(bridge)
    assert "In **Chicago** expect" in bridge.texts(question)[0]
    assert "Processing…" not in bridge.texts(question)


def _calls(bridge: Bridge, method: str) -> list[dict[str, Any]]:
    return [call.args for call in bridge.simulation.slack.web_api.calls if call.method == method]


def test_a_channel_that_is_archived_meanwhile_ends_the_turn_quietly(bridge: Bridge) -> None:
    question = bridge.say("@agent slowly: what's the weather in Chicago?", channel="general")
    bridge.until(lambda: bridge.replies(question))
    bridge.control("archive", channel="general")
    assert bridge.settled(question) == "failed"
    bridge.control("archive", channel="general", archived=False)


def _kill_the_worker_at_its_receive(bridge: Bridge, question: dict[str, str], number: int) -> None:
    bridge.until(lambda: _receives(bridge, question) == number)
    calls = len(bridge.simulation.slack.web_api.calls)
    bridge.until(lambda: len(bridge.simulation.slack.web_api.calls) > calls)
    bridge.simulation.lambdas.kill(wiring.WORKER.name)


def _receives(bridge: Bridge, question: dict[str, str], queue: wiring.Queue = wiring.QUESTIONS) -> int:
    received = bridge.simulation.journal.entries(source="queue", kind="message received")
    return sum(
        question["ts"] in entry.detail["body"] and queue.name in entry.detail["queue"] for entry in received
    )


def _no_faults(bridge: Bridge) -> None:
    bridge.simulation.slack.faults.clear()
