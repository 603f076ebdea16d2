"""How many questions run at once, and the port to where that is kept.

A slot is an entry "TURN_ID#ATTEMPT@UNTIL" in an item of the person who asks, and in one of the channel; UNTIL
is when it expires, in milliseconds since the epoch: the end of the delivery that took it, so that a crash
leaks nothing beyond that. The person's item has such entries for each question of the last minute, too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from functions.bridge.people import Person
from functions.bridge.turn import Turn

MINUTE = 60.0


@dataclass(frozen=True)
class Fairness:
    """How much one person or channel may take of the bridge: the table `[fairness]` of bridge.toml.

    Attributes:
        running_per_user, running_per_channel: questions that are answered at once; further ones wait. Direct
            messages have no limit but the person's.
        questions_per_minute: of one person; presses of Retry count. Further ones are refused.
    """

    running_per_user: int = 2
    running_per_channel: int = 10
    questions_per_minute: int = 10


class Limit(StrEnum):
    """Which of the limits is reached."""

    PERSON = "person"
    CHANNEL = "channel"
    MINUTE = "minute"


@dataclass(frozen=True)
class Full:
    """There is no slot.

    Attributes:
        most: how many there are.
        seconds: of the minute's limit, until another question may be asked.
    """

    limit: Limit
    most: int
    seconds: float = 0.0


@dataclass(frozen=True)
class Entries:
    """What stands in an item with an entry of ours.

    Attributes:
        kind: "person" or "channel".
        key: whose item it is, "TEAM:USER" or "TEAM:CHANNEL".
        running, asked: all entries, for whoever clears the expired ones away.
        own: the entry among `running` that is ours, "" for none; `own_asked` that among `asked`.
    """

    kind: str
    key: str
    running: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    own: str = ""
    own_asked: str = ""


@dataclass(frozen=True)
class Slot:
    """What a delivery has taken.

    Attributes:
        person: who asks, as users.info said within the last day; None when that is not known.
        full: why the turn may not run now, None if it may.
        held: what is to be given back.
    """

    person: Person | None = None
    full: Full | None = None
    held: tuple[Entries, ...] = ()


class Slots(Protocol):
    """Both methods raise `ServiceUnavailable`."""

    def take(self, turn: Turn, *, now: float, until: float, is_new: bool) -> Callable[[], Slot]:
        """Take the turn's slots until then, beside whatever the caller does; the result waits for them.

        A turn that has slots, because its worker died, takes them over. What was taken is to be given back,
        also where there is no slot in the end.

        Args:
            is_new: whether it counts as a question of this minute.
        """
        ...

    def give_back(self, turn: Turn, slot: Slot, *, learned: Person | None, forget: bool) -> None:
        """Free the slots, and keep for a day what was learned of who asks.

        `forget` is whether nothing was asked: then it does not count as a question of this minute either.
        """
        ...


def attempt_of(turn: Turn) -> str:
    """With what the turn's entries begin."""
    return f"{turn.turn_id}#{turn.attempt}@"


def entry(turn: Turn, until: float) -> str:
    """The turn's entry until then, seconds since the epoch."""
    return f"{attempt_of(turn)}{int(1000 * until)}"


def until(entry: str) -> float:
    """When an entry expires, seconds since the epoch."""
    return int(entry.rpartition("@")[2]) / 1000


def expired(entries: Iterable[str], now: float) -> frozenset[str]:
    """Those of the entries whose time is over."""
    return frozenset(one for one in entries if until(one) <= now)


def wait_for_minute(asked: Iterable[str], most: int, now: float) -> float:
    """Seconds until less than `most` of the questions were asked within a minute."""
    ends = sorted(until(one) for one in asked)
    return max(0.0, ends[-most] - now) if len(ends) >= most else 0.0
