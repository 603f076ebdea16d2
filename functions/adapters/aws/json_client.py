"""A client for the services of AWS that speak JSON: SQS, DynamoDB, Secrets Manager, CloudWatch Logs.

The JSON of a request is what boto3 takes as arguments, and the JSON of an answer what boto3 returns. boto3
itself takes more than half of a cold start to say these few calls.
"""

import json
import os
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from functions.adapters.aws.sigv4 import signed
from functions.adapters.aws.trust import ca_file

# A call that takes longer is better repeated: Slack waits three seconds for the whole receiver.
CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0
# After so long nobody on the way may know of a connection any more, and what is sent is lost without a word.
IDLE_SECONDS = 60.0
TRIES = 3
FIRST_BACK_OFF = 0.05

# The service's name in X-Amz-Target, the version of its JSON (`metadata` in its model), and its name in
# `AWS_ENDPOINT_URL_…`.
_PROTOCOLS = {
    "dynamodb": ("DynamoDB_20120810", "1.0", "DYNAMODB"),
    "logs": ("Logs_20140328", "1.1", "CLOUDWATCH_LOGS"),
    "secretsmanager": ("secretsmanager", "1.1", "SECRETS_MANAGER"),
    "sqs": ("AmazonSQS", "1.0", "SQS"),
}
# docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_SUFFIXES = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}


class AwsError(Exception):
    """A call that did not succeed. Its text names service, operation and code, never what was sent.

    Attributes:
        code: the service's name of the error, such as "ConditionalCheckFailedException"; the type of the
            exception where no answer came.
        status: of the HTTP answer; 0 where none came.
        answer: the answer's JSON, which may quote what is stored.
    """

    def __init__(
        self, call: str, code: str, status: int = 0, answer: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{call}: {code}")
        self.code = code
        self.status = status
        self.answer = answer or {}

    @property
    def may_pass(self) -> bool:
        """Whether the same call may succeed in a moment."""
        return self.status == 0 or self.status == 429 or self.status >= 500 or self.code in _THROTTLED


class JsonClient:
    """One service. Threads may share it; each call has a connection for itself, which is kept for others.

    Attributes:
        host: where it is, with the port where that is not the usual one.
    """

    def __init__(self, service: str, environment: Mapping[str, str] = os.environ) -> None:
        self._service = service
        self._target, self._version, variable = _PROTOCOLS[service]
        self._environment = environment
        self._region = environment.get("AWS_REGION") or environment["AWS_DEFAULT_REGION"]
        self._url = urlsplit(_endpoint(service, variable, self._region, environment))
        self.host = self._url.netloc
        self._idle: list[tuple[HTTPConnection, float]] = []  # with the time since when

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """The answer to an operation, under boto3's names for both. Tried three times.

        A repetition may do again what was done already, unknown to us: a message that is sent has a
        deduplication id, and changes of the ledger have conditions.

        Raises:
            AwsError: the service refused, or did not answer.
        """
        body = json.dumps(arguments).encode()
        for tries in range(1, TRIES + 1):
            try:
                return self._once(operation, body)
            except AwsError as exc:
                if not exc.may_pass or tries == TRIES:
                    raise
            time.sleep(
                FIRST_BACK_OFF * 2**tries * os.urandom(1)[0] / 255
            )  # by chance: not all at the same moment
        raise AssertionError("unreachable")

    def connect(self) -> None:
        """Open a connection for the first call. Trouble is left to that call."""
        connection = self._connection()
        try:
            self._open(connection)
        except OSError:
            connection.close()
        else:
            self._keep(connection)

    def _once(self, operation: str, body: bytes) -> dict[str, Any]:
        call = f"{self._service} {operation}"
        try:
            status, content = self._exchange(operation, body)
        except (OSError, HTTPException) as exc:
            raise AwsError(call, type(exc).__name__) from exc
        try:
            answer = json.loads(content) if content else {}
        except ValueError as exc:
            raise AwsError(call, "an answer that is no JSON", max(status, 500)) from exc
        if status == 200:
            return dict(answer)
        # Such as "com.amazonaws.sqs#QueueDoesNotExist" or "ValidationException:http://…".
        code = str(answer.get("__type", status)).rpartition("#")[2].partition(":")[0]
        raise AwsError(call, code, status, answer)

    def _exchange(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """The status and the body of one answer.

        A connection that was idle may be dead, above all after Lambda froze this process. It shows that
        before anything is answered; then a new one is tried at once.
        """
        headers = self._headers(operation, body)
        while self._idle:
            connection, since = self._idle.pop()
            if time.monotonic() - since > IDLE_SECONDS:
                connection.close()
                continue
            try:
                return self._request(connection, headers, body)
            except TimeoutError:
                raise
            except (OSError, HTTPException):
                continue
        connection = self._connection()
        self._open(connection)
        return self._request(connection, headers, body)

    def _request(
        self, connection: HTTPConnection, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        try:
            connection.request("POST", self._url.path or "/", body, headers)
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._keep(connection)
        return response.status, content

    def _keep(self, connection: HTTPConnection) -> None:
        self._idle.append((connection, time.monotonic()))

    def _headers(self, operation: str, body: bytes) -> dict[str, str]:
        environment = self._environment
        headers = {
            "host": self.host,
            "content-type": f"application/x-amz-json-{self._version}",
            "x-amz-target": f"{self._target}.{operation}",
        }
        # By this name an operator finds an application's calls in CloudTrail.
        # docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
        if application := environment.get("AWS_SDK_UA_APP_ID"):
            headers["user-agent"] = f"slack-agent-bridge app/{application}"
        # Lambda's trace of this invocation: with it Lambda notices functions that call each other for ever.
        # docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
        if trace := environment.get("_X_AMZN_TRACE_ID"):
            headers["x-amzn-trace-id"] = trace
        credentials = (
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN", ""),
        )
        return signed(
            headers,
            body,
            path=self._url.path or "/",
            service=self._service,
            region=self._region,
            credentials=credentials,
            amz_date=datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
        )

    def _connection(self) -> HTTPConnection:
        assert self._url.hostname
        if self._url.scheme == "http":
            return HTTPConnection(self._url.hostname, self._url.port, timeout=CONNECT_SECONDS)
        context = _tls(ca_file(self._environment))
        return HTTPSConnection(self._url.hostname, self._url.port, timeout=CONNECT_SECONDS, context=context)

    def _open(self, connection: HTTPConnection) -> None:
        connection.connect()
        connection.sock.settimeout(READ_SECONDS)


@cache
def _tls(file: str | None) -> ssl.SSLContext:
    """One for all clients: to read the certificates takes longer than to connect."""
    return ssl.create_default_context(cafile=file)


def _endpoint(service: str, variable: str, region: str, environment: Mapping[str, str]) -> str:
    """Where a service is: docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html"""
    for name in (f"AWS_ENDPOINT_URL_{variable}", "AWS_ENDPOINT_URL"):
        if url := environment.get(name):
            return url
    suffix = next((end for begin, end in _SUFFIXES.items() if region.startswith(begin)), "amazonaws.com")
    return f"https://{service}.{region}.{suffix}"
