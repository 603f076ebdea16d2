"""Slack refuses the app until an operator stores another token: nothing is lost, nothing happens twice."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import wiring
from simulator.aws import BOT_TOKEN_SECRET_ID
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge


@pytest.fixture(scope="module")
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    """Its parameter says how often a question is received before it is a dead letter."""
    receives = getattr(request, "param", wiring.QUESTIONS.max_receive_count)
    with Simulation(time_scale=0.1, notify_after_seconds=900, max_receive_count=receives) as simulation:
        yield Bridge(simulation)


def revoke_token(bridge: Bridge) -> None:
    bridge.control("revoke-token", error="token_revoked")


def store_new_token(bridge: Bridge) -> None:
    """What Slack issues when the app is installed again, and what the operator then does with it."""
    token = f"xoxb-{secrets.token_hex(12)}"
    bridge.control("revoke-token", error=None)
    bridge.control("secrets", bot_token=token)
    bridge.simulation.aws.secrets.put_secret_value(SecretId=BOT_TOKEN_SECRET_ID, SecretString=token)


def refusals(bridge: Bridge, function: wiring.Function) -> list[dict[str, Any]]:
    """What the function's log says of them."""
    lines = map(json.loads, filter(None, bridge.simulation.lambdas.logs(function.name)))
    return [line for line in lines if line.get("message") == "app refused by Slack"]


def test_a_question_waits_for_another_token_before_its_agent_is_asked(bridge: Bridge) -> None:
    bridge.simulation.lambdas.retire(wiring.WORKER.name)
    revoke_token(bridge)
    question = bridge.say("@agent what's the weather in Chicago today?")
    [line, *_] = bridge.until(lambda: refusals(bridge, wiring.WORKER))
    assert (line["level"], line["error"]) == ("ERROR", "token_revoked")
    assert BOT_TOKEN_SECRET_ID in line["remedy"]
    assert (bridge.runs(question), bridge.replies(question)) == (0, [])
    store_new_token(bridge)
    assert bridge.settled(question) == "answered"
    [text] = bridge.texts(question)
    assert "In **Chicago**" in text
    assert bridge.runs(question) == 1


def test_an_answer_that_is_known_lands_with_another_token(bridge: Bridge) -> None:
    question = bridge.say("@agent slowly: what's the weather in Lima?")
    bridge.until(lambda: bridge.runs(question) and bridge.replies(question))
    revoke_token(bridge)
    record = bridge.until(lambda: (record := bridge.record(question)) and "owed" in record and record)
    owed = [message["S"] for message in record["owed"]["L"]]
    turn_id = record["turn_id"]["S"]
    bridge.until(lambda: turn_id in [line["turn_id"] for line in refusals(bridge, wiring.WORKER)])
    assert bridge.texts(question) != owed
    store_new_token(bridge)
    assert bridge.settled(question) == "answered"
    assert bridge.texts(question) == owed
    assert bridge.runs(question) == 1


@pytest.mark.parametrize("bridge", [1], indirect=True)
def test_a_dead_letter_is_explained_with_another_token(bridge: Bridge) -> None:
    revoke_token(bridge)
    question = bridge.say("@agent what's the weather in Chicago today?")
    bridge.until(lambda: refusals(bridge, wiring.DEAD_LETTERS))
    assert bridge.replies(question) == []
    store_new_token(bridge)
    assert bridge.settled(question) == "failed"
    [text] = bridge.texts(question)
    assert "given up" in text
    assert bridge.runs(question) == 0
