"""The table of kinds, and what the settings make of it."""

import pytest

from functions.adapters.agentcore_harness import AgentCoreHarness
from functions.adapters.agentcore_runtime import AgentCoreRuntime
from functions.adapters.agents import agents
from functions.adapters.bedrock_agent import BedrockAgent
from functions.bridge.agent import Agent
from functions.settings import AgentSettings, AgentsSettings, SettingError
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.aws import REGION


def made(settings: AgentSettings) -> Agent:
    """The only agent of a bot."""
    choice = agents(AgentsSettings({"default": settings}, {})).choose("C1", "hello", so_far=None)
    assert choice is not None
    return choice.agent


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (AgentSettings("bedrock-agent", agent_id="AGENT", alias_id="ALIAS"), BedrockAgent),
        (AgentSettings("agentcore-harness", arn=HARNESS_ARN), AgentCoreHarness),
        (AgentSettings("agentcore-runtime", arn=RUNTIME_ARNS[Framework.STRANDS]), AgentCoreRuntime),
    ],
)
def test_each_kind_has_an_adapter(
    monkeypatch: pytest.MonkeyPatch, settings: AgentSettings, kind: type[Agent]
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert isinstance(made(settings), kind)


def test_a_kind_that_there_is_not_is_named() -> None:
    with pytest.raises(SettingError, match="of kind 'oracle'; allowed are bedrock-agent, agentcore-h"):
        made(AgentSettings("oracle"))


def test_what_an_agent_lacks_is_named() -> None:
    with pytest.raises(SettingError, match="no arn for an agent of kind 'agentcore-harness'"):
        made(AgentSettings("agentcore-harness"))
