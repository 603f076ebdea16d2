from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from simulator.slack import seed
from tests.simulator.slack.conftest import Control
from tests.simulator.slack.refusal import refused

METADATA = {"event_type": "agent_bridge_reply", "event_payload": {"turn_id": "t"}}


def test_replies_are_the_root_and_its_replies(client: WebClient, control: Control) -> None:
    root = control.say("general", "question")["ts"]
    control.say("general", "another")
    client.chat_postMessage(channel=seed.GENERAL, thread_ts=root, text="answer", metadata=METADATA)
    control.say("general", "thanks", "bob", thread_ts=root)
    messages = client.conversations_replies(channel=seed.GENERAL, ts=root)["messages"]
    assert [m["text"] for m in messages] == ["question", "answer", "thanks"]
    assert messages[0]["thread_ts"] == root
    assert (messages[0]["reply_count"], messages[0]["latest_reply"]) == (2, messages[2]["ts"])
    assert messages[0]["reply_users"] == ["U0AGENT01", seed.BOB.id]
    assert messages[1]["parent_user_id"] == seed.ALICE.id
    assert "metadata" not in messages[1]


def test_metadata_comes_when_asked_for(client: WebClient, control: Control) -> None:
    root = control.say("general", "question")["ts"]
    client.chat_postMessage(channel=seed.GENERAL, thread_ts=root, text="answer", metadata=METADATA)
    messages = client.conversations_replies(channel=seed.GENERAL, ts=root, include_all_metadata=True)[
        "messages"
    ]
    assert messages[1]["metadata"] == METADATA


def test_replies_come_in_pages_that_each_begin_with_the_threads_first_message(
    client: WebClient, control: Control
) -> None:
    root = control.say("general", "0")["ts"]
    for number in range(1, 5):
        control.say("general", str(number), thread_ts=root)
    pages = client.conversations_replies(channel=seed.GENERAL, ts=root, limit=2)
    seen = [[message["text"] for message in page["messages"]] for page in pages]
    assert seen == [["0", "1", "2"], ["0", "3", "4"]]


def test_replies_can_be_bounded_in_time(client: WebClient, control: Control) -> None:
    root = control.say("general", "0")["ts"]
    stamps = [control.say("general", str(n), thread_ts=root)["ts"] for n in range(1, 4)]
    later = client.conversations_replies(channel=seed.GENERAL, ts=root, oldest=stamps[0])
    assert [m["text"] for m in later["messages"]] == ["0", "2", "3"]
    both = client.conversations_replies(
        channel=seed.GENERAL, ts=root, oldest=root, latest=stamps[0], inclusive=True
    )
    assert [m["text"] for m in both["messages"]] == ["0", "1"]


def test_replies_to_nothing_are_refused(client: WebClient) -> None:
    with refused("thread_not_found"):
        client.conversations_replies(channel=seed.GENERAL, ts="1700000000.000001")
    with refused("channel_not_found"):
        client.conversations_replies(channel="C0NOWHERE", ts="1700000000.000001")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"limit": 0}, "invalid_limit"),
        ({"limit": 1001}, "invalid_limit"),
        ({"cursor": "?"}, "invalid_cursor"),
    ],
)
def test_pages_are_asked_for_properly(
    client: WebClient, control: Control, args: dict[str, Any], error: str
) -> None:
    root = control.say("general", "question")["ts"]
    with refused(error):
        client.conversations_replies(channel=seed.GENERAL, ts=root, **args)


@pytest.mark.parametrize(
    ("channel", "scope"),
    [("general", "channels:history"), ("weather-private", "groups:history"), ("dm", "im:history")],
)
def test_each_kind_of_channel_has_a_history_scope(
    client: WebClient, control: Control, channel: str, scope: str
) -> None:
    sent = control.say(channel, "question")
    control.post("scopes", remove=[scope])
    with pytest.raises(SlackApiError) as error:
        client.conversations_replies(channel=sent["channel"], ts=sent["ts"])
    assert (error.value.response["error"], error.value.response["needed"]) == ("missing_scope", scope)


def test_history_is_newest_first_and_without_replies(client: WebClient, control: Control) -> None:
    root = control.say("general", "first")["ts"]
    control.say("general", "reply", thread_ts=root)
    control.say("general", "for all", thread_ts=root, broadcast=True)
    control.say("general", "second")
    messages = client.conversations_history(channel=seed.GENERAL)["messages"]
    assert [m["text"] for m in messages] == ["second", "for all", "first"]
    control.post("remove-bot", channel="general")
    with refused("not_in_channel"):
        client.conversations_history(channel=seed.GENERAL)


def test_a_deleted_root_leaves_a_tombstone(client: WebClient, control: Control) -> None:
    root = control.say("general", "question")["ts"]
    client.chat_postMessage(channel=seed.GENERAL, thread_ts=root, text="answer")
    control.post("delete", channel="general", ts=root)
    messages = client.conversations_replies(channel=seed.GENERAL, ts=root)["messages"]
    assert [m["text"] for m in messages] == ["This message was deleted.", "answer"]
    assert messages[0]["subtype"] == "tombstone"


def test_info_needs_a_read_scope_and_tells_the_kind(client: WebClient, control: Control) -> None:
    with refused("missing_scope"):
        client.conversations_info(channel=seed.SHARED)
    control.post("scopes", add=["channels:read", "im:read"])
    shared = client.conversations_info(channel=seed.SHARED)["channel"]
    assert (shared["name"], shared["is_ext_shared"]) == ("weather-partner", True)
    direct = client.conversations_info(channel=seed.ALICE_DM)["channel"]
    assert (direct["is_im"], direct["user"]) == (True, seed.ALICE.id)
    with refused("missing_scope"):
        client.conversations_info(channel=seed.PRIVATE)
