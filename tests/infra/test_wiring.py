"""The simulator runs what is deployed: its copy of the wiring and the template say the same."""

from typing import Any

import pytest
from aws_cdk.assertions import Template

from simulator import wiring


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


@pytest.mark.parametrize("queue", [wiring.QUESTIONS, wiring.DEAD_LETTER_QUEUE], ids=lambda queue: queue.name)
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


def test_the_lease_is_that_of_the_template(functions: dict[str, tuple[str, dict[str, Any]]]) -> None:
    for name in ("worker", "dead_letters"):
        _, deployed = functions[name]
        assert deployed["Environment"]["Variables"]["LEASE_SECONDS"] == str(wiring.LEASE_SECONDS)


def test_the_table_is_that_of_the_template(template: Template) -> None:
    (table,) = template.find_resources("AWS::DynamoDB::GlobalTable").values()
    partition_key, sort_key = wiring.TABLE_KEYS
    assert table["Properties"]["KeySchema"] == [
        {"AttributeName": partition_key, "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]
    assert {
        attribute["AttributeName"]: attribute["AttributeType"]
        for attribute in table["Properties"]["AttributeDefinitions"]
    } == {partition_key: "S", sort_key: "S"}
    assert table["Properties"]["TimeToLiveSpecification"] == {
        "AttributeName": wiring.TABLE_TTL_ATTRIBUTE,
        "Enabled": True,
    }
