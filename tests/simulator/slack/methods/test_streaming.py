"""slack_sdk's client against the three streaming methods."""

import json
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import Control
from tests.simulator.slack.refusal import refused

ALICE: dict[str, Any] = {"recipient_user_id": seed.ALICE.id, "recipient_team_id": seed.TEAM.id}
METADATA = {"event_type": "agent_bridge_reply", "event_payload": {"turn_id": "t"}}


def text(words: str) -> dict[str, Any]:
    return {"type": "markdown_text", "text": words}


def task(title: str, status: str = "in_progress", **more: Any) -> dict[str, Any]:
    return {"type": "task_update", "id": "t1", "title": title, "status": status, **more}


def markdown(words: str) -> dict[str, str]:
    return {"type": "markdown", "text": words}


def said(words: str) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}
    return {"type": "rich_text", "elements": [section]}


def without_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in block.items() if name != "block_id"} for block in blocks]


@pytest.fixture
def root(control: Control) -> str:
    return str(control.say("general", "@agent hello")["ts"])


class Stream:
    """A stream in #general, by its three calls."""

    def __init__(self, client: WebClient, thread_ts: str, **first: Any) -> None:
        self._client = client
        started = client.chat_startStream(channel=seed.GENERAL, thread_ts=thread_ts, **ALICE, **first)
        self.ts = str(started["ts"])

    def append(self, *chunks: Any, **arguments: Any) -> None:
        # The client's signature wants markdown_text, which Slack does not when there are chunks.
        arguments |= {"chunks": list(chunks)} if chunks else {}
        self._client.api_call("chat.appendStream", json={"channel": seed.GENERAL, "ts": self.ts, **arguments})

    def stop(self, **arguments: Any) -> Any:
        return self._client.chat_stopStream(channel=seed.GENERAL, ts=self.ts, **arguments)


@pytest.fixture
def stream(client: WebClient, root: str) -> Stream:
    return Stream(client, root)


def test_a_stream_grows_in_its_thread_until_it_is_stopped(
    client: WebClient, control: Control, root: str
) -> None:
    stream = Stream(client, root, markdown_text="It is ")
    shown = control.message(seed.GENERAL, stream.ts)
    assert (shown["streaming_state"], shown["blocks"]) == ("in_progress", [markdown("It is ")])
    stream.append(markdown_text="**sun")
    stream.append(markdown_text="ny**.")
    assert control.message(seed.GENERAL, stream.ts)["blocks"] == [markdown("It is **sunny**.")]
    stopped = stream.stop(markdown_text=" Enjoy!", metadata=METADATA)
    assert stopped["message"]["streaming_state"] == "completed"
    [_, reply] = client.conversations_replies(channel=seed.GENERAL, ts=root, include_all_metadata=True)[
        "messages"
    ]
    assert (reply["ts"], reply["streaming_state"]) == (stream.ts, "completed")
    assert (reply["text"], reply["metadata"]) == ("It is **sunny**. Enjoy!", METADATA)
    assert "edited" not in reply


def test_blocks_of_the_stop_come_last(control: Control, stream: Stream) -> None:
    stream.append(markdown_text="x")
    stream.stop(blocks=[{"type": "divider"}])
    assert without_ids(control.message(seed.GENERAL, stream.ts)["blocks"]) == [
        markdown("x"),
        {"type": "divider"},
    ]


def test_a_card_of_a_timeline_stands_where_it_was_first_mentioned(control: Control, stream: Stream) -> None:
    stream.append(text("Let me see. "), task("Looking", details="Chicago"))
    stream.append(text("It is "), text("sunny."))
    source = {"type": "url", "text": "Weather", "url": "https://weather.example/"}
    stream.append(task("Looked", "complete", details=", today", output="27 °C", sources=[source]))
    blocks = without_ids(control.message(seed.GENERAL, stream.ts)["blocks"])
    assert [block["type"] for block in blocks] == ["markdown", "task_card", "markdown"]
    # The title and the status are replaced, the details grow.
    assert blocks[1] == {
        "type": "task_card",
        "task_id": "t1",
        "title": "Looked",
        "status": "complete",
        "details": said("Chicago, today"),
        "output": said("27 °C"),
        "sources": [source],
    }
    assert blocks[2] == markdown("It is sunny.")


def test_a_plan_gathers_the_cards_above_the_text(client: WebClient, control: Control, root: str) -> None:
    stream = Stream(client, root, task_display_mode="plan", chunks=[text("One, "), task("First")])
    stream.append(text("two."), task("Second") | {"id": "t2"})
    blocks = without_ids(control.message(seed.GENERAL, stream.ts)["blocks"])
    assert [block["type"] for block in blocks] == ["plan", "markdown"]
    assert blocks[1] == markdown("One, two.")
    assert [card["title"] for card in blocks[0]["tasks"]] == ["First", "Second"]
    stream.append({"type": "plan_update", "title": "Two steps"})
    assert control.message(seed.GENERAL, stream.ts)["blocks"][0]["title"] == "Two steps"


def test_a_chunk_of_blocks_stands_between_texts(control: Control, stream: Stream) -> None:
    stream.append(text("a"), {"type": "blocks", "blocks": [{"type": "divider"}]}, text("b"))
    blocks = without_ids(control.message(seed.GENERAL, stream.ts)["blocks"])
    assert blocks == [markdown("a"), {"type": "divider"}, markdown("b")]


def test_an_open_stream_can_be_neither_edited_nor_deleted(client: WebClient, stream: Stream) -> None:
    with refused("streaming_state_conflict"):
        client.chat_update(channel=seed.GENERAL, ts=stream.ts, text="x")
    with refused("cant_delete_message"):
        client.chat_delete(channel=seed.GENERAL, ts=stream.ts)
    stream.stop(markdown_text="done")
    assert client.chat_update(channel=seed.GENERAL, ts=stream.ts, text="x")["ok"]
    assert client.chat_delete(channel=seed.GENERAL, ts=stream.ts)["ok"]


@pytest.mark.parametrize("first", [{"markdown_text": "a"}, {"chunks": [text("a")]}])
def test_text_and_chunks_do_not_mix(
    client: WebClient, control: Control, root: str, first: dict[str, Any]
) -> None:
    stream = Stream(client, root, **first)
    other = {"chunks": [text("b")]} if "markdown_text" in first else {"markdown_text": "b"}
    with refused("streaming_mode_mismatch"):
        stream.append(**other)
    with refused("streaming_mode_mismatch"):
        stream.stop(**other)
    with refused("streaming_mode_mismatch"):
        stream.append(markdown_text="b", chunks=[text("b")])
    assert control.message(seed.GENERAL, stream.ts)["text"] == "a"
    assert stream.stop()["ok"]


def test_a_start_without_content_leaves_the_choice(stream: Stream) -> None:
    stream.append(text("chunks"))
    with refused("streaming_mode_mismatch"):
        stream.append(markdown_text="text")


def test_an_empty_append_is_refused(stream: Stream) -> None:
    with refused("no_text"):
        stream.append(markdown_text="")
    with refused("no_text"):
        stream.append(chunks=[])
    with refused("no_text"):  # it would be an empty message
        stream.stop()


def test_a_call_takes_12000_characters(client: WebClient, root: str) -> None:
    with refused("msg_too_long"):
        Stream(client, root, markdown_text="x" * 12_001)
    with refused("msg_too_long"):
        Stream(client, root, chunks=[text("x" * 6_000), text("x" * 6_001)])
    replies = client.conversations_replies(channel=seed.GENERAL, ts=root)["messages"]
    assert len(replies) == 1


def test_a_message_takes_11000_bytes_and_nothing_after_a_refusal(control: Control, stream: Stream) -> None:
    stream.append(markdown_text="ä" * 5_000)
    stream.append(markdown_text="x" * 900)
    with refused("msg_too_long"):
        stream.append(markdown_text="x" * 101)
    with refused("msg_too_long"):
        stream.append(markdown_text="x")
    with refused("msg_too_long"):
        stream.stop(markdown_text="x")
    assert stream.stop()["ok"]
    assert control.message(seed.GENERAL, stream.ts)["stream"]["bytes"] == 10_900


def test_exactly_11000_bytes_fit(stream: Stream) -> None:
    stream.append(markdown_text="x" * 11_000)
    assert stream.stop()["ok"]


def test_cards_count_their_titles_once_and_what_they_say_twice(control: Control, stream: Stream) -> None:
    stream.append(
        task("ten bytes!", details="five!", output="four"), {"type": "plan_update", "title": "six by"}
    )
    assert control.message(seed.GENERAL, stream.ts)["stream"]["bytes"] == 10 + 2 * 5 + 2 * 4 + 6


def test_a_stream_lives_five_minutes(
    client: WebClient, control: Control, service: SlackService, stream: Stream
) -> None:
    assert service.workspace.stream_lifetime_seconds == 300
    stream.append(markdown_text="a")
    control.post("lifetimes", stream_seconds=0)
    for _ in range(2):
        with refused("message_not_in_streaming_state"):
            stream.append(markdown_text="b")
    with refused("message_not_in_streaming_state"):
        stream.stop()
    assert client.chat_update(channel=seed.GENERAL, ts=stream.ts, markdown_text="all of it")["ok"]
    assert "streaming_state" not in control.message(seed.GENERAL, stream.ts)


def test_a_stopped_stream_takes_no_more(stream: Stream) -> None:
    stream.stop(markdown_text="x")
    with refused("message_not_in_streaming_state"):
        stream.append(markdown_text="y")
    with refused("message_not_in_streaming_state"):
        stream.stop()


def test_a_stream_says_what_becomes_of_the_session(control: Control, client: WebClient, root: str) -> None:
    def session() -> str:
        return str(control.get("thread", channel="general", ts=root)["session"])

    Stream(client, root, markdown_text="a").stop(session_status="processing")
    assert session() == "processing"
    stream = Stream(client, root, markdown_text="a")
    stream.stop()
    assert session() == "active"
    Stream(client, root, markdown_text="a")
    assert session() == "processing"
    control.post("lifetimes", stream_seconds=0)
    assert session() == "active"


def test_without_a_subscription_there_is_no_stop_button(
    control: Control, client: WebClient, service: SlackService, root: str
) -> None:
    service.installation.bot_events.discard("agent_session_stopped")
    Stream(client, root, markdown_text="a")
    pressed = control.post("stop", channel="general", ts=root, user="alice")
    assert pressed == {
        "ok": False,
        "error": "there is no Stop button: agent_session_stopped is not subscribed",
    }


def test_a_person_may_press_stop(control: Control, client: WebClient, root: str) -> None:
    stream = Stream(client, root, markdown_text="a")
    pressed = control.post("stop", channel="general", ts=root, user="alice")
    assert pressed["stopped"] == [stream.ts]
    with refused("stopped_by_user"):
        stream.append(markdown_text="b")
    with refused("stopped_by_user"):
        stream.stop()
    assert control.message(seed.GENERAL, stream.ts)["stream"]["stopped_by"] == seed.ALICE.id
    [sent] = control.get("events", event_id=pressed["event_ids"][0])["events"]
    assert sent["event"]["type"] == "agent_session_stopped"
    assert sent["event"]["thread_ts"] == root
    assert sent["event"]["streaming_message_ts"] == [stream.ts]
    # Slack leaves it to the app: docs.slack.dev/reference/events/agent_session_stopped
    assert control.get("thread", channel="general", ts=root)["session"] == "processing"


def test_a_message_that_was_never_streamed_is_no_stream(client: WebClient, root: str) -> None:
    own = str(client.chat_postMessage(channel=seed.GENERAL, text="x")["ts"])
    for ts, error in (
        (own, "message_not_in_streaming_state"),
        (root, "message_not_owned_by_app"),
        ("1700000000.000001", "message_not_found"),
    ):
        with refused(error):
            client.chat_appendStream(channel=seed.GENERAL, ts=ts, markdown_text="x")
        with refused(error):
            client.chat_stopStream(channel=seed.GENERAL, ts=ts)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"recipient_user_id": None}, "missing_recipient_user_id"),
        ({"recipient_team_id": None}, "missing_recipient_team_id"),
        ({"recipient_user_id": "U0NOBODY"}, "user_not_found"),
        ({"channel": "C0NOWHERE"}, "channel_not_found"),
        ({"thread_ts": None}, "invalid_arguments"),
        ({"thread_ts": "1700000000.000001"}, "thread_not_found"),
        ({"task_display_mode": "grid"}, "invalid_arguments"),
    ],
)
def test_a_start_that_lacks_something_is_refused(
    client: WebClient, root: str, changed: dict[str, Any], error: str
) -> None:
    arguments = {"channel": seed.GENERAL, "thread_ts": root, **ALICE} | changed
    with refused(error):
        client.chat_startStream(**arguments)


def test_a_direct_message_needs_no_recipient(client: WebClient, control: Control) -> None:
    root = control.say("dm", "hello")["ts"]
    assert client.chat_startStream(channel=seed.ALICE_DM, thread_ts=root)["ok"]


def test_a_channel_that_takes_no_posts_takes_no_streams(
    client: WebClient, control: Control, root: str, stream: Stream
) -> None:
    control.post("lock-thread", channel="general", ts=root)
    with refused("restricted_action_thread_locked"):
        Stream(client, root)
    control.post("archive", channel="general")
    with refused("is_archived"):
        Stream(client, root)
    with refused("is_archived"):
        stream.append(markdown_text="x")
    control.post("archive", channel="general", archived=False)
    control.post("remove-bot", channel="general")
    with refused("not_in_channel"):
        Stream(client, root)
    with refused("not_in_channel"):
        stream.append(markdown_text="x")


@pytest.mark.parametrize(
    "chunk",
    [
        {"type": "confetti"},
        {"type": "markdown_text"},
        text(""),
        task("x" * 257),
        task("x", "cancelled"),
        task(""),
        task("x", details=7),
        task("x", sources=["https://weather.example/"]),
        task("x", progress=7),
        {"type": "plan_update", "title": "x" * 257},
        {"type": "blocks", "blocks": []},
        "text",
    ],
)
def test_a_chunk_of_another_shape_is_refused(stream: Stream, control: Control, chunk: Any) -> None:
    with refused("invalid_chunks"):
        stream.append(text("before"), chunk)
    assert control.message(seed.GENERAL, stream.ts)["text"] == ""


def test_blocks_in_chunks_and_at_the_end_are_checked(stream: Stream) -> None:
    with refused("invalid_blocks"):
        stream.append({"type": "blocks", "blocks": [{"type": "marquee"}]})
    with refused("invalid_blocks"):
        stream.append({"type": "blocks", "blocks": [{"type": "divider"}] * 51})
    stream.append(text("x"))
    with refused("invalid_blocks"):
        stream.stop(blocks=[{"type": "marquee"}])
    with refused("invalid_arguments"):
        stream.stop(session_status="asleep")
    assert stream.stop(blocks=[{"type": "divider"}] * 50, session_status="closed")["ok"]


def test_a_message_has_50_blocks_once_its_markdown_is_expanded(control: Control, stream: Stream) -> None:
    # A heading and a paragraph each: two blocks.
    stream.append(markdown_text="## Day\n\nsunny\n\n" * 24)
    with refused("msg_blocks_too_many"):
        stream.append(markdown_text="## Day\n\nsunny\n\n---\n\n")
    stream.append(markdown_text="## Day\n\nsunny\n\n")
    assert control.message(seed.GENERAL, stream.ts)["text"].count("## Day") == 25


def test_a_table_of_a_stream_has_limits(stream: Stream) -> None:
    with refused("invalid_blocks"):
        stream.append(markdown_text="| a |\n| - |\n" + "| 1 |\n" * 100)
    stream.append(markdown_text="| a |\n| - |\n" + "| 1 |\n" * 99)
    with refused("invalid_blocks"):  # one more row
        stream.append(markdown_text="| 1 |\n")


def test_a_stream_takes_one_table(control: Control, stream: Stream) -> None:
    stream.append(markdown_text="| a |\n| - |\n\nb\n\n")
    with refused("invalid_attachments"):
        stream.append(markdown_text="| c |\n| - |\n")
    with refused("invalid_attachments"):
        stream.stop(markdown_text="| c |\n| - |\n")
    assert control.message(seed.GENERAL, stream.ts)["text"].count("| - |") == 1


def test_entities_cut_into_pieces_still_notify(control: Control, stream: Stream) -> None:
    stream.append(markdown_text="ping <")
    stream.append(markdown_text="!channel>")
    assert control.message(seed.GENERAL, stream.ts)["notifications"] == ["<!channel>"]


def test_the_app_hears_of_its_stream_when_it_starts_and_when_it_stops(
    client: WebClient, control: Control
) -> None:
    root = control.say("dm", "hello")["ts"]
    ts = str(client.chat_startStream(channel=seed.ALICE_DM, thread_ts=root, markdown_text="a")["ts"])
    client.chat_appendStream(channel=seed.ALICE_DM, ts=ts, markdown_text="b")
    client.chat_stopStream(channel=seed.ALICE_DM, ts=ts, markdown_text="c")
    events = [sent["event"] for sent in control.get("events")["events"]]
    about = [event for event in events if ts in (event["ts"], event.get("message", {}).get("ts"))]
    assert [event.get("subtype") for event in about] == [None, "message_changed"]
    assert about[0]["bot_id"] == "B0AGENT01"
    assert about[1]["message"]["text"] == "abc"


@pytest.mark.parametrize("error", ["unknown_method", "feature_disabled", "missing_scope"])
def test_slack_may_refuse_to_stream(client: WebClient, control: Control, root: str, error: str) -> None:
    control.post("faults", method="chat.startStream", error=error)
    with refused(error):
        Stream(client, root)
    assert Stream(client, root).ts


def test_twenty_streams_a_minute(client: WebClient, control: Control, root: str) -> None:
    control.post("tiers", enabled=True)
    for _ in range(20):
        Stream(client, root)
    with pytest.raises(SlackApiError) as error:
        Stream(client, root)
    assert error.value.response.status_code == 429


def test_chunks_may_be_a_json_string(control: Control, stream: Stream) -> None:
    stream.append(chunks=json.dumps([text("x")]))
    assert control.message(seed.GENERAL, stream.ts)["text"] == "x"
    with refused("invalid_chunks"):
        stream.append(chunks="{")
