"""Lambda behind the HTTP API: Slack's signed requests become commands on the queues.

It knows the signing secret and the queues and nothing else. An event is answered with 200 only once it is on
the queue or known to be nobody's business; with 500 when that cannot be, so that Slack sends it again.
"""

import base64
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from threading import Thread
from typing import Any

from functions import telemetry
from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.queue import QuestionTooLong, Queues
from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.clock import SystemClock
from functions.bridge.clock import Clock
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.incoming import events, interactions
from functions.bridge.incoming.events import Challenge, Ignored
from functions.bridge.incoming.signature import SignatureError, WrongSignature, verify
from functions.bridge.queue_commands import Ask, Command, ControlCommand, Ping, ShowWaiting
from functions.bridge.slack_secrets import MalformedSecret, signing_secrets
from functions.bridge.turn import Notice, Turn
from functions.environment import ReceiverSettings, in_lambda

MAX_BODY_BYTES = 1_048_576
# Not the paths, which a custom domain may prefix.
EVENTS_ROUTE = "POST /slack/events"
INTERACTIVITY_ROUTE = "POST /slack/interactivity"

# In an event of EventBridge's schedule. No request has it: the HTTP API chooses the event's members.
# docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
SCHEDULE = "aws.events"

Response = dict[str, Any]


class Receiver:
    """Answers one request at a time; made once per execution environment."""

    def __init__(
        self,
        *,
        queues: Queues,
        signing_secret: CachedSecret,
        clock: Clock,
        follow_ups: Collection[str] = (),
    ) -> None:
        self._queues = queues
        self._signing_secret = signing_secret
        self._clock = clock
        self._follow_ups = follow_ups

    def respond(self, event: Mapping[str, Any]) -> Response:
        """Answer an HTTP API request (payload format 2.0)."""
        with telemetry.invocation():
            return self._respond(event)

    def beat(self) -> None:
        """The receiver's part of the heartbeat: does it believe Slack, and reach the worker?"""
        with telemetry.invocation():
            self._look_at_secret()
            try:
                self._queues.send(Ping(f"{self._clock.now():.6f}"))  # the worker says that it came
            except ServiceUnavailable as exc:
                telemetry.log(telemetry.HEARTBEAT_FOUND, what="worker", why="not_sent", detail=str(exc))
                telemetry.count(telemetry.HEARTBEAT, 0.0, what="worker")

    def _look_at_secret(self) -> None:
        trouble: ServiceUnavailable | None = None
        try:
            self._signing_secret.value()
        except ServiceUnavailable as exc:
            trouble = exc
            why = "malformed" if isinstance(exc, MalformedSecret) else "unreadable"
            telemetry.log(telemetry.HEARTBEAT_FOUND, what="signing_secret", why=why, detail=str(exc))
        telemetry.count(telemetry.HEARTBEAT, float(trouble is None), what="signing_secret")

    def _respond(self, event: Mapping[str, Any]) -> Response:
        try:
            headers, body = _headers(event), _body(event)
        except ValueError:
            return _rejected(401, "body not readable")
        if len(body) > MAX_BODY_BYTES:
            return _rejected(413, "body too large")
        try:
            self._verify(headers, body)
            return self._take(self._parsed(event.get("routeKey"), headers, body))
        except SignatureError as exc:
            return _rejected(401, str(exc))
        except ServiceUnavailable as exc:
            telemetry.log(telemetry.REQUEST_NOT_TAKEN, reason=str(exc))
            _count("secret_malformed" if isinstance(exc, MalformedSecret) else "failed")
            return {"statusCode": 500}

    def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        def check() -> None:
            verify(
                timestamp=headers.get("x-slack-request-timestamp", ""),
                signature=headers.get("x-slack-signature", ""),
                body=body,
                secrets=signing_secrets(self._signing_secret.value()),
                now=self._clock.now(),
            )

        try:
            check()
        except WrongSignature:
            if not self._signing_secret.refresh():
                raise
            check()  # the secret has been rotated

    def _parsed(
        self, route: object, headers: Mapping[str, str], body: bytes
    ) -> Challenge | Command | Ignored:
        """What a verified request asks for. What was signed for one route means nothing on the other."""
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if route == EVENTS_ROUTE and content_type == "application/json":
            return events.parse(body, now=self._clock.now(), follow_ups=self._follow_ups)
        if route == INTERACTIVITY_ROUTE and content_type == "application/x-www-form-urlencoded":
            return interactions.parse(body)
        return Ignored("content_type")

    def _take(self, incoming: Challenge | Command | Ignored) -> Response:
        if isinstance(incoming, Challenge):
            return _json(200, {"challenge": incoming.value})
        if isinstance(incoming, Ignored):
            return _ignored(incoming.reason)
        self._enqueue(incoming)
        return _json(200, {})

    def _enqueue(self, command: Command) -> None:
        try:
            self._queues.send(command)
        except QuestionTooLong:
            if not isinstance(command, Ask):
                raise
            command = Ask(replace(command.turn, text="", notice=Notice.TOO_LONG))
            self._queues.send(command)
        _log_accepted(command)
        _count("accepted")
        if isinstance(command, Ask):
            self._show_waiting(command.turn)

    def _show_waiting(self, turn: Turn) -> None:
        """Have it shown if the question has to wait in its thread. That may fail: the question is safe.

        Of a follow-up nobody knows yet whether it is for the bot.
        """
        if turn.thread_ts == turn.ts or turn.is_follow_up:
            return
        try:
            self._queues.send(ShowWaiting(turn.team, turn.channel, turn.ts))
        except ServiceUnavailable as exc:
            telemetry.log(telemetry.WAITING_NOT_SHOWN, turn_id=turn.turn_id, reason=str(exc))
            telemetry.count(telemetry.COMMANDS, command=ShowWaiting.name, verdict="not_sent")


def _log_accepted(command: Command) -> None:
    if isinstance(command, ControlCommand):
        telemetry.log(telemetry.COMMAND_ACCEPTED, command=command.name, command_id=command.deduplication_id)
        return
    turn = command.turn
    telemetry.log(
        telemetry.TURN_ACCEPTED,
        command=command.name,
        turn_id=turn.turn_id,
        reference=turn.reference,
        notice=turn.notice,
    )


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The headers that are text, by their names in lower case."""
    found = event.get("headers")
    items = found.items() if isinstance(found, Mapping) else ()
    return {str(name).lower(): value for name, value in items if isinstance(value, str)}


def _body(event: Mapping[str, Any]) -> bytes:
    """The raw bytes that Slack signed. Forms arrive in base64, JSON as text.

    Raises:
        ValueError: no text, or not UTF-8, which no request of Slack's is.
    """
    text = event.get("body") or ""
    if not isinstance(text, str):
        raise ValueError("the body is no text")
    raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    raw.decode()
    return raw


def _rejected(status: int, reason: str) -> Response:
    telemetry.log(telemetry.REQUEST_REJECTED, status=status, reason=reason)
    _count("rejected")
    return {"statusCode": status}


def _ignored(reason: str) -> Response:
    telemetry.log(telemetry.EVENT_IGNORED, reason=reason)
    _count("ignored")
    return _json(200, {})


def _json(status: int, content: Mapping[str, str]) -> Response:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(content),
    }


def _count(outcome: str) -> None:
    telemetry.count(telemetry.REQUESTS, outcome=outcome)


@cache
def _receiver() -> Receiver:
    settings = ReceiverSettings.read(os.environ)
    clock = SystemClock()
    sqs, secrets_manager = JsonClient("sqs"), JsonClient("secretsmanager")
    secret = CachedSecret(secrets_manager, settings.signing_secret_id, clock, check=signing_secrets)
    if in_lambda():  # now the processor is not throttled
        connecting = Thread(target=sqs.connect)
        connecting.start()
        secret.prefetch()
        connecting.join()
    return Receiver(
        queues=Queues(sqs, questions=settings.queue_url, control=settings.control_queue_url),
        signing_secret=secret,
        clock=clock,
        follow_ups=settings.follow_ups,
    )


if in_lambda():
    _receiver()


def handler(event: Mapping[str, Any], context: object) -> Response | None:  # noqa: ARG001 - Lambda's signature
    if event.get("source") == SCHEDULE:
        _receiver().beat()
        return None
    return _receiver().respond(event)
