"""What the policies speak of exists: actions, resources that an action can have, condition keys.

AWS takes a policy with a misspelt action, or with a resource that the action never touches, and then refuses
the call.
"""

from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest

from config.bridge_toml import Config, SampleAgent
from functions.settings import AgentSettings, Settings
from infra.bridge_stack import BridgeStack, Sample
from sample.bedrock_agent_stack import SampleAgentStack
from sample.harness_stack import SampleHarnessStack
from tests.infra.service_authorization import BESIDES, Statement, faults, resource_types

PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
}
# What the references of our policies become: docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference
RETURNED = {
    "AWS::Bedrock::Agent.AgentId": "ABCDEFGHIJ",
    "AWS::Bedrock::AgentAlias.AgentAliasId": "KLMNOPQRST",
    "AWS::BedrockAgentCore::Gateway.GatewayArn": (
        "arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/name"
    ),
    "AWS::BedrockAgentCore::Harness.Arn": "arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/name",
    "AWS::BedrockAgentCore::Harness.Memory.ManagedMemoryConfiguration.Arn": (
        "arn:aws:bedrock-agentcore:us-east-1:123456789012:memory/name"
    ),
    "AWS::DynamoDB::GlobalTable.Arn": "arn:aws:dynamodb:us-east-1:123456789012:table/name",
    "AWS::IAM::Role.Arn": "arn:aws:iam::123456789012:role/name",
    "AWS::Lambda::Function.Arn": "arn:aws:lambda:us-east-1:123456789012:function:name",
    "AWS::Logs::LogGroup.Arn": "arn:aws:logs:us-east-1:123456789012:log-group:name:*",
    "AWS::SNS::Topic.Ref": "arn:aws:sns:us-east-1:123456789012:name",
    "AWS::SQS::Queue.Arn": "arn:aws:sqs:us-east-1:123456789012:name",
    "AWS::SecretsManager::Secret.Ref": "arn:aws:secretsmanager:us-east-1:123456789012:secret:name-a1b2c3",
}

Templates = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def templates(cdk_context: dict[str, Any]) -> Templates:
    """A bridge with every kind of agent, and both samples: one by a profile, one by its bare model."""
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    harness = SampleHarnessStack(app, "harness", name="agent-bridge", settings=SampleAgent(memory=True))
    SampleAgentStack(app, "classic", name="agent-bridge", settings=SampleAgent(model="amazon.nova-lite-v1:0"))
    agentcore = "arn:aws:bedrock-agentcore:us-east-1:123456789012"
    agents = {
        "classic": AgentSettings("bedrock-agent", agent_id="ABCDEFGHIJ", alias_id="KLMNOPQRST"),
        "harness": AgentSettings(
            "agentcore-harness", arn=f"{agentcore}:harness/name-a1b2c3d4e5", qualifier="prod"
        ),
        "runtime": AgentSettings(
            "agentcore-runtime",
            arn=f"{agentcore}:runtime/name-a1b2c3d4e5",
            tell_user_id=True,
            stop_session=True,
        ),
        "elsewhere": AgentSettings(
            "agentcore-harness",
            arn="arn:aws:bedrock-agentcore:us-east-1:210987654321:harness/name-a1b2c3d4e5",
            role_arn="arn:aws:iam::210987654321:role/of/others/caller",
        ),
    }
    config = Config(name="agent-bridge", settings=Settings(agents))
    sample = Sample(
        AgentSettings("agentcore-harness", arn=harness.harness_arn), fingerprint="0123456789abcdef"
    )
    BridgeStack(app, "bridge", config=config, sample=sample)
    return {stack.stack_name: stack.template for stack in app.synth().stacks}


def policies(templates: Templates, stack: str) -> Iterator[tuple[str, list[Statement]]]:
    """The resolved statements of each policy, with the type of the resource that it is in."""
    for resource in templates[stack]["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Permission":
            properties = {
                "Statement": [{"Action": properties["Action"], "Resource": properties["FunctionName"]}]
            }
        for document in documents(properties):
            yield resource["Type"], resolved(document["Statement"], templates, stack)


def documents(value: Any) -> Iterator[dict[str, Any]]:
    """The policies anywhere in the properties of a resource."""
    if isinstance(value, dict) and "Statement" in value:
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from documents(one)


def resolved(value: Any, templates: Templates, stack: str) -> Any:
    """The value with what CloudFormation puts in place of the functions in it."""

    def here(one: Any) -> Any:
        return resolved(one, templates, stack)

    def returned(name: str, attribute: str) -> str:
        return RETURNED[f"{templates[stack]['Resources'][name]['Type']}.{attribute}"]

    match value:
        case {"Ref": str(name)}:
            return PSEUDO_PARAMETERS.get(name) or returned(name, "Ref")
        case {"Fn::GetAtt": [name, attribute]}:
            return returned(name, attribute)
        case {"Fn::Join": [separator, parts]}:
            return separator.join(here(parts))
        case {"Fn::GetStackOutput": {"StackName": other, "OutputName": name}}:
            return resolved(templates[other]["Outputs"][name]["Value"], templates, other)
        case dict():
            return {key: here(one) for key, one in value.items()}
        case list():
            return [here(one) for one in value]
    return value


@pytest.mark.parametrize("stack", ["bridge", "harness", "classic"])
def test_everything_that_a_policy_speaks_of_exists(templates: Templates, stack: str) -> None:
    found = [
        fault
        for _, statements in policies(templates, stack)
        for statement in statements
        for fault in faults(statement)
    ]
    assert not found, "\n".join(found)


def test_policies_of_identities_and_of_resources_are_checked(templates: Templates) -> None:
    assert {kind for kind, _ in policies(templates, "bridge")} == {
        "AWS::IAM::Role",
        "AWS::IAM::Policy",
        "AWS::Lambda::Permission",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }


QUEUE = RETURNED["AWS::SQS::Queue.Arn"]
TABLE = RETURNED["AWS::DynamoDB::GlobalTable.Arn"]
ROLE = "arn:aws:iam::210987654321:role/of/others/caller"


@pytest.mark.parametrize(
    ("action", "resource", "fault"),
    [
        ("sqs:SendMesage", QUEUE, "there is no action sqs:SendMesage"),
        ("sqs:Send*s", QUEUE, "there is no action sqs:Send*s"),
        ("sqss:SendMessage", QUEUE, "there is no action sqss:SendMessage"),
        # Of another service, of another type, and of no type at all.
        ("sqs:SendMessage", TABLE, f"sqs:SendMessage has no resource like {TABLE}"),
        ("sqs:*", TABLE, f"sqs:* has no resource like {TABLE}"),
        ("dynamodb:GetItem", f"{TABLE}/index/x", f"dynamodb:GetItem has no resource like {TABLE}/index/x"),
        ("xray:PutTraceSegments", QUEUE, f"xray:PutTraceSegments has no resource like {QUEUE}"),
        # An account or region where there is none, and none where there is one.
        (
            "sts:AssumeRole",
            ROLE.replace("::", ":us-east-1:"),
            "sts:AssumeRole has no resource like arn:aws:iam:us-",
        ),
        (
            "sqs:SendMessage",
            "arn:aws:sqs:us-east-1:name",
            "sqs:SendMessage has no resource like arn:aws:sqs:us-",
        ),
        # A log group's ARN without its end: events go to its streams.
        (
            "logs:PutLogEvents",
            "arn:aws:logs:us-east-1:123456789012:log-group:name",
            "logs:PutLogEvents has no resource like arn:aws:logs:us-east-1:123456789012:log-group:name",
        ),
    ],
)
def test_a_statement_about_an_unknown_action_or_resource_is_found(
    action: str, resource: str, fault: str
) -> None:
    (found,) = faults({"Action": action, "Resource": resource})
    assert found.startswith(fault)


@pytest.mark.parametrize("key", ["aws:SourceArm", "sqs:Name", "dynamodb:LeadingKeys"])
def test_a_condition_key_that_the_action_does_not_know_is_found(key: str) -> None:
    statement = {"Action": "sqs:SendMessage", "Resource": QUEUE, "Condition": {"StringEquals": {key: "x"}}}
    assert list(faults(statement)) == [f"sqs:SendMessage has no condition key {key}"]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sqs:SendMessage", QUEUE),
        ("sqs:sendmessage", "*"),
        ("sqs:Send*", "arn:aws:sqs:*:123456789012:name-*"),
        ("sts:AssumeRole", ROLE),
        ("logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/of/*:log-stream:*"),
        ("dynamodb:*", [TABLE, f"{TABLE}/index/x"]),
    ],
)
def test_a_statement_about_existing_actions_passes(action: str, resource: Any) -> None:
    assert list(faults({"Action": action, "Resource": resource})) == []


@pytest.mark.parametrize("action", BESIDES)
def test_the_reference_does_not_know_what_stands_beside_it(action: str) -> None:
    assert not resource_types(action) & {*BESIDES[action]}, (
        "the reference knows it now: take it out of BESIDES"
    )
