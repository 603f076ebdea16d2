import socket
import threading
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from simulator.journal import Journal
from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import BOT_TOKEN, MANIFEST, SIGNING_SECRET, Control
from tests.simulator.slack.receiver import Answer, Received, Receiver

BOT = "U0AGENT01"


def verified(request: Received) -> bool:
    return SignatureVerifier(SIGNING_SECRET).is_valid_request(request.body, dict(request.headers))


def finished(service: SlackService, event_id: str) -> list[Any]:
    """The attempts to deliver an event, after the last of them."""
    delivery = service.events.delivery(event_id)
    assert delivery is not None
    assert delivery.done.wait(10)
    return delivery.attempts


def subscribe(service: SlackService, *events: str) -> None:
    service.installation.bot_events |= set(events)


def test_a_mention_is_delivered_signed_in_its_envelope(control: Control, receiver: Receiver) -> None:
    sent = control.say("general", "@agent hello")
    [request] = receiver.wait(1)
    assert verified(request)
    assert request.headers["X-Slack-Retry-Num"] is None
    envelope = request.envelope
    assert (envelope["type"], envelope["team_id"], envelope["api_app_id"]) == (
        "event_callback",
        seed.TEAM.id,
        "A0AGENT01",
    )
    assert [envelope["event_id"]] == sent["event_ids"]
    assert envelope["authorizations"] == [
        {
            "enterprise_id": None,
            "team_id": seed.TEAM.id,
            "user_id": BOT,
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]
    assert envelope["is_ext_shared_channel"] is False
    event = request.event
    assert (event["type"], event["user"], event["channel"]) == ("app_mention", seed.ALICE.id, seed.GENERAL)
    assert event["text"] == f"<@{BOT}> hello"
    assert (event["ts"], event["event_ts"], event["team"]) == (sent["ts"], sent["ts"], seed.TEAM.id)
    assert "channel_type" not in event
    assert "thread_ts" not in event


def test_a_mention_in_a_thread_carries_the_root(control: Control, receiver: Receiver) -> None:
    root = control.say("general", "hello")["ts"]
    control.say("general", "@agent what do you think?", "bob", thread_ts=root)
    [request] = receiver.wait(1)
    assert (request.event["thread_ts"], request.event["parent_user_id"]) == (root, seed.ALICE.id)


def test_a_direct_message_is_a_message_and_never_a_mention(control: Control, receiver: Receiver) -> None:
    sent = control.say("dm", "@agent hello")
    [request] = receiver.wait(1)
    assert sent["channel"] == seed.ALICE_DM
    assert len(sent["event_ids"]) == 1
    event = request.event
    assert (event["type"], event["channel_type"], event["channel"]) == ("message", "im", seed.ALICE_DM)
    assert "subtype" not in event
    assert event["client_msg_id"]


def test_talk_without_a_mention_is_not_delivered(control: Control, receiver: Receiver) -> None:
    assert control.say("general", "hello all, `@agent` is code")["event_ids"] == []
    assert receiver.received == []


def test_a_bot_that_was_removed_hears_nothing(control: Control, receiver: Receiver) -> None:
    control.post("remove-bot", channel="general")
    assert control.say("general", "@agent hello")["event_ids"] == []
    assert receiver.received == []


def test_an_event_needs_its_scope(control: Control, receiver: Receiver) -> None:
    control.post("scopes", remove=["app_mentions:read", "im:history"])
    assert control.say("general", "@agent hello")["event_ids"] == []
    assert control.say("dm", "hello")["event_ids"] == []
    assert receiver.received == []


def test_with_message_channels_a_mention_comes_twice(
    service: SlackService, control: Control, receiver: Receiver
) -> None:
    subscribe(service, "message.channels")
    sent = control.say("general", "@agent hello")
    events = [request.event for request in receiver.wait(2)]
    assert len(set(sent["event_ids"])) == 2
    assert {event["type"] for event in events} == {"app_mention", "message"}
    assert len({(event["channel"], event["ts"], event["client_msg_id"]) for event in events}) == 1


def test_the_bots_own_post_in_a_direct_message_comes_back_without_subtype(
    client: WebClient, receiver: Receiver
) -> None:
    client.chat_postMessage(channel=seed.ALICE_DM, text="hi")
    [request] = receiver.wait(1)
    event = request.event
    assert (event["type"], event["bot_id"], event["user"]) == ("message", "B0AGENT01", BOT)
    assert "subtype" not in event


def test_the_bots_own_edit_comes_back_hidden_and_nested(client: WebClient, receiver: Receiver) -> None:
    ts = str(client.chat_postMessage(channel=seed.ALICE_DM, text="Processing…")["ts"])
    receiver.wait(1)
    client.chat_update(channel=seed.ALICE_DM, ts=ts, text="answer")
    event = receiver.wait(2)[1].event
    assert (event["subtype"], event["hidden"], event["channel_type"]) == ("message_changed", True, "im")
    assert (event["message"]["bot_id"], event["message"]["text"]) == ("B0AGENT01", "answer")
    assert event["previous_message"]["text"] == "Processing…"
    assert "bot_id" not in event
    assert event["ts"] != ts == event["message"]["ts"]


def test_the_bots_own_deletion_comes_back_hidden(client: WebClient, receiver: Receiver) -> None:
    ts = str(client.chat_postMessage(channel=seed.ALICE_DM, text="x")["ts"])
    receiver.wait(1)
    client.chat_delete(channel=seed.ALICE_DM, ts=ts)
    event = receiver.wait(2)[1].event
    assert (event["subtype"], event["hidden"], event["deleted_ts"]) == ("message_deleted", True, ts)


def test_an_edited_mention_is_a_new_event_about_the_same_message(
    control: Control, receiver: Receiver
) -> None:
    sent = control.say("general", "@agent helo")
    control.post("edit", channel="general", ts=sent["ts"], text="@agent hello")
    # Events are delivered in threads of their own, in any order.
    first, second = sorted(receiver.wait(2), key=lambda received: "edited" in received.event)
    assert first.envelope["event_id"] != second.envelope["event_id"]
    assert (second.event["ts"], second.event["event_ts"]) == (sent["ts"], sent["ts"])
    assert second.event["edited"]["user"] == seed.ALICE.id
    assert second.event["text"] == f"<@{BOT}> hello"


def test_a_mention_with_a_file_lacks_what_slack_leaves_out(control: Control, receiver: Receiver) -> None:
    control.say("general", "@agent what is this?", files=[{"name": "map.png", "size": 1234}])
    event = receiver.wait(1)[0].event
    assert event["type"] == "app_mention"
    assert not {"subtype", "team", "channel_type", "client_msg_id"} & set(event)
    [file] = event["files"]
    assert (file["name"], file["mimetype"], file["size"], event["upload"]) == (
        "map.png",
        "image/png",
        1234,
        False,
    )
    assert (file["mode"], file["file_access"]) == ("hosted", "visible")
    assert file["url_private_download"] == file["url_private"].replace("/map.png", "/download/map.png")


def test_a_direct_message_with_a_file_is_a_file_share(control: Control, receiver: Receiver) -> None:
    control.say("dm", "", files=[{"name": "map.png"}])
    event = receiver.wait(1)[0].event
    assert (event["subtype"], event["channel_type"], event["text"]) == ("file_share", "im", "")
    assert "team" not in event


def test_a_shared_channels_event_names_the_strangers_team(control: Control, receiver: Receiver) -> None:
    control.say("weather-partner", "@agent hello", "erin")
    envelope = receiver.wait(1)[0].envelope
    assert envelope["is_ext_shared_channel"] is True
    assert envelope["team_id"] == seed.OTHER_TEAM.id
    assert envelope["authorizations"][0]["team_id"] == seed.TEAM.id
    assert envelope["event"]["user_team"] == seed.OTHER_TEAM.id


def test_opening_the_messages_tab_is_an_event_for_who_subscribes_to_it(
    control: Control, service: SlackService, receiver: Receiver
) -> None:
    assert control.post("home", user="alice")["event_ids"] == []
    service.installation.bot_events.add("app_home_opened")
    control.post("home", user="alice")
    event = receiver.wait(1)[0].event
    assert (event["type"], event["tab"], event["channel"]) == ("app_home_opened", "messages", seed.ALICE_DM)


def test_a_failed_delivery_is_repeated_three_times_with_number_and_reason(
    service: SlackService, control: Control, receiver: Receiver, journal: Journal
) -> None:
    receiver.answers = [Answer(500), Answer(404), Answer(503), Answer(500)]
    [event_id] = control.say("general", "@agent hello")["event_ids"]
    finished(service, event_id)
    requests = receiver.wait(4)
    assert [request.headers["X-Slack-Retry-Num"] for request in requests] == [None, "1", "2", "3"]
    assert {request.headers["X-Slack-Retry-Reason"] for request in requests[1:]} == {"http_error"}
    assert {request.envelope["event_id"] for request in requests} == {event_id}
    assert all(map(verified, requests))
    entries = journal.entries(source="slack", kind="event delivered")
    assert [(entry.detail["attempt"], entry.detail["status"]) for entry in entries] == [
        (1, 500),
        (2, 404),
        (3, 503),
        (4, 500),
    ]
    assert {entry.detail["type"] for entry in entries} == {"app_mention"}


def test_retries_end_with_success(service: SlackService, control: Control, receiver: Receiver) -> None:
    receiver.answers = [Answer(500), Answer(202)]
    [event_id] = control.say("general", "@agent hello")["event_ids"]
    assert [attempt.status for attempt in finished(service, event_id)] == [500, 202]


@pytest.mark.parametrize("status", [400, 500])
def test_no_retry_is_honoured_on_a_failure(
    service: SlackService, control: Control, receiver: Receiver, status: int
) -> None:
    receiver.answers = [Answer(status, {"X-Slack-No-Retry": "1"})]
    [event_id] = control.say("general", "@agent hello")["event_ids"]
    assert len(finished(service, event_id)) == 1


def test_a_slow_answer_is_a_timeout(service: SlackService, control: Control, receiver: Receiver) -> None:
    service.events.answer_seconds = 0.3
    released = threading.Event()
    receiver.answers = [Answer(before=lambda: released.wait(10))]
    [event_id] = control.say("general", "@agent hello")["event_ids"]
    attempts = finished(service, event_id)
    released.set()
    assert [(attempt.status, attempt.failure) for attempt in attempts] == [
        (None, "http_timeout"),
        (200, None),
    ]
    assert receiver.wait(2)[1].headers["X-Slack-Retry-Reason"] == "http_timeout"


def test_a_refused_connection_is_a_failure(service: SlackService, control: Control) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        service.request_url = f"http://127.0.0.1:{unused.getsockname()[1]}/slack/events"
        [event_id] = control.say("general", "@agent hello")["event_ids"]
        attempts = finished(service, event_id)
    assert [attempt.failure for attempt in attempts] == ["connection_failed"] * 4


def test_two_redirects_are_followed_and_not_three(
    service: SlackService, control: Control, receiver: Receiver
) -> None:
    redirect = Answer(302, {"Location": "/elsewhere"})
    receiver.answers = [redirect, redirect]
    [event_id] = control.say("general", "@agent hello")["event_ids"]
    assert [attempt.status for attempt in finished(service, event_id)] == [200]
    receiver.answers = [redirect, redirect, redirect]
    [event_id] = control.say("general", "@agent hello")["event_ids"]
    assert [attempt.failure for attempt in finished(service, event_id)] == ["too_many_redirects", None]


def test_without_a_request_url_nothing_is_sent(service: SlackService, control: Control) -> None:
    [event_id] = control.say("general", "@agent hello")["event_ids"]
    assert finished(service, event_id) == []


def test_waits_between_retries_end_when_the_service_stops(journal: Journal, receiver: Receiver) -> None:
    service = SlackService(
        journal=journal, manifest=MANIFEST, signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN
    )
    service.start()
    service.request_url = receiver.url
    receiver.answers = [Answer(500)] * 4
    [event_id] = Control(service.url).say("general", "@agent hello")["event_ids"]
    receiver.wait(2)  # the third would come a minute later
    service.stop()
    assert len(finished(service, event_id)) == 2
