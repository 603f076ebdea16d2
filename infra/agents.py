"""The agents, as the worker is told about them, and what it may do to each."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import aws_cdk as cdk

from infra.config import Agent
from infra.function import BridgeFunction


def allow_agents(worker: BridgeFunction, agents: Mapping[str, Agent]) -> None:
    """Let the worker invoke exactly these; those of other accounts by way of their role only."""
    for agent in agents.values():
        if agent.role:
            worker.allow([agent.role.arn], "sts:AssumeRole")
            continue
        agent.target.let_invoke(worker)


def agents_variable(scope: cdk.Stack, agents: Mapping[str, Agent], routes: Mapping[str, str]) -> str:
    """The value of the worker's variable AGENTS (`functions.settings.AgentsSettings`)."""
    return scope.to_json_string(
        {"agents": {name: _described(agent) for name, agent in agents.items()}, "routes": dict(routes)}
    )


def _described(agent: Agent) -> dict[str, Any]:
    """The agent without the members that have nothing to say."""
    role = {"role_arn": agent.role.arn, "external_id": agent.role.external_id} if agent.role else {}
    members = {
        "kind": agent.target.kind,
        **asdict(agent.target),
        **role,
        "description": agent.description,
        "channels": list(agent.channels),
    }
    return {name: value for name, value in members.items() if value}
