"""The worker's and the heartbeat's permissions for each kind of agent."""

from collections.abc import Callable, Iterable, Mapping

import aws_cdk as cdk

from functions.settings import AgentSettings
from infra.function import BridgeFunction


def allow_agents(worker: BridgeFunction, agents: Iterable[AgentSettings]) -> None:
    """Let the worker invoke exactly these agents; in another account only through the agent's role."""
    for agent in agents:
        if agent.role_arn:
            worker.allow([agent.role_arn], "sts:AssumeRole")
        else:
            ALLOW[agent.kind](worker, agent)


def allow_tools(worker: BridgeFunction, agents: Iterable[AgentSettings]) -> None:
    """Let the worker call exactly the functions that are tools of these agents."""
    if functions := sorted({tool.function for agent in agents for tool in agent.tools.values()} - {""}):
        worker.allow(functions, "lambda:InvokeFunction")


def allow_looking_at_agents(heartbeat: BridgeFunction, agents: Iterable[AgentSettings]) -> None:
    """Let the heartbeat see whether these agents are there; in another account through the agent's role."""
    for agent in agents:
        if agent.role_arn:
            heartbeat.allow([agent.role_arn], "sts:AssumeRole")
        elif agent.kind in ALLOW_LOOKING:
            ALLOW_LOOKING[agent.kind](heartbeat, agent)


def _alias(function: BridgeFunction, agent: AgentSettings) -> str:
    return cdk.Stack.of(function).format_arn(
        service="bedrock",
        region=agent.region or None,
        resource="agent-alias",
        resource_name=f"{agent.agent_id}/{agent.alias_id}",
    )


def _allow_bedrock_agent(worker: BridgeFunction, agent: AgentSettings) -> None:
    worker.allow([_alias(worker, agent)], "bedrock:InvokeAgent")


def _allow_harness(worker: BridgeFunction, agent: AgentSettings) -> None:
    endpoint = f"{agent.arn}/harness-endpoint/{agent.qualifier or 'DEFAULT'}"
    # Both actions on both resources:
    # docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html
    worker.allow(
        [agent.arn, endpoint], "bedrock-agentcore:InvokeHarness", "bedrock-agentcore:InvokeAgentRuntime"
    )


def _allow_runtime(worker: BridgeFunction, agent: AgentSettings) -> None:
    actions = ["bedrock-agentcore:InvokeAgentRuntime"]
    if agent.tell_user_id:
        actions.append("bedrock-agentcore:InvokeAgentRuntimeForUser")
    if agent.stop_session:
        actions.append("bedrock-agentcore:StopRuntimeSession")
    worker.allow([agent.arn, f"{agent.arn}/runtime-endpoint/{agent.qualifier or 'DEFAULT'}"], *actions)


ALLOW: Mapping[str, Callable[[BridgeFunction, AgentSettings], None]] = {
    "bedrock-agent": _allow_bedrock_agent,
    "agentcore-harness": _allow_harness,
    "agentcore-runtime": _allow_runtime,
}


def _allow_looking_at_alias(heartbeat: BridgeFunction, agent: AgentSettings) -> None:
    heartbeat.allow([_alias(heartbeat, agent)], "bedrock:GetAgentAlias")


def _allow_looking_at_harness(heartbeat: BridgeFunction, agent: AgentSettings) -> None:
    if agent.qualifier:
        endpoint = f"{agent.arn}/harness-endpoint/{agent.qualifier}"
        heartbeat.allow([agent.arn, endpoint], "bedrock-agentcore:GetHarnessEndpoint")
    else:
        heartbeat.allow([agent.arn], "bedrock-agentcore:GetHarness")


def _allow_looking_at_runtime(heartbeat: BridgeFunction, agent: AgentSettings) -> None:
    if agent.qualifier:
        endpoint = f"{agent.arn}/runtime-endpoint/{agent.qualifier}"
        heartbeat.allow([agent.arn, endpoint], "bedrock-agentcore:GetAgentRuntimeEndpoint")
    else:
        heartbeat.allow([agent.arn], "bedrock-agentcore:GetAgentRuntime")


ALLOW_LOOKING: Mapping[str, Callable[[BridgeFunction, AgentSettings], None]] = {
    "bedrock-agent": _allow_looking_at_alias,
    "agentcore-harness": _allow_looking_at_harness,
    "agentcore-runtime": _allow_looking_at_runtime,
}
