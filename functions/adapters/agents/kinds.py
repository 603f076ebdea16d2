"""The registry of kinds of agents. A new kind is one module and one line here."""

from typing import Protocol

from functions.adapters.agents import bedrock_agent, harness, runtime
from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.clock import SystemClock
from functions.bridge.agents.memory import Memory
from functions.bridge.agents.port import Agent, AgentPorts
from functions.bridge.agents.routing import Agents, ConfiguredAgent
from functions.environment import SettingError
from functions.settings import AgentMemory, AgentSettings, Settings


class Kind(Protocol):
    """Makes an agent of one kind. Raises `SettingError` where a needed setting is missing."""

    def __call__(self, settings: AgentSettings, ports: AgentPorts, /) -> Agent: ...


KINDS: dict[str, Kind] = {
    "bedrock-agent": bedrock_agent.from_settings,
    "agentcore-harness": harness.from_settings,
    "agentcore-runtime": runtime.from_settings,
}


def agent_ports() -> AgentPorts:
    """Ports with the system's clock and the secrets of AWS Secrets Manager."""
    clock = SystemClock()
    return AgentPorts(clock, lambda secret_id: CachedSecret(JsonClient("secretsmanager"), secret_id, clock))


def agents(settings: Settings, ports: AgentPorts) -> Agents:
    """All agents of the settings, each with a client. Raises `SettingError`."""
    listed = {
        name: ConfiguredAgent(_agent(one, ports), one.description, one.channels, memory_of(one))
        for name, one in settings.agents.items()
    }
    return Agents(listed, settings.routes)


def memory_of(settings: AgentSettings) -> Memory:
    """How long the agent remembers, and whose its sessions are."""
    return Memory(
        idle_seconds=settings.session_idle_seconds,
        outlives_session=settings.memory is AgentMemory.AGENT,
        is_personal=settings.tell_user_id,
    )


def _agent(settings: AgentSettings, ports: AgentPorts) -> Agent:
    kind = KINDS.get(settings.kind)
    if kind is None:
        raise SettingError(f"there is an agent of kind {settings.kind!r}; allowed are {', '.join(KINDS)}")
    return kind(settings, ports)
