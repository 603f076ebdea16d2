import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from simulator.slack import seed
from tests.simulator.slack.conftest import Control


def test_a_reaction_is_added_once(client: WebClient, control: Control) -> None:
    control.post("scopes", add=["reactions:write"])
    ts = control.say("general", "hello")["ts"]
    client.reactions_add(channel=seed.GENERAL, timestamp=ts, name="eyes")
    [reaction] = control.message("general", ts)["reactions"]
    assert reaction == {"name": "eyes", "users": ["U0AGENT01"], "count": 1}
    with pytest.raises(SlackApiError, match="already_reacted"):
        client.reactions_add(channel=seed.GENERAL, timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError, match="message_not_found"):
        client.reactions_add(channel=seed.GENERAL, timestamp="1700000000.000001", name="eyes")
    with pytest.raises(SlackApiError, match="invalid_name"):
        client.reactions_add(channel=seed.GENERAL, timestamp=ts, name="not a name")


def test_the_manifest_does_not_allow_reactions(client: WebClient, control: Control) -> None:
    ts = control.say("general", "hello")["ts"]
    with pytest.raises(SlackApiError, match="missing_scope"):
        client.reactions_add(channel=seed.GENERAL, timestamp=ts, name="eyes")
