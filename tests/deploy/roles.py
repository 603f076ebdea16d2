"""Whether each action in a function's policy is needed: without it, the function's call is denied."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator import wiring
from tests.deploy.check import Deployment, beat, hand_to_dead_letters, until_quiet
from tests.e2e.person import PATIENCE

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
    "bedrock:GetAgentAlias": "the agents are the simulator's",
    "bedrock-agentcore:GetHarness": "the agents are the simulator's",
    "bedrock-agentcore:GetAgentRuntime": "the agents are the simulator's",
}
# What a function needs in cases that are not brought about here, and in which.
SELDOM = {
    ("Worker", "dynamodb:BatchGetItem"): "the agent is at work for half a second",
    ("Worker", "lambda:InvokeFunction"): "the agent leaves a tool to the bridge",
    ("DeadLetters", "dynamodb:GetItem"): "an answer is too long for one item of the ledger",
    ("DeadLetters", "dynamodb:DeleteItem"): "an answer is too long for one item of the ledger",
}


def take_actions_away(bridge: Deployment) -> None:
    """Take one action at a time from a function's role, and see that a call is denied because of that."""
    taken = 0
    for function, use in USES.items():
        role = bridge.resource(f"{function}Role")
        for action in sorted(_actions(_policy(bridge, role))):
            if action not in NOT_ASKED and (function, action) not in SELDOM:
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


Use = Callable[[Deployment, Callable[[], bool]], object]


def _ask(bridge: Deployment, _: Callable[[], bool]) -> None:
    bridge.operator.say("@agent what's the weather in Oslo today?")


def _ask_twice(bridge: Deployment, is_denied: Callable[[], bool]) -> None:
    """A question whose agent fails, and a press on Retry: every kind of access to the ledger."""
    question = _ask_in_vain(bridge, is_denied)
    if not is_denied():
        [reply] = bridge.operator.replies(question)
        where = {"channel": question["channel"], "ts": reply["ts"]}
        bridge.operator.control("press", user="alice", action_id="retry", **where)


def _decide(bridge: Deployment, is_denied: Callable[[], bool]) -> None:
    """A question whose agent asks before it acts, and a press on Approve."""
    question = bridge.operator.say("@agent send an e-mail: what's the weather in Oslo today?")
    bridge.operator.until(lambda: is_denied() or bridge.operator.state(question) == "waiting")
    card = bridge.operator.replies(question)[-1]
    where = {"channel": question["channel"], "ts": card["ts"]}
    bridge.operator.control("press", user="alice", action_id="approve", **where)


def _ask_in_vain(bridge: Deployment, is_denied: Callable[[], bool]) -> dict[str, Any]:
    bridge.agent.force("fail at once")
    question = bridge.operator.say("@agent what's the weather in Oslo today?")
    bridge.operator.until(lambda: is_denied() or bridge.operator.state(question) in ("failed", "interrupted"))
    return question


def _lose(bridge: Deployment, _: Callable[[], bool]) -> None:
    hand_to_dead_letters(bridge)


def _beat(bridge: Deployment, _: Callable[[], bool]) -> None:
    beat(bridge)


USES: Mapping[str, Use] = {
    "Receiver": _ask,
    "Worker": _ask_twice,
    "Control": _decide,
    "DeadLetters": _lose,
    "Heartbeat": _beat,
}


def _take_away(bridge: Deployment, function: str, action: str, use: Use) -> None:
    iam, role = bridge.cloud.client("iam"), bridge.resource(f"{function}Role")
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = _policy(bridge, role)
    seen = len(bridge.cloud.log())

    def is_denied() -> bool:
        return _is_denied(bridge.cloud.log()[seen:], action, role)

    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(_without(document, action)))
    _end_environments(bridge, function)
    use(bridge, is_denied)
    try:
        bridge.operator.until(is_denied)
    except AssertionError as error:
        raise AssertionError(f"{function} was not denied anything without {action}") from error
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    # What was denied is tried again now. Only then does the next question get what the agent is to play.
    # A message that could not be hidden or given back comes again after its queue's own visibility timeout.
    until_quiet(bridge, patience=wiring.QUESTIONS.visibility_timeout + PATIENCE)


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
