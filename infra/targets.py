"""The kinds of agents: how each is configured, and what the worker may do to it.

A kind is a class here and a line in `KINDS`. The fields of the class are its members in the worker's variable
AGENTS, so they are called as in `functions.settings.AgentSettings`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import aws_cdk as cdk

from infra.arns import arn_pattern
from infra.function import BridgeFunction
from infra.table import Rule, Table

# `Id` and `AgentAliasId` in the service model of bedrock-agent.
BEDROCK_ID: Rule = (r"[0-9a-zA-Z]{10}", "exactly 10 letters and digits")
# `harnessArn` and `qualifier` in the service model of bedrock-agentcore, `AgentRuntimeArn` in that of
# bedrock-agentcore-control.
HARNESS_ARN: Rule = (
    arn_pattern("bedrock-agentcore", r"harness/[a-zA-Z][a-zA-Z0-9_]{0,39}-[a-zA-Z0-9]{10}"),
    'the whole ARN of a harness, "arn:aws:bedrock-agentcore:REGION:ACCOUNT:harness/NAME-ID"',
)
RUNTIME_ARN: Rule = (
    arn_pattern("bedrock-agentcore", r"runtime/[a-zA-Z][a-zA-Z0-9_]{0,47}-[a-zA-Z0-9]{10}"),
    'the whole ARN of a runtime, "arn:aws:bedrock-agentcore:REGION:ACCOUNT:runtime/NAME-ID"',
)
QUALIFIER: Rule = (
    r"[a-zA-Z][a-zA-Z0-9_]{0,47}",
    "the name of an endpoint: up to 48 letters, digits and underscores",
)


@dataclass(frozen=True)
class Target(ABC):
    """What leads to an agent of one kind. Its fields say where the agent is.

    `kind` is its word in bridge.toml and in AGENTS.
    """

    kind: ClassVar[str]

    @classmethod
    @abstractmethod
    def read(cls, table: Table) -> "Target":
        """The target that an agent's table in bridge.toml describes."""

    @abstractmethod
    def let_invoke(self, worker: BridgeFunction) -> None:
        """Let the worker invoke this agent, and no other."""


@dataclass(frozen=True)
class BedrockAgent(Target):
    """An Amazon Bedrock agent and the alias through which it is invoked."""

    kind = "bedrock-agent"

    agent_id: str
    alias_id: str

    @classmethod
    def read(cls, table: Table) -> "BedrockAgent":
        return cls(agent_id=table.text("agent_id", BEDROCK_ID), alias_id=table.text("alias_id", BEDROCK_ID))

    def let_invoke(self, worker: BridgeFunction) -> None:
        alias = cdk.Stack.of(worker).format_arn(
            service="bedrock", resource="agent-alias", resource_name=f"{self.agent_id}/{self.alias_id}"
        )
        worker.allow([alias], "bedrock:InvokeAgent")


@dataclass(frozen=True)
class Harness(Target):
    """An AgentCore harness; `qualifier` is one of its endpoints, "" the default one."""

    kind = "agentcore-harness"

    arn: str
    qualifier: str = ""

    @classmethod
    def read(cls, table: Table) -> "Harness":
        return cls(table.text("arn", HARNESS_ARN), table.optional_text("qualifier", QUALIFIER) or "")

    def let_invoke(self, worker: BridgeFunction) -> None:
        endpoint = f"{self.arn}/harness-endpoint/{self.qualifier or 'DEFAULT'}"
        # Both actions on both resources:
        # docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html
        worker.allow(
            [self.arn, endpoint], "bedrock-agentcore:InvokeHarness", "bedrock-agentcore:InvokeAgentRuntime"
        )


@dataclass(frozen=True)
class Runtime(Target):
    """An AgentCore runtime; `tell_user_id` passes the Slack user on as the runtime's user."""

    kind = "agentcore-runtime"

    arn: str
    qualifier: str = ""
    tell_user_id: bool = False

    @classmethod
    def read(cls, table: Table) -> "Runtime":
        return cls(
            table.text("arn", RUNTIME_ARN),
            table.optional_text("qualifier", QUALIFIER) or "",
            table.boolean("tell_user_id", default=False),
        )

    def let_invoke(self, worker: BridgeFunction) -> None:
        actions = ["bedrock-agentcore:InvokeAgentRuntime"]
        if self.tell_user_id:
            actions.append("bedrock-agentcore:InvokeAgentRuntimeForUser")
        worker.allow([self.arn, f"{self.arn}/runtime-endpoint/{self.qualifier or 'DEFAULT'}"], *actions)


KINDS: Mapping[str, type[Target]] = {target.kind: target for target in (BedrockAgent, Harness, Runtime)}
