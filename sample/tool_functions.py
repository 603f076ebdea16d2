"""The sample agent's tools: their Lambda functions and their descriptions for both kinds of agent.

The descriptions come from `sample/tools/schemas.json`, which the functions check their arguments against.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_bedrock as bedrock
from aws_cdk import aws_bedrockagentcore as agentcore
from constructs import Construct

from config.bridge_toml import SampleAgent
from infra.code_asset import code_of
from infra.function import BridgeFunction

TOOLS = Path(__file__).parent / "tools"
SCHEMAS = TOOLS / "schemas.json"

# The tools give the weather service 8 seconds.
TIMEOUT = cdk.Duration.seconds(15)


@dataclass(frozen=True)
class Tool:
    """One tool, as `schemas.json` has it.

    Attributes:
        module: in sample/tools; also the first part of the name that a model sees.
        name: the second part. The action group or gateway joins them; Bedrock allows 64 characters.
        parameters: by name, as JSON Schema, and `required`.
    """

    module: str
    name: str
    description: str
    parameters: Mapping[str, Mapping[str, Any]]

    def function_schema(self) -> bedrock.CfnAgent.FunctionSchemaProperty:
        """For an action group of a Bedrock agent."""
        parameters = {
            name: bedrock.CfnAgent.ParameterDetailProperty(
                type=rule["type"], description=_description(rule), required=rule.get("required", False)
            )
            for name, rule in self.parameters.items()
        }
        function = bedrock.CfnAgent.FunctionProperty(
            name=self.module, description=self.description, parameters=parameters
        )
        return bedrock.CfnAgent.FunctionSchemaProperty(functions=[function])

    def tool_definition(self) -> agentcore.CfnGatewayTarget.ToolDefinitionProperty:
        """For a target of an AgentCore gateway, which supports no more of JSON Schema than this."""
        properties = {
            name: agentcore.CfnGatewayTarget.SchemaDefinitionProperty(
                type=rule["type"], description=_description(rule)
            )
            for name, rule in self.parameters.items()
        }
        return agentcore.CfnGatewayTarget.ToolDefinitionProperty(
            name=self.name,
            description=self.description,
            input_schema=agentcore.CfnGatewayTarget.SchemaDefinitionProperty(
                type="object",
                properties=properties,
                required=[name for name, rule in self.parameters.items() if rule.get("required")],
            ),
        )


def read_tools() -> tuple[Tool, ...]:
    schemas = json.loads(SCHEMAS.read_text(encoding="utf-8"))
    return tuple(
        Tool(module, schema["name"], schema["description"], schema["parameters"])
        for module, schema in schemas.items()
    )


class SampleTools(Construct):
    """`functions` are the tools, each with its function."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: SampleAgent) -> None:
        super().__init__(scope, construct_id)
        code = code_of(TOOLS)
        addresses = {
            "places": {"GEOCODING_URL": settings.geocoding_url},
            "weather": {"FORECAST_URL": settings.forecast_url},
        }
        self.functions = [
            (
                tool,
                BridgeFunction(
                    self,
                    tool.module.title(),
                    code=code,
                    handler=f"sample.tools.{tool.module}.handler",
                    timeout=TIMEOUT,
                    memory=256,
                    environment={
                        name: address for name, address in addresses.get(tool.module, {}).items() if address
                    },
                ).function,
            )
            for tool in read_tools()
        ]


def _description(rule: Mapping[str, Any]) -> str:
    """The description with the limits in words, because neither kind of agent takes them as numbers."""
    text: str = rule["description"]
    if "minimum" in rule:
        text += f" From {rule['minimum']} to {rule['maximum']}."
    if "default" in rule:
        text += f" Without it: {rule['default']}."
    return text
