"""What became of one delivery of a turn."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum

from functions.bridge import wording
from functions.bridge.admission.access import Reason
from functions.bridge.agents.events import AgentEvent, ToolArguments, ToolKind, ToolUse, Usage
from functions.bridge.agents.failures import Failure
from functions.bridge.ledger.pauses import Decided, Decision, Pause
from functions.bridge.ledger.stops import Stop


class Verdict(StrEnum):
    """What became of a delivery. The value is the word in logs and metrics."""

    ANSWERED = "answered"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    REFUSED_BY_SLACK = "refused_by_slack"
    APP_REFUSED = "app_refused"
    DUPLICATE = "duplicate"
    HELD = "held"
    OWED = "owed"
    LEASE_LOST = "lease_lost"
    UNAVAILABLE = "unavailable"
    PRESS_REFUSED = "press_refused"
    DROPPED = "dropped"
    DONE = "done"
    """A command of the control queue that is nobody's press was carried out."""
    STOPPED = "stopped"
    """A person pressed Stop. Of a press: it has left its mark."""
    NOT_FOR_US = "not_for_us"
    NOT_ADDRESSED = "not_addressed"
    """A message in a thread that mentions nobody, of somebody who does not talk with the bot there."""
    REFUSED = "refused"
    """Whoever asked may not, and was told so."""
    WAITING = "waiting"
    """There is no slot for it now."""
    AWAITING_APPROVAL = "awaiting_approval"
    """Its agent asks before it acts, and nobody has decided yet."""
    DECIDED = "decided"
    """Of a press of Approve or Deny: it counts."""


# So many are kept by name. More are counted.
MOST_TOOLS = 100
# What Bedrock, AgentCore and MCP take as a tool's name. An agent of somebody's own may say anything else.
# modelcontextprotocol.io/specification/2025-11-25/server/tools
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")


def named(tool: str) -> str:
    """The name of a tool for logs; "?" for a name that may be text."""
    return tool if _NAME.fullmatch(tool) else "?"


@dataclass
class UsedTool:
    """A tool that an agent used.

    Attributes:
        name, kind: see `ToolUse`.
        arguments_digest: see `ToolArguments`; "" when the agent did not tell.
    """

    name: str
    kind: ToolKind
    arguments_digest: str = ""


@dataclass(frozen=True)
class Approval:
    """How it was decided what an agent asked for.

    Attributes:
        seconds: how long that took.
        tools: the names of the tools that it asked for (`named`).
        arguments_digest: 16 hexadecimal characters, equal for equal arguments.
    """

    decided: Decided
    seconds: float
    tools: tuple[str, ...]
    arguments_digest: str

    @classmethod
    def of(cls, pause: Pause, decision: Decision) -> "Approval":
        arguments = json.dumps([one.arguments for one in pause.requests])
        return cls(
            decision.decided,
            round(max(0.0, decision.at - pause.asked_at), 3),
            tuple(named(one.name) for one in pause.requests),
            hashlib.sha256(arguments.encode()).hexdigest()[:16],
        )


@dataclass
class Outcome:
    """What became of one delivery of a turn, for the log, the metrics and the queue.

    Attributes:
        verdict: see `Verdict`.
        failure: the trouble with which the turn ends, if any.
        detail: for the operator: what the agent or Slack said about it. Never message text.
        guardrails: the policies of guardrails that stepped in.
        first_text_seconds: from the delivery to the first piece of the answer in Slack, if there was one.
        refusal: why whoever asked is not answered, if they are not let in.
        app_refusal: Slack's name of the error with which it refused the app; "" when it did not.
        remedy: what the operator has to do about that.
        retry_in_seconds: until the message is delivered again; None: it is done with.
        agent: the name of the agent that was chosen; "" when none was.
        tools: what the agent used, in order; `MOST_TOOLS` at most.
        tool_uses: how often it used any.
        usage: all tokens that it said it used in this delivery; None when it did not say.
        claimed_at, asked_at, first_text_at: when the turn was claimed, the agent asked and the first text of
            its answer shown, before the answer was whole; seconds since the epoch, None when that was not.
        stop: who pressed Stop, if the turn ends with that.
        agent_may_go_on: whether an agent that was stopped may go on by itself.
        is_kept: whether the message stays on its queue, hidden for as long as it was hidden last.
        approval: how it was decided what the agent asked for, if this delivery did that.
        decided_by: who has decided what the agent is told in this delivery; "" where nobody has.
        audit_trouble: why the audit record could not be written; "" when there was no trouble.
    """

    verdict: Verdict
    failure: Failure | None = None
    detail: str = ""
    guardrails: tuple[str, ...] = ()
    first_text_seconds: float | None = None
    refusal: Reason | None = None
    app_refusal: str = ""
    remedy: str = ""
    retry_in_seconds: float | None = None
    agent: str = ""
    tools: list[UsedTool] = field(default_factory=list)
    tool_uses: int = 0
    usage: Usage | None = None
    claimed_at: float | None = None
    asked_at: float | None = None
    first_text_at: float | None = None
    stop: Stop | None = None
    agent_may_go_on: bool = False
    is_kept: bool = False
    approval: Approval | None = None
    decided_by: str = ""
    audit_trouble: str = ""

    def use(self, event: AgentEvent) -> None:
        """Keep which tools the agent uses, and how many tokens.

        Of calls of one tool it does not matter which has which digest.
        """
        if isinstance(event, ToolUse):
            self.tool_uses += 1
            if len(self.tools) < MOST_TOOLS:
                self.tools.append(UsedTool(event.name, event.kind))
        elif isinstance(event, ToolArguments):
            open_calls = (one for one in self.tools if (one.name, one.arguments_digest) == (event.name, ""))
            if tool := next(open_calls, None):
                tool.arguments_digest = event.digest
        elif isinstance(event, Usage):
            before = self.usage or Usage(0, 0)
            self.usage = Usage(
                before.input_tokens + event.input_tokens, before.output_tokens + event.output_tokens
            )

    def stopped(self) -> str:
        """Who has stopped the turn, as Markdown."""
        assert self.stop is not None
        return wording.stopped(self.stop, agent_may_go_on=self.agent_may_go_on)

    def note(self, detail: str) -> None:
        """Add to `detail`: what the agent said of its own trouble is kept nowhere else."""
        self.detail = "; ".join(filter(None, [self.detail, detail]))
