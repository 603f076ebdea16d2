"""Buttons under a reply, and what comes back when one is pressed.

A button carries ids and nothing of what was asked. Its value is a hint: whoever acts on a press compares it
with what Slack says of the press and with the ledger.
"""

import json
from dataclasses import asdict, dataclass

from functions.bridge import fields
from functions.bridge.turn import MOST_ATTEMPTS, Turn

RETRY = "retry"
STOP = "stop"
APPROVE = "approve"
DENY = "deny"
VERSION = 1


@dataclass(frozen=True)
class Button:
    """A button under a message.

    Attributes:
        label: what people read on it, plain text (`functions.bridge.wording`).
        action_id: what kind of button it is, such as `RETRY`.
        value: comes back with a press, at most 2,000 characters:
            docs.slack.dev/reference/block-kit/block-elements/button-element
        style: "primary", "danger", or "" for an ordinary button.
    """

    label: str
    action_id: str
    value: str
    style: str = ""


@dataclass(frozen=True)
class RetryValue:
    """The value of a Retry button.

    Attributes:
        team, channel, ts: of the question, as in `Turn`.
        user: who asked.
        attempt: the one that a press begins.
    """

    team: str
    channel: str
    ts: str
    user: str
    attempt: int

    def to_json(self) -> str:
        return json.dumps({"version": VERSION, **asdict(self)}, separators=(",", ":"))


def retry_value(turn: Turn) -> str:
    """The value of a button that has the turn asked once more."""
    return RetryValue(turn.team, turn.channel, turn.ts, turn.user, turn.attempt + 1).to_json()


def read_retry_value(text: str) -> RetryValue:
    """What `retry_value` wrote, in this version or another: once, the value was the whole turn.

    Raises:
        WrongField: anything else.
    """
    value = _value(text)
    return RetryValue(
        team=fields.slack_id(value, "team"),
        channel=fields.slack_id(value, "channel"),
        ts=fields.timestamp(value, "ts"),
        user=fields.slack_id(value, "user"),
        attempt=fields.number(value, "attempt", least=2, most=MOST_ATTEMPTS),
    )


@dataclass(frozen=True)
class StopValue:
    """The value of a Stop button.

    Attributes:
        team, channel, ts, attempt: of the question, as in `Turn`.
    """

    team: str
    channel: str
    ts: str
    attempt: int

    def to_json(self) -> str:
        return json.dumps({"version": VERSION, **asdict(self)}, separators=(",", ":"))


def stop_value(turn: Turn) -> str:
    """The value of a button that stops the turn."""
    return StopValue(turn.team, turn.channel, turn.ts, turn.attempt).to_json()


def read_stop_value(text: str) -> StopValue:
    """What `stop_value` wrote, in this version or another. Raises `WrongField` for anything else."""
    value = _value(text)
    return StopValue(
        team=fields.slack_id(value, "team"),
        channel=fields.slack_id(value, "channel"),
        ts=fields.timestamp(value, "ts"),
        attempt=fields.number(value, "attempt", least=1, most=MOST_ATTEMPTS),
    )


@dataclass(frozen=True)
class DecideValue:
    """The value of an Approve or Deny button.

    Attributes:
        team, channel, ts, attempt: of the question, as in `Turn`.
        pause: the id of what is decided (`functions.bridge.ledger.pauses`).
    """

    team: str
    channel: str
    ts: str
    attempt: int
    pause: str

    def to_json(self) -> str:
        return json.dumps({"version": VERSION, **asdict(self)}, separators=(",", ":"))


def decide_value(turn: Turn, pause: str) -> str:
    """The value of a button that decides what the turn's agent asks for."""
    return DecideValue(turn.team, turn.channel, turn.ts, turn.attempt, pause).to_json()


def read_decide_value(text: str) -> DecideValue:
    """What `decide_value` wrote, in this version or another. Raises `WrongField` for anything else."""
    value = _value(text)
    return DecideValue(
        team=fields.slack_id(value, "team"),
        channel=fields.slack_id(value, "channel"),
        ts=fields.timestamp(value, "ts"),
        attempt=fields.number(value, "attempt", least=1, most=MOST_ATTEMPTS),
        pause=fields.token(value, "pause"),
    )


def _value(text: str) -> fields.Fields:
    try:
        data = {"value": json.loads(text)}
    except (ValueError, RecursionError) as exc:
        raise fields.WrongField("the value is no JSON") from exc
    return fields.inner(data, "value")
