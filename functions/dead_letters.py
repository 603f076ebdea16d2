"""Lambda behind the dead-letter queue: no question that the worker gave up stays on "Processing…".

Commands of the control queue end here too, and are dropped. Who pressed Approve or Deny is told so.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.bridge.delivery import Delivery
from functions.bridge.queue_commands import Command, ControlCommand
from functions.bridge.turns.answer import give_up
from functions.bridge.turns.handle import drop, handle
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from functions.consumer import Consumer, LambdaContext
from functions.environment import in_lambda


@cache
def _consumer() -> Consumer:
    return Consumer(os.environ, is_last=True)


if in_lambda():
    _consumer().warm()


def _work(command: Command, delivery: Delivery, ports: Ports) -> Outcome:
    if isinstance(command, ControlCommand):
        return drop(command, delivery, ports)
    return handle(command, delivery, ports, give_up)


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    return _consumer().consume(event, context, _work)
