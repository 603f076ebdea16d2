"""The kinds of agents: which adapter speaks to which. A new kind is one more module and one line here."""

from collections.abc import Callable, Mapping

from functions.adapters import aws
from functions.adapters.agentcore_harness import AgentCoreHarness
from functions.adapters.agentcore_runtime import AgentCoreRuntime
from functions.adapters.bedrock_agent import BedrockAgent
from functions.bridge.agent import Agent
from functions.bridge.routing import Agents, Listed
from functions.settings import AgentSettings, AgentsSettings

# No invocation lasts longer, so that the worker's own deadline comes first (seconds).
LONGEST_SILENCE = 900.0


def agents(settings: AgentsSettings) -> Agents:
    """All agents of the settings, each with its client."""
    listed = {
        name: Listed(_KINDS[one.kind](one), one.description, tuple(one.channels))
        for name, one in settings.agents.items()
    }
    return Agents(listed, settings.routes)


def _bedrock_agent(settings: AgentSettings) -> Agent:
    client = aws.bedrock_agent_runtime(longest_silence=LONGEST_SILENCE, role=_role(settings))
    return BedrockAgent(client, agent_id=settings.target("agent_id"), alias_id=settings.target("alias_id"))


def _harness(settings: AgentSettings) -> Agent:
    client = aws.bedrock_agentcore(longest_silence=LONGEST_SILENCE, role=_role(settings))
    return AgentCoreHarness(client, arn=settings.target("arn"), qualifier=settings.qualifier)


def _runtime(settings: AgentSettings) -> Agent:
    client = aws.bedrock_agentcore(longest_silence=LONGEST_SILENCE, role=_role(settings))
    return AgentCoreRuntime(
        client,
        arn=settings.target("arn"),
        qualifier=settings.qualifier,
        tell_user_id=settings.tell_user_id,
    )


def _role(settings: AgentSettings) -> aws.Role | None:
    return aws.Role(settings.role_arn, settings.external_id) if settings.role_arn else None


_KINDS: Mapping[str, Callable[[AgentSettings], Agent]] = {
    "bedrock-agent": _bedrock_agent,
    "agentcore-harness": _harness,
    "agentcore-runtime": _runtime,
}
