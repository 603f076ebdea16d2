"""Lambda behind the questions queue: asks an agent and turns "Processing…" into its answer."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.adapters.agents.kinds import agent_ports, agents
from functions.adapters.aws.tool_functions import LambdaToolFunctions
from functions.adapters.clock import SystemClock
from functions.bridge.delivery import Delivery
from functions.bridge.queue_commands import Command
from functions.bridge.turn import Turn
from functions.bridge.turns.answer import answer
from functions.bridge.turns.approvals import ApprovalRules
from functions.bridge.turns.handle import handle
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from functions.consumer import RESERVE_SECONDS, Consumer, LambdaContext
from functions.environment import in_lambda

# The worker stops reading 15 seconds before its time is up: ten to say so, five in reserve.
MARGIN_SECONDS = 15.0 - RESERVE_SECONDS


class _Worker:
    """What one execution environment makes once."""

    def __init__(self) -> None:
        self._consumer = Consumer(os.environ)
        settings = self._consumer.settings
        self._agents = agents(settings, agent_ports())
        self._tools = LambdaToolFunctions(SystemClock())
        self._approval_rules = {
            name: ApprovalRules(one.approvers, one.approval_seconds, one.tools)
            for name, one in settings.agents.items()
        }

    def warm(self) -> None:
        self._consumer.warm()

    def consume(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        return self._consumer.consume(event, context, self._work)

    def _work(self, command: Command, delivery: Delivery, ports: Ports) -> Outcome:
        return handle(command, delivery, ports, self._answer)

    def _answer(self, turn: Turn, delivery: Delivery, ports: Ports) -> Outcome:
        return answer(
            turn,
            delivery,
            ports,
            agents=self._agents,
            access=self._consumer.access,
            approval_rules=self._approval_rules,
            tools=self._tools,
            attachments=self._consumer.installation.files,
            options=self._consumer.settings.reply,
            conversations=self._consumer.settings.conversation,
            margin=MARGIN_SECONDS,
        )


@cache
def _worker() -> _Worker:
    return _Worker()


if in_lambda():
    _worker().warm()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    return _worker().consume(event, context)
