"""Reads the agents of bridge.toml: which keys each kind has.

A kind is a function here, a line in `KINDS`, and the worker's permissions for it (`infra/agents.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from config.access import CHANNEL, read_access
from config.approvals import APPROVAL_SECONDS, read_approvers, read_tools
from config.arns import REGION, REGIONS, arn_pattern
from config.table import Rule, Table
from functions.bridge.admission.access import OPEN
from functions.settings import AgentMemory, AgentSettings, MemoryBy

# `Id` and `AgentAliasId` in the service model of bedrock-agent.
BEDROCK_ID: Rule = (r"[0-9a-zA-Z]{10}", "exactly 10 letters and digits")
# `harnessArn` and `qualifier` in the service model of bedrock-agentcore, `AgentRuntimeArn` in that of
# bedrock-agentcore-control.
QUALIFIER: Rule = (
    r"[a-zA-Z][a-zA-Z0-9_]{0,47}",
    "the name of an endpoint: up to 48 letters, digits and underscores",
)
# The console shows the ARNs of endpoints, which end in the endpoint's name.
HARNESS_ENDPOINT, RUNTIME_ENDPOINT = "/harness-endpoint/", "/runtime-endpoint/"
HARNESS_ARN: Rule = (
    arn_pattern(
        "bedrock-agentcore",
        rf"harness/[a-zA-Z][a-zA-Z0-9_]{{0,39}}-[a-zA-Z0-9]{{10}}({HARNESS_ENDPOINT}{QUALIFIER[0]})?",
    ),
    'the whole ARN of a harness, "arn:aws:bedrock-agentcore:REGION:ACCOUNT:harness/NAME-ID"',
)
RUNTIME_ARN: Rule = (
    arn_pattern(
        "bedrock-agentcore",
        rf"runtime/[a-zA-Z][a-zA-Z0-9_]{{0,47}}-[a-zA-Z0-9]{{10}}({RUNTIME_ENDPOINT}{QUALIFIER[0]})?",
    ),
    'the whole ARN of a runtime, "arn:aws:bedrock-agentcore:REGION:ACCOUNT:runtime/NAME-ID"',
)
DEFAULT_ENDPOINT = "DEFAULT"
# A request's limits replace those of the harness, lower or higher. These ranges end at the service's own
# limits: 3,600 seconds and 75 iterations. For tokens the service has none.
# docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-operations.html
HARNESS_SECONDS, HARNESS_ITERATIONS, HARNESS_TOKENS = range(1, 3601), range(1, 76), range(1, 1_000_001)
# `SessionTTL` in the service model of bedrock-agent, and `idleRuntimeSessionTimeout` in that of
# bedrock-agentcore-control.
BEDROCK_IDLE, AGENTCORE_IDLE = range(60, 5401), range(60, 1_209_601)
ROLE_ARN: Rule = (
    rf"arn:({'|'.join(REGIONS)}):iam::[0-9]{{12}}:role/[\w+=,.@/-]{{1,512}}",
    'the ARN of a role, "arn:aws:iam::ACCOUNT:role/NAME"',
)
# `externalIdType` in the service model of sts.
EXTERNAL_ID: Rule = (r"[\w+=,.@:/-]{2,1224}", "2 to 1224 letters, digits and + = , . @ : / -")
DESCRIPTION: Rule = (r"[^\n\r]{1,200}", "one line of up to 200 characters")


def read_agent(table: Table) -> AgentSettings | None:
    """The agent of a table; None for an unknown kind, whose other keys cannot be checked."""
    read = table.looked_up("kind", KINDS)
    if read is None:
        return None
    agent = read(table)
    role_arn = table.optional_text("role_arn", ROLE_ARN)
    external_id = table.optional_text("external_id", EXTERNAL_ID)
    if external_id and role_arn is None:
        table.refuse("external_id", "only together with role_arn")
    agent = replace(
        agent,
        memory=AgentMemory(table.choice("memory", [*AgentMemory], default=AgentSettings.memory)),
        role_arn=role_arn or "",
        external_id=external_id or "",
        channels=table.only("channels", CHANNEL),
        description=table.optional_text("description", DESCRIPTION) or "",
        approvers=read_approvers(table),
        approval_seconds=table.integer(
            "approval_seconds",
            APPROVAL_SECONDS,
            # A later decision would not reach the agent.
            default=min(AgentSettings.approval_seconds, agent.session_idle_seconds),
        ),
        tools=read_tools(table.table("tools")),
        access=read_access(table.table("access"), default=OPEN),
    )
    table.refuse_the_rest()
    return agent


def _bedrock_agent(table: Table) -> AgentSettings:
    """An Amazon Bedrock agent and the alias that is invoked. Their ids do not name the region."""
    return AgentSettings(
        "bedrock-agent",
        agent_id=table.text("agent_id", BEDROCK_ID),
        alias_id=table.text("alias_id", BEDROCK_ID),
        region=table.optional_text("region", REGION) or "",
        idle_seconds=table.optional_integer("idle_seconds", BEDROCK_IDLE) or 0,
    )


def _harness(table: Table) -> AgentSettings:
    """An AgentCore harness, or one of its endpoints."""
    arn, qualifier = _endpoint(table, HARNESS_ARN, HARNESS_ENDPOINT)
    return AgentSettings(
        "agentcore-harness",
        arn=arn,
        qualifier=qualifier,
        memory_by=_memory_by(table),
        idle_seconds=table.optional_integer("idle_seconds", AGENTCORE_IDLE) or 0,
        timeout_seconds=table.optional_integer("timeout_seconds", HARNESS_SECONDS) or 0,
        max_iterations=table.optional_integer("max_iterations", HARNESS_ITERATIONS) or 0,
        max_tokens=table.optional_integer("max_tokens", HARNESS_TOKENS) or 0,
    )


def _runtime(table: Table) -> AgentSettings:
    """An AgentCore runtime, or one of its endpoints."""
    arn, qualifier = _endpoint(table, RUNTIME_ARN, RUNTIME_ENDPOINT)
    return AgentSettings(
        "agentcore-runtime",
        arn=arn,
        qualifier=qualifier,
        tell_user_id=table.boolean("tell_user_id", default=AgentSettings.tell_user_id),
        memory_by=_memory_by(table),
        idle_seconds=table.optional_integer("idle_seconds", AGENTCORE_IDLE) or 0,
        stop_session=table.boolean("stop_session", default=AgentSettings.stop_session),
    )


def _memory_by(table: Table) -> MemoryBy:
    return MemoryBy(table.choice("memory_by", [*MemoryBy], default=AgentSettings.memory_by))


def _endpoint(table: Table, rule: Rule, between: str) -> tuple[str, str]:
    """The ARN of an agent and the name of its endpoint, "" for the default one.

    The name is in `qualifier`, or at the end of the ARN behind `between`.
    """
    arn, _, shown = table.text("arn", rule).partition(between)
    qualifier = table.optional_text("qualifier", QUALIFIER) or ""
    if qualifier and shown and qualifier != shown:
        table.refuse("qualifier", f'"{shown}", with which the ARN ends, or an ARN without an endpoint')
    name = qualifier or shown
    return arn, "" if name == DEFAULT_ENDPOINT else name


KINDS: Mapping[str, Callable[[Table], AgentSettings]] = {
    "bedrock-agent": _bedrock_agent,
    "agentcore-harness": _harness,
    "agentcore-runtime": _runtime,
}
