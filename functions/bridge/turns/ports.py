"""What a turn needs from outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from functions.bridge.admission.approvers import UserGroups
from functions.bridge.admission.slots import Slots
from functions.bridge.beside import Beside
from functions.bridge.clock import Clock
from functions.bridge.delivery import KeptMessages
from functions.bridge.ledger.pauses import Pauses
from functions.bridge.ledger.record import Ledger
from functions.bridge.ledger.stops import Stops
from functions.bridge.ledger.waiting import Waiting
from functions.bridge.replies.chat import Chat
from functions.bridge.turns.history import History


class Audit(Protocol):
    """Where audit records are kept for a year."""

    def write(self, record: Mapping[str, object]) -> None:
        """Keep a record (`functions.bridge.turns.audit`), for certain. Raises `ServiceUnavailable`."""
        ...


class Ticker(Protocol):
    """Calls something again and again, beside whatever else goes on."""

    def every(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Make the call each time that so many seconds have passed, until what this returns is called.

        One call may still be under way then.
        """
        ...


@dataclass(frozen=True)
class Ports:
    """Everything outside that a turn needs, whoever holds it.

    Attributes:
        lease_seconds: so long an owner that says nothing counts as alive; it says so every third of that.
        notify_after: a reply that took longer, in seconds, ends with a mention of the asker if it came by an
            edit, as edits notify nobody.
    """

    chat: Chat
    history: History
    ledger: Ledger
    audit: Audit
    slots: Slots
    stops: Stops
    pauses: Pauses
    groups: UserGroups
    kept: KeptMessages
    waiting: Waiting
    clock: Clock
    beside: Beside
    ticker: Ticker
    lease_seconds: float
    notify_after: float
