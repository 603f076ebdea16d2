"""What is left to do about a turn that somebody has stopped while nobody listened to its agent."""

from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import State
from functions.bridge.turns import approvals
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.stop_watch import StopWatch

# Seconds to wait for the word who has stopped a stream.
STOP_SECONDS = 3.0


def note_who_stopped(claimed: ClaimedTurn, ports: Ports, outcome: Outcome) -> None:
    """Wait a little for the word who has stopped the stream, which comes through a queue."""
    if outcome.stop is None:
        watch = StopWatch(claimed, ports)
        watch.wait(STOP_SECONDS)
        watch.obeyed()
        outcome.stop = watch.stop


def owe_stop(claimed: ClaimedTurn, ports: Ports, outcome: Outcome) -> bool:
    """Whether somebody wants the turn stopped that another owner, or an earlier delivery, has begun.

    Then the turn owes the word about that.
    """
    if claimed.turn.notice is not None:
        return False
    watch = StopWatch(claimed, ports)
    outcome.stop = watch.look()
    if outcome.stop is None:
        return False
    outcome.agent_may_go_on = claimed.record.state is State.STARTED
    approvals.begin_new_sessions(claimed)
    claimed.owe([outcome.stopped()], State.STOPPED)
    watch.obeyed()
    return True
