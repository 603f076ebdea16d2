"""An event that Slack has signed for another app or another workspace, through the whole path."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.simulation import Simulation
from simulator.slack import seed
from tests.e2e.bridge import Bridge


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1) as simulation:
        assert simulation.wait_warm() == []
        yield Bridge(simulation)


def sent(bridge: Bridge, **around: Any) -> dict[str, Any]:
    """A question of Alice's in an envelope that Slack signs, with some of its members changed."""
    slack = bridge.simulation.slack
    text = f"<@{slack.installation.bot.id}> what's the weather in Lima?"
    message = slack.workspace.post(slack.workspace.channels[seed.WEATHER], seed.ALICE, "what's the weather?")
    event = {
        "type": "app_mention",
        "channel": seed.WEATHER,
        "user": seed.ALICE.id,
        "team": seed.TEAM.id,
        "text": text,
        "ts": message.ts,
        "event_ts": message.ts,
    }
    body = json.dumps({**slack.events.envelope(event), **around}).encode()
    assert slack.events.send(body).status == 200
    return {"channel": seed.WEATHER, "ts": message.ts}


@pytest.mark.parametrize(
    "around",
    [
        {"api_app_id": "A0OTHER"},
        {"authorizations": [{"enterprise_id": None, "team_id": "T0OTHER", "user_id": "U0AGENT01"}]},
    ],
)
def test_a_signed_event_of_another_app_or_team_runs_no_agent(bridge: Bridge, around: dict[str, Any]) -> None:
    question = sent(bridge, **around)
    bridge.until(lambda: '"not_for_us"' in bridge.logs())
    bridge.until(bridge.queues_are_empty)
    assert bridge.replies(question) == []
    assert bridge.simulation.agent.invocations == []


def test_a_warm_worker_does_not_ask_slack_again_who_the_bot_is(bridge: Bridge) -> None:
    def times_asked() -> int:
        return [call.method for call in bridge.simulation.slack.web_api.calls].count("auth.test")

    bridge.settled(sent(bridge))
    before = times_asked()
    for _ in range(3):
        bridge.settled(sent(bridge))
    assert times_asked() == before >= 1
