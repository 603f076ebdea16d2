import json
from collections.abc import Iterator
from typing import Any

from slack_sdk import WebClient

from simulator.journal import Journal
from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.simulator.page.conftest import Events
from tests.simulator.slack.conftest import BOT_TOKEN, Control


def test_the_first_event_holds_everything(service: SlackService, control: Control) -> None:
    ts = control.say("general", "hello *there*")["ts"]
    events = Events(service.url)
    snapshot = events.next("snapshot")
    events.close()
    assert [user["name"] for user in snapshot["users"]] == ["alice", "bob", "gwen", "erin", "agent"]
    assert {channel["name"] for channel in snapshot["channels"]} >= {"general", "weather-demo"}
    [message] = snapshot["messages"]
    assert (message["ts"], message["in_channel"], message["edits"]) == (ts, True, 0)
    assert message["html"] == '<p class="rich-text">hello *there*</p>'
    assert [entry["kind"] for entry in snapshot["entries"]] == ["user message"]
    assert snapshot["suggestions"]
    assert snapshot["examples"]


def test_a_new_message_comes_alone(events: Events, control: Control) -> None:
    events.next("snapshot")
    control.say("general", "one")
    [first] = events.next("messages")["changed"]
    control.say("general", "two")
    [second] = events.next("messages")["changed"]
    assert ("one" in first["html"], "two" in second["html"]) == (True, True)


def test_a_reply_comes_with_its_root(events: Events, control: Control) -> None:
    root = control.say("general", "root")["ts"]
    events.next("messages")
    reply = control.say("general", "reply", thread_ts=root)["ts"]
    changed = {message["ts"]: message for message in events.next("messages")["changed"]}
    assert set(changed) == {root, reply}
    assert changed[root]["reply_count"] == 1
    assert not changed[reply]["in_channel"]


def test_an_edit_comes_as_the_rendered_message(service: SlackService, events: Events) -> None:
    client = WebClient(BOT_TOKEN, base_url=service.api_url)
    ts = client.chat_postMessage(channel=seed.GENERAL, text="Processing…")["ts"]
    events.next("messages")
    blocks = [{"type": "markdown", "text": "**Rain**"}]
    client.chat_update(channel=seed.GENERAL, ts=ts, text="Rain", blocks=blocks)
    [message] = events.next("messages")["changed"]
    assert (message["ts"], message["edits"]) == (ts, 1)
    assert "<strong>Rain</strong>" in message["html"]


def test_a_reaction_comes_with_its_message(service: SlackService, events: Events, control: Control) -> None:
    client = WebClient(BOT_TOKEN, base_url=service.api_url)
    ts = control.say("general", "hello")["ts"]
    [message] = events.next("messages")["changed"]
    assert message["reactions"] == []
    client.reactions_add(channel=seed.GENERAL, timestamp=ts, name="hourglass_flowing_sand")
    [message] = events.next("messages")["changed"]
    assert (message["reactions"], message["edits"]) == ([["⏳", 1]], 0)


def test_an_ephemeral_message_comes_once_for_one_person(service: SlackService, events: Events) -> None:
    root = service.workspace.post(service.workspace.channels[seed.GENERAL], service.installation.bot, "root")
    events.next("messages")
    client = WebClient(BOT_TOKEN, base_url=service.api_url)
    shown = client.chat_postEphemeral(
        channel=seed.GENERAL, user=seed.BOB.id, text="only for Bob", thread_ts=root.ts
    )
    [message, _] = events.next("messages")["changed"]  # and the root of its thread
    assert (message["ts"], message["only_for"]) == (shown["message_ts"], seed.BOB.id)
    assert (message["thread_ts"], message["in_channel"]) == (root.ts, False)
    assert "only for Bob" in message["html"]
    # Slack forgets it, too, when the page is loaded again.
    reloaded = Events(service.url)
    snapshot = reloaded.next("snapshot")
    reloaded.close()
    assert [one["ts"] for one in snapshot["messages"]] == [root.ts]


def test_a_deleted_message_is_named(events: Events, control: Control) -> None:
    ts = control.say("general", "oops")["ts"]
    events.next("messages")
    control.post("delete", channel="general", ts=ts)
    assert events.next("messages") == {"changed": [], "deleted": [{"channel": seed.GENERAL, "ts": ts}]}


def test_a_change_of_a_channel_is_told(events: Events, control: Control) -> None:
    events.next("snapshot")
    control.post("archive", channel="general")
    [general, *_] = events.next("channels")
    assert general["is_archived"]


def test_entries_come_without_their_large_facts(events: Events, journal: Journal) -> None:
    events.next("snapshot")
    journal.add("queue", "message received", queue="q", body="x" * 1000)
    [entry] = events.next("entries")
    assert entry["detail"] == {"queue": "q"}


def test_an_entry_that_is_understood_later_comes_again_with_its_thread(
    events: Events, journal: Journal
) -> None:
    events.next("snapshot")
    first = journal.add("lambda", "invocation started", request_id="r", trigger_id="m")
    assert events.next("entries")[0]["thread"] is None
    journal.add("queue", "message received", message_id="m", group_id="T:C:1.000001")
    again, second = events.next("entries")
    assert again == {"number": first.number, "thread": "C:1.000001"}
    assert second["thread"] == "C:1.000001"


def test_every_browser_gets_everything(service: SlackService, control: Control) -> None:
    browsers = [Events(service.url) for _ in range(3)]
    for browser in browsers:
        browser.next("snapshot")
    control.say("general", "to all")
    for browser in browsers:
        assert "to all" in json.dumps(browser.next("messages"))
        browser.close()


def test_a_stream_grows_and_a_status_comes_and_goes(service: SlackService, events: Events) -> None:
    client = WebClient(BOT_TOKEN, base_url=service.api_url)
    root = str(client.chat_postMessage(channel=seed.ALICE_DM, text="root")["ts"])
    events.next("messages")
    client.assistant_threads_setStatus(
        channel_id=seed.ALICE_DM, thread_ts=root, status="is thinking…", loading_messages=["Looking"]
    )
    assert events.next("statuses") == [
        {
            "channel": seed.ALICE_DM,
            "thread_ts": root,
            "text": "is thinking…",
            "loading_messages": ["Looking"],
            "can_stop": True,
        }
    ]
    ts = str(client.chat_startStream(channel=seed.ALICE_DM, thread_ts=root, markdown_text="It ")["ts"])
    [status] = events.next("statuses")
    assert (status["text"], status["can_stop"]) == ("", True)  # Slack's Stop stays
    client.chat_appendStream(channel=seed.ALICE_DM, ts=ts, markdown_text="**rains**")
    grown = next(message for message in versions(events, ts) if "rains" in message["html"])
    assert (grown["streaming_state"], grown["edits"]) == ("in_progress", 0)
    assert "It <strong>rains</strong>" in grown["html"]
    client.chat_stopStream(channel=seed.ALICE_DM, ts=ts)
    assert next(versions(events, ts))["streaming_state"] == "completed"
    assert events.next("statuses") == []


def versions(events: Events, ts: str) -> Iterator[dict[str, Any]]:
    """What the feed tells of a message from now on; changes that are near each other come as one."""
    while True:
        yield from (message for message in events.next("messages")["changed"] if message["ts"] == ts)
