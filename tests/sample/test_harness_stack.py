import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from config.bridge_toml import SampleAgent
from sample.bedrock_agent_stack import INSTRUCTIONS
from sample.harness_stack import SampleHarnessStack


def synthesise(cdk_context: dict[str, Any], **properties: Any) -> Template:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    return Template.from_stack(SampleHarnessStack(app, "sample", **{"name": "agent-bridge", **properties}))


@pytest.fixture(scope="module")
def template(cdk_context: dict[str, Any]) -> Template:
    return synthesise(cdk_context, region="us-east-1")


@pytest.fixture(scope="module")
def harness(template: Template) -> dict[str, Any]:
    (found,) = template.find_resources("AWS::BedrockAgentCore::Harness").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def statements(template: Template, role: str) -> list[dict[str, Any]]:
    """What the role itself says it may do; ARNs of this account and region without their beginning."""
    (policy,) = template.find_resources("AWS::IAM::Role")[role]["Properties"]["Policies"]
    return [
        {**statement, "Resource": readable(statement["Resource"])}
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def readable(value: Any) -> Any:
    match value:
        case {"Fn::Join": ["", [str(start), {"Ref": "AWS::AccountId"}, str(end)]]}:
            return f"{start}…{end}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{re.sub('[0-9A-F]{8}$', '', name)}.{attribute}"
        case [*values]:
            return [readable(one) for one in values]
    return value


def test_the_harness_has_our_instructions_and_a_model(harness: dict[str, Any]) -> None:
    assert harness["SystemPrompt"] == [{"Text": INSTRUCTIONS.read_text()}]
    assert harness["Model"] == {
        "BedrockModelConfig": {"ModelId": "global.amazon.nova-2-lite-v1:0", "MaxTokens": 2000}
    }


def test_the_harness_has_no_memory_and_a_short_idle_timeout(harness: dict[str, Any]) -> None:
    # Without this word the service would make a memory, and CDK likes to leave empty objects out.
    assert harness["Memory"] == {"Disabled": {}}
    runtime = harness["Environment"]["AgentCoreRuntimeEnvironment"]
    assert runtime["LifecycleConfiguration"] == {"IdleRuntimeSessionTimeout": 300}


def test_model_and_memory_are_settings(cdk_context: dict[str, Any]) -> None:
    settings = SampleAgent(model="eu.amazon.nova-2-lite-v1:0", memory=True)
    template = synthesise(cdk_context, settings=settings)
    ((name, harness),) = template.find_resources("AWS::BedrockAgentCore::Harness").items()
    assert harness["Properties"]["Model"]["BedrockModelConfig"]["ModelId"] == "eu.amazon.nova-2-lite-v1:0"
    assert harness["Properties"]["Memory"] == {"ManagedMemoryConfiguration": {"EventExpiryDuration": 30}}
    (policy,) = (
        policy["Properties"]
        for logical_id, policy in template.find_resources("AWS::IAM::Policy").items()
        if logical_id.startswith("MemoryPolicy")
    )
    assert policy["Roles"] == [{"Ref": harness["Properties"]["ExecutionRoleArn"]["Fn::GetAtt"][0]}]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Fn::GetAtt": [name, "Memory.ManagedMemoryConfiguration.Arn"]}
    assert {action.partition(":")[2] for action in statement["Action"]} == {
        "CreateEvent",
        "GetEvent",
        "ListEvents",
        "DeleteEvent",
        "RetrieveMemoryRecords",
    }


def test_the_harness_may_use_the_gateways_tools_only(template: Template, harness: dict[str, Any]) -> None:
    (gateway,) = template.find_resources("AWS::BedrockAgentCore::Gateway")
    assert harness["Tools"] == [
        {
            "Type": "agentcore_gateway",
            "Name": "gateway",
            "Config": {
                "AgentCoreGateway": {
                    "GatewayArn": {"Fn::GetAtt": [gateway, "GatewayArn"]},
                    "OutboundAuth": {"AwsIam": {}},
                }
            },
        }
    ]
    assert harness["AllowedTools"] == ["@gateway"]


def test_an_answer_ends_before_the_worker_does(harness: dict[str, Any]) -> None:
    assert harness["TimeoutSeconds"] == 120
    assert harness["MaxIterations"] == 15


def test_the_gateway_takes_callers_by_iam_and_shows_no_exceptions(template: Template) -> None:
    (gateway,) = template.find_resources("AWS::BedrockAgentCore::Gateway").values()
    properties = gateway["Properties"]
    assert properties["AuthorizerType"] == "AWS_IAM"
    assert properties["ProtocolType"] == "MCP"
    assert "ExceptionLevel" not in properties


def test_each_target_calls_its_own_function_with_the_gateways_role(template: Template) -> None:
    functions = template.find_resources("AWS::Lambda::Function")
    targets = [
        target["Properties"]
        for target in template.find_resources("AWS::BedrockAgentCore::GatewayTarget").values()
    ]
    handlers = {}
    for target in targets:
        assert target["CredentialProviderConfigurations"] == [{"CredentialProviderType": "GATEWAY_IAM_ROLE"}]
        function = target["TargetConfiguration"]["Mcp"]["Lambda"]["LambdaArn"]["Fn::GetAtt"][0]
        handlers[target["Name"]] = functions[function]["Properties"]["Handler"]
    assert handlers == {
        "places": "sample.tools.places.handler",
        "weather": "sample.tools.weather.handler",
        "clock": "sample.tools.clock.handler",
    }


def test_the_gateways_role_may_invoke_the_three_functions(template: Template) -> None:
    (gateway,) = template.find_resources("AWS::BedrockAgentCore::Gateway").values()
    assert statements(template, gateway["Properties"]["RoleArn"]["Fn::GetAtt"][0]) == [
        {
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": ["ToolsClockFunction.Arn", "ToolsPlacesFunction.Arn", "ToolsWeatherFunction.Arn"],
        }
    ]


def test_the_harnesss_role_may_do_what_its_documentation_asks_for(
    template: Template, harness: dict[str, Any]
) -> None:
    profile = "inference-profile/global.amazon.nova-2-lite-v1:0"
    log_groups = "arn:aws:logs:us-east-1:…:log-group:"
    found = statements(template, harness["ExecutionRoleArn"]["Fn::GetAtt"][0])
    (conditional,) = (s for s in found if "bedrock:InferenceProfileArn" in str(s.get("Condition")))
    assert conditional["Resource"] == "arn:aws:bedrock:*::foundation-model/amazon.nova-2-lite-v1:0"
    (metrics,) = (s for s in found if "cloudwatch:PutMetricData" in s["Action"])
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": "bedrock-agentcore"}}
    assert {
        action: statement["Resource"]
        for statement in found
        if statement is not conditional
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    } == {
        "bedrock:InvokeModel": f"arn:aws:bedrock:us-east-1:…:{profile}",
        "bedrock:InvokeModelWithResponseStream": f"arn:aws:bedrock:us-east-1:…:{profile}",
        "bedrock:GetInferenceProfile": f"arn:aws:bedrock:us-east-1:…:{profile}",
        "bedrock-agentcore:InvokeGateway": "Gateway.GatewayArn",
        "logs:CreateLogGroup": f"{log_groups}/aws/bedrock-agentcore/runtimes/*",
        "logs:DescribeLogStreams": f"{log_groups}/aws/bedrock-agentcore/runtimes/*",
        "logs:CreateLogStream": f"{log_groups}/aws/bedrock-agentcore/runtimes/*:log-stream:*",
        "logs:PutLogEvents": f"{log_groups}/aws/bedrock-agentcore/runtimes/*:log-stream:*",
        "logs:DescribeLogGroups": f"{log_groups}*",
        "xray:PutTelemetryRecords": "*",
        "xray:PutTraceSegments": "*",
        "xray:GetSamplingRules": "*",
        "xray:GetSamplingTargets": "*",
        "ecr-public:GetAuthorizationToken": "*",
        "sts:GetServiceBearerToken": "*",
        "cloudwatch:PutMetricData": "*",
    }


def test_only_agentcore_for_this_account_may_assume_its_roles(template: Template) -> None:
    sources = set()
    for role in template.find_resources("AWS::IAM::Role").values():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        if statement["Principal"] != {"Service": "bedrock-agentcore.amazonaws.com"}:
            continue
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        sources.add(readable(statement["Condition"]["ArnLike"]["aws:SourceArn"]))
    assert sources == {
        "arn:aws:bedrock-agentcore:us-east-1:…:*",
        "arn:aws:bedrock-agentcore:us-east-1:…:gateway/*",
    }


@pytest.mark.parametrize(
    ("resource_type", "role"),
    [
        ("AWS::BedrockAgentCore::Harness", "ExecutionRoleArn"),
        ("AWS::BedrockAgentCore::Gateway", "RoleArn"),
    ],
)
def test_harness_and_gateway_have_roles_that_are_complete_from_the_beginning(
    template: Template, resource_type: str, role: str
) -> None:
    (resource,) = template.find_resources(resource_type).values()
    name = resource["Properties"][role]["Fn::GetAtt"][0]
    assert statements(template, name)
    for policy in template.find_resources("AWS::IAM::Policy").values():
        assert policy["Properties"]["Roles"] != [{"Ref": name}]


def test_the_bridge_learns_the_harness(template: Template) -> None:
    (harness,) = template.find_resources("AWS::BedrockAgentCore::Harness")
    outputs = {name: output["Value"] for name, output in template.find_outputs("*").items()}
    assert outputs == {"HarnessArn": {"Fn::GetAtt": [harness, "Arn"]}}


@pytest.mark.parametrize("name", ["agent-bridge", "A", "a" * 40, "agent-bridge-", "b-2"])
def test_names_are_made_legal(cdk_context: dict[str, Any], name: str) -> None:
    template = synthesise(cdk_context, name=name)
    (harness,) = template.find_resources("AWS::BedrockAgentCore::Harness").values()
    (gateway,) = template.find_resources("AWS::BedrockAgentCore::Gateway").values()
    # CreateHarness and CreateGateway in the service model of bedrock-agentcore-control.
    assert re.fullmatch("[a-zA-Z][a-zA-Z0-9_]{0,39}", harness["Properties"]["HarnessName"])
    assert re.fullmatch("([0-9a-zA-Z]-?){1,48}", gateway["Properties"]["Name"])
