import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from simulator.slack import seed


def test_auth_test_tells_who_the_bot_is(client: WebClient) -> None:
    answer = client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (
        seed.TEAM.id,
        "U0AGENT01",
        "B0AGENT01",
    )


def test_api_test_needs_no_token_and_fails_when_asked(client: WebClient) -> None:
    anonymous = WebClient(base_url=client.base_url, retry_handlers=[])
    assert anonymous.api_test(foo="bar")["args"] == {"foo": "bar"}
    with pytest.raises(SlackApiError, match="my_error"):
        anonymous.api_test(error="my_error")


def test_bots_info_tells_which_app_a_bot_is_of(client: WebClient) -> None:
    bot = client.bots_info(bot="B0AGENT01")["bot"]
    assert (bot["id"], bot["app_id"], bot["user_id"]) == ("B0AGENT01", "A0AGENT01", "U0AGENT01")
    with pytest.raises(SlackApiError, match="bot_not_found"):
        client.bots_info(bot="B0NOBODY")


def test_users_info_tells_strangers_from_colleagues(client: WebClient) -> None:
    alice, erin = (client.users_info(user=user.id)["user"] for user in (seed.ALICE, seed.ERIN))
    assert (alice["name"], alice["is_stranger"]) == ("alice", False)
    assert (erin["team_id"], erin["is_stranger"]) == (seed.OTHER_TEAM.id, True)
    with pytest.raises(SlackApiError, match="user_not_found"):
        client.users_info(user="U0NOBODY")
