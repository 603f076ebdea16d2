"""An agent asks before it acts: from the card to the agent, over all kinds of agents, in processes."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge

KINDS = ["agent-classic", "agent-harness", "agent-runtime"]


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1, lease_seconds=3, approvers="anyone") as simulation:
        yield Bridge(simulation)


def waiting(bridge: Bridge, text: str = "@agent send an e-mail", **more: Any) -> dict[str, Any]:
    """A question whose agent has asked for approval; its card stands."""
    question = bridge.say(f"{text}: what's the weather in Chicago?", **more)
    bridge.until(lambda: bridge.state(question) == "waiting")
    return question


def card(bridge: Bridge, question: dict[str, Any]) -> dict[str, Any]:
    """The last card of the question's thread that can be pressed."""
    return next(
        message
        for message in reversed(bridge.replies(question))
        if any(block["type"] == "input" for block in message["blocks"])
    )


def press(
    bridge: Bridge, question: dict[str, Any], action: str = "approve", *, user: str = "alice", **more: Any
) -> None:
    ts = more.pop("ts", None) or card(bridge, question)["ts"]
    bridge.control("press", channel=question["channel"], ts=ts, action_id=action, user=user, **more)


def decisions(bridge: Bridge, question: dict[str, Any]) -> list[bool]:
    """What the agents of the thread were told, one decision after the other."""
    return [one.is_approved for run in bridge.invocations(question) for one in run.decisions]


@pytest.mark.parametrize("channel", KINDS)
def test_an_approved_agent_goes_on(bridge: Bridge, channel: str) -> None:
    question = waiting(bridge, channel=channel)
    assert card(bridge, question)["blocks"][0]["text"].startswith(":raised_hand: **Send email**")
    press(bridge, question)
    assert bridge.settled(question) == "answered"
    said, decided, answer = bridge.texts(question)
    assert "would send an e-mail" in said
    assert decided.startswith(":white_check_mark: **Send email** was approved by <@U01ALICE>")
    assert "I **sent** the e-mail to ann@example.com." in answer
    assert decisions(bridge, question) == [True]


@pytest.mark.parametrize("channel", KINDS)
def test_nobody_is_asked_again_for_what_they_have_just_denied(bridge: Bridge, channel: str) -> None:
    question = waiting(bridge, "@agent insist on an e-mail", channel=channel)
    press(bridge, question, "deny")
    assert bridge.settled(question) == "answered"
    assert decisions(bridge, question) == [False, False]
    _, decided, answer = bridge.texts(question)
    assert "was denied by <@U01ALICE>" in decided
    assert "A person has denied exactly this a moment ago" in answer


@pytest.mark.parametrize("channel", KINDS)
def test_a_denied_agent_is_told_why(bridge: Bridge, channel: str) -> None:
    question = waiting(bridge, channel=channel)
    press(bridge, question, "deny", user="bob", inputs={"reason": "Ann is on holiday"})
    assert bridge.settled(question) == "answered"
    _, decided, answer = bridge.texts(question)
    assert "was denied by <@U02BOB>" in decided
    assert "“Ann is on holiday”" in decided
    assert "I did **not** send the e-mail to ann@example.com." in answer
    assert "Ann is on holiday" in answer
    assert decisions(bridge, question) == [False]


@pytest.mark.parametrize("channel", KINDS)
def test_two_requests_are_decided_together_or_one_after_the_other(bridge: Bridge, channel: str) -> None:
    question = waiting(bridge, "@agent send two e-mails", channel=channel)
    press(bridge, question)
    if channel == "agent-harness":  # which hands over one at a time
        bridge.until(lambda: len(bridge.texts(question)) == 4 and bridge.state(question) == "waiting")
        press(bridge, question)
    assert bridge.settled(question) == "answered"
    assert decisions(bridge, question) == [True, True]
    assert "bob@example.com" in bridge.texts(question)[-1]


@pytest.mark.parametrize("channel", KINDS)
def test_an_agent_may_ask_twice_in_one_turn(bridge: Bridge, channel: str) -> None:
    question = waiting(bridge, "@agent send one e-mail after the other", channel=channel)
    press(bridge, question)
    bridge.until(lambda: len(bridge.texts(question)) == 4 and bridge.state(question) == "waiting")
    press(bridge, question, "deny")
    assert bridge.settled(question) == "answered"
    assert decisions(bridge, question) == [True, False]
    assert len(bridge.texts(question)) == 5


@pytest.mark.parametrize("channel", KINDS)
def test_a_retry_meets_no_agent_that_waits_for_an_answer(bridge: Bridge, channel: str) -> None:
    question = waiting(bridge, channel=channel)
    bridge.simulation.agent.force("deny")
    press(bridge, question)
    assert bridge.settled(question) == "interrupted"
    assert decisions(bridge, question) == []
    failed = bridge.replies(question)[-1]["ts"]
    press(bridge, question, "retry", ts=failed)
    bridge.until(lambda: bridge.state(question) == "waiting")
    press(bridge, question)
    assert bridge.settled(question) == "answered"
    assert "I **sent** the e-mail to ann@example.com." in bridge.texts(question)[-1]


def test_two_people_who_press_at_once_count_as_one(bridge: Bridge) -> None:
    question = waiting(bridge)
    ts = card(bridge, question)["ts"]
    press(bridge, question, "approve", user="alice", ts=ts, times=2)
    late = bridge.thread(question)
    if any(message["ts"] == ts and len(message["blocks"]) > 1 for message in late):
        press(bridge, question, "deny", user="bob", ts=ts)
    assert bridge.settled(question) == "answered"
    assert decisions(bridge, question) == [True]
    assert "approved by <@U01ALICE>" in bridge.texts(question)[1]


def test_a_question_of_the_same_thread_waits_behind_the_card(bridge: Bridge) -> None:
    question = waiting(bridge)
    follow_up = bridge.delivered(bridge.say("@agent and in Lima?", thread_ts=question["ts"]))
    assert bridge.state(follow_up) == ""
    press(bridge, question)
    assert bridge.settled(follow_up) == "answered"
    assert "Lima" in bridge.texts(question)[-1]


def test_our_stop_ends_a_turn_that_waits(bridge: Bridge) -> None:
    question = waiting(bridge)
    press(bridge, question, "stop", user="bob")
    assert bridge.settled(question) == "stopped"
    assert bridge.texts(question)[1].startswith("_Stopped by <@U02BOB>")
    assert decisions(bridge, question) == []
    # The thread goes on in a new session, as the old one waits for an answer.
    follow_up = bridge.ask("@agent and in Lima?", thread_ts=question["ts"])
    assert bridge.state(follow_up) == "answered"


def test_slacks_stop_ends_a_turn_that_waits(bridge: Bridge) -> None:
    question = waiting(bridge)
    bridge.control("stop", channel=question["channel"], ts=question["ts"], user="bob")
    assert bridge.settled(question) == "stopped"


def test_no_text_of_a_request_is_left_in_the_table(bridge: Bridge) -> None:
    question = waiting(bridge)
    assert "ann@example.com" in str(bridge.record(question))
    press(bridge, question, "deny", inputs={"reason": "too-secret-to-say"})
    assert bridge.settled(question) == "answered"
    left = str(bridge.record(question))
    assert "ann@example.com" not in left
    assert "too-secret-to-say" not in left
    assert "too-secret-to-say" not in bridge.logs()
    assert "ann@example.com" not in bridge.logs()


def test_a_killed_worker_is_replaced_while_its_turn_waits(bridge: Bridge) -> None:
    question = waiting(bridge)
    for environment in bridge.simulation.lambdas.environments("worker"):
        environment.kill()
    press(bridge, question)
    assert bridge.settled(question) == "answered"
    assert decisions(bridge, question) == [True]
