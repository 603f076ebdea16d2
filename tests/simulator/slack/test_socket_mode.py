import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from simulator.http import HttpServer
from simulator.slack import socket_mode as module
from simulator.slack.service import SlackService
from simulator.slack.socket_mode import SocketMode


class Reachable(SocketMode):
    """`api_url`: a base URL for Slack's SDKs."""

    api_url: str


@pytest.fixture
def socket_mode(service: SlackService) -> Iterator[Reachable]:
    """Of a Slack that runs already: a blueprint is too late then, so the method has a server of its own."""
    socket_mode = Reachable()
    app = Flask("socket_mode")
    app.register_blueprint(socket_mode.blueprint)
    server = HttpServer(app)
    server.start()
    socket_mode.start()
    socket_mode.api_url = f"{server.url}/api/"
    service.events.over_socket = socket_mode.deliver
    yield socket_mode
    socket_mode.stop()
    server.stop()


def address(socket_mode: Reachable) -> str:
    client = WebClient(base_url=socket_mode.api_url)
    return str(client.apps_connections_open(app_token=socket_mode.app_token)["url"])


@contextmanager
def opened(socket_mode: Reachable, number: int = 1) -> Iterator[ClientConnection]:
    with connect(address(socket_mode)) as connection:
        assert json.loads(connection.recv()) == {
            "type": "hello",
            "num_connections": number,
            "connection_info": {"app_id": "A0AGENT01"},
        }
        yield connection


@pytest.mark.parametrize(
    ("token", "error"), [("xapp-1-other", "invalid_auth"), ("xoxb-1", "not_allowed_token_type")]
)
def test_an_address_needs_an_app_level_token(socket_mode: Reachable, token: str, error: str) -> None:
    with pytest.raises(SlackApiError, match=error):
        WebClient(base_url=socket_mode.api_url).apps_connections_open(app_token=token)


def test_a_ticket_opens_one_connection(socket_mode: Reachable) -> None:
    url = address(socket_mode)
    with connect(url), pytest.raises(InvalidStatus, match="401"), connect(url):
        pass


def test_a_ticket_expires(socket_mode: Reachable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICKET_SECONDS", -1.0)
    with pytest.raises(InvalidStatus, match="401"), connect(address(socket_mode)):
        pass


def test_the_eleventh_connection_is_sent_away(socket_mode: Reachable) -> None:
    with ExitStack() as connections:
        for number in range(1, 11):
            connections.enter_context(opened(socket_mode, number))
        with connect(address(socket_mode)) as one_too_many:
            assert json.loads(one_too_many.recv())["reason"] == "too_many_websockets"


def test_an_envelope_is_acknowledged_over_the_connection_that_brought_it(
    socket_mode: Reachable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ACKNOWLEDGED_WITHIN", 0.5)
    with opened(socket_mode) as first, opened(socket_mode, 2) as second:
        attempts = []
        delivery = threading.Thread(target=lambda: attempts.append(socket_mode.deliver("events_api", {})))
        delivery.start()
        envelope = json.loads(second.recv())
        first.send(json.dumps({"envelope_id": envelope["envelope_id"]}))
        delivery.join()
    assert [attempt.failure for attempt in attempts] == ["timeout"]


def test_two_connections_share_the_envelopes(socket_mode: Reachable, service: SlackService) -> None:
    got: dict[str, list[str]] = {"first": [], "second": []}
    clients = []
    for name in got:
        client = SocketModeClient(socket_mode.app_token, web_client=WebClient(base_url=socket_mode.api_url))

        def acknowledge(
            client: BaseSocketModeClient, asked: SocketModeRequest, got: list[str] = got[name]
        ) -> None:
            got.append(asked.payload["event"]["text"])
            client.send_socket_mode_response({"envelope_id": asked.envelope_id})

        client.socket_mode_request_listeners.append(acknowledge)
        client.connect()
        clients.append(client)
    assert socket_mode.wait_for_connections(2)
    deliveries = [service.events.dispatch({"type": "app_mention", "text": str(n)}) for n in range(6)]
    for delivery in deliveries:
        assert delivery.done.wait(30)
        assert [attempt.status for attempt in delivery.attempts] == [200]
    for client in clients:
        client.close()
    assert sorted([*got["first"], *got["second"]]) == ["0", "1", "2", "3", "4", "5"]
    assert got["first"]
    assert got["second"]


def test_what_is_not_acknowledged_comes_again(
    socket_mode: Reachable, service: SlackService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ACKNOWLEDGED_WITHIN", 0.2)
    with opened(socket_mode) as connection:
        delivery = service.events.dispatch({"type": "app_mention"})
        assert json.loads(connection.recv())["retry_attempt"] == 0
        again = json.loads(connection.recv())
        assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
        connection.send(json.dumps({"envelope_id": again["envelope_id"]}))
        assert delivery.done.wait(30)
    assert [attempt.status for attempt in delivery.attempts] == [None, 200]


def test_without_a_connection_nothing_is_delivered(socket_mode: Reachable) -> None:
    assert socket_mode.deliver("events_api", {}).failure == "connection_failed"
