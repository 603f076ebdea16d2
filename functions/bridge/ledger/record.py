"""The port to the ledger: one record per turn, which makes redelivery harmless.

    state        may become            when
    (none)       received              a worker claims the turn for the first time
    received     started               just before the agent is asked
    received     replying              the bridge answers by itself, or gives up, or a person pressed Stop
    (none)       stopped               whoever asked has deleted the question before anybody claimed it
    received     answered              whoever asked is not let in, and was told so alone
    received     failed                the bot can write nothing in that place: no agent is asked
    started      received              the agent provably did not start, and may be asked again
    started      replying              the final text is known, and from here on owed; a person pressed Stop
    replying     answered, interrupted, failed, stopped    the final text has landed, or never will
    replying     waiting               the agent asks before it acts, and the card that says so stands
    waiting      started               it is decided, or the time is over: the agent is about to be told
    waiting      replying              a person pressed Stop, or the agent cannot be told
    started, replying    stopped       Slack has stopped the stream: what it shows is all there is
    interrupted, failed    received    the asker pressed Retry: the next attempt, in the same messages
    unknown      started           somebody takes over a turn in a state that only a newer version has

Each change is a conditional write that only the owner of the turn can make; `started` also has the condition
that nobody wants the turn stopped (`functions.bridge.ledger.stops`). The lease tells a dead owner
from a slow one: who finds it expired may take the turn over, in whatever state it is. A turn taken over in
`started` may have run its agent, which is not started again; one taken over in `replying` is owed its text.
The record counts these tries: a queue's receives are none, as a message that has to wait is received again
and again.

A record may be there before the first claim: somebody has left a note for whoever claims the question
(`functions.bridge.ledger.waiting`). It is in the state `received`, and nobody owns it. If whoever asked has
deleted the question by then, it is `stopped`.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from functions.bridge.agents.failures import Failure
from functions.bridge.ledger.pauses import Decision, Pause
from functions.bridge.ledger.session import Session
from functions.bridge.ledger.stops import Stop
from functions.bridge.ledger.talk import Talk
from functions.bridge.ledger.waiting import Edit
from functions.bridge.turn import Turn

# For so long a question that did not get its answer can be asked again.
QUESTION_KEPT_SECONDS = 24 * 3600
# And so long a thread has the agent that it began with. The agents themselves forget sooner.
AGENT_KEPT_SECONDS = 30 * 24 * 3600


# The owner of a record that nobody has claimed yet.
NOBODY = ""


class State(StrEnum):
    """How far a turn is. What each state may become stands above."""

    RECEIVED = "received"
    STARTED = "started"
    REPLYING = "replying"
    WAITING = "waiting"
    """For a person's decision (`functions.bridge.ledger.pauses`). Nobody holds it."""
    ANSWERED = "answered"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    """A newer version has written another one. The agent may have been asked."""


SETTLED = frozenset({State.ANSWERED, State.INTERRUPTED, State.FAILED, State.STOPPED})


class LeaseLost(Exception):
    """Somebody else has taken the turn over: this worker must not write anything any more."""


@dataclass(frozen=True)
class Record:
    """What the ledger knows of a turn.

    Attributes:
        turn_id, attempt: which turn.
        state: how far it is.
        owner: the worker that holds it; changes are refused to everybody else.
        reply: the ts of the messages of its reply that are known to stand, in order.
        intended: how many messages may stand: one more than `reply` has while a post is under way.
        base: how many of them are final and never touched again: what was said before the agent last asked
            for approval, and the card. While the turn waits, the card is the one with this number.
        edit: what the question says since it was edited; None: what it said on its queue.
        is_new: whether the claim began the record. The ledger then knows already that the first message may
            stand, so that it can be posted without another write; `intended` does not count it before that.
        owed: the final messages that must land, () when there are none.
        rest: the text that must land as a file besides, "" when there is none.
        ending: the state that the turn settles in once they have, None while that is open.
        failure: why it does not end with its answer, for whoever finishes it.
        tries: how often this attempt was worked on, this time included. A delivery that had to wait is none.
        began_at: when this attempt was claimed for the first time, seconds since the epoch; 0 where an older
            version claimed it.
        stop: who wants this attempt stopped, as it was when the record was claimed.
        pause: what the agent asks before it acts, None when it does not.
        decision: what was decided about that, as it was when the record was claimed.
        has_hourglass: whether an hourglass may stand under the question (`functions.bridge.ledger.waiting`).
    """

    turn_id: str
    attempt: int
    state: State
    owner: str
    reply: tuple[str, ...] = ()
    intended: int = 0
    base: int = 0
    owed: tuple[str, ...] = ()
    rest: str = ""
    ending: State | None = None
    failure: Failure | None = None
    tries: int = 1
    began_at: float = 0.0
    stop: Stop | None = None
    pause: Pause | None = None
    decision: Decision | None = None
    has_hourglass: bool = False
    edit: Edit | None = None
    is_new: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Held:
    """Somebody else's lease on the turn is alive.

    Attributes:
        seconds: how long it has to run at most.
    """

    seconds: float


@dataclass(frozen=True)
class AlreadySettled:
    """There is nothing left to do about the turn.

    Attributes:
        failure: what went wrong with this attempt, if it was not overtaken by another.
    """

    state: State
    failure: Failure | None = None


Claim = Record | Held | AlreadySettled


def is_settled(record: Record, turn: Turn) -> bool:
    """Whether nothing is left to do about this attempt: it is over, overtaken, or answered before."""
    if record.attempt == turn.attempt:
        return record.state in SETTLED
    return record.attempt > turn.attempt or record.state is State.ANSWERED


def settled(record: Record, turn: Turn) -> AlreadySettled:
    """What to say of a record about which nothing is left to do."""
    return AlreadySettled(record.state, record.failure if record.attempt == turn.attempt else None)


def taken_over(record: Record, turn: Turn, owner: str, now: float) -> Record:
    """The record in new hands: a later attempt begins anew, in the messages of the one before."""
    if record.state is State.UNKNOWN:
        record = replace(record, state=State.STARTED)
    elif record.attempt != turn.attempt:
        record = replace(record, state=State.RECEIVED)
    if record.attempt != turn.attempt:
        record = Record(
            record.turn_id,
            turn.attempt,
            record.state,
            record.owner,
            record.reply,
            record.intended,
            record.base,
            tries=0,
            began_at=now,
        )
    if record.owner == NOBODY:
        record = replace(record, began_at=now)
    return replace(record, owner=owner, tries=record.tries + 1)


class Ledger(Protocol):
    """Changes raise `LeaseLost` when the turn is no longer the record's owner's. Times in seconds."""

    def claim(self, turn: Turn, *, owner: str, now: float, lease_seconds: float) -> Claim:
        """Take the turn: begin its record, or take it over from an owner whose lease has expired.

        A later attempt takes over a turn that was interrupted or failed, with its messages.
        """
        ...

    def keep_question(self, turn: Turn) -> None:
        """Keep what a turn asks that will not get its answer, for 24 hours, so that Retry can use it."""
        ...

    def question(self, turn: Turn) -> Turn | None:
        """The first attempt of the turn, as `keep_question` kept it; None when it is too old."""
        ...

    def forget_question(self, turn: Turn) -> None:
        """The question has got its answer."""
        ...

    def agent_of(self, thread_id: str) -> str | None:
        """The name that `keep_agent` kept for a thread, None when it is too old."""
        ...

    def keep_agent(self, thread_id: str, name: str, *, user: str = "", ts: str = "") -> None:
        """Keep which agent a thread began with, for 30 days.

        And, if a `user` is named, that they asked it with the message `ts`.
        """
        ...

    def talk(self, thread_id: str) -> Talk:
        """Who talks with the bot in a thread."""
        ...

    def mute(self, thread_id: str, *, is_muted: bool) -> None:
        """Keep for 30 days whether the bot answers in a thread only who mentions it."""
        ...

    def session(self, thread_id: str, person: str) -> Session:
        """The session in a thread; of one person alone where `person` is no ""."""
        ...

    def keep_seen(self, thread_id: str, person: str, *, seen: str, at: float) -> None:
        """Keep that the session's agent has answered to the question with the ts `seen`, for a year.

        Nothing changes if it has answered to a later one.
        """
        ...

    def begin_session(self, thread_id: str, person: str, *, began: str) -> None:
        """Begin a new session with the message whose ts is `began`."""
        ...

    def renew(self, record: Record, *, until: float) -> None:
        """Extend the lease to `until`, seconds since the epoch."""
        ...

    def release(self, record: Record) -> None:
        """End the lease, and store how often the turn was tried and how many messages may stand."""
        ...

    def start(self, record: Record) -> None:
        """Store that the agent is about to be asked or told what was decided, and forget what that is.

        Raises `StopWanted` instead if somebody wants the attempt stopped.
        """
        ...

    def advance(self, record: Record) -> None:
        """Store the record's state, reply and intended messages. Not its owed text."""
        ...

    def owe(self, record: Record) -> None:
        """Store the whole record, its owed text included, before any of that is sent."""
        ...

    def settle(self, record: Record) -> None:
        """Store the record's final state and forget its text."""
        ...

    def wait(self, record: Record, *, receipt: str) -> None:
        """Store that the turn waits, forget the text that has landed, and end the lease: in one write.

        `receipt` is that of the queue message that is hidden meanwhile.
        """
        ...
