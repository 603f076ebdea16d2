"""The event formats in which a tool is called, and the response format of each.

- An action group of a Bedrock agent, described by function details:
  docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
- A target of an AgentCore gateway, where the event is the arguments themselves:
  docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sample.tools.failures import InvalidArguments, ToolFailure
from sample.tools.schema import Schema

GATEWAY_TOOL_NAME = "bedrockAgentCoreToolName"  # in the client context: the target's name, then the tool's
GATEWAY_SEPARATOR = "___"

Event = Mapping[str, Any]
Result = dict[str, Any]
Tool = Callable[[dict[str, Any]], Result]


def serve(event: Event, context: object, schema: Schema, tool: Tool) -> Result:
    """Call `tool` with the event's arguments, checked by `schema`, and wrap its result for the caller.

    A `ToolFailure` becomes a result, `{"error": text}`. Any other exception is a defect: Lambda reports it,
    and neither generation of agents shows it to the model.
    """
    is_action = "actionGroup" in event
    failure: ToolFailure | None = None
    try:
        arguments = _action_arguments(event) if is_action else _gateway_arguments(event, context, schema)
        result = tool(schema.check(arguments))
    except ToolFailure as error:
        result, failure = {"error": str(error)}, error
    return _action_response(event, result, failure) if is_action else result


def _gateway_arguments(event: Event, context: object, schema: Schema) -> Event:
    """Raises InvalidArguments when the gateway's target says that this function is another tool."""
    custom = getattr(getattr(context, "client_context", None), "custom", None) or {}
    called = str(custom.get(GATEWAY_TOOL_NAME, schema.name)).split(GATEWAY_SEPARATOR)[-1]
    if called != schema.name:
        raise InvalidArguments(f"There is no tool {called} here; this is {schema.name}")
    return event


def _action_arguments(event: Event) -> dict[str, Any]:
    return {parameter["name"]: parameter.get("value") for parameter in event.get("parameters") or ()}


def _action_response(event: Event, result: Result, failure: ToolFailure | None) -> Result:
    body = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    # REPROMPT asks the model to call again. The other state, FAILURE, would end the session.
    state = {"responseState": "REPROMPT"} if isinstance(failure, InvalidArguments) else {}
    response = {
        "actionGroup": event["actionGroup"],
        "function": event["function"],
        "functionResponse": {**state, "responseBody": {"TEXT": {"body": body}}},
    }
    return {"messageVersion": "1.0", "response": response}
