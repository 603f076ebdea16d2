"""Whether each action in a function's policy is needed: without it, the function's call is denied."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deploy.check import Deployment, hand_to_dead_letters, press_as_a_stranger

# What the emulator does not ask the function's role for, and why.
NOT_ASKED = {
    "logs:CreateLogStream": "it writes the functions' logs itself",
    "logs:PutLogEvents": "it writes the functions' logs itself",
    "xray:PutTraceSegments": "it sends no traces",
    "xray:PutTelemetryRecords": "it sends no traces",
    "sqs:ReceiveMessage": "its pollers act for themselves",
    "sqs:DeleteMessage": "its pollers act for themselves",
    "sqs:GetQueueAttributes": "its pollers act for themselves",
    "bedrock:InvokeAgent": "the agents are the simulator's",
    "bedrock-agentcore:InvokeHarness": "the agents are the simulator's",
    "bedrock-agentcore:InvokeAgentRuntime": "the agents are the simulator's",
}
# Only for an answer that is too long for one item of the ledger.
FOR_LONG_TEXTS = {("DeadLetters", "dynamodb:GetItem"), ("DeadLetters", "dynamodb:DeleteItem")}


def take_actions_away(bridge: Deployment) -> None:
    """Take one action at a time from a function's role, and see that a call is denied because of that."""
    taken = 0
    for function, use in USES.items():
        role = bridge.resource(f"{function}Role")
        for action in sorted(_actions(_policy(bridge, role))):
            if action not in NOT_ASKED and (function, action) not in FOR_LONG_TEXTS:
                _take_away(bridge, function, action, use)
                taken += 1
    bridge.said.append(f"was denied a call for each of {taken} actions that were taken away")


def send_as_somebody_else(bridge: Deployment) -> None:
    """Not even the account's owner may put a question on a queue: messages say who asks."""
    sqs = bridge.cloud.client("sqs")
    for output in ("QueueUrl", "ControlQueueUrl"):
        with pytest.raises(ClientError, match="AccessDenied"):
            sqs.send_message(
                QueueUrl=bridge.outputs[output],
                MessageBody="{}",
                MessageGroupId="anybody",
                MessageDeduplicationId="anything",
            )
    bridge.said.append("refused messages of others than the receiver")


def _ask(bridge: Deployment) -> None:
    bridge.operator.say("@agent what's the weather in Oslo today?")


def _ask_twice(bridge: Deployment) -> None:
    """A question whose agent fails, and a press on Retry: every kind of access to the ledger."""
    operator = bridge.operator
    bridge.agent.force("fail at once")
    question = operator.say("@agent what's the weather in Oslo today?")
    try:
        operator.until(lambda: operator.state(question) in ("failed", "interrupted"), patience=5)
    except AssertionError:
        return  # denied before that
    [reply] = operator.replies(question)
    operator.control("press", channel=question["channel"], ts=reply["ts"], user="alice", action_id="retry")


def _press_anothers_retry(bridge: Deployment) -> None:
    bridge.agent.force("fail at once")
    question = bridge.operator.say("@agent what's the weather in Oslo today?")
    bridge.operator.until(lambda: bridge.operator.state(question) in ("failed", "interrupted"))
    press_as_a_stranger(bridge, question)


USES: Mapping[str, Callable[[Deployment], object]] = {
    "Receiver": _ask,
    "Worker": _ask_twice,
    "Control": _press_anothers_retry,
    "DeadLetters": hand_to_dead_letters,
}


def _take_away(bridge: Deployment, function: str, action: str, use: Callable[[Deployment], object]) -> None:
    iam, role = bridge.cloud.client("iam"), bridge.resource(f"{function}Role")
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = _policy(bridge, role)
    seen = len(bridge.cloud.log())
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(_without(document, action)))
    _end_environments(bridge, function)
    use(bridge)
    bridge.operator.until(lambda: _is_denied(bridge.cloud.log()[seen:], action, role))
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _end_environments(bridge: Deployment, function: str) -> None:
    """Have the next call begin in a new environment: a warm one has read its secret already."""
    functions, name = bridge.cloud.client("lambda"), bridge.resource(f"{function}Function")
    memory = functions.get_function_configuration(FunctionName=name)["MemorySize"]
    functions.update_function_configuration(FunctionName=name, MemorySize=memory)


def _is_denied(log: str, action: str, role: str) -> bool:
    return any(line.startswith(f"denied {action} to ") and role in line for line in log.splitlines())


def _policy(bridge: Deployment, role: str) -> dict[str, Any]:
    iam = bridge.cloud.client("iam")
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document: dict[str, Any] = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return document


def _actions(document: dict[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in _listed(statement["Action"])}


def _without(document: dict[str, Any], action: str) -> dict[str, Any]:
    statements = [
        {**statement, "Action": [one for one in _listed(statement["Action"]) if one != action]}
        for statement in document["Statement"]
    ]
    return {**document, "Statement": [statement for statement in statements if statement["Action"]]}


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions
