"""Finds out which turn a command is about, and passes it on: one outcome for each command."""

from collections.abc import Callable
from dataclasses import replace

from functions.bridge import wording
from functions.bridge.admission.access import Access
from functions.bridge.delivery import Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.queue_commands import (
    Ask,
    Command,
    ControlCommand,
    Decide,
    EditQuestion,
    RefusePress,
    Retry,
    ShowWaiting,
    StopThread,
    StopTurn,
    TakeBack,
)
from functions.bridge.turn import Notice, Turn
from functions.bridge.turns import audit
from functions.bridge.turns.decide import decide, tell_lost
from functions.bridge.turns.edits import take_change
from functions.bridge.turns.follow_up import dropped
from functions.bridge.turns.hourglass import show_waiting
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.press import carry_out
from functions.bridge.turns.stop import stop

# What is done with a turn: `answer` or `give_up`.
Work = Callable[[Turn, Delivery, Ports], Outcome]


def handle(command: Command, delivery: Delivery, ports: Ports, work: Work) -> Outcome:
    """Do `work` on the turn that the command is about.

    A refused press may come too: an older receiver had no other queue.
    """
    match command:
        case Ask(turn):
            return dropped(turn, delivery, ports) or work(turn, delivery, ports)
        case Retry():
            return _ask_again(command, delivery, ports, work)
        case RefusePress():
            return _refuse_press(command, wording.NOT_YOURS, "another person's", delivery, ports)
    raise ValueError(f"{command.name} is a command of the control queue")


def control(command: ControlCommand, delivery: Delivery, ports: Ports, access: Access) -> Outcome:
    """Do what a command of the control queue asks for. No agent is asked."""
    match command:
        case StopThread() | StopTurn():
            return stop(command, delivery, ports, access)
        case Decide():
            return decide(command, delivery, ports, access)
        case EditQuestion() | TakeBack():
            return take_change(command, delivery, ports)
        case ShowWaiting():
            return show_waiting(command, delivery, ports)
        case RefusePress():
            return _refuse_press(command, wording.NOT_YOURS, "another person's", delivery, ports)


def drop(command: ControlCommand, delivery: Delivery, ports: Ports) -> Outcome:
    """Do nothing about a command of the control queue, as nobody waits for it any more.

    But who has decided what an agent asked for believes that their press counts.
    """
    if isinstance(command, Decide):
        return tell_lost(command, delivery, ports)
    outcome = Outcome(Verdict.DROPPED)
    if isinstance(command, audit.Press):
        audit.write_press(command, delivery, ports, outcome)
    return outcome


def _ask_again(retry: Retry, delivery: Delivery, ports: Ports, work: Work) -> Outcome:
    """Begin the next attempt, as the ledger knows the question, if the press fits that question."""
    try:
        kept = ports.ledger.question(retry.turn)
    except ServiceUnavailable as exc:
        return Outcome(
            Verdict.UNAVAILABLE, detail=str(exc), retry_in_seconds=delivery.back_off(delivery.receive_count)
        )
    if kept is None:
        # What is owed already is still delivered.
        return work(replace(retry.turn, notice=Notice.TOO_OLD), delivery, ports)
    if retry.user != kept.user:
        return _refuse_press(retry, wording.NOT_YOURS, "another person's", delivery, ports)
    if (kept.turn_id, kept.thread_ts) != (retry.turn.turn_id, retry.thread_ts):
        return _refuse_press(retry, wording.WRONG_THREAD, "of another thread", delivery, ports)
    return work(replace(kept, attempt=retry.attempt), delivery, ports)


def _refuse_press(
    press: Retry | RefusePress, words: str, why: str, delivery: Delivery, ports: Ports
) -> Outcome:
    """Tell somebody why a button did nothing: once, as the button can be pressed again."""
    outcome = Outcome(Verdict.PRESS_REFUSED, detail=f"the button is {why}")
    carry_out(press, lambda: words, delivery, ports, outcome)
    outcome.retry_in_seconds = None
    audit.write_press(press, delivery, ports, outcome)
    return outcome
