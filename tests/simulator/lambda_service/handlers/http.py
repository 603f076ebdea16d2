# ruff: noqa: T201
"""Handlers behind the gateway."""

import json
import time
from typing import Any

from simulator.lambda_service.bootstrap import LambdaContext


def reflect(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return {"statusCode": 200, "body": json.dumps(event)}


def teapot(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return {"statusCode": 418, "headers": {"X-Answer": "yes"}, "body": "short and stout"}


def encoded(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    return {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}


def fail(_event: dict[str, Any], _context: LambdaContext) -> None:
    raise ValueError("no good")


def hang(_event: dict[str, Any], _context: LambdaContext) -> None:
    print("hanging", flush=True)
    time.sleep(60)
