"""What a queue message asks for: a command, and its form as JSON.

A message is an object with the command's name as `command`, the `version` of this form, and the command's
fields. Lambda updates functions one after the other, and a deployment may be taken back, so messages of other
versions come too: a field that is not known is passed over, one that may be missing has a default, and `Ask`
and `Retry` have the fields that a turn had before there were commands (`tests/functions/compat/dc599fc`).
"""

import json
from dataclasses import dataclass
from typing import Any

from functions.bridge import fields
from functions.bridge.fields import Fields, WrongField
from functions.bridge.turn import MOST_ATTEMPTS, Notice, Turn, from_fields, to_fields

VERSION = 1


class MalformedCommand(ValueError):
    """A queue message that is no command of this version. Names what is wrong, not the content."""


@dataclass(frozen=True)
class Ask:
    """A person asks: `turn` is answered, by an agent unless it has a notice. Its attempt is 1."""

    turn: Turn
    name = "ask"

    @property
    def group_id(self) -> str:
        """The queue's message group: the thread, in which turns stay in order."""
        return self.turn.thread_id

    @property
    def deduplication_id(self) -> str:
        """The same however often Slack delivers the message. SQS takes 128 characters at most."""
        return f"{self.turn.turn_id}#{self.turn.attempt}"


@dataclass(frozen=True)
class Retry:
    """A person pressed Retry. Whether they may is not known yet: `handle` asks the ledger.

    Attributes:
        team, channel, ts: of the question, as in `Turn`.
        thread_ts: the thread in which the button was pressed.
        user: who pressed.
        bot_user: who wrote the message with the button; "" when Slack did not say.
        attempt: which attempt is to begin, 2 or more.
    """

    team: str
    channel: str
    ts: str
    thread_ts: str
    user: str
    bot_user: str
    attempt: int
    name = "retry"

    @property
    def turn(self) -> Turn:
        """The turn as far as it is known without the ledger: without what was asked."""
        return Turn(
            team=self.team,
            channel=self.channel,
            ts=self.ts,
            thread_ts=self.thread_ts,
            user=self.user,
            bot_user=self.bot_user,
            text="",
            attempt=self.attempt,
        )

    @property
    def group_id(self) -> str:
        return self.turn.thread_id

    @property
    def deduplication_id(self) -> str:
        """A second press by the same person means nothing more; another person's is another command."""
        return f"{self.turn.turn_id}#{self.attempt}:{self.user}"


@dataclass(frozen=True)
class RefusePress:
    """A person pressed a button that is another person's: they alone are told.

    Attributes:
        team: the workspace that the bot is installed in.
        channel, thread_ts: where the button is.
        user: who pressed.
        action_ts: when, by Slack's clock.
    """

    team: str
    channel: str
    thread_ts: str
    user: str
    action_ts: str
    name = "refuse_press"

    @property
    def group_id(self) -> str:
        return f"{self.team}:{self.channel}:{self.thread_ts}"

    @property
    def deduplication_id(self) -> str:
        return f"{self.channel}:{self.user}:{self.action_ts}"


# What may run an agent is on the questions queue; the others on the control queue, which no answer holds up.
TurnCommand = Ask | Retry
ControlCommand = RefusePress
Command = TurnCommand | ControlCommand


def to_json(command: Command) -> str:
    """ASCII only: SQS refuses some characters that JSON may escape, such as U+FFFE."""
    about = vars(command) if isinstance(command, ControlCommand) else to_fields(command.turn)
    return json.dumps({"command": command.name, "version": VERSION, **about}, separators=(",", ":"))


def from_json(text: str) -> Command:
    """The command that `to_json` wrote, in this version or another.

    Raises:
        MalformedCommand: anything else.
    """
    try:
        return _command(_object(text))
    except WrongField as exc:
        raise MalformedCommand(str(exc)) from exc


def lost_question(text: str, message_id: str) -> Ask | None:
    """Tells the thread of a message that `from_json` refuses that it is lost; None if it names no thread.

    Args:
        message_id: the queue's, in place of a turn id that cannot be read.
    """
    try:
        data = _object(text)
        if data.get("command", Ask.name) not in (Ask.name, Retry.name):
            return None  # a newer version's, about no question
        channel = fields.slack_id(data, "channel")
        thread_ts = _readable(data, "thread_ts") or fields.timestamp(data, "ts")
    except WrongField:
        return None
    team, ts = _readable(data, "team"), _readable(data, "ts")
    is_known = team and ts and data.get("attempt", 1) == 1
    return Ask(
        Turn(
            team=team if is_known else message_id,
            channel=channel,
            ts=ts or thread_ts,
            thread_ts=thread_ts,
            user=_readable(data, "user"),
            bot_user=_readable(data, "bot_user"),
            text="",
            notice=Notice.UNREADABLE,
        )
    )


def _object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise WrongField("the message is no JSON") from exc
    if not isinstance(data, dict):
        raise WrongField("the message is no object")
    return data


def _command(data: Fields) -> Command:
    match data.get("command"):
        case None:
            return _unnamed(data)
        case Ask.name:
            return Ask(_first_attempt(data))
        case Retry.name:
            return _retry(data)
        case RefusePress.name:
            return _refuse_press(data, action_ts=fields.timestamp(data, "action_ts"))
    raise WrongField("the command is of no kind that this version knows")


def _unnamed(data: Fields) -> Command:
    """A turn from before there were commands. A press by a stranger had the time of the press as its `ts`."""
    if data.get("notice") == "not_yours":
        return _refuse_press(data, action_ts=fields.timestamp(data, "ts"))
    return Ask(_first_attempt(data)) if data.get("attempt", 1) == 1 else _retry(data)


def _first_attempt(data: Fields) -> Turn:
    fields.number(data, "attempt", least=1, most=1, default=1)
    return from_fields(data)


def _retry(data: Fields) -> Retry:
    ts = fields.timestamp(data, "ts")
    return Retry(
        team=fields.slack_id(data, "team"),
        channel=fields.slack_id(data, "channel"),
        ts=ts,
        thread_ts=fields.timestamp(data, "thread_ts", ts),
        user=fields.slack_id(data, "user"),
        bot_user=fields.slack_id(data, "bot_user", ""),
        attempt=fields.number(data, "attempt", least=2, most=MOST_ATTEMPTS),
    )


def _refuse_press(data: Fields, *, action_ts: str) -> RefusePress:
    return RefusePress(
        team=fields.slack_id(data, "team"),
        channel=fields.slack_id(data, "channel"),
        thread_ts=fields.timestamp(data, "thread_ts"),
        user=fields.slack_id(data, "user"),
        action_ts=action_ts,
    )


def _readable(data: Fields, name: str) -> str:
    """The id or timestamp in a field; "" for anything else."""
    read = fields.timestamp if name.endswith("ts") else fields.slack_id
    try:
        return read(data, name)
    except WrongField:
        return ""
