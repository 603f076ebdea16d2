"""Lambda behind the control queue: what must not wait behind answers, such as a press of Stop.

It asks no agent.
"""

import os
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from functions.bridge.admission.access import Access
from functions.bridge.delivery import Delivery
from functions.bridge.queue_commands import Command, ControlCommand
from functions.bridge.turns.handle import control
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from functions.consumer import Consumer, LambdaContext
from functions.environment import in_lambda


@cache
def _consumer() -> Consumer:
    return Consumer(os.environ)


if in_lambda():
    _consumer().warm()


def _work(command: Command, delivery: Delivery, ports: Ports, *, access: Access) -> Outcome:
    if isinstance(command, ControlCommand):
        return control(command, delivery, ports, access)
    # It goes on to the dead letters, which tell the thread.
    raise ValueError(f"{command.name} is a command of the questions queue")


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    consumer = _consumer()
    return consumer.consume(event, context, partial(_work, access=consumer.access))
