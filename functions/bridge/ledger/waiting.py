"""The notes that are left for whoever claims a question, while it waits on its queue.

They stand in the question's record, which the first note makes. Each is one conditional write, so a note is
left before the claim or not at all, and the claim reads what was left. An edit that comes after the claim
stands there too, for whoever writes the answer.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from functions.bridge.ledger.stops import Stop


class Noted(Enum):
    """Whether it is noted that an hourglass may stand under a question."""

    NOW = auto()
    """Nobody has claimed the question: it waits."""
    BEFORE = auto()
    """Somebody has claimed it, and was told of an earlier note."""
    NOT = auto()
    """Somebody has claimed it, and there was no note."""


@dataclass(frozen=True)
class Edit:
    """What a question says since it was edited.

    Attributes:
        text, mentioned: as in `functions.bridge.turn.Turn`.
        ts: when, by Slack's clock.
    """

    text: str
    mentioned: tuple[str, ...]
    ts: str


class Change(Enum):
    """What becomes of an edit, or of a question that was deleted."""

    TAKEN = auto()
    """Nobody works on the question: it is asked as it says now, or not at all."""
    TOO_LATE = auto()
    """Somebody works on it: an edit is told of under the answer, and a deletion stops the turn."""
    OVER = auto()
    """It was answered, or a later edit was taken."""


class Waiting(Protocol):
    """Each method raises `ServiceUnavailable`."""

    def note_hourglass(self, turn_id: str) -> Noted:
        """Note that an hourglass is about to stand under the question, if it waits."""
        ...

    def is_claimed(self, turn_id: str) -> bool:
        """Whether somebody has claimed the question."""
        ...

    def edit(self, turn_id: str, edit: Edit) -> Change:
        """Leave what the question says now, or that it was edited too late."""
        ...

    def take_back(self, turn_id: str, stop: Stop) -> Change:
        """Settle a question as stopped that nobody has claimed; else leave a mark of Stop, while that is
        obeyed before the agent is asked."""
        ...

    def was_edited(self, turn_id: str, attempt: int) -> bool:
        """Whether the question was edited too late for this attempt."""
        ...
