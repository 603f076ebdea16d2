"""What becomes of a question that its asker edits or deletes while it waits, and of one edited too late."""

from dataclasses import replace

from functions.bridge.delivery import Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.stops import Stop
from functions.bridge.ledger.waiting import Edit
from functions.bridge.queue_commands import EditQuestion, TakeBack
from functions.bridge.turn import Turn
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports


def take_change(command: EditQuestion | TakeBack, delivery: Delivery, ports: Ports) -> Outcome:
    """Leave it in the question's record, where the worker finds it."""
    outcome = Outcome(Verdict.DONE)
    try:
        if command.is_follow_up and not _may_wait(command, ports):
            outcome.verdict = Verdict.NOT_ADDRESSED
            return outcome
        if isinstance(command, TakeBack):
            change = ports.waiting.take_back(command.turn_id, Stop(command.user, command.event_ts))
        else:
            edit = Edit(command.text, command.mentioned, command.event_ts)
            change = ports.waiting.edit(command.turn_id, edit)
        outcome.note(change.name.lower())
    except ServiceUnavailable as exc:
        outcome.verdict = Verdict.UNAVAILABLE
        outcome.retry_in_seconds = delivery.back_off(delivery.receive_count)
        outcome.note(str(exc))
    return outcome


def edited(turn: Turn, edit: Edit | None) -> Turn:
    """The turn as its question says now. What the bridge answers by itself stays as it is."""
    if edit is None or turn.notice is not None:
        return turn
    return replace(turn, text=edit.text, mentioned=edit.mentioned)


def _may_wait(command: EditQuestion | TakeBack, ports: Ports) -> bool:
    """Whether a message that mentions nobody is for the bot, and no older than its writer's last question."""
    thread_id = f"{command.team}:{command.channel}:{command.thread_ts}"
    talk = ports.ledger.talk(thread_id)
    return talk.expects(command.user, command.ts) and talk.asked[command.user] <= command.ts
