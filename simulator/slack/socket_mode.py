"""Slack's Socket Mode: events and clicks over WebSockets instead of HTTP.

docs.slack.dev/apis/events-api/using-socket-mode, docs.slack.dev/reference/methods/apps.connections.open

An app gets the address of a WebSocket with an app-level token. The address holds a ticket, which opens one
connection within 30 seconds. Of several connections each gets a share of the envelopes, and each envelope is
acknowledged over the connection that brought it. Needs the package `websockets`, which is there for tests.
"""

import json
import secrets
import threading
import time
import uuid
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, Response, jsonify, request
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response as Refusal
from websockets.sync.server import ServerConnection, serve

from simulator.http import HOST
from simulator.slack.events import Attempt
from simulator.slack.workspace import Json

TICKET_SECONDS = 30.0
ACKNOWLEDGED_WITHIN = 3.0
MOST_CONNECTIONS = 10


class SocketMode:
    """The method apps.connections.open, to be added to the app of the fake Slack, and the WebSockets' server.

    Set `EventsApi.over_socket` to `deliver`, and Slack sends nothing over HTTP, as for an app whose manifest
    has `socket_mode_enabled`.

    Attributes:
        app_token: the one that counts.
        acknowledged: the ids of the envelopes that were acknowledged, over the connection that brought them.
        opened: how many connections there have been.
    """

    def __init__(self) -> None:
        self.app_token = f"xapp-1-A0AGENT01-1-{secrets.token_hex(16)}"
        self.acknowledged: list[str] = []
        self.opened = 0
        self._tickets: dict[str, float] = {}
        self._connections: list[ServerConnection] = []
        self._waiting: dict[tuple[ServerConnection, str], threading.Event] = {}
        self._turn = 0
        self._lock = threading.Condition()
        self._server = serve(self._connected, HOST, 0, process_request=self._check_ticket)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.blueprint = Blueprint("socket_mode", __name__)
        self.blueprint.add_url_rule("/api/apps.connections.open", view_func=self._open, methods=["POST"])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.close()
        self._thread.join()

    @property
    def connections(self) -> int:
        return len(self._connections)

    def wait_for_connections(self, number: int, *, patience: float = 60.0) -> bool:
        with self._lock:
            return self._lock.wait_for(lambda: len(self._connections) == number, patience)

    def deliver(self, kind: str, payload: Json, *, retry: int = 0, reason: str = "") -> Attempt:
        """Sends an envelope of type "events_api" or "interactive" over one of the connections."""
        at, envelope_id = time.time(), str(uuid.uuid4())
        acknowledged = threading.Event()
        with self._lock:
            if not self._connections:
                return Attempt(at, None, failure="connection_failed")
            self._turn += 1
            connection = self._connections[self._turn % len(self._connections)]
            self._waiting[connection, envelope_id] = acknowledged
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": reason}
        try:
            connection.send(json.dumps(envelope))
        except ConnectionClosed:
            return Attempt(at, None, failure="connection_failed")
        if not acknowledged.wait(ACKNOWLEDGED_WITHIN):
            return Attempt(at, None, failure="timeout")
        return Attempt(at, 200)

    def disconnect(self, reason: str) -> None:
        """Tells the connections to go: "warning" some seconds before, "refresh_requested" at the end."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.send(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "x"}}))
            if reason != "warning":
                connection.close()

    def _open(self) -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            return jsonify({"ok": False, "error": "not_authed"})
        if not token.startswith("xapp-"):
            return jsonify({"ok": False, "error": "not_allowed_token_type"})
        if token != self.app_token:
            return jsonify({"ok": False, "error": "invalid_auth"})
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = time.time() + TICKET_SECONDS
        port = self._server.socket.getsockname()[1]
        return jsonify({"ok": True, "url": f"ws://{HOST}:{port}/link/?ticket={ticket}&app_id=A0AGENT01"})

    def _check_ticket(self, connection: ServerConnection, handshake: Handshake) -> Refusal | None:
        parts = urlsplit(handshake.path)
        ticket = parse_qs(parts.query).get("ticket", [""])[0]
        good_until = self._tickets.pop(ticket, 0.0)
        if parts.path != "/link/" or good_until < time.time():
            return connection.respond(HTTPStatus.UNAUTHORIZED, "no valid ticket\n")
        return None

    def _connected(self, connection: ServerConnection) -> None:
        with self._lock:
            too_many = len(self._connections) >= MOST_CONNECTIONS
            if not too_many:
                self.opened += 1
                self._connections.append(connection)
            number = len(self._connections)
        if too_many:
            connection.send(json.dumps({"type": "disconnect", "reason": "too_many_websockets"}))
            return
        app = {"app_id": "A0AGENT01"}
        connection.send(json.dumps({"type": "hello", "num_connections": number, "connection_info": app}))
        with self._lock:
            self._lock.notify_all()
        try:
            for message in connection:
                self._acknowledge(connection, json.loads(message))
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                self._connections.remove(connection)
                self._lock.notify_all()

    def _acknowledge(self, connection: ServerConnection, answer: Any) -> None:
        """What is no acknowledgement of an envelope of this connection counts for nothing."""
        envelope_id = answer.get("envelope_id")
        waiting = self._waiting.pop((connection, envelope_id), None)
        if waiting:
            self.acknowledged.append(envelope_id)
            waiting.set()
