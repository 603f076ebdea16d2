"""What is done about a press of Approve or Deny: it is recorded once, and wakes the turn that waits."""

from dataclasses import replace

from functions.bridge import wording
from functions.bridge.admission import access
from functions.bridge.admission.access import Access
from functions.bridge.admission.approvers import ApproverRule, GroupUnreadable, may_decide
from functions.bridge.admission.identity import belongs_to_us
from functions.bridge.delivery import Delivery
from functions.bridge.ledger.pauses import Decided, Decision, Pause, Pending
from functions.bridge.ledger.record import NOBODY, Record, State
from functions.bridge.queue_commands import Decide
from functions.bridge.replies import card
from functions.bridge.replies.chat import ChatError, ChatRefused
from functions.bridge.turn import Turn
from functions.bridge.turns import audit
from functions.bridge.turns.outcome import Approval, Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.press import carry_out
from functions.bridge.turns.stop_watch import is_meant


def decide(command: Decide, delivery: Delivery, ports: Ports, rules: Access) -> Outcome:
    """Record the decision, wake the turn, and let the card say it. Whose press does nothing is told why."""
    outcome = Outcome(Verdict.DECIDED)
    carry_out(command, lambda: _decide(command, ports, rules, outcome), delivery, ports, outcome)
    if outcome.verdict is Verdict.APP_REFUSED and outcome.approval is None:
        # Nobody knows yet whether the press counts.
        outcome.retry_in_seconds = delivery.back_off(delivery.receive_count)
    if outcome.retry_in_seconds is None:
        audit.write_press(command, delivery, ports, outcome)
    return outcome


def _decide(command: Decide, ports: Ports, rules: Access, outcome: Outcome) -> str:
    """Decide, and return what who pressed is told: "" where the card says it."""
    pending = ports.pauses.of_turn(command.turn_id, command.attempt)
    if pending is None or pending.pause.id != command.pause:
        return _too_late(command, ports, outcome)
    if not _is_on(pending, command.message_ts):
        outcome.note("it is of another message")
        return wording.NOT_PENDING
    pause = pending.pause
    try:
        if not _may(_turn(command, command.user), pause, ports, rules, outcome):
            outcome.note("they may not decide")
            return wording.MAY_NOT_DECIDE
    except GroupUnreadable as exc:
        outcome.note(str(exc))
        return wording.UNKNOWN_WHETHER_THEY_MAY
    if pending.decision is None and _is_stopped(command, pending, ports):
        outcome.note("its thread was stopped before")
        return wording.NOT_PENDING
    decided = Decided.APPROVED if command.is_approved else Decided.DENIED
    decision = Decision(decided, command.user, _pressed_at(command), command.reason)
    stands = ports.pauses.decide(command.turn_id, command.attempt, pause, decision)
    if stands is None:  # the turn has gone on just now
        return _too_late(command, ports, outcome)
    if stands.decision is None:
        outcome.note("it came too late")
        return wording.NOT_PENDING
    # Whoever has decided may have been killed before this.
    if stands.receipt:
        ports.kept.wake(stands.receipt)
    if stands.decision != decision:
        outcome.note("it was decided before")
        return wording.decided_already(stands.decision)
    outcome.approval = Approval.of(pause, decision)
    if stands.card is not None:
        _show(command, stands, decision, ports, outcome)
    return ""


def tell_lost(command: Decide, delivery: Delivery, ports: Ports) -> Outcome:
    """Tell who pressed that their press was given up, if nobody has decided yet: the card can be pressed."""
    outcome = Outcome(Verdict.DROPPED)
    carry_out(command, lambda: _lost(command, ports), delivery, ports, outcome)
    if outcome.verdict is Verdict.PRESS_REFUSED:
        outcome.verdict = Verdict.DROPPED
    if outcome.retry_in_seconds is None:
        audit.write_press(command, delivery, ports, outcome)
    return outcome


def _lost(command: Decide, ports: Ports) -> str:
    pending = ports.pauses.of_turn(command.turn_id, command.attempt)
    is_open = pending is not None and pending.pause.id == command.pause and pending.decision is None
    return wording.PRESS_LOST if is_open else ""


def _is_stopped(command: Decide, pending: Pending, ports: Ports) -> bool:
    """Whether Slack's Stop was pressed: it stands with the thread. Our own is a condition of the decision."""
    turn = _turn(command, pending.pause.asker)
    mark = ports.stops.of_thread(turn.thread_id)
    if mark.stop is None or (mark.turn_id, mark.attempt) != (command.turn_id, command.attempt):
        return False
    record = Record(
        turn.turn_id, turn.attempt, State.WAITING, NOBODY, reply=pending.reply, began_at=mark.began_at
    )
    return is_meant(record, mark.stop)


def _pressed_at(command: Decide) -> float:
    """In milliseconds, as it is kept."""
    return int(1000 * float(command.action_ts)) / 1000


def _too_late(command: Decide, ports: Ports, outcome: Outcome) -> str:
    """What who pressed is told where nothing waits for it; "" where it was this press that counts."""
    decision = ports.pauses.past_decision(command.turn_id, command.attempt, command.pause)
    if decision is None:
        outcome.note("nothing waits for it")
        return wording.NOT_PENDING
    if (decision.user, decision.at) == (command.user, _pressed_at(command)):  # it was delivered again
        return ""
    outcome.note("it was decided before")
    return wording.decided_already(decision)


def _is_on(pending: Pending, message_ts: str) -> bool:
    """Whether a message may be the card.

    That is on record a moment after it can be pressed; and not, while another message takes its place.
    """
    if pending.card is None or pending.card >= len(pending.reply):
        return True
    return message_ts == pending.reply[pending.card]


def _may(presser: Turn, pause: Pause, ports: Ports, rules: Access, outcome: Outcome) -> bool:
    """Whether who pressed may decide. Raises what `may_decide` raises."""
    try:
        person = ports.chat.person(presser.user)
    except ChatRefused as exc:
        outcome.note(f"Slack does not tell who presses: {exc.code}")
        return False
    is_ours = belongs_to_us(person.home, ports.chat.identity())
    if not is_ours or person.is_guest or person.is_stranger or person.is_bot or person.is_deactivated:
        return False
    if pause.approvers.rule is not ApproverRule.LISTED and any(
        access.refused_by_event(presser, one) for one in (rules.bridge, rules.of(pause.agent))
    ):
        return False
    asked = replace(presser, user=pause.asker)
    return may_decide(pause.approvers, presser.user, turn=asked, groups=ports.groups)


def _show(command: Decide, stands: Pending, decision: Decision, ports: Ports, outcome: Outcome) -> None:
    """Let the card say it at once. The worker does that too, before it goes on."""
    assert stands.card is not None
    turn = _turn(command, stands.pause.asker)
    try:
        ports.chat.edit(command.message_ts, card.decided(turn, stands.card, stands.pause, decision))
    except ChatError as exc:
        outcome.note(f"the card was not edited yet: {exc}")


def _turn(command: Decide, user: str) -> Turn:
    """The turn as somebody's, without its question."""
    return Turn(
        team=command.team,
        channel=command.channel,
        ts=command.ts,
        thread_ts=command.thread_ts,
        user=user,
        bot_user="",
        text="",
        attempt=command.attempt,
        sender_unknown=command.sender_unknown,
    )
