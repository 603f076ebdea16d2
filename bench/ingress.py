"""A receiver of Slack's events between stand-ins over TLS; nobody is behind the queue."""

import json
import random
import secrets
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import md5
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from bench import latencies, tls
from bench.cpu_share import Limit, shares
from simulator import gateway, wiring
from simulator.aws import SIGNING_SECRET_ID, Aws
from simulator.journal import Journal
from simulator.lambda_service.environment import ExecutionEnvironment
from simulator.lambda_service.service import LambdaService
from simulator.simulation import MANIFEST
from simulator.slack import seed
from simulator.slack.service import SlackService
from simulator.slack.signing import signature
from simulator.tap import Tap
from simulator.wiring import Function

OURS, BOLT, FLOOR = "receiver", "bolt", "floor"
RIVALS = {name: f"bench.rivals.{name}.handler" for name in (BOLT, FLOOR)}
COUNTED = "counted-"
WORDS = ("weather", "Chicago", "today", "tomorrow", "rain", "wind", "compare", "please", "and", "in")


class EmptyAws(Aws):
    """Takes every message and forgets it, so that the figures are the receiver's: moto gets slower with each.

    It takes Bolt's invocations of its own function, too.
    """

    def _app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith("/invocations"):
            return Response(status=202)(environ, start_response)
        if not environ.get("HTTP_X_AMZ_TARGET", "").endswith(".SendMessage"):
            return super()._app(environ, start_response)
        message = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))["MessageBody"]
        answer = {"MessageId": str(uuid.uuid4()), "MD5OfMessageBody": md5(message.encode()).hexdigest()}
        response = Response(json.dumps(answer), content_type="application/x-amz-json-1.0")
        return response(environ, start_response)


class Ingress:
    """The bridge's receiver, Bolt and the floor, each also as a function that counts its modules.

    Attributes:
        limit: gives an environment its share of a processor.
        calls: what the functions called at AWS.
    """

    def __init__(self, limit: Limit) -> None:
        journal, tap = Journal(), Tap()
        tap.interceptor = self._latencies = latencies.Latencies()
        self.limit = limit
        self.calls = self._latencies.calls
        self._secret, self._token = secrets.token_hex(16), f"xoxb-{secrets.token_hex(12)}"
        self._random = random.Random(2)
        self._sent = 0
        self._slack = SlackService(
            journal=journal,
            manifest=json.loads(MANIFEST.read_text()),
            signing_secret=self._secret,
            bot_token=self._token,
            latency_seconds=latencies.SLACK,
            server=tls.TlsServer,
        )
        self._aws = EmptyAws(tap=tap, server=tls.TlsServer)
        self._lambdas = LambdaService(
            journal=journal,
            variables={
                **self._aws.endpoints,
                "AWS_ENDPOINT_URL": self._aws.url,  # for any service that a function is not wired for
                "SLACK_API_URL": self._slack.api_url,
                **tls.variables(),
            },
        )
        self._add(wiring.RECEIVER, self._variables())
        rivals = {
            "SLACK_SIGNING_SECRET": self._secret,
            "SLACK_BOT_TOKEN": self._token,
            **tls.variables(for_aws=tls.USUAL),
        }
        for name, handler in RIVALS.items():
            function = replace(wiring.RECEIVER, name=name, handler=handler, environment=frozenset(rivals))
            self._add(function, rivals)

    def start(self) -> None:
        self._slack.start()
        self._aws.start()
        self._aws.create_resources(signing_secret=self._secret, bot_token=self._token)

    def stop(self) -> None:
        self._lambdas.stop()
        self._slack.stop()
        self._aws.stop()

    def initialised(self, name: str) -> ExecutionEnvironment:
        """The one environment of the function, new, and with all of a processor until `limit`."""
        self._lambdas.retire(name)
        self._lambdas.prewarm(name, 1)
        [environment] = self._lambdas.environments(name)
        if not environment.wait_initialised():
            raise RuntimeError(f"{name} cannot be initialised:\n" + "\n".join(self._lambdas.logs(name)[-5:]))
        return environment

    def log(self, name: str) -> list[str]:
        """The lines that the function has written."""
        return self._lambdas.logs(name)

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
            "team": seed.TEAM.id,
            **more,
        }
        return json.dumps(self._slack.events.envelope(event)).encode()

    def invoke(self, name: str, body: bytes, *, secret: str | None = None) -> int:
        """The function alone, through the Runtime API; its HTTP status."""
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
        result = self._lambdas.invoke(name, gateway.event(builder.get_request(), body))
        if result.error:
            raise RuntimeError(f"{name}: {result.error}")
        return int(result.payload["statusCode"])

    def _add(self, function: Function, values: dict[str, str]) -> None:
        self._lambdas.add(function, values)
        counted = replace(
            function,
            name=COUNTED + function.name,
            handler="bench.rivals.counted.handler",
            environment=function.environment | {"BENCH_HANDLER"},
        )
        self._lambdas.add(counted, {**values, "BENCH_HANDLER": function.handler})

    def _variables(self) -> dict[str, str]:
        return {
            "QUEUE_URL": self._aws.queue_url(wiring.QUESTIONS),
            "CONTROL_QUEUE_URL": self._aws.queue_url(wiring.CONTROL_QUEUE),
            "SIGNING_SECRET_ID": SIGNING_SECRET_ID,
            "SERVICE_NAME": "agent-bridge",
            "FOLLOW_UPS": "",
        }


@contextmanager
def ingress() -> Iterator[Ingress]:
    with shares() as limit:
        running = Ingress(limit)
        try:
            running.start()
            yield running
        finally:
            running.stop()
