"""Commands: what a queue message asks for, and their JSON. They are not Slack's slash commands.

A message is an object with the command's name in `command`, the `version` of this format, and the command's
fields. Messages of other versions arrive too, because a deployment updates functions one after the other and
may be rolled back. So unknown fields are ignored, new fields have defaults, and `Ask` and `Retry` keep the
fields that a turn had before there were commands (`tests/functions/compat/dc599fc`).
"""

import json
from dataclasses import dataclass
from typing import Any, TypedDict

from functions.bridge import fields
from functions.bridge.fields import Fields, WrongField
from functions.bridge.turn import MOST_ATTEMPTS, Notice, Turn, from_fields, people, to_fields

VERSION = 1
# Streams of one thread that Slack stops at once. There is one as a rule.
MOST_STREAMS = 20
# Characters of the reason why somebody denies what an agent asks for.
LONGEST_REASON = 500
# Characters of a question that was edited. Slack's longest message has so many; with four bytes each they fit
# into the question's record, beside the text that it may owe.
LONGEST_EDIT = 40_000


class MalformedCommand(ValueError):
    """A queue message that this version cannot read. The text says what is wrong and quotes no content."""


class _AboutMessage:
    """A command about the turn of one message."""

    team: str
    channel: str
    ts: str

    @property
    def turn_id(self) -> str:
        """As that of `Turn`."""
        return f"{self.team}:{self.channel}:{self.ts}"


class _InThread:
    """A command whose message group is a thread."""

    team: str
    channel: str
    thread_ts: str

    @property
    def group_id(self) -> str:
        """SQS keeps the commands of one thread in order."""
        return f"{self.team}:{self.channel}:{self.thread_ts}"


@dataclass(frozen=True)
class Ask:
    """A person asks a question: `turn`, attempt 1. An agent answers it unless it has a notice."""

    turn: Turn
    name = "ask"

    @property
    def group_id(self) -> str:
        """The queue's message group: SQS keeps the turns of one thread in order."""
        return self.turn.thread_id

    @property
    def deduplication_id(self) -> str:
        """The same for every delivery of one Slack message. SQS allows at most 128 characters."""
        return f"{self.turn.turn_id}#{self.turn.attempt}"


@dataclass(frozen=True)
class Retry:
    """A person pressed Retry. `handle` asks the ledger whether they may.

    Attributes:
        team, channel, ts: of the question, as in `Turn`.
        thread_ts: the thread in which the button was pressed.
        user: who pressed.
        bot_user: who wrote the message with the button; "" when Slack did not say.
        attempt: the number of the attempt to begin, 2 or more.
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
        """The turn without its question, which only the ledger has."""
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
        """The same for a second press by the same person; another person's press is another command."""
        return f"{self.turn.turn_id}#{self.attempt}:{self.user}"


@dataclass(frozen=True)
class RefusePress(_InThread):
    """A person pressed a button that belongs to another person. Only they see the refusal.

    Attributes:
        team: the workspace that the bot is installed in.
        channel, thread_ts: where the button is.
        user: who pressed.
        action_ts: the time of the press, Slack's timestamp.
    """

    team: str
    channel: str
    thread_ts: str
    user: str
    action_ts: str
    name = "refuse_press"

    @property
    def deduplication_id(self) -> str:
        return f"{self.channel}:{self.user}:{self.action_ts}"


@dataclass(frozen=True)
class StopThread(_InThread):
    """A person pressed Slack's own Stop, which names a thread and no turn.

    Attributes:
        team: the workspace that the bot is installed in.
        channel, thread_ts: the thread.
        user: who pressed.
        event_ts: when, by Slack's clock.
        streams: the ts of the streams that Slack has stopped already.
        sender_unknown, in_shared_channel: as in `Turn`, of who pressed.
    """

    team: str
    channel: str
    thread_ts: str
    user: str
    event_ts: str
    streams: tuple[str, ...] = ()
    sender_unknown: bool = True
    in_shared_channel: bool = False
    name = "stop_thread"

    @property
    def deduplication_id(self) -> str:
        return f"{self.channel}:{self.user}:{self.event_ts}"


class Pressed(TypedDict):
    """What the commands about a button of a turn have in common: see `StopTurn`."""

    team: str
    channel: str
    ts: str
    thread_ts: str
    message_ts: str
    user: str
    attempt: int
    action_ts: str
    sender_unknown: bool


@dataclass(frozen=True)
class StopTurn(_AboutMessage, _InThread):
    """A person pressed our Stop button, which names an attempt of a turn.

    Attributes:
        team, channel, ts, attempt: of the question, as in `Turn`.
        thread_ts, message_ts: the thread and the message in which the button was pressed.
        user: who pressed.
        action_ts: when, by Slack's clock.
        sender_unknown: as in `Turn`, of who pressed.
    """

    team: str
    channel: str
    ts: str
    thread_ts: str
    message_ts: str
    user: str
    attempt: int
    action_ts: str
    sender_unknown: bool = True
    name = "stop_turn"

    @property
    def deduplication_id(self) -> str:
        return f"{self.channel}:{self.user}:{self.action_ts}"


@dataclass(frozen=True)
class Decide(_AboutMessage, _InThread):
    """A person pressed Approve or Deny on the card of an agent that asks before it acts.

    Attributes:
        team, channel, ts, attempt: of the question, as in `Turn`.
        thread_ts, message_ts: the thread and the card.
        pause: the id of what is decided.
        is_approved: whether it was Approve.
        reason: what they wrote into the card; "" for nothing.
        user: who pressed.
        action_ts: when, by Slack's clock.
        sender_unknown: as in `Turn`, of who pressed.
    """

    team: str
    channel: str
    ts: str
    thread_ts: str
    message_ts: str
    user: str
    attempt: int
    pause: str
    is_approved: bool
    action_ts: str
    reason: str = ""
    sender_unknown: bool = True
    name = "decide"

    @property
    def deduplication_id(self) -> str:
        """Two people who press at once have two ids."""
        return f"{self.channel}:{self.user}:{self.action_ts}"


@dataclass(frozen=True)
class ShowWaiting(_AboutMessage):
    """A question in a thread was put on its queue: if it has to wait there, that is to be seen.

    Attributes:
        team, channel, ts: of the question, as in `Turn`.
    """

    team: str
    channel: str
    ts: str
    name = "show_waiting"

    @property
    def group_id(self) -> str:
        """One of its own: while it waits for a second, no press of Stop must wait behind it."""
        return f"{self.turn_id}:{self.name}"

    @property
    def deduplication_id(self) -> str:
        return f"{self.turn_id}:{self.name}"


@dataclass(frozen=True)
class EditQuestion(_AboutMessage):
    """A person has changed a message that may be a question.

    Attributes:
        team, channel, ts, thread_ts, user: of the message, as in `Turn`.
        event_ts: when, by Slack's clock.
        is_follow_up: as in `Turn`.
        text, mentioned: what it says now, as in `Turn`.
    """

    team: str
    channel: str
    ts: str
    thread_ts: str
    user: str
    event_ts: str
    text: str
    mentioned: tuple[str, ...] = ()
    is_follow_up: bool = False
    name = "edit_question"

    @property
    def group_id(self) -> str:
        """What becomes of one message stays in order."""
        return self.turn_id

    @property
    def deduplication_id(self) -> str:
        return f"{self.turn_id}:{self.event_ts}"


@dataclass(frozen=True)
class TakeBack(_AboutMessage):
    """A person has deleted a message that may be a question. The attributes are those of `EditQuestion`."""

    team: str
    channel: str
    ts: str
    thread_ts: str
    user: str
    event_ts: str
    is_follow_up: bool = False
    name = "take_back"

    @property
    def group_id(self) -> str:
        return self.turn_id

    @property
    def deduplication_id(self) -> str:
        return f"{self.turn_id}:{self.event_ts}"


@dataclass(frozen=True)
class Ping:
    """Nobody asks: once an hour the worker shows that it takes what is on its queue.

    Attributes:
        ts: when it was sent, in the form of Slack's timestamps.
    """

    ts: str
    name = "ping"

    @property
    def group_id(self) -> str:
        """One of its own: it delays no thread."""
        return self.name

    @property
    def deduplication_id(self) -> str:
        return f"{self.name}:{self.ts}"


# Commands that may run an agent go on the questions queue, all others on the control queue, where no answer
# delays them.
TurnCommand = Ask | Retry
ControlCommand = RefusePress | StopThread | StopTurn | Decide | ShowWaiting | EditQuestion | TakeBack
Command = TurnCommand | ControlCommand


def to_json(command: Command | Ping) -> str:
    """The JSON of a command, in ASCII, because SQS refuses some characters (U+FFFE)."""
    about = to_fields(command.turn) if isinstance(command, TurnCommand) else vars(command)
    return json.dumps({"command": command.name, "version": VERSION, **about}, separators=(",", ":"))


def from_json(text: str) -> Command | Ping:
    """Read the JSON that `to_json` wrote in this version or another.

    Raises:
        MalformedCommand: the text is anything else.
    """
    try:
        return _command(_object(text))
    except WrongField as exc:
        raise MalformedCommand(str(exc)) from exc


def lost_question(text: str, message_id: str) -> Ask | None:
    """A command that tells the thread of an unreadable message that its question is lost.

    None if the message names no thread.

    Args:
        message_id: the queue message's id, which stands in for a turn id that cannot be read.
    """
    try:
        data = _object(text)
        if data.get("command", Ask.name) not in (Ask.name, Retry.name):
            return None  # a command of a newer version, not about a question
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


def _command(data: Fields) -> Command | Ping:
    match data.get("command"):
        case None:
            return _unnamed(data)
        case Ask.name:
            return Ask(_first_attempt(data))
        case Retry.name:
            return _retry(data)
        case RefusePress.name:
            return _refuse_press(data, action_ts=fields.timestamp(data, "action_ts"))
        case StopThread.name:
            return _stop_thread(data)
        case StopTurn.name:
            return StopTurn(**_pressed(data))
        case Decide.name:
            return _decide(data)
        case ShowWaiting.name:
            return _show_waiting(data)
        case EditQuestion.name:
            return _edit_question(data)
        case TakeBack.name:
            return TakeBack(**_changed(data))
        case Ping.name:
            return Ping(fields.timestamp(data, "ts"))
    raise WrongField("the command is of no kind that this version knows")


def _unnamed(data: Fields) -> Command:
    """A turn from before there were commands. For a refused press, its `ts` was the time of the press."""
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


def _stop_thread(data: Fields) -> StopThread:
    streams = fields.items(data, "streams", most=MOST_STREAMS)
    return StopThread(
        team=fields.slack_id(data, "team"),
        channel=fields.slack_id(data, "channel"),
        thread_ts=fields.timestamp(data, "thread_ts"),
        user=fields.slack_id(data, "user"),
        event_ts=fields.timestamp(data, "event_ts"),
        streams=tuple(fields.timestamp({"streams": ts}, "streams") for ts in streams),
        # Whatever else it says, it does not say that the sender is known.
        sender_unknown=data.get("sender_unknown") is not False,
        in_shared_channel=data.get("in_shared_channel", False) is not False,
    )


def _decide(data: Fields) -> Decide:
    if not isinstance(data.get("is_approved"), bool):
        raise WrongField("is_approved is neither true nor false")
    return Decide(
        **_pressed(data),
        pause=fields.token(data, "pause"),
        is_approved=data["is_approved"],
        reason=fields.text(data, "reason", "")[:LONGEST_REASON],
    )


def _pressed(data: Fields) -> Pressed:
    return {
        "team": fields.slack_id(data, "team"),
        "channel": fields.slack_id(data, "channel"),
        "ts": fields.timestamp(data, "ts"),
        "thread_ts": fields.timestamp(data, "thread_ts"),
        "message_ts": fields.timestamp(data, "message_ts"),
        "user": fields.slack_id(data, "user"),
        "attempt": fields.number(data, "attempt", least=1, most=MOST_ATTEMPTS),
        "action_ts": fields.timestamp(data, "action_ts"),
        # Whatever else it says, it does not say that the sender is known.
        "sender_unknown": data.get("sender_unknown") is not False,
    }


def _show_waiting(data: Fields) -> ShowWaiting:
    return ShowWaiting(
        team=fields.slack_id(data, "team"),
        channel=fields.slack_id(data, "channel"),
        ts=fields.timestamp(data, "ts"),
    )


def _edit_question(data: Fields) -> EditQuestion:
    return EditQuestion(
        **_changed(data),
        text=fields.text(data, "text"),
        mentioned=tuple(people(data)),
    )


def _changed(data: Fields) -> dict[str, Any]:
    """What the commands about a changed message have in common."""
    return {
        "team": fields.slack_id(data, "team"),
        "channel": fields.slack_id(data, "channel"),
        "ts": fields.timestamp(data, "ts"),
        "thread_ts": fields.timestamp(data, "thread_ts"),
        "user": fields.slack_id(data, "user"),
        "event_ts": fields.timestamp(data, "event_ts"),
        "is_follow_up": data.get("is_follow_up", False) is True,
    }


def _readable(data: Fields, name: str) -> str:
    """The id or timestamp in a field; "" for anything else."""
    read = fields.timestamp if name.endswith("ts") else fields.slack_id
    try:
        return read(data, name)
    except WrongField:
        return ""
