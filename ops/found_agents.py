"""The agents in an account and region: harnesses, runtimes, and aliases of Bedrock agents."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# The alias of the draft, which each agent has: for trying out.
DRAFT = "TSTALIASID"


@dataclass(frozen=True)
class FoundAgent:
    """An agent that can be asked.

    Attributes:
        name: a name for bridge.toml, made of its own.
        settings: its table `[agents.NAME]`.
        description: what it is, for people.
    """

    name: str
    settings: Mapping[str, str]
    description: str


def found_agents(session: boto3.Session) -> tuple[list[FoundAgent], list[str]]:
    """The agents that are ready, and why some kinds could not be looked for, a line each."""
    found: list[FoundAgent] = []
    problems: list[str] = []
    for kind, look in _KINDS.items():
        try:
            found += look(session)
        except (BotoCoreError, ClientError) as error:
            problems.append(f"{kind}: {error}")
    return _with_names_of_their_own(found), problems


def _harnesses(session: boto3.Session) -> Iterator[FoundAgent]:
    for one in _pages(session.client("bedrock-agentcore-control"), "list_harnesses", "harnesses"):
        if one["status"] == "READY":
            settings = {"kind": "agentcore-harness", "arn": one["arn"]}
            yield FoundAgent(
                _slug(one["harnessName"]), settings, f"{one['harnessName']}, an AgentCore harness"
            )


def _runtimes(session: boto3.Session) -> Iterator[FoundAgent]:
    for one in _pages(session.client("bedrock-agentcore-control"), "list_agent_runtimes", "agentRuntimes"):
        if one["status"] == "READY":
            name = one["agentRuntimeName"]
            settings = {"kind": "agentcore-runtime", "arn": one["agentRuntimeArn"]}
            yield FoundAgent(_slug(name), settings, f"{name}, on AgentCore's runtime")


def _bedrock_agents(session: boto3.Session) -> Iterator[FoundAgent]:
    """Each alias is one, the draft last."""
    client: Any = session.client("bedrock-agent")
    for agent in _pages(client, "list_agents", "agentSummaries"):
        aliases = _pages(client, "list_agent_aliases", "agentAliasSummaries", agentId=agent["agentId"])
        for alias in sorted(aliases, key=lambda alias: alias["agentAliasId"] == DRAFT):
            if alias["agentAliasStatus"] == "PREPARED":
                settings = {
                    "kind": "bedrock-agent",
                    "agent_id": agent["agentId"],
                    "alias_id": alias["agentAliasId"],
                }
                name = agent["agentName"]
                what = "its draft" if alias["agentAliasId"] == DRAFT else f"alias {alias['agentAliasName']}"
                yield FoundAgent(_slug(name), settings, f"{name}, a Bedrock agent, {what}")


_KINDS: Mapping[str, Callable[[boto3.Session], Iterator[FoundAgent]]] = {
    "harnesses": _harnesses,
    "runtimes": _runtimes,
    "Bedrock agents": _bedrock_agents,
}


def _pages(client: Any, operation: str, member: str, **arguments: str) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[member]


def _slug(name: str) -> str:
    """A name that bridge.toml takes: `config.bridge_toml.AGENT_NAME`."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    slug = slug if re.match("[a-z]", slug) and slug != "help" else f"agent-{slug}".strip("-")
    return slug[:27]


def _with_names_of_their_own(found: list[FoundAgent]) -> list[FoundAgent]:
    """The same, where a name that came before gets a number."""
    seen: dict[str, int] = {}
    named = []
    for one in found:
        seen[one.name] = seen.get(one.name, 0) + 1
        number = seen[one.name]
        name = one.name if number == 1 else f"{one.name}-{number}"
        named.append(FoundAgent(name, one.settings, one.description))
    return named
