"""What a turn comes to when processes die: a crash is noticed after three seconds."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import wiring
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM
from tests.e2e.bridge import Bridge


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    """The second receive of a question is its last."""
    with Simulation(time_scale=0.1, lease_seconds=3, max_receive_count=2) as simulation:
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
    bridge.simulation.slack.faults.clear()
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
    bridge.simulation.slack.faults.clear()
    assert bridge.settled(question) in ("failed", "interrupted")
    [text] = bridge.texts(question)
    assert re.search(r":warning:.*Reference: `[0-9a-f]{8}`", text)
    assert bridge.runs(question) <= 1
    assert no_placeholder_is_left(bridge)


def test_the_thread_of_a_message_that_nobody_can_read_is_told(bridge: Bridge) -> None:
    said = bridge.say("so quiet here")  # to nobody
    newer = {"command": "ask", "version": 99, "team": TEAM.id, "channel": said["channel"], "ts": said["ts"]}
    bridge.simulation.aws.sqs.send_message(
        QueueUrl=bridge.simulation.aws.queue_url(wiring.QUESTIONS),
        MessageBody=json.dumps({**newer, "question": {"in": "another form"}}),
        MessageGroupId="newer",
        MessageDeduplicationId=said["ts"],
    )
    bridge.until(lambda: bridge.texts(said))
    bridge.until(bridge.queues_are_empty)
    [text] = bridge.texts(said)
    assert re.search(r"Please write it again. \(Reference: `[0-9a-f]{8}`\)", text)
    assert _receives(bridge, said, wiring.DEAD_LETTER_QUEUE)
    assert bridge.runs(said) == 0


def test_a_worker_that_runs_out_of_receives_while_the_agent_works_is_not_given_up(bridge: Bridge) -> None:
    question = bridge.say("@agent slowly: what's the weather in Chicago?")
    assert bridge.settled(question) == "answered"
    assert not _receives(bridge, question, wiring.DEAD_LETTER_QUEUE)


def _kill_the_worker_at_its_receive(bridge: Bridge, question: dict[str, str], number: int) -> None:
    bridge.until(lambda: _receives(bridge, question) == number)
    calls = len(bridge.simulation.slack.web_api.calls)
    # The first may be a new environment's, which asks who the bot is before it has a message.
    bridge.until(lambda: len(bridge.simulation.slack.web_api.calls) > calls + 1)
    bridge.simulation.lambdas.kill(wiring.WORKER.name)


def _receives(bridge: Bridge, question: dict[str, str], queue: wiring.Queue = wiring.QUESTIONS) -> int:
    received = bridge.simulation.journal.entries(source="queue", kind="message received")
    return sum(
        question["ts"] in entry.detail["body"] and queue.name in entry.detail["queue"] for entry in received
    )
