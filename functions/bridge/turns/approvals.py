"""A turn whose agent asks before it acts: when it has to wait, what was decided, and how its message is kept.

A waiting turn keeps its own queue message, hidden until the pause expires. Whoever decides records that first
and wakes the message second; whoever hides the message reads the record last. So no decision is missed.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from functions.bridge import wording
from functions.bridge.admission.approvers import ASKER, Approvers
from functions.bridge.agents.events import ToolRequest, Wanted
from functions.bridge.agents.tools import Tool
from functions.bridge.delivery import FIRST_BACK_OFF, Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.pauses import Decided, Decision, Pause
from functions.bridge.ledger.record import LeaseLost, State
from functions.bridge.replies import card
from functions.bridge.replies.chat import ChatRefused
from functions.bridge.replies.thread_messages import ThreadMessages
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.stop_watch import StopWatch

# Characters of what is asked for, as JSON in ASCII. An item of the ledger holds 400 KB, of which half is for
# what the agent has said before.
MOST_KEPT = 180_000


@dataclass(frozen=True)
class ApprovalRules:
    """What bridge.toml says of the requests of one agent.

    Attributes:
        seconds: for so long somebody may decide about a request.
        tools: what the bridge runs for it, by the names under which it asks.
    """

    approvers: Approvers = ASKER
    seconds: int = 900
    tools: Mapping[str, Tool] = field(default_factory=dict)

    def missing(self, requests: Sequence[ToolRequest]) -> list[ToolRequest]:
        """Those that nobody here can answer: the agent wants a result, and there is no such tool."""
        return [one for one in requests if one.wanted is not Wanted.CONSENT and one.name not in self.tools]

    def needs_person(self, request: ToolRequest) -> bool:
        """Whether a person has to approve a request."""
        return request.wanted is not Wanted.RESULT or self.tools[request.name].approve

    def are_free(self, requests: Sequence[ToolRequest]) -> bool:
        """Whether there are requests, all of which can be answered without asking anybody."""
        return bool(requests) and not self.missing(requests) and not any(map(self.needs_person, requests))


@dataclass(frozen=True)
class Denied:
    """What a person has denied just now. An agent that asks for the same at once is not passed on to them.

    Attributes:
        requests: all that stood on the card.
        decision: theirs.
    """

    requests: tuple[ToolRequest, ...]
    decision: Decision

    def again(self, requests: Sequence[ToolRequest]) -> Decision | None:
        """The denial of requests that all stood on the card; None where there is a new one among them."""
        denied = {(one.name, one.arguments) for one in self.requests}
        if not all((one.name, one.arguments) in denied for one in requests):
            return None
        return replace(self.decision, reason=wording.told_denied_again(self.decision.reason))


def new_pause(
    requests: Sequence[ToolRequest],
    rules: ApprovalRules,
    *,
    agent: str,
    session_id: str,
    session_person: str,
    asker: str,
    now: float,
) -> Pause | None:
    """What a turn has to wait for; None where nobody can be asked, or the answer would help nobody."""
    if not requests or rules.missing(requests):
        return None
    pause = Pause(
        id=secrets.token_hex(16),
        agent=agent,
        session_id=session_id,
        session_person=session_person,
        asker=asker,
        requests=tuple(requests),
        approvers=rules.approvers,
        asked_at=now,
        until=now + rules.seconds,
    )
    return pause if card.can_be_shown(pause) and _can_be_kept(pause) else None


def _can_be_kept(pause: Pause) -> bool:
    """Whether the ledger can keep it until it is decided. A card does not show how long a secret is."""
    kept = [text for one in pause.requests for text in (one.arguments, one.context, one.message)]
    return len(json.dumps(kept)) <= MOST_KEPT


def decision_of(claimed: ClaimedTurn, ports: Ports) -> Decision | None:
    """What was decided about the pause of a turn; that it expired, if its time is over; None: nothing yet.

    Raises `GiveBack`, or `LeaseLost` where the turn does not wait for that any more.
    """
    record = claimed.record
    assert record.pause is not None
    if record.decision is not None:
        return record.decision
    now = ports.clock.now()
    if now < record.pause.until:
        return None
    pause, expired = record.pause, Decision(Decided.EXPIRED, "", now)
    stands = claimed.retry_until_deadline(
        lambda: ports.pauses.decide(record.turn_id, record.attempt, pause, expired)
    )
    if stands is None:
        raise LeaseLost(f"turn {record.turn_id} waits for nothing any more")
    return stands.decision


def show_decision(claimed: ClaimedTurn, messages: ThreadMessages, pause: Pause, decision: Decision) -> None:
    """Let the card say what was decided.

    Raises `GiveBack`, `ChatAppRefused`, or `ChatRefused` after which the turn is settled: the thread is gone.
    """
    number = claimed.record.base
    try:
        messages.land(card.decided(claimed.turn, number, pause, decision), messages.standing())
    except ChatRefused:
        claimed.settle(State.FAILED)
        raise


def keep(claimed: ClaimedTurn, delivery: Delivery, ports: Ports) -> None:
    """Hide the message of a waiting turn until the pause expires, or show it at once if something came."""
    record = claimed.record
    assert record.pause is not None
    with suppress(ServiceUnavailable):  # then it shows when the lease would have expired
        delivery.message.extend_visibility(max(0.0, record.pause.until - ports.clock.now()))
        try:
            stands = ports.pauses.of_turn(record.turn_id, record.attempt)
            is_decided = stands is None or stands.decision is not None
            is_stopped = StopWatch(claimed, ports).look_surely() is not None
        except ServiceUnavailable:
            delivery.message.extend_visibility(FIRST_BACK_OFF)
            return
        if is_decided or is_stopped:
            delivery.message.extend_visibility(0)


def begin_new_sessions(claimed: ClaimedTurn) -> None:
    """Begin new sessions if an earlier owner may have gone on with the agent and not have told it anything.

    Whose session it was is forgotten by then: the thread's and the asker's own begin anew. Raises `GiveBack`.
    """
    if claimed.record.state is State.STARTED and claimed.record.base > 0:
        for person in ("", claimed.turn.user):
            claimed.begin_session(person)
