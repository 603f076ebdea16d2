"""The sample agents' templates under other people's rules: cfn-lint's and cdk-nag's AwsSolutions."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from infra.config import SampleAgent
from infra.sample_agent_stack import SampleAgentStack
from infra.sample_harness_stack import SampleHarnessStack

# cdk-nag writes a resource differently when the region is known.
SAMPLES = [
    (SampleAgentStack, {}),
    (
        SampleAgentStack,
        {"region": "eu-central-1", "settings": SampleAgent(model="eu.amazon.nova-2-lite-v1:0")},
    ),
    (SampleHarnessStack, {}),
    (
        SampleHarnessStack,
        {"region": "us-east-1", "settings": SampleAgent(model="amazon.nova-lite-v1:0", memory=True)},
    ),
]


@pytest.mark.parametrize(("stack", "properties"), SAMPLES)
def test_cfn_lint_finds_nothing(cdk_context: dict[str, Any], stack: Any, properties: dict[str, Any]) -> None:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    template = Template.from_stack(stack(app, "sample", name="agent-bridge", **properties))
    # W3005: CDK writes down every dependency on a role, also those that follow anyway.
    matches = lint(
        json.dumps(template.to_json()),
        config=ManualArgs(regions=["us-east-1", "eu-central-1"], ignore_checks=["W3005"]),
    )
    assert [str(match) for match in matches] == []


@pytest.mark.parametrize(("stack", "properties"), SAMPLES)
def test_cdk_nag_finds_nothing(
    cdk_context: dict[str, Any], tmp_path: Path, stack: Any, properties: dict[str, Any]
) -> None:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []}, outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack(app, "sample", name="agent-bridge", **properties)
    app.synth()
    assert json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"] == []
