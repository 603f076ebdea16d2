"""Slack's clock and ours differ."""

import json
import time

from simulator.slack.seed import ALICE, TEAM, WEATHER
from simulator.slack.signing import signature
from tests.e2e.bridge import Bridge


def say_with_clock_off(bridge: Bridge, seconds: int) -> int | None:
    """Delivers a question, signed `seconds` from now; the status that Slack gets, once it is answered."""
    slack = bridge.simulation.slack
    bot = slack.installation.bot
    message = slack.workspace.post(slack.workspace.channels[WEATHER], ALICE, "what's the weather in Lima?")
    event = {
        "type": "app_mention",
        "channel": WEATHER,
        "user": ALICE.id,
        "team": TEAM.id,
        "text": f"<@{bot.id}> {message.text}",
        "ts": message.ts,
        "event_ts": message.ts,
    }
    body = json.dumps(slack.events.envelope(event)).encode()
    timestamp = str(int(time.time()) + seconds)
    signed = signature(slack.installation.signing_secret, timestamp, body)
    headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signed}
    attempt = slack.events.send(body, headers=headers)
    question = {"channel": WEATHER, "ts": message.ts}
    if attempt.status == 200:
        bridge.settled(question)
    assert len(bridge.texts(question)) == (attempt.status == 200)
    return attempt.status
