import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from simulator.slack import seed
from simulator.slack.service import SlackService


@pytest.fixture(autouse=True)
def scope(service: SlackService) -> None:
    service.installation.scopes.add("usergroups:read")


def test_a_groups_people_are_listed(client: WebClient) -> None:
    assert client.usergroups_users_list(usergroup=seed.FORECASTERS)["users"] == [seed.BOB.id]


def test_the_scope_is_not_in_the_manifest_and_is_needed(service: SlackService, client: WebClient) -> None:
    service.installation.scopes.discard("usergroups:read")
    with pytest.raises(SlackApiError) as refused:
        client.usergroups_users_list(usergroup=seed.FORECASTERS)
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "usergroups:read"


def test_a_group_that_is_not_there_or_disabled_is_none(service: SlackService, client: WebClient) -> None:
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        client.usergroups_users_list(usergroup="S0NOBODY")
    service.workspace.groups[seed.FORECASTERS].is_disabled = True
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        client.usergroups_users_list(usergroup=seed.FORECASTERS)
    disabled = client.usergroups_users_list(usergroup=seed.FORECASTERS, include_disabled=True)
    assert disabled["users"] == [seed.BOB.id]


def test_twenty_calls_a_minute_are_allowed(service: SlackService, client: WebClient) -> None:
    service.tiers.switch(True)
    for _ in range(20):
        client.usergroups_users_list(usergroup=seed.FORECASTERS)
    with pytest.raises(SlackApiError, match="ratelimited"):
        client.usergroups_users_list(usergroup=seed.FORECASTERS)
