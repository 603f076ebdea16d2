import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient

from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import Control
from tests.simulator.slack.receiver import Answer, Receiver


def button(action_id: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Retry"}
    return {"type": "button", "action_id": action_id, "text": text, "value": "v1"}


@pytest.fixture
def interactivity(service: SlackService, receiver: Receiver) -> Receiver:
    service.request_url = ""
    service.interactivity_url = receiver.url
    return receiver


@pytest.mark.parametrize(
    "block",
    [
        {"type": "actions", "block_id": "b1", "elements": [button("other"), button("retry")]},
        {
            "type": "section",
            "block_id": "b1",
            "text": {"type": "mrkdwn", "text": "x"},
            "accessory": button("retry"),
        },
    ],
)
def test_a_pressed_button_is_told_with_its_message_and_person(
    client: WebClient, control: Control, interactivity: Receiver, block: dict[str, Any]
) -> None:
    root = control.say("general", "@agent hello")["ts"]
    ts = client.chat_postMessage(channel=seed.GENERAL, text="x", thread_ts=root, blocks=[block])["ts"]
    answer = control.post("press", channel="general", ts=ts, action_id="retry", user="bob")
    assert answer["statuses"] == [200]
    [request] = interactivity.wait(1)
    payload = json.loads(parse_qs(request.body.decode())["payload"][0])
    assert payload["type"] == "block_actions"
    assert (payload["user"]["id"], payload["team"]["id"]) == (seed.BOB.id, seed.TEAM.id)
    assert payload["channel"] == {"id": seed.GENERAL, "name": "general"}
    assert (payload["container"]["message_ts"], payload["container"]["thread_ts"]) == (ts, root)
    assert (payload["message"]["ts"], payload["message"]["bot_id"]) == (ts, "B0AGENT01")
    [action] = payload["actions"]
    assert (action["action_id"], action["value"], action["block_id"]) == ("retry", "v1", "b1")


def test_a_double_click_is_two_presses_though_the_first_takes_the_button_away(
    client: WebClient, control: Control, interactivity: Receiver
) -> None:
    blocks = [{"type": "actions", "elements": [button("retry")]}]
    ts = client.chat_postMessage(channel=seed.GENERAL, text="x", blocks=blocks)["ts"]
    take_away = Answer(before=lambda: client.chat_update(channel=seed.GENERAL, ts=ts, text="x", blocks=[]))
    interactivity.answers = [take_away]
    answer = control.post("press", channel="general", ts=ts, action_id="retry", user="bob", times=2)
    assert answer["statuses"] == [200, 200]


def test_a_button_that_is_not_there_cannot_be_pressed(
    client: WebClient, control: Control, interactivity: Receiver
) -> None:
    ts = client.chat_postMessage(channel=seed.GENERAL, text="x")["ts"]
    answer = control.post("press", channel="general", ts=ts, action_id="retry", user="bob")
    assert answer == {"ok": False, "error": "action_not_found"}
    assert interactivity.received == []
