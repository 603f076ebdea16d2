"""From a signed event to the 200: the real receiver, in a process of its own; nobody is behind the queue."""

import json
import random
import secrets
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import md5
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from bench import processes, report
from simulator import gateway, wiring
from simulator.aws import SIGNING_SECRET_ID, Aws
from simulator.gateway import Gateway
from simulator.journal import Journal
from simulator.lambda_service.service import LambdaService
from simulator.simulation import MANIFEST
from simulator.slack.events import SignatureKind
from simulator.slack.service import SlackService
from simulator.slack.signing import signature

EVENTS = 1000
OTHERS = 200
WARM_UP = 50
BATCH = 100
RECEIVER = wiring.RECEIVER.name
WORDS = ("weather", "Chicago", "today", "tomorrow", "rain", "wind", "compare", "please", "and", "in")


class EmptyAws(Aws):
    """Takes every message and forgets it, so that the figures are the receiver's: moto gets slower with each.

    Attributes:
        operations: the operations that were called, oldest first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[str] = []

    def _app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        operation = str(environ.get("HTTP_X_AMZ_TARGET", environ["PATH_INFO"])).rpartition(".")[2]
        self.operations.append(operation)
        if operation != "SendMessage":
            return super()._app(environ, start_response)
        message = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))["MessageBody"]
        answer = {"MessageId": str(uuid.uuid4()), "MD5OfMessageBody": md5(message.encode()).hexdigest()}
        response = Response(json.dumps(answer), content_type="application/x-amz-json-1.0")
        return response(environ, start_response)


class Ingress:
    """Slack, the HTTP API, the receiver, and a queue that forgets."""

    def __init__(self) -> None:
        journal = Journal()
        self._secret = secrets.token_hex(16)
        self._random = random.Random(2)
        self._sent = 0
        self.slack = SlackService(
            journal=journal,
            manifest=json.loads(MANIFEST.read_text()),
            signing_secret=self._secret,
            bot_token="xoxb-bench",
        )
        self.aws = EmptyAws()
        # The last one catches any service that the receiver might call without being wired for it.
        variables = {**self.aws.endpoints, "AWS_ENDPOINT_URL": self.aws.url}
        self.lambdas = LambdaService(journal=journal, variables=variables)
        self.lambdas.add(
            wiring.RECEIVER,
            {
                "QUEUE_URL": self.aws.queue_url(wiring.QUESTIONS),
                "CONTROL_QUEUE_URL": self.aws.queue_url(wiring.CONTROL_QUEUE),
                "SIGNING_SECRET_ID": SIGNING_SECRET_ID,
                "POWERTOOLS_SERVICE_NAME": "agent-bridge",
                "POWERTOOLS_METRICS_NAMESPACE": "SlackAgentBridge",
                "POWERTOOLS_LOG_LEVEL": "INFO",
            },
        )
        self.gateway = Gateway(lambdas=self.lambdas, function=RECEIVER, routes=wiring.ROUTES, journal=journal)

    def start(self) -> None:
        self.aws.start()
        self.aws.create_resources(signing_secret=self._secret, bot_token="xoxb-bench")
        self.gateway.start()
        self.slack.request_url = f"{self.gateway.url}/slack/events"
        self.lambdas.prewarm(RECEIVER, 1)
        self.lambdas.environments(RECEIVER)[0].wait_initialised()

    def stop(self) -> None:
        self.lambdas.stop()
        self.slack.stop()
        self.gateway.stop()
        self.aws.stop()

    @property
    def pid(self) -> int:
        return self.lambdas.environments(RECEIVER)[0].pid

    def body(self, **more: object) -> bytes:
        """An envelope like Slack's around a mention of 5 to 300 words, another one each time."""
        self._sent += 1
        words = " ".join(self._random.choices(WORDS, k=self._random.choice((5, 10, 20, 300))))
        ts = f"{1_800_000_000 + self._sent}.000100"
        event = {
            "type": "app_mention",
            "channel": "C02WEATHER",
            "user": "U01ALICE",
            "text": f"<@U0AGENT01> {words}",
            "ts": ts,
            "event_ts": ts,
            "team": "T0DEMO",
            **more,
        }
        return json.dumps(self.slack.events.envelope(event)).encode()

    def invoke(self, body: bytes, *, secret: str | None = None) -> int:
        """The receiver alone, through the Runtime API; its HTTP status."""
        timestamp = str(int(time.time()))
        headers = Headers({"X-Slack-Request-Timestamp": timestamp})
        headers["X-Slack-Signature"] = signature(secret or self._secret, timestamp, body)
        builder = EnvironBuilder(
            path="/slack/events",
            method="POST",
            data=body,
            headers=headers,
            content_type="application/json",
            environ_base={"REMOTE_ADDR": "127.0.0.1"},
        )
        result = self.lambdas.invoke(RECEIVER, gateway.event(builder.get_request(), body))
        return int(result.payload["statusCode"])

    def post(self, body: bytes, signed: SignatureKind = "valid") -> int:
        """As Slack does it: a new connection to the HTTP API."""
        return self.slack.events.send(body, signed=signed).status or 0


@contextmanager
def ingress() -> Iterator[Ingress]:
    running = Ingress()
    try:
        running.start()
        yield running
    finally:
        running.stop()


def measure() -> None:
    report.heading(f"Ack: {EVENTS:,} signed events, one after the other, warm")
    with ingress() as running:
        idle = processes.resident(running.pid)
        for _ in range(WARM_UP):
            running.invoke(running.body())
        calls = _calls(running)
        worked = processes.processor_time(running.pid)
        direct = _timed(EVENTS, lambda: running.invoke(running.body()), 200)
        each = _per_event(worked, processes.processor_time(running.pid))
        over_http = _timed(EVENTS // 2, lambda: running.post(running.body()), 200)
        own_post = _timed(OTHERS, lambda: running.invoke(running.body(bot_id="B0AGENT01")), 200)
        forged = _timed(OTHERS, lambda: running.invoke(running.body(), secret="guessed"), 401)
        after = processes.peak(running.pid)
    report.table(
        ("from the request to its answer", "p50", "p99"),
        [
            _row("verified, on the queue, 200: handler, by the Runtime API", direct),
            _row("the same through the HTTP API, a new connection each", over_http),
            _row("an event to ignore (signed; the bot's own message), 200", own_post),
            _row("a forgery, 401", forged),
        ],
    )
    report.note(f"Network calls between a verified event and its 200, over {BATCH} events: {calls}.{each}")
    report.table(
        ("receiver's memory (resident)", "MB"),
        [
            ("initialised, idle", f"{idle / 1024:.0f}"),
            (
                f"peak after {WARM_UP + BATCH + EVENTS + EVENTS // 2 + 2 * OTHERS:,} requests",
                f"{after / 1024:.0f}",
            ),
        ],
    )


def _calls(running: Ingress) -> str:
    """Each AWS operation that was called, and how often for one event."""
    before = len(running.aws.operations)
    for _ in range(BATCH):
        running.invoke(running.body())
    names = Counter(running.aws.operations[before:])
    return ", ".join(f"{count / BATCH:g} {name}" for name, count in names.items())


def _per_event(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return ""
    return f" The receiver's process works {report.milliseconds((after - before) / EVENTS)} for one event."


def _timed(count: int, request: Callable[[], int], expected: int) -> list[float]:
    """Seconds that each of `count` requests took.

    Raises:
        RuntimeError: one was not answered as `expected`; the figures would be of something else.
    """
    found = []
    for _ in range(count):
        began = time.perf_counter()
        status = request()
        found.append(time.perf_counter() - began)
        if status != expected:
            raise RuntimeError(f"HTTP {status} instead of {expected}")
    return found


def _row(name: str, seconds: list[float]) -> tuple[str, str, str]:
    return name, report.median(seconds), report.p99(seconds)
