"""SQS, DynamoDB, Secrets Manager and CloudWatch Logs on loopback: moto, behind a front for many clients.

moto decides and then acts without a lock: two conditional writes may both succeed, and a message that is sent
while another is deleted may be lost. Its long poll spins while a message group is locked. So the front lets
one request in at a time and does the long polling itself. It also refuses receipt handles that SQS refuses
(`simulator.receipts`), and keeps moto from copying whole tables (`simulator.transactions`).
"""

import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from config import deployment
from simulator import wiring
from simulator.http import HttpServer
from simulator.receipts import Receipts
from simulator.tap import Call, Tap, sender
from simulator.transactions import only_named_items

if TYPE_CHECKING:
    from moto.sqs.models import Queue
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

ACCOUNT = "123456789012"
REGION = "us-east-1"
FAKE_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIASIMULATOR0000000",
    "AWS_SECRET_ACCESS_KEY": "simulator",
    "AWS_SESSION_TOKEN": "simulator",
}
SIGNING_SECRET_ID = "agent-bridge/signing-secret"
BOT_TOKEN_SECRET_ID = "agent-bridge/bot-token"
TABLE = "agent-bridge-ledger"
AUDIT_LOG_GROUP = "agent-bridge-audit"

# Seconds between two checks of a waiting ReceiveMessage for an expired visibility timeout. Changes by
# requests end its wait at once.
RECHECK = 0.2


_SERVICES = {
    "AmazonSQS": "SQS",
    "DynamoDB": "DynamoDB",
    "secretsmanager": "Secrets Manager",
    "Logs": "CloudWatch Logs",
}


class Aws:
    """The server and its clients. Only one may run in a process, because moto's state is global.

    `tap` intercepts every call, including the simulator's own. `server`: the class of the HTTP server. `now`:
    when SQS believes that messages are received, in seconds since the epoch.
    """

    _in_use = threading.Lock()

    def __init__(
        self,
        *,
        tap: Tap | None = None,
        server: type[HttpServer] = HttpServer,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._changed = threading.Condition()
        self._stopping = False
        self._is_complete = threading.Event()
        self._moto: Any = None
        self._receipts = Receipts(now)
        self._server = server((tap or Tap()).on(self._app, _call))
        self.url = self._server.url

    def start(self) -> None:
        """Raises RuntimeError while another one runs in this process."""
        if not Aws._in_use.acquire(blocking=False):
            raise RuntimeError("there is one simulated AWS in this process already: moto's state is global")
        # Imported late: it takes half a second, in which the functions' processes can already start.
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server.start()

    def stop(self) -> None:
        """Ends waiting requests, forgets all resources."""
        self.end_polls()
        self._server.stop()
        for name in ("sqs", "dynamodb", "secrets", "logs"):
            if name in self.__dict__:  # the property was used
                getattr(self, name).close()
        if self._moto:
            from moto.moto_api._internal.models import moto_api_backend

            moto_api_backend.reset()
            self._moto = None
            Aws._in_use.release()

    def end_polls(self) -> None:
        """Ends all waits of ReceiveMessage, now and from now on, before the server stops."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._is_complete.set()

    @property
    def endpoints(self) -> dict[str, str]:
        """The environment variables that direct AWS clients to this server."""
        services = ("SQS", "DYNAMODB", "SECRETS_MANAGER", "CLOUDWATCH_LOGS")
        return {f"AWS_ENDPOINT_URL_{name}": self.url for name in services}

    def queue_url(self, queue: wiring.Queue) -> str:
        return f"{self.url}/{ACCOUNT}/{_queue_name(queue)}"

    @cached_property
    def sqs(self) -> "SQSClient":
        return _session().client("sqs", endpoint_url=self.url, config=_config())

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return _session().client("dynamodb", endpoint_url=self.url, config=_config())

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        return _session().client("secretsmanager", endpoint_url=self.url, config=_config())

    @cached_property
    def logs(self) -> Any:
        return _session().client("logs", endpoint_url=self.url, config=_config())

    def audit_records(self) -> list[dict[str, Any]]:
        """What the bridge wrote into its audit log, oldest first."""
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=AUDIT_LOG_GROUP)
        return [json.loads(event["message"]) for page in pages for event in page["events"]]

    def create_resources(
        self, *, signing_secret: str, bot_token: str, max_receive_count: int | None = None
    ) -> None:
        """Creates what `wiring` says. `max_receive_count` overrides the one of the questions' queue."""
        self._create_queue(wiring.DEAD_LETTER_QUEUE, {})
        for queue in (wiring.QUESTIONS, wiring.CONTROL_QUEUE):
            receives = (queue is wiring.QUESTIONS and max_receive_count) or queue.max_receive_count
            dead_letters = queue_arn(wiring.DEAD_LETTER_QUEUE)
            redrive = {"deadLetterTargetArn": dead_letters, "maxReceiveCount": receives}
            self._create_queue(queue, {"RedrivePolicy": json.dumps(redrive)})
        self.secrets.create_secret(Name=SIGNING_SECRET_ID, SecretString=signing_secret)
        self.secrets.create_secret(Name=BOT_TOKEN_SECRET_ID, SecretString=bot_token)
        self.logs.create_log_group(logGroupName=AUDIT_LOG_GROUP)
        partition, sort = deployment.TABLE_KEYS
        self.dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": partition, "AttributeType": "S"},
                {"AttributeName": sort, "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": partition, "KeyType": "HASH"},
                {"AttributeName": sort, "KeyType": "RANGE"},
            ],
        )
        self.dynamodb.update_time_to_live(
            TableName=TABLE,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": deployment.TABLE_TTL_ATTRIBUTE},
        )
        self._is_complete.set()

    def _create_queue(self, queue: wiring.Queue, attributes: dict[str, str]) -> None:
        self.sqs.create_queue(
            QueueName=_queue_name(queue),
            Attributes={
                "FifoQueue": "true",
                "ContentBasedDeduplication": "false",
                "DeduplicationScope": "messageGroup",
                "FifoThroughputLimit": "perMessageGroupId",
                "VisibilityTimeout": str(queue.visibility_timeout),
                "MessageRetentionPeriod": str(queue.retention),
                **attributes,  # type: ignore[dict-item]
            },
        )

    def _app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if sender(environ):
            # In AWS functions run when the stack is complete; here they are warmed beside its making.
            self._is_complete.wait()
        target = environ.get("HTTP_X_AMZ_TARGET")
        if target == "AmazonSQS.ReceiveMessage":
            response = self._receive(environ, body)
        else:
            is_transaction = target == "DynamoDB_20120810.TransactWriteItems"
            with self._changed, only_named_items(ACCOUNT, REGION, body) if is_transaction else nullcontext():
                response = self._by_receipt(target, body) or self._ask_moto(environ, body)
                self._changed.notify_all()
        return response(environ, start_response)

    def _by_receipt(self, target: str | None, body: bytes) -> Response | None:
        """The answer to a call with a receipt handle; None where that is left to moto."""
        if target not in ("AmazonSQS.ChangeMessageVisibility", "AmazonSQS.DeleteMessage"):
            return None
        arguments = json.loads(body)
        queue = _queue(arguments["QueueUrl"])
        if queue is None:
            return None
        if target == "AmazonSQS.DeleteMessage":
            return self._receipts.refuse_deletion(queue, arguments)
        return self._receipts.change_visibility(queue, arguments)

    def _receive(self, environ: dict[str, Any], body: bytes) -> Response:
        """A long poll: asks moto again whenever something changed, or may have, until there is a message."""
        request = json.loads(body)
        deadline = time.monotonic() + int(request.pop("WaitTimeSeconds", 0))
        body = json.dumps({**request, "WaitTimeSeconds": 0}).encode()
        with self._changed:
            while True:
                before = _depth(request["QueueUrl"])
                response = self._ask_moto(environ, body)
                depth = _depth(request["QueueUrl"])
                if depth != before:
                    self._changed.notify_all()  # moto has moved messages to the dead-letter queue
                left = deadline - time.monotonic()
                if left <= 0 or self._stopping or b'"Messages"' in response.data:
                    self._receipts.note(response)
                    return response
                self._changed.wait(min(left, RECHECK) if depth else left)

    def _ask_moto(self, environ: dict[str, Any], body: bytes) -> Response:
        request = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        chunks, status, headers = run_wsgi_app(self._moto, request, buffered=True)
        return Response(list(chunks), status, headers)


def _call(environ: dict[str, Any], body: bytes) -> Call | None:
    """What `X-Amz-Target` names, such as "AmazonSQS.SendMessage" or "DynamoDB_20120810.PutItem"."""
    target, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
    service = _SERVICES.get(target.partition("_")[0])
    return Call(service, operation, json.loads(body), sender(environ)) if service else None


def _queue(queue_url: str) -> "Queue | None":
    """moto's own. moto is in this process: asking it costs nothing."""
    from moto.sqs.models import sqs_backends

    queue: Queue | None = sqs_backends[ACCOUNT][REGION].queues.get(queue_url.rpartition("/")[2])
    return queue


def _depth(queue_url: str) -> int:
    """How many messages the queue holds, visible or not."""
    queue = _queue(queue_url)
    if queue is None:
        return 0
    return queue.approximate_number_of_messages + queue.approximate_number_of_messages_not_visible


def queue_arn(queue: wiring.Queue) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_queue_name(queue)}"


def _queue_name(queue: wiring.Queue) -> str:
    return f"agent-bridge-{queue.name}.fifo"


@cache
def _session() -> boto3.Session:
    # The developer's own profile, which may not exist, must not count.
    variables = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
    return boto3.Session(
        aws_access_key_id=FAKE_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=FAKE_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        botocore_session=botocore.session.Session(session_vars=variables),
    )


def _config() -> Config:
    # An empty dict, unlike None, also ignores HTTP_PROXY.
    return Config(proxies={}, max_pool_connections=100)
