"""The audit record: who asked whom, where, with what tools, and what became of it. Never what was said.

There is one for each turn, each press that is refused, and each press of Stop. It is written before the turn
settles: after a crash between the two the next delivery writes another, rather than none. `turn_id`,
`attempt` and `delivery` tell such records apart. A delivery that asked the agent and could not settle the
turn writes one as well, as the next one does not know which tools were used.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from functions.bridge.agents.failures import Failure
from functions.bridge.delivery import Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.queue_commands import Decide, RefusePress, Retry, StopThread, StopTurn
from functions.bridge.turn import Turn
from functions.bridge.turns.outcome import Outcome, UsedTool, named
from functions.bridge.turns.ports import Ports

VERSION = 1
# Presses that are no turn of their own.
Press = Retry | RefusePress | StopThread | StopTurn | Decide

_END_OF_DATES = datetime.max.replace(tzinfo=UTC).timestamp() - 1


class TurnAudit:
    """The record of what one delivery makes of a turn."""

    def __init__(self, turn: Turn, delivery: Delivery, ports: Ports, outcome: Outcome) -> None:
        self._turn = turn
        self._delivery = delivery
        self._ports = ports
        self._outcome = outcome
        self._is_written = False

    def write(self, verdict: str, failure: Failure | None) -> None:
        """Write the record, once. If that fails, the turn goes on."""
        if self._is_written:
            return
        self._is_written = True
        now = self._ports.clock.now()
        record = of_turn(self._turn, self._delivery, self._outcome, verdict=verdict, failure=failure, now=now)
        _write(record, self._ports, self._outcome)


def write_press(press: Press, delivery: Delivery, ports: Ports, outcome: Outcome) -> None:
    """Write the record of a press. If that fails, the command goes on."""
    _write(of_press(press, delivery, outcome, now=ports.clock.now()), ports, outcome)


def of_turn(
    turn: Turn, delivery: Delivery, outcome: Outcome, *, verdict: str, failure: Failure | None, now: float
) -> Mapping[str, object]:
    """The record of a turn that is about to settle, `now` in seconds since the epoch."""
    return {
        "version": VERSION,
        "kind": "turn",
        "turn_id": turn.turn_id,
        "attempt": turn.attempt,
        "reference": turn.reference,
        "delivery": delivery.owner,
        "team": turn.team,
        "channel": turn.channel,
        "thread": turn.thread_ts,
        "person": turn.user,
        "agent": outcome.agent,
        "tools": [_tool(tool) for tool in outcome.tools],
        "tool_uses": outcome.tool_uses,
        "verdict": verdict,
        "failure": failure or "",
        "refusal": outcome.refusal or "",
        "stopped_by": outcome.stop.user if outcome.stop else "",
        "decided_by": outcome.decided_by,
        **_approval(outcome),
        "times": _times(
            sent=float(turn.ts),
            claimed=outcome.claimed_at,
            asked=outcome.asked_at,
            first_text=outcome.first_text_at,
            stopped=float(outcome.stop.ts) if outcome.stop else None,
            ended=now,
        ),
    }


def of_press(press: Press, delivery: Delivery, outcome: Outcome, *, now: float) -> Mapping[str, object]:
    """The record of a press, `now` in seconds since the epoch."""
    match press:
        case StopThread():
            pressed: float | None = float(press.event_ts)
        case Retry():
            pressed = None
        case _:
            pressed = float(press.action_ts)
    return {
        "version": VERSION,
        "kind": "press",
        "command": press.name,
        "command_id": press.deduplication_id,
        "delivery": delivery.owner,
        "team": press.team,
        "channel": press.channel,
        "thread": press.thread_ts,
        "person": press.user,
        "verdict": outcome.verdict,
        **_approval(outcome),
        "times": _times(pressed=pressed, ended=now),
    }


def _approval(outcome: Outcome) -> Mapping[str, object]:
    """How a request of the agent was decided, if that is what the record is about."""
    if (decided := outcome.approval) is None:
        return {}
    return {
        "approval": {
            "decision": decided.decided,
            "seconds": decided.seconds,
            "tools": list(decided.tools),
            "arguments_digest": decided.arguments_digest,
        }
    }


def _tool(tool: UsedTool) -> Mapping[str, str]:
    return {
        "name": named(tool.name) if tool.name else "",
        "kind": tool.kind,
        "arguments_digest": tool.arguments_digest,
    }


def _write(record: Mapping[str, object], ports: Ports, outcome: Outcome) -> None:
    try:
        ports.audit.write(record)
    except ServiceUnavailable as exc:
        outcome.audit_trouble = str(exc)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the person has the answer, and the turn must settle
        outcome.audit_trouble = type(exc).__name__


def _times(**times: float | None) -> dict[str, str]:
    """Those that are known, as RFC 3339 has them, in UTC. What a message says of itself may be no date."""
    return {
        name: datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
        for name, time in times.items()
        if time is not None and time < _END_OF_DATES
    }
