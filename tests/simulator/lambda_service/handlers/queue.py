# ruff: noqa: T201
"""Handlers for messages of a queue; the message's body says what is to happen."""

import json
import time
from typing import Any

from simulator.lambda_service.bootstrap import LambdaContext


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any] | None:
    [record] = event["Records"]
    print("RECORD " + json.dumps(record), flush=True)
    match record["body"]:
        case "raise":
            raise ValueError("no good")
        case "fail" | "fail quickly":
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
        case "fail slowly":
            time.sleep(2)
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
        case "succeed with a list":
            return {"batchItemFailures": []}
        case "succeed slowly":
            time.sleep(2)
        case "hang":
            time.sleep(60)
    return None
