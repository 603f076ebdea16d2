"""The agents, as the worker is told about them, and what it may do to each."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from infra.config import Agent, BedrockAgent, Harness, Runtime
from infra.function import BridgeFunction


def allow_agents(worker: BridgeFunction, agents: Mapping[str, Agent]) -> None:
    """Let the worker invoke exactly these; those of other accounts by way of their role only."""
    for agent in agents.values():
        if agent.role:
            worker.allow([agent.role.arn], "sts:AssumeRole")
            continue
        match agent.target:
            case BedrockAgent() as target:
                worker.allow([_alias_arn(worker, target)], "bedrock:InvokeAgent")
            case Harness(arn, qualifier):
                # Both actions on both resources:
                # docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html
                actions = ["bedrock-agentcore:InvokeHarness", "bedrock-agentcore:InvokeAgentRuntime"]
                worker.allow([arn, f"{arn}/harness-endpoint/{qualifier or 'DEFAULT'}"], *actions)
            case Runtime(arn, qualifier, tell_user_id):
                actions = ["bedrock-agentcore:InvokeAgentRuntime"]
                if tell_user_id:
                    actions.append("bedrock-agentcore:InvokeAgentRuntimeForUser")
                worker.allow([arn, f"{arn}/runtime-endpoint/{qualifier or 'DEFAULT'}"], *actions)


def agents_variable(scope: cdk.Stack, agents: Mapping[str, Agent], routes: Mapping[str, str]) -> str:
    """The value of the worker's variable AGENTS (`functions.settings.AgentsSettings`)."""
    return scope.to_json_string(
        {"agents": {name: _described(agent) for name, agent in agents.items()}, "routes": dict(routes)}
    )


def _described(agent: Agent) -> dict[str, Any]:
    match agent.target:
        case BedrockAgent(agent_id, alias_id):
            target: dict[str, Any] = {"kind": "bedrock-agent", "agent_id": agent_id, "alias_id": alias_id}
        case Harness(arn, qualifier):
            target = {"kind": "agentcore-harness", "arn": arn, "qualifier": qualifier}
        case Runtime(arn, qualifier, tell_user_id):
            target = {
                "kind": "agentcore-runtime",
                "arn": arn,
                "qualifier": qualifier,
                "tell_user_id": tell_user_id,
            }
    role = {"role_arn": agent.role.arn, "external_id": agent.role.external_id} if agent.role else {}
    rest = {**target, **role, "description": agent.description, "channels": list(agent.channels)}
    return {name: value for name, value in rest.items() if value}


def _alias_arn(worker: BridgeFunction, agent: BedrockAgent) -> str:
    return cdk.Stack.of(worker).format_arn(
        service="bedrock", resource="agent-alias", resource_name=f"{agent.agent_id}/{agent.alias_id}"
    )
