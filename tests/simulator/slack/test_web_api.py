import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from simulator.journal import Journal
from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import BOT_TOKEN, Control

JSON = "application/json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"


def call(service: SlackService, method: str, body: bytes, kind: str, token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urlopen(Request(service.api_url + method, data=body, headers=headers), timeout=10) as answer:
        return dict(json.load(answer))


@pytest.mark.parametrize(
    ("method", "body", "kind", "token", "error"),
    [
        ("chat.shout", b"{}", JSON, BOT_TOKEN, "unknown_method"),
        ("auth.test", b"{}", JSON, "", "not_authed"),
        ("auth.test", json.dumps({"token": BOT_TOKEN}).encode(), JSON, "", "not_authed"),
        ("auth.test", b"{}", JSON, "xoxb-other", "invalid_auth"),
        ("auth.test", b"{", JSON, BOT_TOKEN, "invalid_json"),
        ("auth.test", b"[]", JSON, BOT_TOKEN, "json_not_object"),
        ("chat.postMessage", b'{"text":"x"}', JSON, BOT_TOKEN, "invalid_arguments"),
        ("chat.postMessage", b'{"channel":7,"text":"x"}', JSON, BOT_TOKEN, "invalid_arguments"),
    ],
)
def test_a_bad_call_gets_slacks_error(
    service: SlackService, method: str, body: bytes, kind: str, token: str, error: str
) -> None:
    assert call(service, method, body, kind, token)["error"] == error


def test_forms_are_understood_with_the_token_inside(service: SlackService) -> None:
    body = f"token={BOT_TOKEN}&channel=general&text=caf%C3%A9".encode()
    answer = call(service, "chat.postMessage", body, FORM)
    assert (answer["ok"], answer["message"]["text"]) == (True, "café")


def test_a_revoked_token_is_refused_until_it_is_valid_again(client: WebClient, control: Control) -> None:
    control.post("revoke-token")
    with pytest.raises(SlackApiError, match="account_inactive"):
        client.auth_test()
    control.post("revoke-token", error="token_revoked")
    with pytest.raises(SlackApiError, match="token_revoked"):
        client.auth_test()
    control.post("revoke-token", error=None)
    assert client.auth_test()["user_id"] == "U0AGENT01"


def test_a_missing_scope_is_named(client: WebClient, control: Control) -> None:
    control.post("scopes", remove=["chat:write"])
    with pytest.raises(SlackApiError) as error:
        client.chat_postMessage(channel=seed.GENERAL, text="x")
    assert error.value.response["error"] == "missing_scope"
    assert error.value.response["needed"] == "chat:write"
    assert "im:history" in error.value.response["provided"]
    control.post("scopes", add=["chat:write"])
    assert client.chat_postMessage(channel=seed.GENERAL, text="x")["ok"]


def test_calls_are_recorded_without_the_token(client: WebClient, control: Control, journal: Journal) -> None:
    blocks = [{"type": "markdown", "text": "four"}]
    client.chat_postMessage(channel=seed.GENERAL, text="a", blocks=blocks)
    client.auth_test()
    [record] = control.get("calls", method="chat.postMessage")["calls"]
    assert record["args"]["blocks"] == blocks
    assert record["result"]["ok"]
    assert len(control.get("calls")["calls"]) == 2
    assert BOT_TOKEN not in json.dumps(control.get("calls"))
    assert BOT_TOKEN not in repr(journal.entries())
    [entry, _] = journal.entries(source="slack", kind="api call")
    facts = {name: entry.detail[name] for name in ("method", "channel", "ok", "error", "chars")}
    assert facts == {
        "method": "chat.postMessage",
        "channel": seed.GENERAL,
        "ok": True,
        "error": None,
        "chars": 4,
    }
