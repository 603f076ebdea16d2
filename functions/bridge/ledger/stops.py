"""The marks that people leave who press Stop, for whoever runs a turn. No owner of a turn overwrites them.

Slack's own Stop names a thread: its mark stands with the thread. Our Stop button names an attempt of a turn:
its mark stands in the turn's record. Which turn obeys the mark of its thread stands in
`functions.bridge.turns.stop_watch`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

# A mark of a thread is forgotten after so many seconds.
STOP_KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Stop:
    """Somebody has pressed Stop.

    Attributes:
        user: who.
        ts: when, by Slack's clock, as Slack writes it: "1700000000.000100".
        streams: the ts of the streams that Slack has stopped already.
    """

    user: str
    ts: str
    streams: tuple[str, ...] = ()


class StopWanted(Exception):
    """The agent must not be asked: somebody has pressed Stop."""

    def __init__(self, stop: Stop) -> None:
        super().__init__("somebody wants the turn stopped")
        self.stop = stop


class Press(Enum):
    """What becomes of a press of our Stop button."""

    TAKEN = auto()
    TWICE = auto()
    """Somebody has pressed it before."""
    OVER = auto()
    """There is nothing to stop: the answer is known, or another attempt has begun."""
    ELSEWHERE = auto()
    """The message that was pressed does not belong to the turn that the button names."""


@dataclass(frozen=True)
class ThreadMark:
    """What stands with a thread.

    Attributes:
        stop: the last press of Slack's Stop that no turn has obeyed yet, if there is one.
        began_at: when the turn was claimed for the first time whose agent was asked last, seconds since the
            epoch; 0 where none was.
        turn_id, attempt: of that turn; "" where an older version has asked its agent.
    """

    stop: Stop | None = None
    began_at: float = 0.0
    turn_id: str = ""
    attempt: int = 1


class Stops(Protocol):
    """Each method raises `ServiceUnavailable`."""

    def mark_thread(self, thread_id: str, stop: Stop) -> bool:
        """Leave a mark with a thread. False when it was left before, or a later one was."""
        ...

    def mark_turn(self, turn_id: str, attempt: int, message_ts: str, stop: Stop) -> Press:
        """Leave a mark with an attempt, if its agent may be at work and the message belongs to it."""
        ...

    def of_thread(self, thread_id: str) -> ThreadMark:
        """What stands with a thread."""
        ...

    def marks(
        self, turn_id: str, attempt: int, thread_id: str, *, newest: bool
    ) -> tuple[Stop | None, ThreadMark]:
        """The mark that stands with an attempt, and what stands with its thread.

        Unless `newest`, a mark of the last second or so may be missing, for half the price.
        """
        ...

    def begin(
        self, thread_id: str, *, turn_id: str, attempt: int, began_at: float
    ) -> Callable[[], ThreadMark]:
        """Note which turn is about to ask its agent, and when it was claimed first.

        Returns at once. What it returns waits for that, says what stands with the thread then, and raises
        what went wrong.
        """
        ...

    def obeyed(self, thread_id: str, stop: Stop) -> None:
        """Take the mark away. A later one stays."""
        ...
