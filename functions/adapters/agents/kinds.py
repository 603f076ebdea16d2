"""The kinds of agents: which adapter speaks to which. A new kind is one more module and one line here."""

from typing import Protocol

from functions.adapters.agents import bedrock_agent, harness, runtime
from functions.bridge.agents.port import Agent
from functions.bridge.agents.routing import Agents, Listed
from functions.settings import AgentSettings, SettingError, Settings

# No invocation lasts longer, so that the worker's own deadline comes first (seconds).
LONGEST_SILENCE = 1800.0


class Kind(Protocol):
    """Makes an agent of one kind. Raises `SettingError` where its settings lack something."""

    def __call__(self, settings: AgentSettings, /, *, longest_silence: float) -> Agent: ...


KINDS: dict[str, Kind] = {
    "bedrock-agent": bedrock_agent.from_settings,
    "agentcore-harness": harness.from_settings,
    "agentcore-runtime": runtime.from_settings,
}


def agents(settings: Settings) -> Agents:
    """All agents of the settings, each with its client. Raises `SettingError`."""
    listed = {
        name: Listed(_agent(one), one.description, one.channels) for name, one in settings.agents.items()
    }
    return Agents(listed, settings.routes)


def _agent(settings: AgentSettings) -> Agent:
    kind = KINDS.get(settings.kind)
    if kind is None:
        raise SettingError(f"there is an agent of kind {settings.kind!r}; allowed are {', '.join(KINDS)}")
    return kind(settings, longest_silence=LONGEST_SILENCE)
