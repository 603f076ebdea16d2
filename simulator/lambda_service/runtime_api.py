"""The Lambda Runtime API: where the process of a function asks for its next event and hands in the result.

Every execution environment has an address of its own, as in Lambda.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from simulator.http import HttpServer

PREFIX = "/2018-06-01/runtime/"

# "6 MB each for request and response (synchronous)" in the table of Lambda's quotas; the exact figure is from
# the error message. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_PAYLOAD_BYTES = 6_291_556


@dataclass(frozen=True)
class Invocation:
    """One event for the function. `timeout` in seconds, counted from when the process takes the event."""

    request_id: str
    event: bytes
    timeout: float
    client_context: str | None = None


@dataclass(frozen=True)
class Result:
    """The result of an invocation: the function's `payload`, or its `error` in Lambda's format.

    An error has `errorType` and `errorMessage`, and what the runtime adds (`stackTrace`, `requestId`).
    """

    payload: Any = None
    error: dict[str, Any] | None = None


def failure(error_type: str, message: str) -> Result:
    return Result(error={"errorType": error_type, "errorMessage": message})


class RuntimeApi:
    """The API of one execution environment. `address` is what AWS_LAMBDA_RUNTIME_API says."""

    def __init__(self, function_arn: str) -> None:
        self._function_arn = function_arn
        self._changed = threading.Condition()
        self._initialised = False
        self._offered: Invocation | None = None
        self._taken: Invocation | None = None
        self._result: Result | None = None
        self._end: Result | None = None
        self._server = HttpServer(self._app)
        self.address = self._server.url.removeprefix("http://")

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self.end(failure("Runtime.ExitError", "The execution environment was shut down"))
        self._server.stop()

    @property
    def initialised(self) -> bool:
        """Whether the process has asked for an event: its initialisation is over."""
        return self._initialised

    def wait_initialised(self, timeout: float) -> bool:
        """Waits until the process is initialised or has ended; false for "neither yet"."""
        with self._changed:
            return self._changed.wait_for(lambda: self._initialised or self._end is not None, timeout)

    def end(self, reason: Result) -> None:
        """End the waiting for results, for this reason. Only the first reason counts."""
        with self._changed:
            self._end = self._end or reason
            self._changed.notify_all()

    def invoke(self, invocation: Invocation, init_timeout: float) -> Result:
        """Gives the event to the process and waits for its result.

        Raises:
            TimeoutError: the process did not ask for the event within `init_timeout` seconds,
                or did not answer within the invocation's own timeout.
        """
        with self._changed:
            self._offered, self._taken, self._result = invocation, None, None
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._taken or self._end, init_timeout):
                raise TimeoutError
            if not self._changed.wait_for(lambda: self._result or self._end, invocation.timeout):
                raise TimeoutError
            result = self._result or self._end
            assert result is not None
            self._taken = None
            return result

    def _app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        path = request.path.removeprefix(PREFIX).split("/")
        match request.method, path:
            case "GET", ["invocation", "next"]:
                return self._next()
            case "POST", ["invocation", request_id, "response"]:
                return self._finish(request_id, _parse_response(request.get_data()))
            case "POST", ["invocation", request_id, "error"]:
                return self._finish(request_id, _parse_error(request))
            case "POST", ["init", "error"]:
                self.end(_parse_error(request))
                return _json({"status": "OK"}, 202)
            case _:
                return _refusal(404, "InvalidPath", f"No such resource: {request.method} {request.path}")

    def _next(self) -> Response:
        with self._changed:
            self._initialised = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._offered or self._end)
            if self._end or not self._offered:
                return _refusal(410, "Runtime.Shutdown", "The execution environment is shutting down")
            invocation, self._offered = self._offered, None
            self._taken = invocation
            self._changed.notify_all()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return Response(invocation.event, 200, headers, content_type="application/json")

    def _finish(self, request_id: str, result: Result) -> Response:
        with self._changed:
            if self._taken is None or self._taken.request_id != request_id:
                return _refusal(400, "InvalidRequestID", "Invalid request ID")
            self._result = result
            self._changed.notify_all()
        return _json({"status": "OK"}, 202)


def _parse_response(body: bytes) -> Result:
    if len(body) > MAX_PAYLOAD_BYTES:
        return failure(
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes).",
        )
    try:
        return Result(payload=json.loads(body))
    except ValueError:
        return failure("Runtime.InvalidResponse", "The function's response is not JSON")


def _parse_error(request: Request) -> Result:
    try:
        error = json.loads(request.get_data())
    except ValueError:
        error = None
    if not isinstance(error, dict):
        error = {"errorMessage": ""}
    header = request.headers.get("Lambda-Runtime-Function-Error-Type", "Runtime.Unknown")
    return Result(error={"errorType": header, **error})


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def _refusal(status: int, error_type: str, message: str) -> Response:
    return _json({"errorMessage": message, "errorType": error_type}, status)
