"""Every log line and every metric of the functions, by name: what is not declared here is not written.

A line is a record of the standard library's logging, and its fields are the record's `extra`: Lambda's JSON
log format makes one object of them. docs.aws.amazon.com/lambda/latest/dg/python-logging.html

Metrics are counted during an invocation and written at its end, in CloudWatch's embedded metric format: one
line of JSON on the standard output.
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

docs/telemetry.md says what each one means; a test compares it with what stands here.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

NAMESPACE = "SlackAgentBridge"
# The dimension of every metric and a field of every line: the bridge's name, as an account may have several.
SERVICE = "service"
# A field of every line while X-Ray traces: the id of the trace.
TRACE = "xray_trace_id"

logger = logging.getLogger("slack_agent_bridge")
logger.setLevel(logging.INFO)  # Lambda's own filter can only raise it


@dataclass(frozen=True)
class Line:
    """A log line.

    Attributes:
        message: by which queries find it.
        level: of `logging`.
        fields: what it may say. A field whose value is None is left out.
        may_warn: whether it is a warning where an operator should look.
    """

    message: str
    level: int
    fields: tuple[str, ...]
    may_warn: bool = False


class Unit(StrEnum):
    """CloudWatch's name for the unit of a metric."""

    COUNT = "Count"
    SECONDS = "Seconds"


@dataclass(frozen=True)
class Metric:
    """A metric in the namespace `SlackAgentBridge`, with these dimensions besides `service`."""

    name: str
    dimensions: tuple[str, ...] = ()
    unit: Unit = Unit.COUNT


# --- the receiver ---

REQUEST_REJECTED = Line("request rejected", logging.WARNING, ("status", "reason"))
REQUEST_NOT_TAKEN = Line("request not taken", logging.ERROR, ("reason",))
EVENT_IGNORED = Line("event ignored", logging.INFO, ("reason",))
TURN_ACCEPTED = Line("turn accepted", logging.INFO, ("command", "turn_id", "reference", "notice"))
COMMAND_ACCEPTED = Line("command accepted", logging.INFO, ("command", "command_id"))
WAITING_NOT_SHOWN = Line("waiting not shown", logging.WARNING, ("turn_id", "reason"))

REQUESTS = Metric("Requests", ("outcome",))

# --- the heartbeat: the function of that name, and the receiver for its secret ---

HEARTBEAT_FOUND = Line("heartbeat found", logging.WARNING, ("what", "agent", "why", "detail"))

HEARTBEAT = Metric("Heartbeat", ("what",))

# --- the functions behind queues ---

_TURN = ("command", "turn_id", "reference")
_COMMAND = ("command", "command_id")
_OUTCOME = (
    "verdict",
    "failure",
    "refusal",
    "detail",
    "guardrails",
    "first_text_seconds",
    "retry_in_seconds",
    "receive_count",
)
# When a turn was claimed, its agent asked, its first text shown, and it was over: in seconds after its
# message was sent in Slack.
_TIMELINE = ("claimed_after", "asked_after", "first_text_after", "ended_after")
_DEFECT = ("error", "places", "receive_count")

MESSAGE_MALFORMED = Line("message malformed", logging.ERROR, ("message_id", "reason"))
TURN_HANDLED = Line(
    "turn handled",
    logging.INFO,
    (*_TURN, *_OUTCOME, "agent", "input_tokens", "output_tokens", *_TIMELINE),
    may_warn=True,
)
COMMAND_HANDLED = Line("command handled", logging.INFO, (*_COMMAND, *_OUTCOME), may_warn=True)
TURN_BROKE = Line("turn broke", logging.ERROR, (*_TURN, *_DEFECT))
COMMAND_BROKE = Line("command broke", logging.ERROR, (*_COMMAND, *_DEFECT))
APP_REFUSED = Line(
    "app refused by Slack",
    logging.ERROR,
    (*_TURN, "command_id", "error", "remedy", "retry_in_seconds"),
)
APPROVAL_DECIDED = Line(
    "approval decided",
    logging.INFO,
    (*_TURN, "command_id", "decision", "seconds", "tools", "arguments_digest"),
)
AUDIT_NOT_WRITTEN = Line("audit record not written", logging.ERROR, (*_TURN, "command_id", "reason"))

TURNS = Metric("Turns", ("verdict",))
COMMANDS = Metric("Commands", ("command", "verdict"))
FAILED_ANSWERS = Metric("FailedAnswers")
FAILURES = Metric("Failures", ("failure",))
REFUSALS = Metric("Refusals", ("reason",))
APP_REFUSALS = Metric("AppRefusals", ("error",))
GUARDRAILS = Metric("Guardrails", ("guardrail",))
APPROVALS = Metric("Approvals", ("decision",))
INPUT_TOKENS = Metric("InputTokens", ("agent",))
OUTPUT_TOKENS = Metric("OutputTokens", ("agent",))
TIME_TO_DECISION = Metric("TimeToDecision", unit=Unit.SECONDS)
TIME_TO_FIRST_TEXT = Metric("TimeToFirstText", unit=Unit.SECONDS)
TIME_TO_ANSWER = Metric("TimeToAnswer", unit=Unit.SECONDS)
SLACK_RATE_LIMITS = Metric("SlackRateLimits")
AUDIT_FAILURES = Metric("AuditFailures")


def declared(kind: type[Line] | type[Metric]) -> list[Any]:
    """All lines, or all metrics, in the order in which they stand above."""
    return [value for value in globals().values() if isinstance(value, kind)]


def log(line: Line, *, warn: bool = False, **fields: object) -> None:
    """Write the line at once.

    Raises:
        TypeError: it has no such field.
    """
    if strays := fields.keys() - set(line.fields):
        raise TypeError(f"the line {line.message!r} has no field {', '.join(sorted(strays))}")
    level = logging.WARNING if warn and line.may_warn else line.level
    common = {SERVICE: _service(), TRACE: _trace_id()}
    extra = {name: value for name, value in {**common, **fields}.items() if value is not None}
    logger.log(level, line.message, extra=extra)


def count(metric: Metric, value: float = 1, /, **dimensions: str) -> None:
    """Add to the metrics of the invocation.

    Raises:
        TypeError: these are not the metric's dimensions.
    """
    if dimensions.keys() != set(metric.dimensions):
        raise TypeError(f"the metric {metric.name} has the dimensions {metric.dimensions}")
    _counted.append((metric, value, {name: str(value) for name, value in dimensions.items()}))


@contextmanager
def invocation() -> Iterator[None]:
    """Around one invocation: what was counted in it is written when it ends, however it ends."""
    try:
        yield
    finally:
        counted = [*_counted]
        del _counted[: len(counted)]
        for document in _documents(counted):
            sys.stdout.write(json.dumps(document) + "\n")


_Counted = tuple[Metric, float, Mapping[str, str]]
# Lambda runs one invocation at a time in an execution environment.
_counted: list[_Counted] = []


def _documents(counted: list[_Counted]) -> Iterator[dict[str, Any]]:
    """One object for all metrics, each with a directive of its own, as they differ in their dimensions.

    A dimension's value stands once in an object, so a metric that has another one begins another object.
    """
    members: list[dict[str, Any]] = []
    directives: list[list[dict[str, Any]]] = []
    for metric, value, dimensions in counted:
        found = {SERVICE: _service(), **dimensions}
        at = next((at for at, one in enumerate(members) if _fits(one, metric, found)), len(members))
        if at == len(members):
            members.append({})
            directives.append([])
        members[at] |= {**found, metric.name: value}
        directives[at].append(
            {
                "Namespace": NAMESPACE,
                "Dimensions": [[*found]],
                "Metrics": [{"Name": metric.name, "Unit": metric.unit}],
            }
        )
    for one, its in zip(members, directives, strict=True):
        yield {"_aws": {"Timestamp": int(1000 * time.time()), "CloudWatchMetrics": its}, **one}


def _fits(members: Mapping[str, Any], metric: Metric, dimensions: Mapping[str, str]) -> bool:
    return metric.name not in members and all(
        members.get(name, value) == value for name, value in dimensions.items()
    )


def _service() -> str:
    # A dimension needs a value: for seconds of a deployment the code may run with older variables.
    return os.environ.get("SERVICE_NAME") or "unknown"


def _trace_id() -> str | None:
    """The root of X-Ray's header, such as "1-67891233-abcdef012345678912345678"."""
    parts = dict(
        part.split("=", 1) for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";") if "=" in part
    )
    return parts.get("Root")
