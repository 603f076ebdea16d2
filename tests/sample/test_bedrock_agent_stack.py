from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from config.bridge_toml import SampleAgent
from sample import bedrock_agent_stack
from sample.bedrock_agent_stack import INSTRUCTIONS, SampleAgentStack

PROFILE = "global.amazon.nova-2-lite-v1:0"


def synthesise(cdk_context: dict[str, Any], **properties: Any) -> Template:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    return Template.from_stack(SampleAgentStack(app, "sample", **{"name": "agent-bridge", **properties}))


@pytest.fixture(scope="module")
def template(cdk_context: dict[str, Any]) -> Template:
    return synthesise(cdk_context)


@pytest.fixture(scope="module")
def agent(template: Template) -> dict[str, Any]:
    (found,) = template.find_resources("AWS::Bedrock::Agent").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_the_agent_has_our_instructions_and_no_memory(agent: dict[str, Any]) -> None:
    assert agent["AgentName"] == "agent-bridge"
    assert agent["Instruction"] == INSTRUCTIONS.read_text()
    assert 40 <= len(agent["Instruction"]) <= 4000  # CreateAgent's limits
    assert agent["AutoPrepare"] is True
    assert agent["IdleSessionTTLInSeconds"] == 3600
    assert "MemoryConfiguration" not in agent


def test_the_model_is_an_inference_profile(agent: dict[str, Any]) -> None:
    assert agent["FoundationModel"] == {
        "Fn::Join": [
            "",
            [
                "arn:",
                {"Ref": "AWS::Partition"},
                ":bedrock:",
                {"Ref": "AWS::Region"},
                ":",
                {"Ref": "AWS::AccountId"},
                f":inference-profile/{PROFILE}",
            ],
        ]
    }


def test_each_action_group_calls_its_own_function(template: Template, agent: dict[str, Any]) -> None:
    functions = template.find_resources("AWS::Lambda::Function")
    handlers = {
        group["ActionGroupName"]: functions[group["ActionGroupExecutor"]["Lambda"]["Fn::GetAtt"][0]][
            "Properties"
        ]["Handler"]
        for group in agent["ActionGroups"]
    }
    assert handlers == {
        "obtain-latitude-longitude-from-place-name": "sample.tools.places.handler",
        "obtain-weather-information-with-coordinates": "sample.tools.weather.handler",
        "get-current-date-time-from-timezone": "sample.tools.clock.handler",
    }


def test_only_this_agent_may_call_the_functions(template: Template) -> None:
    (agent,) = template.find_resources("AWS::Bedrock::Agent")
    granted = [entry["Properties"] for entry in template.find_resources("AWS::Lambda::Permission").values()]
    assert {entry["FunctionName"]["Fn::GetAtt"][0] for entry in granted} == template.find_resources(
        "AWS::Lambda::Function"
    ).keys()
    for entry in granted:
        assert entry["Action"] == "lambda:InvokeFunction"
        assert entry["Principal"] == "bedrock.amazonaws.com"
        assert entry["SourceArn"] == {"Fn::GetAtt": [agent, "AgentArn"]}
        assert entry["SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_the_agents_role_may_invoke_the_model_and_nothing_else(
    template: Template, agent: dict[str, Any]
) -> None:
    role = template.find_resources("AWS::IAM::Role")[agent["AgentResourceRoleArn"]["Fn::GetAtt"][0]]
    (policy,) = role["Properties"]["Policies"]
    assert {
        action for statement in policy["PolicyDocument"]["Statement"] for action in statement["Action"]
    } == {
        "bedrock:InvokeModel",
        "bedrock:InvokeModelWithResponseStream",
        "bedrock:GetInferenceProfile",
    }


def test_only_agents_of_this_account_and_region_may_have_the_role_assumed(
    template: Template, agent: dict[str, Any]
) -> None:
    role = template.find_resources("AWS::IAM::Role")[agent["AgentResourceRoleArn"]["Fn::GetAtt"][0]]
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1][-1] == ":agent/*"


def test_the_agents_role_is_complete_when_the_agent_is_made(
    template: Template, agent: dict[str, Any]
) -> None:
    # CreateAgent tries the role; a policy that is a resource of its own may come later.
    role = agent["AgentResourceRoleArn"]["Fn::GetAtt"][0]
    for policy in template.find_resources("AWS::IAM::Policy").values():
        assert policy["Properties"]["Roles"] != [{"Ref": role}]


def test_the_bridge_learns_the_agent_and_its_alias(template: Template) -> None:
    (agent,) = template.find_resources("AWS::Bedrock::Agent")
    (alias,) = template.find_resources("AWS::Bedrock::AgentAlias")
    outputs = {name: output["Value"] for name, output in template.find_outputs("*").items()}
    assert outputs == {
        "AgentId": {"Fn::GetAtt": [agent, "AgentId"]},
        "AgentAliasId": {"Fn::GetAtt": [alias, "AgentAliasId"]},
    }


def test_another_model_makes_a_new_version_by_changing_the_alias(
    cdk_context: dict[str, Any], template: Template
) -> None:
    other = synthesise(cdk_context, settings=SampleAgent(model="eu.amazon.nova-2-lite-v1:0"))
    ((name, alias),) = template.find_resources("AWS::Bedrock::AgentAlias").items()
    ((other_name, other_alias),) = other.find_resources("AWS::Bedrock::AgentAlias").items()
    assert name == other_name
    assert alias["Properties"]["Description"] != other_alias["Properties"]["Description"]
    assert alias["Properties"]["AgentAliasName"] == other_alias["Properties"]["AgentAliasName"] == "live"


def test_every_property_of_the_agent_makes_a_new_version(
    cdk_context: dict[str, Any], template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bedrock_agent_stack, "IDLE_SESSION_SECONDS", 1800)
    assert fingerprint(synthesise(cdk_context)) != fingerprint(template)


def test_the_same_agent_keeps_its_version(cdk_context: dict[str, Any], template: Template) -> None:
    assert fingerprint(synthesise(cdk_context)) == fingerprint(template)


def fingerprint(template: Template) -> str:
    (alias,) = template.find_resources("AWS::Bedrock::AgentAlias").values()
    found: str = alias["Properties"]["Description"]
    return found
