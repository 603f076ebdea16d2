# ruff: noqa: T201
"""Handlers that the tests of the Lambda service run in processes of their own."""

import logging
import os
import socket
import sys
import time
from decimal import Decimal
from typing import Any

from simulator.lambda_service.bootstrap import LambdaContext

_line: socket.socket | None = None


def echo(event: Any, context: LambdaContext) -> dict[str, Any]:
    return {"event": event, "pid": os.getpid(), "request_id": context.aws_request_id}


def describe(_event: Any, context: LambdaContext) -> dict[str, Any]:
    custom = context.client_context.custom if context.client_context else None
    return {
        "remaining": context.get_remaining_time_in_millis(),
        "function_name": context.function_name,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "log_group": context.log_group_name,
        "version": context.function_version,
        "custom": custom,
        "environ": dict(os.environ),
        "directory": os.getcwd(),
    }


def fail(event: Any, _context: LambdaContext) -> None:
    raise ValueError(f"no good: {event}")


def unmarshallable(_event: Any, _context: LambdaContext) -> object:
    return {"it": object()}


def number(_event: Any, _context: LambdaContext) -> dict[str, Any]:
    return {"whole": Decimal(3), "part": Decimal("0.5"), "text": "Zürich"}


def leave(_event: Any, _context: LambdaContext) -> None:
    sys.exit(3)


def hang(_event: Any, _context: LambdaContext) -> None:
    print("hanging", flush=True)
    time.sleep(60)


def connect(event: Any, _context: LambdaContext) -> None:
    """Opens a line to the port of the test, which breaks when this process ends."""
    global _line
    _line = socket.create_connection(("127.0.0.1", event))
    _line.sendall(b"running")


def log(event: Any, _context: LambdaContext) -> None:
    logging.getLogger("sample").warning("through logging: %s", event)
    logging.getLogger("sample").info("with fields", extra={"reason": "why", "absent": None, "level": "mine"})
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("sample").exception("with an exception")
    print("through print")
    print("through stderr", file=sys.stderr)


def huge(_event: Any, _context: LambdaContext) -> str:
    return "x" * 7_000_000
