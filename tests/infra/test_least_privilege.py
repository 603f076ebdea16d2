"""What each function's role may do, word for word."""

import re
from dataclasses import replace
from typing import Any

from aws_cdk.assertions import Template

from config.bridge_toml import Config
from functions.bridge.agents.tools import Tool
from functions.settings import Settings
from tests.infra.conftest import Synthesise


def named(value: Any) -> str:
    """An ARN as it reads in the code: resources by their path of construct ids."""
    if isinstance(value, str):
        return value
    match value:
        case {"Ref": name} if name.startswith("AWS::"):
            return f"${{{name.removeprefix('AWS::')}}}"
        case {"Ref": name} | {"Fn::GetAtt": [name, "Arn"]}:
            return re.sub("[0-9A-F]{8}$", "", name)
        case {"Fn::Join": ["", parts]}:
            return "".join(named(part) for part in parts)
    raise AssertionError(value)


def permissions(resources: dict[str, Any], role: str) -> dict[str, list[str]]:
    """The actions that the role's policies allow, by resource."""
    allowed: dict[str, list[str]] = {}
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy" and resource["Properties"]["Roles"] == [{"Ref": role}]:
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                assert statement.keys() == {"Action", "Effect", "Resource"}
                assert statement["Effect"] == "Allow"
                for one in _listed(statement["Resource"]):
                    allowed.setdefault(named(one), []).extend(_listed(statement["Action"]))
    return allowed


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def role_of(functions: dict[str, tuple[str, dict[str, Any]]], name: str) -> str:
    role: str = functions[name][1]["Role"]["Fn::GetAtt"][0]
    return role


def test_receiver_may_send_to_two_queues_and_read_the_signing_secret(
    resources: dict[str, Any], functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    assert permissions(resources, role_of(functions, "receiver")) == {
        "ReceiverLog": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "QueuesQuestions": ["sqs:SendMessage"],
        "QueuesControl": ["sqs:SendMessage"],
        "SecretsSigningSecret": ["secretsmanager:GetSecretValue"],
    }


def test_worker_may_take_questions_ask_the_agent_and_keep_the_ledger(
    resources: dict[str, Any], functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    assert permissions(resources, role_of(functions, "worker")) == {
        "WorkerLog": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "AuditGroup": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "QueuesQuestions": [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        "SecretsBotToken": ["secretsmanager:GetSecretValue"],
        "LedgerTable": [
            "dynamodb:BatchGetItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        ],
        "arn:${Partition}:bedrock:${Region}:${AccountId}:agent-alias/ABCDEFGHIJ/TSTALIASID": [
            "bedrock:InvokeAgent"
        ],
    }


def test_worker_may_call_exactly_the_functions_that_are_tools(synthesise: Synthesise, config: Config) -> None:
    theirs = "arn:aws:lambda:eu-west-1:210987654321:function:look-up:live"
    own = "arn:aws:lambda:us-east-1:123456789012:function:send-email"
    tools = {"look_up": Tool(theirs, approve=False), "send": Tool(own), "post": Tool(own), "ask": Tool()}
    agent = replace(config.settings.agents["default"], tools=tools)
    made = synthesise(replace(config, settings=Settings({"default": agent}))).to_json()["Resources"]
    [worker] = [name for name in made if re.fullmatch("WorkerRole[0-9A-F]{8}", name)]
    callable_functions = {
        resource: actions
        for resource, actions in permissions(made, worker).items()
        if any(action.startswith("lambda:") for action in actions)
    }
    assert callable_functions == {theirs: ["lambda:InvokeFunction"], own: ["lambda:InvokeFunction"]}


def test_control_may_take_commands_and_mark_turns_and_knows_no_agent(
    resources: dict[str, Any], functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    assert permissions(resources, role_of(functions, "control")) == {
        "ControlLog": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "AuditGroup": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "QueuesControl": [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        "QueuesQuestions": ["sqs:ChangeMessageVisibility"],
        "SecretsBotToken": ["secretsmanager:GetSecretValue"],
        "LedgerTable": ["dynamodb:GetItem", "dynamodb:UpdateItem"],
    }


def test_dead_letters_may_take_dead_letters_and_keep_the_ledger(
    resources: dict[str, Any], functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    assert permissions(resources, role_of(functions, "dead_letters")) == {
        "DeadLettersLog": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "AuditGroup": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "QueuesDeadLetters": [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        "SecretsBotToken": ["secretsmanager:GetSecretValue"],
        "LedgerTable": [
            "dynamodb:BatchGetItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        ],
    }


def test_heartbeat_may_ask_slack_and_see_whether_the_agent_is_there(
    resources: dict[str, Any], functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    assert permissions(resources, role_of(functions, "heartbeat")) == {
        "HeartbeatLog": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "SecretsBotToken": ["secretsmanager:GetSecretValue"],
        "arn:${Partition}:bedrock:${Region}:${AccountId}:agent-alias/ABCDEFGHIJ/TSTALIASID": [
            "bedrock:GetAgentAlias"
        ],
    }


def test_there_is_no_other_way_to_a_permission(template: Template) -> None:
    roles = template.find_resources("AWS::IAM::Role")
    assert len(roles) == 5
    for role in roles.values():
        assert role["Properties"].keys() == {"AssumeRolePolicyDocument"}  # no managed or inline policies
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement == {
            "Action": "sts:AssumeRole",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    assert {
        resource["Type"]
        for resource in template.to_json()["Resources"].values()
        if resource["Type"].startswith("AWS::IAM::") or resource["Type"].endswith("Policy")
    } == {"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"}
