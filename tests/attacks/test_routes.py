"""What Slack has signed for one route does nothing on the other, whatever is said of its type."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from simulator.aws import Aws
from tests.functions.bridge.incoming import test_interactions as interactions
from tests.functions.bridge.incoming.test_events import MENTION, envelope
from tests.functions.test_receiver import Door, request

EVENTS, INTERACTIVITY = "/slack/events", "/slack/interactivity"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"

PAYLOAD = json.dumps(interactions.PAYLOAD)


@pytest.fixture
def door(aws: Aws) -> Door:
    return Door(aws)


def sent(body: str, path: str, content_type: str) -> dict[str, Any]:
    return request(body, path=path, encoded=True, more={"content-type": content_type})


@pytest.mark.parametrize("content_type", [JSON, FORM])
@pytest.mark.parametrize("name", [f"=&payload={quote(PAYLOAD)}", f"=&payload={quote(PAYLOAD)}&=", "x"])
def test_an_event_is_no_press_of_a_button(door: Door, name: str, content_type: str) -> None:
    event = {**MENTION, "files": [{"id": "F1", "name": name}]}
    body = json.dumps(envelope(event), separators=(",", ":"))
    assert door.knock(sent(body, INTERACTIVITY, content_type))["statusCode"] == 200
    assert door.queued() == []


@pytest.mark.parametrize("content_type", [JSON, FORM, "text/plain", ""])
def test_a_press_of_a_button_is_no_event(door: Door, content_type: str) -> None:
    body = urlencode({"payload": json.dumps(envelope(MENTION))})
    assert door.knock(sent(body, EVENTS, content_type))["statusCode"] == 200
    assert door.queued() == []


@pytest.mark.parametrize(
    ("body", "path", "content_type"),
    [
        (json.dumps(envelope(MENTION)), EVENTS, FORM),
        (json.dumps(envelope(MENTION)), EVENTS, "text/plain"),
        (json.dumps(envelope(MENTION)), EVENTS, ""),
        (urlencode({"payload": PAYLOAD}), INTERACTIVITY, JSON),
        (urlencode({"payload": PAYLOAD}), INTERACTIVITY, ""),
        (urlencode({"payload": PAYLOAD, "also": ""}), INTERACTIVITY, FORM),
        (urlencode([("payload", PAYLOAD), ("payload", PAYLOAD)]), INTERACTIVITY, FORM),
        (urlencode({"payload": PAYLOAD}), "/", FORM),
        (json.dumps(envelope(MENTION)), "/", JSON),
    ],
)
def test_each_route_takes_its_own_type_and_shape_only(
    door: Door, body: str, path: str, content_type: str
) -> None:
    assert door.knock(sent(body, path, content_type))["statusCode"] == 200
    assert door.queued() == []


@pytest.mark.parametrize(
    ("body", "path", "content_type"),
    [
        (json.dumps(envelope(MENTION)), EVENTS, JSON),
        (json.dumps(envelope(MENTION)), EVENTS, "Application/JSON; charset=utf-8"),
        (urlencode({"payload": PAYLOAD}), INTERACTIVITY, FORM),
    ],
)
def test_what_slack_sends_is_taken(door: Door, body: str, path: str, content_type: str) -> None:
    assert door.knock(sent(body, path, content_type))["statusCode"] == 200
    assert len(door.queued()) == 1
