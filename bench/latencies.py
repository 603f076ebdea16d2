"""Makes the fakes answer as slowly as the services do from inside one region of AWS."""

import time
from collections.abc import Callable

from werkzeug.wrappers import Response

from simulator.tap import Call

# Seconds.
SLACK = 0.15
AWS = {"DynamoDB": 0.005, "SQS": 0.010, "Secrets Manager": 0.015}


class Latencies:
    """An interceptor for `simulator.tap.Tap`: no call is answered sooner.

    Attributes:
        calls: of AWS, oldest first, but those that Lambda itself makes for its queues.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __call__(self, call: Call, perform: Callable[[], Response]) -> Response:
        began = time.monotonic()
        if call.service in AWS and call.operation not in ("ReceiveMessage", "DeleteMessage"):
            self.calls.append(call)
        response = perform()
        time.sleep(max(0.0, began + AWS.get(call.service, 0.0) - time.monotonic()))
        return response
