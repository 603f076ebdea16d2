"""Lambda behind the dead-letter queue: no question that the worker gave up stays on "Processing…"."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.bridge.answer import give_up
from functions.consumer import Consumer, LambdaContext
from functions.settings import in_lambda


@cache
def _consumer() -> Consumer:
    return Consumer(os.environ, drops_malformed=True)


if in_lambda():
    _consumer()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    return _consumer().consume(event, context, give_up)
