"""A small AgentCore gateway, without HTTP, between the agent and its tools' Lambda functions.

The event and context of such a function:
docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html
"""

import threading
import uuid
from typing import Any

from simulator import wiring
from simulator.agent.actions import Arguments
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER, gateway_name
from simulator.lambda_service.service import LambdaService, TooManyRequestsError

GATEWAY_ID = "agent-bridge-a1b2c3d4e5"
FUNCTIONS = {FIND_PLACE: wiring.PLACES, FIND_WEATHER: wiring.WEATHER, FIND_DATE: wiring.CLOCK}

# Processes of one tool, however many ask at once: a call takes some milliseconds, a process 30 MB.
AT_ONCE = 2

BROKEN = {"error": "The tool broke down. Try again later."}


class ToolGateway:
    """Runs the function behind a tool, and waits for its result. See `Tools`."""

    def __init__(self, lambdas: LambdaService) -> None:
        self._lambdas = lambdas
        at_once = min(AT_ONCE, lambdas.concurrency)
        self._free = {name: threading.Semaphore(at_once) for name in FUNCTIONS}

    def use(self, name: str, arguments: Arguments) -> dict[str, Any]:
        custom = {
            "bedrockAgentCoreGatewayId": GATEWAY_ID,
            "bedrockAgentCoreTargetId": FUNCTIONS[name].name,
            "bedrockAgentCoreMessageVersion": "1.0",
            "bedrockAgentCoreAwsRequestId": str(uuid.uuid4()),
            "bedrockAgentCoreMcpMessageId": "1",
            "bedrockAgentCoreToolName": gateway_name(name),
        }
        with self._free[name]:
            try:
                result = self._lambdas.invoke(
                    FUNCTIONS[name].name, dict(arguments), client_context={"custom": custom}
                )
            except TooManyRequestsError:
                return BROKEN
        # A function's own error is in its log; the model is not told of it.
        return BROKEN if result.error else dict(result.payload)
