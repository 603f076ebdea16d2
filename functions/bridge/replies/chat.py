"""The port to the thread: what the bridge may do in Slack, and how Slack may refuse."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from functions.bridge.agents.events import File
from functions.bridge.errors import PassingTrouble
from functions.bridge.people import Identity, Person
from functions.bridge.replies.buttons import Button
from functions.bridge.turn import Turn


class ChatError(Exception):
    """Slack did not do what it was asked to."""


class ChatRateLimited(ChatError, PassingTrouble):
    """HTTP 429: nothing happened. `retry_after` is in seconds."""

    retry_after: float

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"rate limited, retry after {retry_after:g} s")
        self.retry_after = retry_after


class ChatUnavailable(ChatError, PassingTrouble):
    """No answer, or a server error. The call may have had its effect or not."""


class ChatUndone(ChatUnavailable):
    """No answer either, but the call had no effect that anybody sees. It may be made again."""


class ChatRefused(ChatError):
    """Slack refused this call. It would refuse a repetition as well.

    Attributes:
        code: Slack's name of the error.
        needed: the scopes of which the app lacks one, when Slack said that; else "".
    """

    def __init__(self, code: str, *, needed: str = "") -> None:
        super().__init__(f"refused: {code}")
        self.code = code
        self.needed = needed


class ChatAppRefused(ChatError):
    """Slack refused the app itself: its token, or what the app may do. The call had no effect.

    Attributes:
        code: Slack's name of the error, or `refusals.UNREADABLE`.
        remedy: what the operator has to do, for the log.
    """

    def __init__(self, code: str, remedy: str) -> None:
        super().__init__(f"the app was refused: {code}")
        self.code = code
        self.remedy = remedy


class ChatStopped(ChatRefused):
    """A person pressed Slack's own Stop on a stream: nothing more is to be written."""


class SessionStatus(StrEnum):
    """What Slack shows of a thread's session, in its words."""

    PROCESSING = "processing"
    SUSPENDED = "suspended"
    """It waits for a person."""
    ACTIVE = "active"


@dataclass(frozen=True)
class TextInput:
    """A line in which people may write something before they press a button.

    Attributes:
        name: under which the text comes back.
        label: what people read above it, plain text.
        most: characters that it takes.
    """

    name: str
    label: str
    most: int


@dataclass(frozen=True)
class Message:
    """One message of the reply to a turn.

    Attributes:
        turn: where it goes and whose it is; Slack keeps the turn id, attempt and number with the message.
        number: 0 for the placeholder and what it becomes, 1 and up for the messages that follow.
        markdown: its text, at most 12,000 characters but for tables that only a data table can show
            (`functions.bridge.markdown.tables.in_parts`).
        buttons: what stands under it, in order; in a message that is being streamed, once that is over.
        is_notice: whether the bridge says it and not an agent. Slack keeps that with the message too.
        details: plain texts of at most 3,000 characters each, below the text. Slack folds long ones.
        text_input: stands above the buttons.
    """

    turn: Turn
    number: int
    markdown: str
    buttons: tuple[Button, ...] = ()
    is_notice: bool = False
    details: tuple[str, ...] = ()
    text_input: TextInput | None = None


class TaskStatus(StrEnum):
    """How far a task is, in Slack's words."""

    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    ERROR = "error"


@dataclass(frozen=True)
class Task:
    """Something that the agent does, shown as a card in a stream. `title` has at most 256 characters."""

    id: str
    title: str
    status: TaskStatus


@dataclass(frozen=True)
class Chunk:
    """What is added to a stream: text of at most 12,000 characters, and tasks, by their id new or changed."""

    markdown: str
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True)
class Found:
    """What stands in the thread of a turn.

    Attributes:
        messages: those of its reply, number to ts.
        streams: the ts of streams that were never stopped: they do not say which message they are.
    """

    messages: dict[int, str]
    streams: tuple[str, ...] = ()


class Chat(Protocol):
    """Each method is one call of Slack's API, but for `find`, `upload`, `has_written_in` and `has_sessions`,
    and raises `ChatError`."""

    def post(self, message: Message) -> str:
        """Post a message into the turn's thread and return its ts. Notifies like any message."""
        ...

    def edit(self, ts: str, message: Message) -> None:
        """Replace what the message `ts` says."""
        ...

    def delete(self, turn: Turn, ts: str) -> None:
        """Take back one of our messages in the turn's thread."""
        ...

    def post_ephemeral(self, channel: str, thread_ts: str, user: str, text: str) -> None:
        """Say something in a thread, as Markdown, that only this user sees, and only until they reload."""
        ...

    def add_reaction(self, channel: str, ts: str, emoji: str) -> None:
        """Put an emoji under a message, by its name. Nothing changes if it is there already."""
        ...

    def remove_reaction(self, channel: str, ts: str, emoji: str) -> None:
        """Take our emoji away from under a message. Nothing changes if it is not there any more."""
        ...

    def mention(self, turn: Turn, text: str) -> None:
        """Say something in the turn's thread that notifies its user."""
        ...

    def set_status(self, turn: Turn, status: str) -> None:
        """Say under the thread what the bot is doing; Slack takes it away after two minutes.

        Slack also shows the thread's session as processing, for an hour, unless a status of "" or the end of
        a stream makes it active before.
        """
        ...

    def set_session(self, turn: Turn, status: SessionStatus) -> None:
        """Let Slack show the thread's session: as processing, with its own Stop, as suspended, or as active.

        Slack shows it as processing for an hour at most. Raises `ChatRefused` where there is no such Stop:
        the session may be processing all the same.
        """
        ...

    def has_sessions(self) -> bool:
        """Whether Slack may take `set_session`: it has not refused it to this app."""
        ...

    def start_stream(self, turn: Turn, chunk: Chunk) -> str:
        """Open a message that grows and return its ts."""
        ...

    def append_stream(self, turn: Turn, ts: str, chunk: Chunk) -> None:
        """Let the stream `ts` grow. Not to be repeated after `ChatUnavailable`: it may have grown."""
        ...

    def stop_stream(self, ts: str, message: Message, chunk: Chunk, *, goes_on: bool = False) -> None:
        """Add the last chunk to the stream `ts`, which from then on is `message`.

        `goes_on` is whether the answer goes on in another message: the session is still processing.
        """
        ...

    def upload(self, turn: Turn, file: File) -> None:
        """Share a file in the turn's thread. Raises `ChatUndone` as long as it cannot be seen there."""
        ...

    def name_of(self, user: str) -> str:
        """What people call a user."""
        ...

    def person(self, user: str) -> Person:
        """Who a user is. Slack is asked each time."""
        ...

    def has_written_in(self, channel: str) -> bool:
        """Whether a message or status of ours was the last that Slack said of a channel: it lets us write."""
        ...

    def identity(self) -> Identity:
        """Who the bot is. Slack is asked once for each token."""
        ...

    def find(self, turn: Turn) -> Found:
        """The messages of this turn that stand in the thread, whatever the attempt."""
        ...
