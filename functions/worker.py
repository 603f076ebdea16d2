"""Lambda behind the queue: asks the agent and turns "Processing…" into its answer."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.adapters import aws
from functions.adapters.bedrock_agent import BedrockAgent
from functions.bridge.agent import Agent
from functions.bridge.answer import Outcome, answer
from functions.bridge.custody import Delivery, Ports
from functions.bridge.turn import Turn
from functions.consumer import RESERVE_SECONDS, Consumer, LambdaContext
from functions.settings import AgentSettings, in_lambda

# The worker stops reading 15 seconds before its time is up: ten to say so, five in reserve.
MARGIN_SECONDS = 15.0 - RESERVE_SECONDS
# No invocation lasts longer, so that the worker's own deadline comes first.
LONGEST_INVOCATION_SECONDS = 900.0


@cache
def _collaborators() -> tuple[Consumer, Agent, bool]:
    settings = AgentSettings.read(os.environ)
    client = aws.bedrock_agent_runtime(longest_silence=LONGEST_INVOCATION_SECONDS)
    agent = BedrockAgent(client, agent_id=settings.agent_id, alias_id=settings.alias_id)
    return Consumer(os.environ), agent, settings.show_rationale


if in_lambda():
    _collaborators()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    consumer, agent, show_rationale = _collaborators()

    def work(turn: Turn, delivery: Delivery, ports: Ports) -> Outcome:
        return answer(
            turn, delivery, ports, agent=agent, margin=MARGIN_SECONDS, show_rationale=show_rationale
        )

    return consumer.consume(event, context, work)
