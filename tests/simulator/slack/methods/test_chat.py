import json
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from simulator.slack import seed
from tests.simulator.slack.conftest import Control
from tests.simulator.slack.refusal import refused

METADATA = {"event_type": "agent_bridge_reply", "event_payload": {"turn_id": "t", "part": 1}}


def markdown(text: str) -> dict[str, str]:
    return {"type": "markdown", "text": text}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(text: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": text}}


def test_a_post_keeps_all_its_arguments(client: WebClient, control: Control) -> None:
    answer = client.chat_postMessage(
        channel=seed.WEATHER,
        text="short",
        blocks=[markdown("**long**")],
        metadata=METADATA,
        unfurl_links=False,
        unfurl_media=False,
    )
    message = control.message(seed.WEATHER, str(answer["ts"]))
    assert message["blocks"] == [markdown("**long**")]
    assert (message["text"], message["metadata"]) == ("short", METADATA)
    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)
    assert (message["bot_id"], message["app_id"], message["user"]) == ("B0AGENT01", "A0AGENT01", "U0AGENT01")
    assert "subtype" not in message


def test_an_ephemeral_message_is_in_no_history_and_the_app_is_not_told(
    client: WebClient, control: Control
) -> None:
    channel, alice = seed.ALICE_DM, seed.ALICE.id
    root = str(client.chat_postMessage(channel=channel, text="root")["ts"])
    events = control.get("events")
    shown = client.chat_postEphemeral(channel=channel, user=alice, text="<@U0AGENT01> hello", thread_ts=root)
    assert shown["message_ts"] > root
    thread = client.conversations_replies(channel=channel, ts=root)["messages"]
    assert [message["ts"] for message in thread] == [root]
    assert [message["ts"] for message in control.get("state")["messages"]] == [root]
    assert len(control.get("events")["events"]) == len(events["events"])
    with refused("user_not_in_channel"):
        client.chat_postEphemeral(channel=seed.PRIVATE, user=seed.BOB.id, text="x")
    with refused("message_not_found"):
        client.chat_update(channel=channel, ts=shown["message_ts"], text="x")


def test_timestamps_grow(client: WebClient) -> None:
    stamps = [str(client.chat_postMessage(channel=seed.GENERAL, text="x")["ts"]) for _ in range(5)]
    assert stamps == sorted(set(stamps))


def test_a_channel_may_be_named_and_a_person_is_a_direct_message(client: WebClient) -> None:
    assert client.chat_postMessage(channel="#general", text="x")["channel"] == seed.GENERAL
    assert client.chat_postMessage(channel=seed.ALICE.id, text="x")["channel"] == seed.ALICE_DM


def test_an_unknown_channel_is_refused(client: WebClient, control: Control) -> None:
    with refused("channel_not_found"):
        client.chat_postMessage(channel="C0NOWHERE", text="x")
    with refused("channel_not_found"):
        client.chat_postMessage(channel=seed.ERIN.id, text="x")
    control.post("remove-bot", channel=seed.PRIVATE)
    with refused("channel_not_found"):
        client.chat_postMessage(channel=seed.PRIVATE, text="x")


def test_a_public_channel_without_the_bot_is_refused(client: WebClient, control: Control) -> None:
    control.post("remove-bot", channel="general")
    with refused("not_in_channel"):
        client.chat_postMessage(channel=seed.GENERAL, text="x")
    control.post("invite-bot", channel="general")
    assert client.chat_postMessage(channel=seed.GENERAL, text="x")["ok"]


def test_an_archived_channel_takes_neither_posts_nor_edits(client: WebClient, control: Control) -> None:
    ts = str(client.chat_postMessage(channel=seed.GENERAL, text="x")["ts"])
    control.post("archive", channel="general")
    with refused("is_archived"):
        client.chat_postMessage(channel=seed.GENERAL, text="x")
    with refused("is_inactive"):
        client.chat_update(channel=seed.GENERAL, ts=ts, text="y")


@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing:UserWarning")
def test_a_post_without_content_is_refused(client: WebClient) -> None:
    with refused("no_text"):
        client.chat_postMessage(channel=seed.GENERAL, text="")
    with refused("no_text"):
        client.chat_postMessage(channel=seed.GENERAL, text="", blocks=[])


def test_a_reply_needs_the_root_of_a_thread(client: WebClient, control: Control) -> None:
    root = control.say("general", "hello")["ts"]
    reply = str(client.chat_postMessage(channel=seed.GENERAL, text="x", thread_ts=root)["ts"])
    for wrong in ("1700000000.000001", reply):
        with refused("thread_not_found"):
            client.chat_postMessage(channel=seed.GENERAL, text="x", thread_ts=wrong)
    with refused("thread_not_found"):
        client.chat_postMessage(channel=seed.WEATHER, text="x", thread_ts=root)
    with refused("invalid_arguments"):
        client.chat_postMessage(channel=seed.GENERAL, text="x", thread_ts="yesterday")


def test_a_locked_thread_takes_no_reply(client: WebClient, control: Control) -> None:
    root = control.say("general", "hello")["ts"]
    control.post("lock-thread", channel="general", ts=root)
    with refused("restricted_action_thread_locked"):
        client.chat_postMessage(channel=seed.GENERAL, text="x", thread_ts=root)


def test_a_post_of_more_than_40000_characters_is_cut_with_a_warning(client: WebClient) -> None:
    answer = client.chat_postMessage(channel=seed.GENERAL, text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert answer["response_metadata"]["warnings"] == ["message_truncated"]
    assert len(answer["message"]["text"]) == 40_000


def test_an_update_of_more_than_4000_characters_is_refused(client: WebClient) -> None:
    ts = str(client.chat_postMessage(channel=seed.GENERAL, text="x" * 5_000)["ts"])
    assert client.chat_update(channel=seed.GENERAL, ts=ts, text="y" * 4_000)["ok"]
    with refused("msg_too_long"):
        client.chat_update(channel=seed.GENERAL, ts=ts, text="y" * 4_001)


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ([markdown("x" * 12_001)], "msg_too_long"),
        ([markdown("x" * 6_001), markdown("x" * 6_000)], "msg_too_long"),
        ([markdown("x" * 11_999), section("x" * 2_000)], "msg_blocks_too_long"),
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([markdown("")], "invalid_blocks"),
        ([{"type": "marquee"}], "invalid_blocks"),
        ([{"type": "section"}], "invalid_blocks"),
        ([section("x" * 3_001)], "invalid_blocks"),
        ([{"type": "section", "text": {"type": "markdown", "text": "x"}}], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "invalid_blocks"),
        ([{"type": "actions", "elements": []}], "invalid_blocks"),
        ([{"type": "actions", "elements": [button("x" * 76)]}], "invalid_blocks"),
        ([{"type": "table", "rows": [[]] * 101}], "invalid_blocks"),
        ([{"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 5_001}]] * 2}], "invalid_blocks"),
        ([markdown("| a |\n| - |\n" + "| 1 |\n" * 100)], "invalid_blocks"),
        ([markdown("| a " * 21 + "|\n" + "| - " * 21 + "|\n")], "invalid_blocks"),
        ([markdown(f"| a |\n| - |\n| {'x' * 10_000} |\n")], "invalid_blocks"),
        ([markdown("| a |\n| - |\n\nb\n\n| c |\n| - |\n")], "invalid_attachments"),
        ([markdown("| a |\n| - |\n"), markdown("| b |\n| - |\n")], "invalid_attachments"),
        ([markdown("| a |\n| - |\n"), {"type": "table", "rows": [[]]}], "invalid_attachments"),
        # Slack makes a header and a rich_text block of each pair of lines.
        ([markdown("# a\nb\n" * 25), {"type": "divider"}], "msg_blocks_too_many"),
        (["text"], "invalid_blocks_format"),
        ("{", "invalid_blocks_format"),
        ({"type": "divider"}, "invalid_blocks_format"),
    ],
)
def test_blocks_over_a_limit_are_refused_in_posts_and_updates(
    client: WebClient, blocks: Any, error: str
) -> None:
    with refused(error):
        client.chat_postMessage(channel=seed.GENERAL, text="x", blocks=blocks)
    ts = str(client.chat_postMessage(channel=seed.GENERAL, text="x")["ts"])
    with refused(error):
        client.chat_update(channel=seed.GENERAL, ts=ts, text="x", blocks=blocks)


def data_table(height: int = 2, columns: int = 1, text: str = "x", **changed: Any) -> dict[str, Any]:
    cells = [[{"type": "raw_text", "text": text}] * columns for _ in range(height)]
    return {"type": "data_table", "caption": "numbers", "rows": cells} | changed


NUMBER = {"type": "raw_number", "value": 1.5, "text": "1.5"}


@pytest.mark.parametrize(
    "table",
    [
        data_table(201),
        data_table(2, 20, page_size=100, row_header_column_index=19),
        data_table(2, 1, "x" * 10_000),
        data_table(
            rows=[[{"type": "raw_text", "text": "n"}], [NUMBER], [{"type": "rich_text", "elements": []}]]
        ),
    ],
)
def test_a_data_table_at_a_limit_is_accepted(client: WebClient, table: dict[str, Any]) -> None:
    blocks = [markdown("x" * 12_000), table]
    assert client.chat_postMessage(channel=seed.GENERAL, text="x", blocks=blocks)["ok"]


@pytest.mark.parametrize(
    "table",
    [
        data_table(1),
        data_table(202),
        data_table(2, 0),
        data_table(2, 21),
        data_table(2, 1, ""),
        data_table(201, 20, "x" * 5),
        data_table(rows=[[NUMBER], [NUMBER, NUMBER]]),
        data_table(rows=[[{"type": "rich_text", "elements": []}], [NUMBER]]),
        data_table(rows=[[NUMBER], [{"type": "raw_number", "value": "1.5", "text": "1.5"}]]),
        data_table(rows=[[NUMBER], [{"type": "raw_number", "value": 1}]]),
        data_table(rows=[[NUMBER], ["1"]]),
        data_table(rows=None),
        data_table(caption=""),
        data_table(page_size=0),
        data_table(page_size=101),
        data_table(row_header_column_index=1),
    ],
)
def test_a_data_table_over_a_limit_is_refused(client: WebClient, table: dict[str, Any]) -> None:
    with refused("invalid_blocks"):
        client.chat_postMessage(channel=seed.GENERAL, text="x", blocks=[table])


@pytest.mark.parametrize("beside", [data_table(), markdown("| a |\n| - |\n")])
def test_a_data_table_stands_beside_no_other_table(client: WebClient, beside: dict[str, Any]) -> None:
    with refused("invalid_attachments"):
        client.chat_postMessage(channel=seed.GENERAL, text="x", blocks=[data_table(), beside])


def test_a_refusal_of_blocks_says_where_and_why(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as error:
        client.chat_postMessage(channel=seed.GENERAL, text="x", blocks=[{"type": "divider"}] * 51)
    problem = "no more than 50 items allowed [json-pointer:/blocks]"
    assert error.value.response["errors"] == [problem]
    assert error.value.response["response_metadata"]["messages"] == [f"[ERROR] {problem}"]


def test_a_refusal_of_a_second_table_says_so(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as error:
        client.chat_postMessage(channel=seed.GENERAL, markdown_text="| a |\n| - |\n\nb\n\n| c |\n| - |\n")
    assert error.value.response["error"] == "invalid_attachments"
    assert error.value.response["errors"] == ["only_one_table_allowed"]


def test_blocks_at_the_limits_are_accepted(client: WebClient) -> None:
    blocks = [markdown("x" * 6_000), markdown("y" * 6_000), *[{"type": "divider"}] * 48]
    assert client.chat_postMessage(channel=seed.GENERAL, text="x", blocks=json.dumps(blocks))["ok"]
    headings = [markdown("# a\nb\n" * 25)]
    assert client.chat_postMessage(channel=seed.GENERAL, text="x", blocks=headings)["ok"]
    heading = "| a " * 20 + "|\n" + "| - " * 20 + "|\n"
    table = [markdown(heading + "| 1 |\n" * 99)]
    assert client.chat_postMessage(channel=seed.GENERAL, text="x", blocks=table)["ok"]


def test_markdown_text_becomes_a_markdown_block_and_stands_alone(client: WebClient) -> None:
    answer = client.chat_postMessage(channel=seed.GENERAL, markdown_text="**x**")
    assert answer["message"]["blocks"] == [markdown("**x**")]
    with refused("markdown_text_conflict"):
        client.chat_postMessage(channel=seed.GENERAL, markdown_text="x", text="x")
    with refused("markdown_text_conflict"):
        client.chat_update(
            channel=seed.GENERAL, ts=str(answer["ts"]), markdown_text="x", blocks=[markdown("x")]
        )
    with refused("msg_too_long"):
        client.chat_postMessage(channel=seed.GENERAL, markdown_text="x" * 12_001)
    with refused("msg_blocks_too_many"):
        client.chat_postMessage(channel=seed.GENERAL, markdown_text="# a\nb\n" * 26)


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("no json", "invalid_metadata_format"),
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_type": "", "event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": "y"}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {}, "more": 1}, "invalid_metadata_schema"),
    ],
)
def test_metadata_of_another_shape_is_refused(client: WebClient, metadata: Any, error: str) -> None:
    with refused(error):
        client.chat_postMessage(channel=seed.GENERAL, text="x", metadata=metadata)


def test_an_update_replaces_content_and_is_remembered(client: WebClient, control: Control) -> None:
    ts = str(client.chat_postMessage(channel=seed.GENERAL, text="Processing…", metadata=METADATA)["ts"])
    client.chat_update(channel=seed.GENERAL, ts=ts, text="half", blocks=[markdown("ha")])
    client.chat_update(channel=seed.GENERAL, ts=ts, text="whole", blocks=[markdown("half")])
    message = control.message(seed.GENERAL, ts)
    assert (message["text"], message["blocks"]) == ("whole", [markdown("half")])
    assert message["edited"]["user"] == "U0AGENT01"
    assert message["metadata"] == METADATA
    assert [(edit["text"], edit["blocks"][0]["text"]) for edit in message["edits"]] == [
        ("half", "ha"),
        ("whole", "half"),
    ]


def test_an_update_keeps_the_blocks_it_does_not_name(client: WebClient) -> None:
    ts = str(client.chat_postMessage(channel=seed.GENERAL, text="a", blocks=[markdown("a")])["ts"])
    kept = client.chat_update(channel=seed.GENERAL, ts=ts, text="b")
    assert kept["message"]["blocks"] == [markdown("a")]
    removed = client.chat_update(channel=seed.GENERAL, ts=ts, text="b", blocks=[], metadata={})
    assert "blocks" not in removed["message"]


def test_the_app_can_change_its_own_messages_only(client: WebClient, control: Control) -> None:
    ts = control.say("general", "mine")["ts"]
    with refused("cant_update_message"):
        client.chat_update(channel=seed.GENERAL, ts=ts, text="x")
    with refused("cant_delete_message"):
        client.chat_delete(channel=seed.GENERAL, ts=ts)
    with refused("message_not_found"):
        client.chat_update(channel=seed.GENERAL, ts="1700000000.000001", text="x")
    with refused("channel_not_found"):
        client.chat_update(channel="general", ts=ts, text="x")


def test_a_deleted_message_is_gone(client: WebClient, control: Control) -> None:
    ts = str(client.chat_postMessage(channel=seed.GENERAL, text="x")["ts"])
    client.chat_delete(channel=seed.GENERAL, ts=ts)
    with refused("message_not_found"):
        client.chat_update(channel=seed.GENERAL, ts=ts, text="y")
    assert control.get("state")["messages"] == []


def test_notifications_of_posts_and_edits_are_recorded(client: WebClient, control: Control) -> None:
    ts = str(client.chat_postMessage(channel=seed.GENERAL, text="<@U01ALICE>")["ts"])
    client.chat_update(channel=seed.GENERAL, ts=ts, text="x", blocks=[markdown("<!here> `<!channel>`")])
    client.chat_update(channel=seed.GENERAL, ts=ts, text="x", blocks=[markdown("quiet")])
    assert control.message(seed.GENERAL, ts)["notifications"] == ["<@U01ALICE>", "<!here>"]
