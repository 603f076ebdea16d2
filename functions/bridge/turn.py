"""A turn: one message addressed to the bot, as it travels from the receiver to the worker."""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from functions.bridge import fields
from functions.bridge.fields import Fields, WrongField

# Files of a message that are read. No agent takes so many; the user is told how many there are.
MOST_LISTED_FILES = 20
# Mentioned people whose names are looked up. Each costs a call of users.info.
MOST_PEOPLE = 10
# Presses of Retry under one question.
MOST_ATTEMPTS = 9_999
# Bytes. Larger sizes are cut to this: no agent takes such a file.
LARGEST_FILE = 10**12


class MalformedTurn(ValueError):
    """The JSON is no turn. The text says what is wrong and quotes no content."""


class Notice(StrEnum):
    """Why a turn is answered by the bridge itself and reaches no agent."""

    EMPTY = "empty"
    """The mention has no text: the user gets help."""
    EXTERNAL = "external"
    """The sender belongs to another organisation (a Slack Connect channel)."""
    TOO_LONG = "too_long"
    """The question does not fit into a queue message."""
    TOO_OLD = "too_old"
    """Somebody pressed Retry after the ledger had forgotten the question."""
    UNREADABLE = "unreadable"
    """This version cannot read the message or its notice: the user is asked to write again."""


@dataclass(frozen=True)
class Attachment:
    """A file of a user's message, as Slack describes it.

    Attributes:
        media_type: Slack's guess, such as "image/png".
        size: in bytes.
        url: where the bot can download it; "" when Slack gives the bot no address.
    """

    name: str
    media_type: str
    size: int
    url: str


@dataclass(frozen=True)
class Turn:
    """One message addressed to the bot and everything its answer needs.

    Attributes:
        team: the workspace that the bot is installed in ("T…").
        channel: the channel of the message ("C…", "D…", "G…").
        ts: the message's timestamp, which is Slack's id of it.
        thread_ts: the `ts` of the thread's first message; the message's own when it starts a thread.
        user: who asks ("U…" or "W…").
        bot_user: the bot's own user id, by which the user mentions it.
        text: the question in plain text; "" when there is a notice.
        notice: why no agent is asked, or None.
        attempt: 1 at first; each press of Retry adds one.
        files: the files of the message.
        mentioned: the ids of the people whom the text mentions as "@U…".
        app: the app that the message is for ("A…"), "" when that was not said.
        organization: the Enterprise organization that the bot is installed in ("E…"), "" without one.
        sender_unknown: whether the event does not say if the sender belongs to our organization, so that
            users.info has to.
        in_shared_channel: whether people of another organization can read the channel (Slack Connect).
        is_follow_up: whether it mentions nobody, and is for the bot only if its user talks with it in that
            thread (`functions.bridge.turns.follow_up`).
    """

    team: str
    channel: str
    ts: str
    thread_ts: str
    user: str
    bot_user: str
    text: str
    notice: Notice | None = None
    attempt: int = 1
    files: tuple[Attachment, ...] = ()
    mentioned: tuple[str, ...] = ()
    app: str = ""
    organization: str = ""
    sender_unknown: bool = False
    in_shared_channel: bool = False
    is_follow_up: bool = False

    @property
    def turn_id(self) -> str:
        """The same for Slack's retries, for two events about one message, and after an edit."""
        return f"{self.team}:{self.channel}:{self.ts}"

    @property
    def thread_id(self) -> str:
        """The id of the SQS message group and of the agent's session.

        Both services take it: at most 100 characters of `[0-9a-zA-Z._:-]` (Bedrock's `SessionId`).
        """
        return f"{self.team}:{self.channel}:{self.thread_ts}"

    @property
    def reference(self) -> str:
        """Eight hexadecimal digits that a user can read out and an operator can find in the log."""
        return hashlib.sha256(f"{self.turn_id}#{self.attempt}".encode()).hexdigest()[:8]


def to_json(turn: Turn) -> str:
    """The JSON for the ledger. UTF-8 can encode it: `events` and `from_fields` let no lone surrogate in."""
    return json.dumps(to_fields(turn), separators=(",", ":"), ensure_ascii=False)


def from_json(text: str) -> Turn:
    """Read the JSON that `to_json` wrote in this version or another.

    Raises:
        MalformedTurn: the text is anything else.
    """
    try:
        return from_fields(json.loads(text))
    except (WrongField, AttributeError, RecursionError, ValueError) as exc:
        raise MalformedTurn(f"no turn: {exc if isinstance(exc, WrongField) else type(exc).__name__}") from exc


def to_fields(turn: Turn) -> dict[str, Any]:
    """The turn as a JSON object."""
    return asdict(turn)


def from_fields(data: Fields) -> Turn:
    """The turn with these fields. A newer version may add fields, and an older one may lack some.

    Raises:
        WrongField: a field has the wrong type, format or size.
    """
    ts = fields.timestamp(data, "ts")
    notice = _notice(data)
    return Turn(
        team=fields.slack_id(data, "team"),
        channel=fields.slack_id(data, "channel"),
        ts=ts,
        thread_ts=fields.timestamp(data, "thread_ts", ts),
        user=fields.slack_id(data, "user"),
        bot_user=fields.slack_id(data, "bot_user"),
        text=fields.text(data, "text", None if notice is None else ""),
        notice=notice,
        attempt=fields.number(data, "attempt", least=1, most=MOST_ATTEMPTS, default=1),
        files=tuple(_attachment(file) for file in fields.items(data, "files", most=MOST_LISTED_FILES)),
        mentioned=tuple(people(data)),
        app=fields.slack_id(data, "app", ""),
        organization=fields.slack_id(data, "organization", ""),
        # Anything but false means that the sender is not known.
        sender_unknown=data.get("sender_unknown", False) is not False,
        in_shared_channel=data.get("in_shared_channel", False) is not False,
        # Whoever mentions the bot is answered in any case, so that nothing but true means that nobody did.
        is_follow_up=data.get("is_follow_up", False) is True,
    )


def _notice(data: Fields) -> Notice | None:
    """The notice. One that only a newer version knows becomes UNREADABLE."""
    value = data.get("notice")
    if value is None:
        return None
    return Notice(value) if value in [*Notice] else Notice.UNREADABLE


def _attachment(file: Any) -> Attachment:
    if not isinstance(file, dict):
        raise WrongField("a file is no object")
    return Attachment(
        name=fields.text(file, "name"),
        media_type=fields.text(file, "media_type", ""),
        size=fields.number(file, "size", least=0, most=LARGEST_FILE, default=0),
        url=fields.text(file, "url", ""),
    )


def people(data: Fields) -> list[str]:
    """The ids in the field `mentioned`."""
    found = fields.items(data, "mentioned", most=MOST_PEOPLE)
    return [fields.slack_id({"mentioned": person}, "mentioned") for person in found]
