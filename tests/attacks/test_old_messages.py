"""An edit of an old message runs no agent: the record that it was answered may be gone."""

import json
from typing import Any

import pytest

from functions.bridge.incoming.events import OLDEST_MESSAGE_SECONDS
from simulator.aws import Aws
from tests.functions.bridge.incoming.test_events import DIRECT, MENTION, envelope
from tests.functions.test_receiver import Door, request

EDITED = {**MENTION, "edited": {"user": "U1", "ts": "1790000000.000000"}}
DAY = 24 * 3600


@pytest.fixture
def door(aws: Aws) -> Door:
    return Door(aws)


def deliver(door: Door, event: dict[str, Any], *, seconds_later: float) -> dict[str, Any]:
    door.clock.time = float(event["ts"]) + seconds_later
    return door.knock(request(json.dumps(envelope(event)), at=door.clock.now()))


@pytest.mark.parametrize("event", [EDITED, MENTION, DIRECT])
@pytest.mark.parametrize("seconds_later", [OLDEST_MESSAGE_SECONDS + 1, 16 * DAY, 400 * DAY])
def test_what_slack_sends_about_an_old_message_is_ignored_and_said_in_the_log(
    door: Door, caplog: pytest.LogCaptureFixture, event: dict[str, Any], seconds_later: float
) -> None:
    assert deliver(door, event, seconds_later=seconds_later)["statusCode"] == 200
    assert door.queued() == []
    [line] = [vars(record) for record in caplog.records]
    assert (line["message"], line["reason"]) == ("event ignored", "too_old")


@pytest.mark.parametrize("seconds_later", [0, DAY, OLDEST_MESSAGE_SECONDS - 1])
def test_an_event_that_slack_delivers_a_day_late_is_taken(door: Door, seconds_later: float) -> None:
    deliver(door, MENTION, seconds_later=seconds_later)
    assert len(door.queued()) == 1
