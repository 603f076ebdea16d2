"""The template under other people's rules: cfn-lint's and cdk-nag's AwsSolutions."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from config.bridge_toml import Config, Worker
from infra.bridge_stack import BridgeStack
from tests.infra.cfn_lint import findings
from tests.infra.conftest import Synthesise


def test_cfn_lint_finds_nothing(template: Template) -> None:
    assert findings(template) == []


def test_for_a_half_hour_timeout_cfn_lint_only_reports_lambdas_former_limit(
    synthesise: Synthesise, config: Config
) -> None:
    longest = synthesise(replace(config, worker=Worker(timeout_seconds=1800)))
    found = findings(longest)
    assert found
    assert [one for one in found if not one.startswith("[E3717: ")] == []


@pytest.fixture
def checked_app(cdk_context: dict[str, Any], tmp_path: Path) -> cdk.App:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []}, outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def test_cdk_nag_finds_nothing(checked_app: cdk.App, config: Config, tmp_path: Path) -> None:
    BridgeStack(checked_app, "bridge", config=config)
    checked_app.synth()
    assert json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"] == []


def test_cdk_nag_would_find_something(checked_app: cdk.App) -> None:
    sqs.Queue(cdk.Stack(checked_app, "careless"), "Queue")
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        checked_app.synth()
