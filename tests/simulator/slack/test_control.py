import json
import threading
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from simulator.journal import Journal
from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import SIGNING_SECRET, Control
from tests.simulator.slack.receiver import Answer, Receiver


def test_help_names_every_path(service: SlackService) -> None:
    with urlopen(service.url + "/control", timeout=10) as answer:
        text = answer.read().decode()
    rules = [rule for rule in service.app.url_map.iter_rules() if rule.rule.startswith("/control/")]
    for rule in rules:
        [method] = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        assert f"{method:<4} {rule.rule} " in text.replace("POST   ", "POST ").replace("DELETE ", "DELETE ")


def test_a_persons_message_is_stored_as_slack_stores_it(control: Control, journal: Journal) -> None:
    sent = control.say("#general", "@agent see https://x.org & tell @bob", "alice")
    message = control.message(seed.GENERAL, sent["ts"])
    assert message["text"] == "<@U0AGENT01> see <https://x.org> &amp; tell <@U02BOB>"
    assert (message["user"], message["user_name"], message["team"]) == (seed.ALICE.id, "alice", seed.TEAM.id)
    assert message["blocks"][0]["type"] == "rich_text"
    [entry] = journal.entries(source="slack", kind="user message")
    assert (entry.detail["channel"], entry.detail["user"]) == (seed.GENERAL, seed.ALICE.id)


@pytest.mark.parametrize(
    ("request_body", "error"),
    [
        ({"channel": "general", "user": "nobody", "text": "x"}, "user_not_found"),
        ({"channel": "general", "user": "agent", "text": "x"}, "user_not_found"),
        ({"channel": "nowhere", "user": "alice", "text": "x"}, "channel_not_found"),
        ({"channel": "general", "user": "erin", "text": "x"}, "not_in_channel"),
        ({"channel": "weather-private", "user": "bob", "text": "x"}, "not_in_channel"),
        ({"channel": "general", "user": "alice", "text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"channel": "general", "user": "alice"}, "text is needed, a string"),
        ({"user": "alice", "text": "x"}, "channel is needed, a string"),
    ],
)
def test_a_message_that_cannot_be_is_refused(
    control: Control, request_body: dict[str, str], error: str
) -> None:
    assert control.post("messages", **request_body) == {"ok": False, "error": error}


def test_a_file_comes_in_base64(control: Control) -> None:
    file = {"name": "a.csv", "bytes": "no base64!"}
    assert control.say("general", "x", files=[file])["error"] == "bytes are given in base64"
    control.say("general", "x", files=[file | {"bytes": "YSxiCg=="}])
    [shown] = control.get("state")["messages"][0]["files"]
    assert (shown["mimetype"], shown["size"]) == ("text/csv", 4)


def test_nobody_writes_in_an_archived_channel(control: Control) -> None:
    control.post("archive", channel="general")
    assert control.say("general", "x")["error"] == "is_archived"
    control.post("archive", channel="general", archived=False)
    assert control.say("general", "x")["ok"]


def test_nobody_writes_to_an_app_whose_messages_tab_is_off(service: SlackService, control: Control) -> None:
    service.installation.messages_tab = False
    assert control.say("dm", "x")["error"] == "messages_tab_disabled"


def test_the_state_shows_everything(client: WebClient, control: Control) -> None:
    control.say("general", "hello")
    client.chat_postMessage(channel=seed.BOB_DM, text="hi <@U02BOB>")
    state = control.get("state")
    assert {user["name"] for user in state["users"]} == {"alice", "bob", "gwen", "erin", "agent"}
    assert {c["name"] for c in state["channels"]} >= {"general", "weather-demo", "weather-private"}
    assert [(m["text"], m["notifications"]) for m in state["messages"]] == [
        ("hello", []),
        ("hi <@U02BOB>", ["<@U02BOB>"]),
    ]
    assert "xoxb" not in json.dumps(state)
    assert SIGNING_SECRET not in json.dumps(state)


def test_a_reader_can_wait_for_a_change(service: SlackService, control: Control) -> None:
    version = control.get("state")["version"]
    seen: list[int] = []
    waiting = threading.Thread(target=lambda: seen.append(service.workspace.wait(version, 10)))
    waiting.start()
    control.say("general", "hello")
    waiting.join()
    assert seen == [version + 1]
    assert control.get("wait", version=version)["version"] == version + 1
    assert control.get("wait", version=version + 1, timeout=0)["version"] == version + 1


@pytest.mark.parametrize(
    ("signed", "valid"), [("valid", True), ("none", False), ("stale", False), ("forged", False)]
)
def test_events_can_be_signed_in_every_way(
    control: Control, receiver: Receiver, signed: str, valid: bool
) -> None:
    receiver.answers = [Answer(401, body=b"no")]
    answer = control.post("events", raw="not json", signed=signed)
    assert (answer["statuses"], answer["bodies"]) == ([401], ["no"])
    [request] = receiver.wait(1)
    assert request.body == b"not json"
    verifier = SignatureVerifier(SIGNING_SECRET)
    assert verifier.is_valid_request(request.body, dict(request.headers)) is valid


def test_an_event_or_a_whole_payload_can_be_sent_many_times(control: Control, receiver: Receiver) -> None:
    answer = control.post("events", event={"type": "app_mention", "ts": "1.000000"}, times=3, together=True)
    assert answer["statuses"] == [200] * 3
    assert len({request.envelope["event_id"] for request in receiver.wait(3)}) == 1
    control.post("events", payload={"type": "url_verification", "challenge": "c"})
    assert receiver.wait(4)[3].envelope == {"type": "url_verification", "challenge": "c"}


def test_an_event_can_be_delivered_again(control: Control, receiver: Receiver) -> None:
    [event_id] = control.say("general", "@agent hello")["event_ids"]
    receiver.wait(1)
    assert control.post("redeliver", event_id=event_id, times=4)["statuses"] == [200] * 4
    requests = receiver.wait(5)
    assert {request.envelope["event_id"] for request in requests} == {event_id}
    assert requests[4].headers["X-Slack-Retry-Num"] == "1"
    [event] = control.get("events", event_id=event_id)["events"]
    assert [attempt["status"] for attempt in event["attempts"]] == [200] * 5
    assert control.post("redeliver", event_id="Ev0")["error"] == "event_not_found"


def test_an_interaction_is_a_signed_form(service: SlackService, control: Control, receiver: Receiver) -> None:
    service.interactivity_url = receiver.url.replace("events", "interactivity")
    control.post("interactions", payload={"type": "block_actions"})
    [request] = receiver.wait(1)
    assert request.path == "/slack/interactivity"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.body.startswith(b"payload=%7B%22type")
    assert SignatureVerifier(SIGNING_SECRET).is_valid_request(request.body, dict(request.headers))


def test_secrets_can_be_replaced(control: Control, client: WebClient, receiver: Receiver) -> None:
    control.post("secrets", signing_secret="new", bot_token="xoxb-new")
    control.say("general", "@agent hello")
    [request] = receiver.wait(1)
    assert SignatureVerifier("new").is_valid_request(request.body, dict(request.headers))
    client.token = "xoxb-new"
    assert client.auth_test()["ok"]


def test_a_request_that_makes_no_sense_is_refused(service: SlackService, control: Control) -> None:
    with pytest.raises(HTTPError) as error:
        urlopen(service.url + "/control/messages", data=b"[]", timeout=10)
    with error.value:
        assert json.load(error.value)["error"] == "the body must be a JSON object"
    assert control.post("messages")["error"] == "user is needed, a string"
    assert control.post("events", raw="x", signed="badly")["ok"] is False
