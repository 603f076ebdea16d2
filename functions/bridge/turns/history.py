"""The port through which a thread is read."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from functions.bridge.turn import Turn


class Author(Enum):
    """What kind of author a message has."""

    PERSON = auto()
    BOT = auto()
    """Another app."""
    US = auto()
    """This bot."""


@dataclass(frozen=True)
class Said:
    """One message of a thread.

    Attributes:
        ts: Slack's id of it in its channel.
        author: what kind of author it has.
        user: the author's id; "" of a bot without one.
        text: in plain text. People whom it mentions stand in it as "@U…".
        name: what the author is called, where Slack tells it with the message; else "".
        team: the author's workspace or organization, "" where Slack does not tell.
        files: the names of its files.
        question_ts: of one of our own messages, the question that it belongs to; "" if it is no reply.
    """

    ts: str
    author: Author
    user: str
    text: str
    name: str = ""
    team: str = ""
    files: tuple[str, ...] = ()
    question_ts: str = ""


@dataclass(frozen=True)
class Page:
    """Some messages of a thread, oldest first. `cursor` leads to those after them; "" if there are none."""

    messages: tuple[Said, ...]
    cursor: str = ""


class History(Protocol):
    """Where threads are read."""

    def page(self, turn: Turn, *, after: str, cursor: str = "") -> Page:
        """Messages of the turn's thread, before its own and after the ts `after` ("" for all).

        The thread's first message may be among them all the same, on any page. One call of Slack's API;
        raises `ChatError`.
        """
        ...
