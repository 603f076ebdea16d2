"""Requests that no browser and no Slack makes: none raises, signed or not."""

import json
from typing import Any

import pytest

from functions.bridge.queue_commands import from_json
from simulator.aws import Aws
from tests.functions.bridge.incoming.test_events import MENTION, envelope
from tests.functions.bridge.incoming.test_interactions import ACTION, PAYLOAD
from tests.functions.fakes import TURN
from tests.functions.test_receiver import Door, press, request


@pytest.fixture(scope="module")
def door(aws: Aws) -> Door:
    return Door(aws)


def pressed(value: dict[str, Any], user: Any = TURN.user, **more: Any) -> dict[str, Any]:
    """A press of Retry, with a button that says `value`."""
    action = {**ACTION, "value": json.dumps(value), **more}
    return press({**PAYLOAD, "user": {"id": user}, "actions": [action]})


def nothing_is_queued(door: Door) -> bool:
    return door.queued() == door.queued_control() == []


BUTTON = json.loads(ACTION["value"])


@pytest.mark.parametrize("field", ["team", "channel", "ts", "user", "attempt"])
@pytest.mark.parametrize("value", ["\ud800", "T1\udfff", "", "x" * 300, "T1:C1"])
def test_a_button_with_ids_that_are_none_is_ignored(door: Door, field: str, value: str) -> None:
    changed = BUTTON | {field: value}
    assert door.knock(pressed(changed, user=changed["user"]))["statusCode"] == 200
    assert nothing_is_queued(door)


@pytest.mark.parametrize("field", ["thread_ts", "user"])
@pytest.mark.parametrize("value", ["\ud800", "T1\udfff", "x" * 300, "T1:C1", ["C1"]])
def test_a_message_with_ids_that_are_none_has_no_button(door: Door, field: str, value: Any) -> None:
    message = PAYLOAD["message"] | {field: value}
    assert door.knock(press({**PAYLOAD, "message": message}))["statusCode"] == 200
    assert nothing_is_queued(door)


@pytest.mark.parametrize("attempt", [0, 1, -2, 2.0, True, "2", int("9" * 41)])
def test_a_button_with_a_number_that_is_no_later_attempt_is_ignored(door: Door, attempt: Any) -> None:
    assert door.knock(pressed(BUTTON | {"attempt": attempt}))["statusCode"] == 200
    assert nothing_is_queued(door)


@pytest.mark.parametrize("user", ["\ud800", {"id": "U1"}, None, 1, ""])
def test_a_press_by_somebody_without_an_id_is_ignored(door: Door, user: Any) -> None:
    assert door.knock(pressed(BUTTON, user=user))["statusCode"] == 200
    assert nothing_is_queued(door)


def test_a_press_at_no_time_is_ignored(door: Door) -> None:
    assert door.knock(pressed(BUTTON, user="U2", action_ts="\ud800"))["statusCode"] == 200
    assert nothing_is_queued(door)


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": None},
        {"headers": []},
        {"headers": "x-slack-signature"},
        {"headers": {"x-slack-signature": None, "x-slack-request-timestamp": 1}},
        {"headers": {"x-slack-signature": ["v0="], "x-slack-request-timestamp": {}}},
        {"body": 1},
        {"body": {"type": "event_callback"}},
        {"body": ["x"], "isBase64Encoded": True},
        {"body": "é", "isBase64Encoded": True},
        {"body": "\ud800", "isBase64Encoded": True},
        {"routeKey": None, "headers": None, "body": None},
    ],
)
def test_a_header_or_body_that_is_no_text_is_refused_as_unsigned(door: Door, changes: dict[str, Any]) -> None:
    assert door.knock({**request(json.dumps(envelope(MENTION))), **changes}) == {"statusCode": 401}
    assert door.queued() == []


@pytest.mark.parametrize("size", [False, True, None, "1", 1.5, -1, 10**40])
def test_a_file_of_an_odd_size_makes_a_message_that_the_worker_reads(aws: Aws, size: Any) -> None:
    file = {"id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": size}
    door = Door(aws)
    assert door.knock(request(json.dumps(envelope({**MENTION, "files": [file]}))))["statusCode"] == 200
    assert [command.name for command in map(from_json, door.queued())] == ["ask"]


@pytest.mark.parametrize("route", [None, 1, ["POST /slack/events"], {}, "\ud800"])
def test_a_route_that_is_no_text_is_not_found(door: Door, route: Any) -> None:
    assert door.knock({**request(json.dumps(envelope(MENTION))), "routeKey": route})["statusCode"] == 200
    assert door.queued() == []
