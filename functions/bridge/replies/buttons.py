"""Buttons under a reply, and what comes back when one is pressed.

A button carries ids and nothing of what was asked. Its value is a hint: whoever acts on a press compares it
with what Slack says of the press and with the ledger.
"""

import json
from dataclasses import asdict, dataclass

from functions.bridge import fields
from functions.bridge.turn import MOST_ATTEMPTS, Turn

RETRY = "retry"
VERSION = 1


@dataclass(frozen=True)
class Button:
    """A button under a message.

    Attributes:
        label: what people read on it, plain text (`functions.bridge.wording`).
        action_id: what kind of button it is, such as `RETRY`.
        value: comes back with a press, at most 2,000 characters:
            docs.slack.dev/reference/block-kit/block-elements/button-element
    """

    label: str
    action_id: str
    value: str


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
    try:
        data = {"value": json.loads(text)}
    except (ValueError, RecursionError) as exc:
        raise fields.WrongField("the value is no JSON") from exc
    value = fields.inner(data, "value")
    return RetryValue(
        team=fields.slack_id(value, "team"),
        channel=fields.slack_id(value, "channel"),
        ts=fields.timestamp(value, "ts"),
        user=fields.slack_id(value, "user"),
        attempt=fields.number(value, "attempt", least=2, most=MOST_ATTEMPTS),
    )
