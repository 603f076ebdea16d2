from typing import Any

import pytest
from slack_sdk import WebClient

from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import Control
from tests.simulator.slack.refusal import refused


@pytest.fixture
def root(control: Control) -> str:
    return str(control.say("general", "@agent hello")["ts"])


def status(control: Control, root: str) -> Any:
    return control.get("thread", channel="general", ts=root)["status"]


def test_a_status_stands_until_it_is_taken_back(client: WebClient, control: Control, root: str) -> None:
    client.assistant_threads_setStatus(
        channel_id=seed.GENERAL,
        thread_ts=root,
        status="is thinking…",
        loading_messages=["Looking", "Reading"],
    )
    shown = {"status": "is thinking…", "loading_messages": ["Looking", "Reading"]}
    assert status(control, root) == shown
    assert control.get("state")["statuses"] == [{"channel": seed.GENERAL, "thread_ts": root, **shown}]
    client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="")
    assert status(control, root) is None


def test_a_post_of_the_app_in_the_thread_clears_its_status(
    client: WebClient, control: Control, root: str
) -> None:
    client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="is thinking…")
    control.say("general", "well?", thread_ts=root)
    client.chat_postMessage(channel=seed.GENERAL, text="elsewhere")
    assert status(control, root)
    ts = str(client.chat_postMessage(channel=seed.GENERAL, thread_ts=root, text="here")["ts"])
    assert status(control, root) is None
    client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="is thinking…")
    client.chat_update(channel=seed.GENERAL, ts=ts, text="an edit is no post")
    assert status(control, root)


def test_a_stream_displaces_the_status(client: WebClient, control: Control, root: str) -> None:
    where: dict[str, Any] = {"channel": seed.GENERAL, "thread_ts": root}
    recipient: dict[str, Any] = {"recipient_user_id": seed.ALICE.id, "recipient_team_id": seed.TEAM.id}
    client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="is thinking…")
    ts = str(client.chat_startStream(**where, **recipient)["ts"])
    assert status(control, root) is None
    client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="is thinking…")
    client.chat_appendStream(channel=seed.GENERAL, ts=ts, markdown_text="x")
    assert status(control, root) is None


def test_a_status_lasts_two_minutes(
    client: WebClient, control: Control, service: SlackService, root: str
) -> None:
    assert service.workspace.status_lifetime_seconds == 120
    client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="is thinking…")
    control.post("lifetimes", status_seconds=0)
    assert status(control, root) is None


def test_a_status_makes_the_session_processing_until_it_is_empty(
    client: WebClient, control: Control, root: str
) -> None:
    def session() -> str:
        return str(control.get("thread", channel="general", ts=root)["session"])

    assert session() == "active"
    client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="is thinking…")
    assert session() == "processing"
    client.chat_postMessage(channel=seed.GENERAL, thread_ts=root, text="a post does not end it")
    assert session() == "processing"
    client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="")
    assert session() == "active"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"channel_id": "C0NOWHERE"}, "channel_not_found"),
        ({"thread_ts": "1700000000.000001"}, "invalid_thread_ts"),
        ({"loading_messages": []}, "invalid_arguments"),
        ({"loading_messages": ["x"] * 11}, "invalid_arguments"),
        ({"loading_messages": ["x" * 51]}, "invalid_arguments"),
        ({"loading_messages": [""]}, "invalid_arguments"),
    ],
)
def test_a_status_that_cannot_be_is_refused(
    client: WebClient, root: str, changed: dict[str, Any], error: str
) -> None:
    arguments = {"channel_id": seed.GENERAL, "thread_ts": root, "status": "is thinking…"} | changed
    with refused(error):
        client.assistant_threads_setStatus(**arguments)


def test_a_status_needs_chat_write(client: WebClient, control: Control, root: str) -> None:
    control.post("scopes", remove=["chat:write"])
    with refused("missing_scope"):
        client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="x")


def test_ten_loading_messages_of_fifty_characters_are_accepted(client: WebClient, root: str) -> None:
    messages = ["x" * 50] * 10
    assert client.assistant_threads_setStatus(
        channel_id=seed.GENERAL, thread_ts=root, status="x", loading_messages=messages
    )["ok"]
