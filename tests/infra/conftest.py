import json
from pathlib import Path
from typing import Any, Protocol

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from config.bridge_toml import Config
from functions.settings import AgentSettings, Settings
from infra.bridge_stack import BridgeStack

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cdk_context() -> dict[str, Any]:
    """The feature flags that the command line reads from cdk.json."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


@pytest.fixture(scope="session")
def config() -> Config:
    """The smallest one: the agent is one's own, everything else as it comes."""
    agent = AgentSettings(
        "bedrock-agent",
        agent_id="ABCDEFGHIJ",
        alias_id="TSTALIASID",
        approval_seconds=600,  # as the reader of bridge.toml has it where the file does not say
    )
    return Config(name="agent-bridge", settings=Settings({"default": agent}))


class Synthesise(Protocol):
    def __call__(self, config: Config) -> Template: ...


@pytest.fixture(scope="session")
def synthesise(cdk_context: dict[str, Any]) -> Synthesise:
    """Makes a stack's template, without bundling its code."""

    def template(config: Config) -> Template:
        app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
        return Template.from_stack(BridgeStack(app, config.name, config=config))

    return template


@pytest.fixture(scope="session")
def template(synthesise: Synthesise, config: Config) -> Template:
    """The template of the smallest configuration."""
    return synthesise(config)


@pytest.fixture(scope="session")
def resources(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = template.to_json()["Resources"]
    return found


@pytest.fixture(scope="session")
def functions(resources: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The Lambda functions by the last but one word of their handler: their logical ids and properties."""
    return {
        resource["Properties"]["Handler"].split(".")[-2]: (logical_id, resource["Properties"])
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Function"
    }
