"""The sample agents' templates under other people's rules: cfn-lint's and cdk-nag's AwsSolutions."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from config.bridge_toml import SampleAgent
from sample.bedrock_agent_stack import SampleAgentStack
from sample.harness_stack import SampleHarnessStack
from tests.infra.cfn_lint import findings

# All that a role may be allowed.
EVERYTHING = SampleAgent(
    model="us.anthropic.claude-sonnet-4-6",
    marketplace=True,
    guardrails=("arn:aws:bedrock:us-east-1:123456789012:guardrail/a1b2c3d4e5f6",),
)

# cdk-nag writes a resource differently when the region is known.
SAMPLES = [
    (SampleAgentStack, {}),
    (
        SampleAgentStack,
        {"region": "eu-central-1", "settings": SampleAgent(model="eu.amazon.nova-2-lite-v1:0")},
    ),
    (SampleAgentStack, {"settings": EVERYTHING}),
    (SampleHarnessStack, {}),
    (
        SampleHarnessStack,
        {"region": "us-east-1", "settings": SampleAgent(model="amazon.nova-lite-v1:0", memory=True)},
    ),
    (SampleHarnessStack, {"region": "us-east-1", "settings": EVERYTHING}),
]


def synthesise(cdk_context: dict[str, Any], stack: Any, properties: dict[str, Any]) -> Template:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    return Template.from_stack(stack(app, "sample", name="agent-bridge", **properties))


@pytest.mark.parametrize(("stack", "properties"), SAMPLES)
def test_cfn_lint_finds_nothing(cdk_context: dict[str, Any], stack: Any, properties: dict[str, Any]) -> None:
    assert findings(synthesise(cdk_context, stack, properties)) == []


def test_cfn_lint_would_find_a_region_without_the_harness(cdk_context: dict[str, Any]) -> None:
    found = findings(synthesise(cdk_context, SampleHarnessStack, {}), regions=["eu-central-1", "af-south-1"])
    assert any("AWS::BedrockAgentCore::Harness" in one and "af-south-1" in one for one in found)


@pytest.mark.parametrize(("stack", "properties"), SAMPLES)
def test_cdk_nag_finds_nothing(
    cdk_context: dict[str, Any], tmp_path: Path, stack: Any, properties: dict[str, Any]
) -> None:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []}, outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack(app, "sample", name="agent-bridge", **properties)
    app.synth()
    assert json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"] == []
