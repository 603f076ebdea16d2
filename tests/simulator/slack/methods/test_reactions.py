import pytest
from slack_sdk import WebClient

from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import Control
from tests.simulator.slack.refusal import refused

HOURGLASS = "hourglass_flowing_sand"
AGENT = {"name": HOURGLASS, "users": ["U0AGENT01"], "count": 1}


@pytest.fixture
def ts(control: Control) -> str:
    return str(control.say("general", "hello")["ts"])


def test_a_reaction_stands_until_it_is_taken_away(control: Control, client: WebClient, ts: str) -> None:
    client.reactions_add(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)
    assert control.message("general", ts)["reactions"] == [AGENT]
    client.reactions_remove(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)
    assert "reactions" not in control.message("general", ts)


def test_a_reaction_is_no_edit_and_no_event(service: SlackService, client: WebClient, ts: str) -> None:
    before = len(service.events.deliveries)
    client.reactions_add(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)
    assert len(service.events.deliveries) == before


def test_nobody_reacts_twice_or_takes_away_what_is_not_there(client: WebClient, ts: str) -> None:
    with refused("no_reaction"):
        client.reactions_remove(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)
    client.reactions_add(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)
    with refused("already_reacted"):
        client.reactions_add(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": "no_such_emoji"}, "invalid_name"),
        ({"timestamp": ""}, "no_item_specified"),
        ({"timestamp": "yesterday"}, "bad_timestamp"),
        ({"timestamp": "1700000000.000001"}, "message_not_found"),
        ({"channel": "C0NOWHERE"}, "channel_not_found"),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: WebClient, ts: str, changed: dict[str, str], error: str
) -> None:
    arguments = {"channel": seed.GENERAL, "timestamp": ts, "name": HOURGLASS} | changed
    for call in (client.reactions_add, client.reactions_remove):
        with refused(error):
            call(**arguments)


def test_a_message_that_was_deleted_or_is_locked_takes_no_reaction(
    control: Control, client: WebClient, ts: str
) -> None:
    control.post("lock-thread", channel="general", ts=ts)
    with refused("thread_locked"):
        client.reactions_add(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)
    control.post("delete", channel="general", ts=ts)
    with refused("message_not_found"):
        client.reactions_add(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)


def test_an_app_without_the_scope_is_told_which_one_it_takes(
    service: SlackService, client: WebClient, ts: str
) -> None:
    service.installation.scopes.discard("reactions:write")
    with refused("missing_scope") as caught:
        client.reactions_add(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)
    assert caught.value.response["needed"] == "reactions:write"


def test_twenty_reactions_are_taken_away_in_a_minute(
    service: SlackService, client: WebClient, ts: str
) -> None:
    service.tiers.switch(enabled=True)
    for _ in range(20):
        with refused("no_reaction"):
            client.reactions_remove(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)
    with refused("ratelimited"):
        client.reactions_remove(channel=seed.GENERAL, timestamp=ts, name=HOURGLASS)
