import json
from typing import Any

import aws_cdk as cdk
import pytest

from infra.code_asset import functions_code
from infra.function import BridgeFunction


@pytest.fixture
def stack(cdk_context: dict[str, Any]) -> cdk.Stack:
    return cdk.Stack(cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []}), "Stack")


def environment_bytes(stack: cdk.Stack, name: str, environment: dict[str, str]) -> int:
    return BridgeFunction(
        stack,
        name,
        code=functions_code(),
        handler="functions.worker.handler",
        timeout=cdk.Duration.seconds(10),
        memory=128,
        service="agent-bridge",
        environment=environment,
    ).environment_bytes


def test_the_environment_is_measured_in_bytes_of_names_and_values(stack: cdk.Stack) -> None:
    nothing = environment_bytes(stack, "Nothing", {})
    assert environment_bytes(stack, "Text", {"PLACE": "Köln"}) == nothing + len("PLACE") + 5


def test_what_only_the_deployment_knows_counts_as_200_bytes_also_within_a_text(stack: cdk.Stack) -> None:
    arn = cdk.Fn.import_value("HarnessArn")
    document = {"default": {"arn": arn}}
    nothing = environment_bytes(stack, "Nothing", {})
    assert environment_bytes(stack, "Value", {"ARN": arn}) == nothing + len("ARN") + 200
    text = json.dumps({"default": {"arn": ""}}, separators=(",", ":"))
    assert (
        environment_bytes(stack, "Text", {"AGENTS": stack.to_json_string(document)})
        == nothing + len("AGENTS") + len(text) + 200
    )
