"""The worker's permissions for each kind of agent."""

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


def _allow_bedrock_agent(worker: BridgeFunction, agent: AgentSettings) -> None:
    alias = cdk.Stack.of(worker).format_arn(
        service="bedrock",
        region=agent.region or None,
        resource="agent-alias",
        resource_name=f"{agent.agent_id}/{agent.alias_id}",
    )
    worker.allow([alias], "bedrock:InvokeAgent")


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
