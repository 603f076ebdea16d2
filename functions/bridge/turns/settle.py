"""Claims a turn, has somebody decide what it owes, and settles it; or gives it back, and says why."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from functions.bridge import wording
from functions.bridge.admission.identity import NotForUs
from functions.bridge.agents.failures import Failure
from functions.bridge.delivery import FIRST_BACK_OFF, Delivery
from functions.bridge.errors import GiveBack, ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import AlreadySettled, Held, LeaseLost, Record, State
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatError,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    Message,
)
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.replies.writer import Writer
from functions.bridge.turn import Turn
from functions.bridge.turns import approvals
from functions.bridge.turns.audit import TurnAudit
from functions.bridge.turns.door import TakenSlot, Waits
from functions.bridge.turns.edits import edited
from functions.bridge.turns.hourglass import take_away
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.stopped import note_who_stopped
from functions.bridge.waits import Retry

# After so many tries in vain a turn is given up, and its thread told so.
MOST_TRIES = 3
# What is owed is tried for longer, as Slack may be down for hours. After so many tries, when it could not be
# written once more, it is explained instead: it may be this text that Slack always fails on.
HOPELESS_TRIES = 100
# Where Slack refuses the app, somebody has to mend that: the turn is tried again in so many seconds at most.
# In the 14 days that it may lie in its queue that makes some 900 receives; SQS counts up to 1,000.
LONGEST_WAIT_FOR_APP = 30 * 60
# How often a mention is sent at most while Slack limits the rate.
MENTION_TRIES = 3

# Decides what a claimed turn is owed.
Decide = Callable[[ClaimedTurn, Writer, Outcome, TakenSlot], None]

_VERDICTS = {
    State.ANSWERED: Verdict.ANSWERED,
    State.INTERRUPTED: Verdict.INTERRUPTED,
    State.FAILED: Verdict.FAILED,
    State.STOPPED: Verdict.STOPPED,
    State.WAITING: Verdict.AWAITING_APPROVAL,
}


def settle_turn(
    turn: Turn,
    delivery: Delivery,
    ports: Ports,
    work: Decide,
    *,
    options: ReplyOptions = ReplyOptions(style=Style.EDIT),  # noqa: B008 - it is frozen
    is_limited: bool = False,
    is_last: bool = False,
) -> Outcome:
    """Claim the turn, let `work` decide what it is owed unless that is decided, and deliver it.

    `is_limited` is whether it counts as a question of its person: then a slot is taken beside the claim.
    `is_last` is whether nobody comes after this, while later turns of the thread may be at work.
    """
    hidden = ports.beside(lambda: delivery.extend_for_claim(ports.lease_seconds))
    now = ports.clock.now()
    slot = TakenSlot(turn, delivery, ports, is_wanted=is_limited)
    try:
        claim = ports.ledger.claim(turn, owner=delivery.owner, now=now, lease_seconds=ports.lease_seconds)
    except ServiceUnavailable as exc:
        slot.give_back(forget=True)
        retry_in_seconds = delivery.back_off(delivery.receive_count)  # nobody knows how often it was tried
        return Outcome(Verdict.UNAVAILABLE, detail=str(exc), retry_in_seconds=retry_in_seconds)
    finally:
        is_hidden = hidden()  # before anybody hides the message for another time
    if isinstance(claim, AlreadySettled):
        slot.clear_earlier()  # who settled the turn may have been killed before it gave its slot back
        slot.give_back(forget=True)
        # Who settled the turn may have been killed before that was in the log: rather twice than never.
        return Outcome(Verdict.DUPLICATE, failure=claim.failure if delivery.receive_count > 1 else None)
    if isinstance(claim, Held):
        slot.give_back(forget=True)
        return Outcome(Verdict.HELD, retry_in_seconds=claim.seconds)
    hourglass = take_away(turn, delivery, ports) if claim.has_hourglass else lambda: ""
    claimed = ClaimedTurn(
        edited(turn, claim.edit),
        claim,
        delivery,
        ports.ledger,
        ports.clock,
        lease_seconds=ports.lease_seconds,
        leased_at=now,
        is_hidden=is_hidden,
    )
    try:
        outcome = _work_on(
            claimed, claim, delivery, ports, work, slot, options=options, began_at=now, is_last=is_last
        )
    except Exception:
        slot.give_back()
        hourglass()
        raise
    slot.give_back(forget=outcome.refusal is not None)
    outcome.note(hourglass())
    return outcome


def _work_on(
    claimed: ClaimedTurn,
    claim: Record,
    delivery: Delivery,
    ports: Ports,
    work: Decide,
    slot: TakenSlot,
    *,
    options: ReplyOptions,
    began_at: float,
    is_last: bool,
) -> Outcome:
    """Have the turn settled, or say why it is given back. `claim` is its record as it was claimed."""
    turn = claimed.turn
    style = options.style_in(turn.channel)
    writer = Writer(
        claimed, ports.chat, ports.clock, ports.beside, style=style, most_messages=options.max_messages
    )
    outcome = Outcome(Verdict.FAILED, claimed_at=began_at)
    if claim.ending is State.STOPPED:
        outcome.stop = claim.stop
    if is_last:  # the worker may have said so before anything was on record
        writer.status.seems_busy = not _has_later(claimed, ports)
    audit = TurnAudit(turn, delivery, ports, outcome)
    claimed.before_settling = lambda state: audit.write(_verdict(state, outcome), claimed.record.failure)
    try:
        do = partial(work, claimed, writer, outcome, slot)
        _finish(claimed, writer, ports, outcome, do, is_last=is_last)
        outcome.verdict = _verdict(claimed.record.state, outcome)
        if outcome.verdict is Verdict.AWAITING_APPROVAL:
            approvals.keep(claimed, delivery, ports)
            outcome.is_kept = True
        if outcome.verdict is Verdict.ANSWERED and outcome.first_text_seconds is None:
            outcome.first_text_seconds = ports.clock.now() - began_at
        tells_itself = outcome.refusal or outcome.is_kept or outcome.verdict is Verdict.STOPPED
        if writer.messages.ends_silently and not tells_itself:
            words = wording.READY if outcome.verdict is Verdict.ANSWERED else wording.UNANSWERED
            _notify_if_late(turn, words, delivery, ports, began_at=began_at)
    except NotForUs as exc:
        outcome.verdict = Verdict.NOT_FOR_US
        outcome.note(str(exc))
    except ChatRefused as exc:
        outcome.verdict = Verdict.REFUSED_BY_SLACK
        outcome.note(exc.code)
    except ChatAppRefused as exc:
        _let_go(claimed, is_try=False)
        outcome.verdict, outcome.retry_in_seconds = Verdict.APP_REFUSED, _wait_for_app(turn, delivery, ports)
        outcome.app_refusal, outcome.remedy = exc.code, exc.remedy
    except Waits as exc:
        _let_go(claimed, is_try=False)
        outcome.verdict, outcome.retry_in_seconds = Verdict.WAITING, delivery.wait
        outcome.note(str(exc))
    except GiveBack as exc:
        if claim.state is State.REPLYING and claim.tries >= HOPELESS_TRIES:
            _owe_explanation_instead(claimed)
        # Before the agent was asked, and with nothing owed, there was no try.
        _let_go(claimed, is_try=claimed.record.state is not State.RECEIVED)
        outcome.verdict = Verdict.OWED
        outcome.retry_in_seconds = max(exc.seconds, delivery.back_off(claim.tries))
        outcome.note(str(exc))
    except LeaseLost:
        outcome.verdict, outcome.retry_in_seconds = Verdict.LEASE_LOST, ports.lease_seconds
    except Exception:  # a defect, which is reported by whoever called us
        if claim.state is State.REPLYING and claim.tries >= MOST_TRIES:
            _owe_explanation_instead(claimed)
        if outcome.asked_at is not None:
            audit.write("error", claimed.record.failure)
        raise
    outcome.failure = claimed.record.failure
    if outcome.asked_at is not None or (outcome.retry_in_seconds is None and not outcome.is_kept):
        audit.write(outcome.verdict, outcome.failure)
    if writer.owed.refusal:
        outcome.note(f"Slack refused the text: {writer.owed.refusal}")
    return outcome


def _verdict(state: State, outcome: Outcome) -> Verdict:
    """What became of a turn that is settled in `state`."""
    return Verdict.REFUSED if outcome.refusal else _VERDICTS[state]


def _let_go(claimed: ClaimedTurn, *, is_try: bool) -> None:
    with suppress(ServiceUnavailable, LeaseLost):  # then the lease has to run out
        claimed.release(is_try=is_try)


def _owe_explanation_instead(claimed: ClaimedTurn) -> None:
    """What is owed cannot be written, whatever it is: the next delivery says that."""
    with suppress(ServiceUnavailable, LeaseLost, GiveBack):
        claimed.owe_explanation(Failure.NOT_SHOWABLE, State.FAILED)


def _wait_for_app(turn: Turn, delivery: Delivery, ports: Ports) -> float:
    """Seconds until a turn is tried again whose app was refused: about as long as it has waited so far."""
    age = ports.clock.now() - float(turn.ts)
    return delivery.spread(min(max(age, FIRST_BACK_OFF), LONGEST_WAIT_FOR_APP))


def _finish(
    claimed: ClaimedTurn,
    writer: Writer,
    ports: Ports,
    outcome: Outcome,
    work: Callable[[], None],
    *,
    is_last: bool,
) -> None:
    """Have the turn settled, unless it must be given back: it raises what `OwedText.land` raises."""
    try:
        # Behind the dead letters no turn begins to wait.
        begins_to_wait = claimed.record.ending is State.WAITING and is_last
        if claimed.record.state is not State.REPLYING or begins_to_wait:
            work()
        if claimed.record.state is State.REPLYING:
            writer.deliver()
    except ChatStopped:
        with suppress(GiveBack, ChatAppRefused):  # these would have the turn told as interrupted
            writer.status.clear()
        note_who_stopped(claimed, ports, outcome)
        claimed.settle(State.STOPPED)
        if outcome.stop:  # in a message of its own, as Slack keeps the stream as it is
            with suppress(ChatError):
                ports.chat.post(Message(claimed.turn, len(claimed.record.reply), outcome.stopped()))


def _has_later(claimed: ClaimedTurn, ports: Ports) -> bool:
    """Whether a later turn of the thread has asked its agent: what Slack shows is that turn's."""
    began_at = claimed.record.began_at
    try:
        return 0 < began_at < ports.stops.of_thread(claimed.turn.thread_id).began_at
    except ServiceUnavailable:
        return False


def _notify_if_late(turn: Turn, words: str, delivery: Delivery, ports: Ports, *, began_at: float) -> None:
    """Mention who asked, if that was so long ago that they may have gone elsewhere; `words` say what for.

    Not tried at another delivery: the turn is settled. And not after the deadline, which is passed when Slack
    is slow: what became of the turn is not in the log yet.
    """
    # Of a later attempt nobody knows when the button was pressed.
    asked_at = float(turn.ts) if turn.attempt == 1 else began_at
    now = ports.clock.now()
    if now - asked_at <= ports.notify_after or now >= delivery.deadline or not turn.user:
        return
    retry = Retry(
        ports.clock,
        ports.clock.sleep,  # the lease ended with the turn
        delivery.share,
        until=delivery.deadline,
        most_tries=MENTION_TRIES,
        after=(ChatRateLimited,),
    )
    with suppress(ChatError):
        retry.run(lambda: ports.chat.mention(turn, words))
