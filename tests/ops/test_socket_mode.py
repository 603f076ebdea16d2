"""What is not acknowledged; `tests/ops/test_dev.py` has the rest."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.wrappers import Request, Response

from ops.slack import SlackRefused
from ops.socket_mode import Forwarder
from simulator.http import HttpServer
from simulator.slack.signing import signature
from simulator.slack.socket_mode import SocketMode

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"


class Receiver:
    """Answers with `statuses`, one after the other, and checks each signature."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.requests: list[Request] = []
        self._server = HttpServer(self._app)
        self.url = self._server.url
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _app(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        body = request.get_data()
        expected = signature(SIGNING_SECRET, request.headers["X-Slack-Request-Timestamp"], body)
        assert request.headers["X-Slack-Signature"] == expected
        self.requests.append(request)
        return Response(status=self.statuses.pop(0))(environ, start_response)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def socket_mode(monkeypatch: pytest.MonkeyPatch) -> Iterator[SocketMode]:
    socket_mode = SocketMode()
    app = Flask("socket_mode")
    app.register_blueprint(socket_mode.blueprint)
    server = HttpServer(app)
    server.start()
    socket_mode.start()
    monkeypatch.setenv("SLACK_API_URL", f"{server.url}/api/")
    yield socket_mode
    socket_mode.stop()
    server.stop()


def forwarder(receiver: Receiver, app_token: str, told: list[str]) -> Forwarder:
    return Forwarder(
        app_token,
        events_url=f"{receiver.url}/slack/events",
        interactivity_url=f"{receiver.url}/slack/interactivity",
        signing_secret=SIGNING_SECRET,
        tell=told.append,
    )


@pytest.fixture
def told(receiver: Receiver, socket_mode: SocketMode) -> Iterator[list[str]]:
    """What a connected forwarder says."""
    told: list[str] = []
    connected = forwarder(receiver, socket_mode.app_token, told)
    connected.start()
    assert socket_mode.wait_for_connections(1)
    yield told
    connected.stop()


@pytest.mark.parametrize("status", [500, 401, 204])
def test_what_the_receiver_does_not_accept_is_not_acknowledged(
    receiver: Receiver,
    socket_mode: SocketMode,
    told: list[str],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.slack.socket_mode.ACKNOWLEDGED_WITHIN", 0.5)
    receiver.statuses = [status, 200]
    payload = {"event": {"type": "app_mention"}}
    assert socket_mode.deliver("events_api", payload).failure == "timeout"
    assert socket_mode.deliver("events_api", payload, retry=1, reason="timeout").status == 200
    assert (
        told[0]
        == f"events_api app_mention: not acknowledged, as the receiver did not accept it (HTTP {status})"
    )
    first, again = receiver.requests
    assert "X-Slack-Retry-Num" not in first.headers
    assert again.headers["X-Slack-Retry-Num"] == "1"
    assert again.headers["X-Slack-Retry-Reason"] == "timeout"


def test_a_click_goes_where_clicks_go(receiver: Receiver, socket_mode: SocketMode, told: list[str]) -> None:
    receiver.statuses = [200]
    assert socket_mode.deliver("interactive", {"type": "block_actions"}).status == 200
    [request] = receiver.requests
    assert request.path == "/slack/interactivity"
    assert request.mimetype == "application/x-www-form-urlencoded"
    until(lambda: told == ["interactive block_actions: acknowledged"])


def test_a_token_that_slack_does_not_take_is_named(receiver: Receiver, socket_mode: SocketMode) -> None:
    assert socket_mode.connections == 0
    refused = forwarder(receiver, "xapp-1-other", [])
    with pytest.raises(SlackRefused, match=r"apps\.connections\.open: invalid_auth"):
        refused.start()
    refused.stop()
