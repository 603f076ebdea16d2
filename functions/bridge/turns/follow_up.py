"""Whether a message in a thread is for the bot that does not mention it. Nothing shows where it is not."""

from functions.bridge.delivery import Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.turn import Turn
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports

# With these words, instead of a question, a person has the bot answer in a thread only who mentions it, or
# others too.
MUTE, UNMUTE = "mute", "unmute"


def dropped(turn: Turn, delivery: Delivery, ports: Ports) -> Outcome | None:
    """What becomes of a message that is not for the bot; None where it is.

    One that was claimed before is finished, whatever has changed since.
    """
    if not turn.is_follow_up or turn.attempt > 1:
        return None
    try:
        is_ours = ports.ledger.talk(turn.thread_id).expects(turn.user, turn.ts)
        if is_ours or ports.waiting.is_claimed(turn.turn_id):
            return None
    except ServiceUnavailable as exc:
        retry_in_seconds = delivery.back_off(delivery.receive_count)
        return Outcome(Verdict.UNAVAILABLE, detail=str(exc), retry_in_seconds=retry_in_seconds)
    return Outcome(Verdict.NOT_ADDRESSED)
