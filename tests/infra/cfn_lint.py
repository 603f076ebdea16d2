"""cfn-lint, CloudFormation's own rules, on a template of ours."""

import json
from collections.abc import Sequence

from aws_cdk.assertions import Template
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

# One on each of three continents. All have everything that the bridge and its samples are made of.
REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2")


def findings(template: Template, *, regions: Sequence[str] = REGIONS) -> list[str]:
    """What is wrong with the template in any of the regions."""
    # W3005: CDK writes down every dependency on a role, also those that follow anyway.
    config = ManualArgs(regions=[*regions], ignore_checks=["W3005"])
    return [str(match) for match in lint(json.dumps(template.to_json()), config=config)]
