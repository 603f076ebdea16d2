"""Runs a handler under the Lambda Runtime API: `python -m simulator.lambda_service.bootstrap HANDLER`.

A stand-in for AWS's own client, awslambdaric, where that has no wheel (anything but Linux on x86-64). It runs
inside the function's process and imports nothing but the standard library and the handler.
"""

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace, TracebackType
from typing import Any, cast

PREFIX = "/2018-06-01/runtime/"
Handler = Callable[[Any, "LambdaContext"], Any]


class InitError(Exception):
    """The handler cannot be loaded. Carries Lambda's name for the reason."""

    def __init__(self, error_type: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.trace = trace or []


class LambdaContext:
    """The handler's second argument: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = _client_context(headers.get("Lambda-Runtime-Client-Context"))
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))


def _client_context(header: str | None) -> SimpleNamespace | None:
    if not header:
        return None
    given = json.loads(header)
    return SimpleNamespace(custom=given.get("custom"), env=given.get("env"), client=given.get("client"))


# What a record has without `extra`.
PLAIN = {*vars(logging.makeLogRecord({})), "message", "asctime"}


class JsonFormatter(logging.Formatter):
    """Lambda's JSON log format: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html

    What a record has as its `extra` stands beside Lambda's own members, and cannot replace them.
    """

    converter = staticmethod(time.gmtime)
    request_id: str | None = None

    def format(self, record: logging.LogRecord) -> str:
        kind, error, trace = record.exc_info or (None, None, None)
        line: dict[str, Any] = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(trace) if kind else None,
            "errorType": kind.__name__ if kind else None,
            "errorMessage": str(error) if kind else None,
            "requestId": self.request_id,
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if kind else None,
        }
        line |= {name: value for name, value in vars(record).items() if name not in {*PLAIN, *line}}
        present = {name: value for name, value in line.items() if value is not None}
        return json.dumps(present, ensure_ascii=False, default=str)


class RuntimeClient:
    """The Runtime API of this execution environment, over one connection."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)

    def next(self) -> tuple[bytes, http.client.HTTPMessage]:
        self._connection.request("GET", f"{PREFIX}invocation/next")
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise ConnectionError(f"{response.status} {response.reason}")
        return body, response.headers

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        self._connection.request("POST", PREFIX + path, body, {"Content-Type": "application/json", **headers})
        self._connection.getresponse().read()

    def post_error(self, path: str, error: dict[str, Any]) -> None:
        headers = {"Lambda-Runtime-Function-Error-Type": error["errorType"]}
        self.post(path, json.dumps(error).encode(), headers)


def load(handler: str) -> Handler:
    """The function that `package.module.function` names.

    Raises:
        InitError: there is no such thing, or importing it failed.
    """
    module_name, dot, function = handler.rpartition(".")
    if not dot:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{handler}'")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InitError(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from error
    except SyntaxError as error:
        where = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise InitError("Runtime.UserCodeSyntaxError", message, where) from error
    if not hasattr(module, function):
        raise InitError("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'")
    return cast(Handler, getattr(module, function))


def _error(kind: str, message: str, trace: list[str], request_id: str = "") -> dict[str, Any]:
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def _frames(trace: TracebackType | None) -> list[str]:
    """The stack from the handler's own code on."""
    frames = traceback.extract_tb(trace)
    first = next((i for i, frame in enumerate(frames) if frame.filename != __file__), 0)
    return traceback.format_list(frames[first:])


def _encode_decimal(value: object) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _run_once(client: RuntimeClient, handler: Handler, formatter: JsonFormatter) -> None:
    event, headers = client.next()
    context = LambdaContext(headers)
    request_id = formatter.request_id = context.aws_request_id
    os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
    try:
        response = handler(json.loads(event), context)
    except Exception as error:  # noqa: BLE001 - whatever the handler raises is the invocation's error
        report = _error(type(error).__name__, str(error), _frames(error.__traceback__), request_id)
    else:
        try:
            body = json.dumps(response, ensure_ascii=False, default=_encode_decimal).encode()
        except (TypeError, ValueError) as error:
            report = _error("Runtime.MarshalError", f"Unable to marshal response: {error}", [], request_id)
        else:
            client.post(f"invocation/{request_id}/response", body, {})
            return
    _print_error(report)
    client.post_error(f"invocation/{request_id}/error", report)


def _print_error(report: dict[str, Any]) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = {"timestamp": now, "level": "ERROR", **report}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


def main() -> None:
    cast(Any, sys.stdout).reconfigure(line_buffering=True)
    formatter = JsonFormatter()
    log = logging.StreamHandler(sys.stdout)
    log.setFormatter(formatter)
    logging.getLogger().addHandler(log)
    logging.getLogger().setLevel(os.environ["AWS_LAMBDA_LOG_LEVEL"])

    client = RuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(sys.argv[1])
    except InitError as error:
        report = _error(error.error_type, str(error), error.trace)
    except Exception as error:  # noqa: BLE001 - whatever the import raises is the initialisation's error
        report = _error(type(error).__name__, str(error), _frames(error.__traceback__))
    else:
        try:
            while True:
                _run_once(client, handler, formatter)
        except (ConnectionError, http.client.HTTPException):
            # The service is gone or shuts this environment down: nobody is left to work for.
            return
    _print_error(report)
    client.post_error("init/error", report)
    sys.exit(1)


if __name__ == "__main__":
    main()
