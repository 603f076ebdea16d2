"""What a turn waits for whose agent has asked before it acts: a pause, and the decision that ends it.

Both stand in the turn's record, and are bound to each other by the pause's id. The pause is written by the
owner of the turn, before anybody can see it. The decision is written once, by whoever is first: a person who
presses a button, or the worker that finds the time over. Nobody overwrites it. Both go when the turn goes on.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from functions.bridge.admission.approvers import Approvers
from functions.bridge.agents.events import ToolRequest


class Decided(StrEnum):
    """How a request was decided. The value is the word in logs and metrics."""

    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    """Nobody decided in time, which counts as a denial."""


@dataclass(frozen=True)
class Decision:
    """The decision about all requests of a pause.

    Attributes:
        user: who decided; "" when nobody did.
        at: when, seconds since the epoch.
        reason: why not, in the words of whoever denied; "" for none.
    """

    decided: Decided
    user: str
    at: float
    reason: str = ""

    @property
    def is_approval(self) -> bool:
        return self.decided is Decided.APPROVED


@dataclass(frozen=True)
class Pause:
    """What an agent has asked for, who may decide about it, and until when.

    Attributes:
        id: which nobody can guess: the card's buttons carry it.
        agent: the agent's name in bridge.toml.
        session_id: the agent's session, in which it goes on.
        session_person: whose session that is where each person of a thread has one; "" elsewhere.
        asker: who has asked the question, by Slack's id.
        requests: what the agent has asked for. They are decided together.
        approvers: who may decide.
        asked_at, until: when the agent has asked, and when that expires; seconds since the epoch.
    """

    id: str
    agent: str
    session_id: str
    session_person: str
    asker: str
    requests: tuple[ToolRequest, ...]
    approvers: Approvers
    asked_at: float
    until: float


@dataclass(frozen=True)
class Pending:
    """A pause as it stands in the record.

    Attributes:
        receipt: of the turn's queue message, which is hidden until the pause expires; "" while a worker still
            has the turn in hand.
        reply: the ts of the messages of the turn's reply.
        card: the number of the card among them; None while it is not on record.
    """

    pause: Pause
    decision: Decision | None
    receipt: str
    reply: tuple[str, ...]
    card: int | None


class Pauses(Protocol):
    """Each method raises `ServiceUnavailable`."""

    def of_turn(self, turn_id: str, attempt: int) -> Pending | None:
        """The pause in the turn's record; None where this attempt waits for nothing."""
        ...

    def past_decision(self, turn_id: str, attempt: int, pause_id: str) -> Decision | None:
        """What was decided about this attempt's last pause, without the reason, once the turn has gone on.

        None where it was another pause, or nothing was decided.
        """
        ...

    def decide(self, turn_id: str, attempt: int, pause: Pause, decision: Decision) -> Pending | None:
        """Record the decision if there is none, and return what stands then.

        A person's decision comes too late when the pause has expired, or when our Stop was pressed before:
        then there is none. None is returned where the pause does not stand any more.
        """
        ...
