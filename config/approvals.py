"""Reads what bridge.toml says about an agent's requests: who decides, for how long, what its tools are."""

import re
from collections.abc import Iterator, Mapping

from config.access import USER
from config.arns import arn_pattern
from config.table import Rule, Table
from functions.bridge.admission.approvers import ApproverRule, Approvers
from functions.bridge.agents.tools import Tool
from functions.settings import AgentSettings

APPROVER: Rule = (
    rf"{USER[0]}|S[A-Z0-9]{{2,20}}",
    'the id of a person or of a user group, such as "U0123456789" or "S0123456789"',
)
WORDS = [rule for rule in ApproverRule if rule is not ApproverRule.LISTED]
# Twelve hours after a message was received SQS shows it again, whatever anybody says. An hour of them is left
# for the agent.
APPROVAL_SECONDS = range(60, 39_601)

# As its builder wrote it, or the fixed words of an API path.
TOOL_NAME: Rule = (r"[^\x00-\x1f\x7f]{1,100}", "the name under which the agent asks for it")
# `NamespacedFunctionName` in the service model of lambda, as a whole ARN.
FUNCTION: Rule = (
    arn_pattern("lambda", r"function:[a-zA-Z0-9_-]{1,64}(:(\$LATEST|[a-zA-Z0-9_-]{1,128}))?"),
    'the ARN of a Lambda function, "arn:aws:lambda:REGION:ACCOUNT:function:NAME", with ":ALIAS" or without',
)
DECISION = "decision"
TOOL: Rule = (
    f"{FUNCTION[0]}|{DECISION}",
    f'{FUNCTION[1]}; "{DECISION}"; or {{ function = "ARN", approve = false }}',
)


def read_approvers(table: Table) -> Approvers:
    """Who decides: a word, or a list of people and user groups."""
    if not table.holds("approvers", list):
        also = "a list of people and user groups"
        return Approvers(ApproverRule(table.choice("approvers", WORDS, default=Approvers.rule, also=also)))
    ids = table.only("approvers", APPROVER, otherwise="the asker decides")
    groups = tuple(one for one in ids if one.startswith("S"))
    return Approvers(ApproverRule.LISTED, tuple(one for one in ids if one not in groups), groups)


def read_tools(table: Table) -> dict[str, Tool]:
    """The tools of an agent by their names."""
    for name in table.names():
        if not re.fullmatch(TOOL_NAME[0], name):
            table.refuse_key(name, "is not a name for a tool", TOOL_NAME[1])
    return {name: _tool(table, name) for name in table.names()}


def _tool(tools: Table, name: str) -> Tool:
    if not tools.holds(name, dict):
        value = tools.text(name, TOOL)
        return Tool("" if value == DECISION else value)
    table = tools.table(name)
    tool = Tool(table.text("function", FUNCTION), approve=table.boolean("approve", default=Tool.approve))
    table.refuse_the_rest()
    return tool


def too_short_sessions(agents: Mapping[str, AgentSettings]) -> Iterator[str]:
    """A warning about each agent that may have ended its session before a person decides."""
    for name, agent in agents.items():
        if agent.session_idle_seconds < agent.approval_seconds:
            idle = agent.session_idle_seconds
            yield (
                f"agents.{name}.approval_seconds is {agent.approval_seconds}, and the agent's session ends "
                f"after {idle} idle seconds: a later decision does not reach it. Let its session last "
                f"longer, and say so in agents.{name}.idle_seconds, or let people decide sooner"
            )
