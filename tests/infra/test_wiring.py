"""The simulator runs what is deployed: its copy of the wiring and the template say the same."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from sample.bedrock_agent_stack import SampleAgentStack
from sample.harness_stack import SampleHarnessStack
from simulator import wiring
from simulator.agent.tools import gateway_name
from simulator.tool_gateway import FUNCTIONS


@pytest.mark.parametrize("function", wiring.FUNCTIONS, ids=lambda function: function.name)
def test_functions_are_those_of_the_template(
    functions: dict[str, tuple[str, dict[str, Any]]], function: wiring.Function
) -> None:
    _, deployed = functions[function.name]
    assert function == wiring.Function(
        name=function.name,
        handler=deployed["Handler"],
        timeout=deployed["Timeout"],
        memory=deployed["MemorySize"],
        environment=frozenset(deployed["Environment"]["Variables"]),
    )


def test_the_template_has_no_other_functions(functions: dict[str, tuple[str, dict[str, Any]]]) -> None:
    assert functions.keys() == {function.name for function in wiring.FUNCTIONS}


def test_the_schedule_runs_what_it_runs_in_the_template(
    template: Template, functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    [rule] = template.find_resources("AWS::Events::Rule").values()
    assert rule["Properties"]["ScheduleExpression"] == "rate(1 hour)"
    assert [target["Arn"]["Fn::GetAtt"][0] for target in rule["Properties"]["Targets"]] == [
        functions[function.name][0] for function in wiring.HOURLY
    ]


@pytest.mark.parametrize("stack", [SampleAgentStack, SampleHarnessStack])
def test_tools_are_those_of_the_sample_agents_templates(
    stack: type[SampleAgentStack | SampleHarnessStack], cdk_context: dict[str, Any]
) -> None:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    template = Template.from_stack(stack(app, "sample", name="agent-bridge"))
    deployed = [
        function["Properties"] for function in template.find_resources("AWS::Lambda::Function").values()
    ]
    assert set(wiring.TOOLS) == {
        wiring.Function(
            name=function["Handler"].split(".")[-2],
            handler=function["Handler"],
            timeout=function["Timeout"],
            memory=function["MemorySize"],
            environment=frozenset(function.get("Environment", {}).get("Variables", {})),
        )
        for function in deployed
    }


def test_a_gateway_knows_the_tools_by_the_names_of_the_template(cdk_context: dict[str, Any]) -> None:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    template = Template.from_stack(SampleHarnessStack(app, "sample", name="agent-bridge"))
    targets = [
        target["Properties"]
        for target in template.find_resources("AWS::BedrockAgentCore::GatewayTarget").values()
    ]
    deployed = {}
    for target in targets:
        [tool] = target["TargetConfiguration"]["Mcp"]["Lambda"]["ToolSchema"]["InlinePayload"]
        deployed[f"{target['Name']}___{tool['Name']}"] = target["Name"]
    assert {gateway_name(tool): function.name for tool, function in FUNCTIONS.items()} == deployed


@pytest.mark.parametrize("queue", wiring.QUEUES, ids=lambda queue: queue.name)
def test_queues_are_those_of_the_template(
    template: Template, functions: dict[str, tuple[str, dict[str, Any]]], queue: wiring.Queue
) -> None:
    function_id, _ = functions[queue.function.name]
    (mapping,) = template.find_resources(
        "AWS::Lambda::EventSourceMapping", {"Properties": {"FunctionName": {"Ref": function_id}}}
    ).values()
    queue_id = mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]
    deployed = template.find_resources("AWS::SQS::Queue")[queue_id]["Properties"]
    assert queue == wiring.Queue(
        name=queue.name,
        function=queue.function,
        visibility_timeout=deployed["VisibilityTimeout"],
        max_concurrency=mapping["Properties"]["ScalingConfig"]["MaximumConcurrency"],
        max_receive_count=deployed.get("RedrivePolicy", {}).get("maxReceiveCount"),
        retention=deployed["MessageRetentionPeriod"],
    )


def test_routes_are_those_of_the_template(template: Template) -> None:
    routes = template.find_resources("AWS::ApiGatewayV2::Route").values()
    assert sorted(route["Properties"]["RouteKey"] for route in routes) == sorted(wiring.ROUTES)
