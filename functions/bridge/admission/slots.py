"""Limits on running questions, and the port to the items that count them.

A slot is an entry "TURN_ID#ATTEMPT@UNTIL" in an item of the person and in one of the channel. UNTIL is when
it expires, in milliseconds since the epoch: the end of the delivery that took it, so a crash frees it then.
The person's item also has such an entry for each question of the last minute, and for each that waits.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from functions.bridge.people import Person
from functions.bridge.turn import Turn

MINUTE = 60.0
# Seconds after which a question counts as waiting no more, unless it has been delivered again meanwhile.
WAITING_SECONDS = 600.0
_MILLISECONDS = re.compile("[0-9]{1,15}")


@dataclass(frozen=True)
class Fairness:
    """The limits of one person and one channel: the table `[fairness]` of bridge.toml.

    Attributes:
        running_per_user, running_per_channel: questions that run at once; further ones wait. In direct
            messages only the person's limit counts.
        waiting_per_user: questions of one person that wait at once; further ones are refused.
        questions_per_minute: questions and presses of Retry by one person; further ones are refused.
    """

    running_per_user: int = 2
    waiting_per_user: int = 5
    running_per_channel: int = 10
    questions_per_minute: int = 10


class Limit(StrEnum):
    """The limit that is reached."""

    PERSON = "person"
    CHANNEL = "channel"
    MINUTE = "minute"
    WAITING = "waiting"


@dataclass(frozen=True)
class Full:
    """No slot is free.

    Attributes:
        most: the limit.
        seconds: for `Limit.MINUTE`, seconds until another question may be asked.
    """

    limit: Limit
    most: int
    seconds: float = 0.0


@dataclass(frozen=True)
class Entries:
    """The entries of an item in which this delivery has one.

    Attributes:
        kind: "person" or "channel".
        key: "TEAM:USER" or "TEAM:CHANNEL".
        running, asked, waiting: all entries, so that expired ones can be removed.
        own, own_asked: this delivery's entry among `running` and `asked`; "" for none.
    """

    kind: str
    key: str
    running: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    own: str = ""
    own_asked: str = ""


@dataclass(frozen=True)
class Slot:
    """The result of taking slots.

    Attributes:
        person: who asks, as users.info said within the last day; None when that is not known.
        full: the limit that keeps the turn from running now; None if it may run.
        held: the entries to give back.
        waiting: the entries of all questions of the person that wait.
    """

    person: Person | None = None
    full: Full | None = None
    held: tuple[Entries, ...] = ()
    waiting: frozenset[str] = frozenset()


class Slots(Protocol):
    """Takes and frees slots. All methods raise `ServiceUnavailable`."""

    def take(self, turn: Turn, *, now: float, until: float, is_new: bool) -> Callable[[], Slot]:
        """Begin to take the turn's slots and return a function that waits for the result.

        A turn that has slots already, of a worker that may have died, gets others beside them. The result
        has to be given back, also when no slot was free.

        Args:
            now, until: seconds since the epoch; the slots expire at `until`.
            is_new: whether the turn counts as a question of this minute.
        """
        ...

    def wait(self, turn: Turn, slot: Slot, *, now: float, is_told: bool) -> Full | None:
        """Count the turn among its person's waiting ones, or return the limit that keeps it from waiting.

        It counts for `WAITING_SECONDS`, so it has to be said again at each delivery.

        Args:
            slot: what `take` has returned; there was no slot.
            is_told: whether its asker knows that it waits. Then it waits on, whatever the limit is.
        """
        ...

    def clear_earlier(self, turn: Turn, slot: Slot) -> None:
        """Remove what earlier deliveries of the turn have left: it waits no more, and their owners are dead.

        Only whoever has claimed the turn knows that. Until then their entries count beside ours.
        """
        ...

    def give_back(self, turn: Turn, slot: Slot, *, learned: Person | None, forget: bool) -> None:
        """Free the slots, and keep for a day what users.info said of the person (`learned`).

        `forget`: no question was asked, so that it does not count for this minute. Else the turn was claimed,
        so that what earlier deliveries of it have left is removed too.
        """
        ...

    def free(self, turn: Turn) -> None:
        """Remove all that the turn has, whichever delivery took it: it is over, and its workers are dead."""
        ...


def attempt_of(turn: Turn) -> str:
    """The beginning of the entries of the turn's attempt."""
    return f"{turn.turn_id}#{turn.attempt}@"


def entry(turn: Turn, until: float) -> str:
    """The turn's entry that expires at `until`, seconds since the epoch."""
    return f"{attempt_of(turn)}{int(1000 * until)}"


def until(entry: str) -> float:
    """When an entry expires, seconds since the epoch. One of another shape has expired already."""
    at = entry.rpartition("@")[2]
    return int(at) / 1000 if _MILLISECONDS.fullmatch(at) else 0.0


def expired(entries: Iterable[str], now: float) -> frozenset[str]:
    """The entries that have expired."""
    return frozenset(one for one in entries if until(one) <= now)


def wait_for_minute(asked: Iterable[str], most: int, now: float) -> float:
    """Seconds until fewer than `most` entries of the last minute are left."""
    ends = sorted(until(one) for one in asked)
    return max(0.0, ends[-most] - now) if len(ends) >= most else 0.0
