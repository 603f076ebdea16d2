"""What is done about a press of Stop: it leaves a mark, which whoever runs the turn reads."""

from functions.bridge import wording
from functions.bridge.admission import access
from functions.bridge.admission.access import Access, AccessRules
from functions.bridge.admission.identity import belongs_to_us
from functions.bridge.delivery import Delivery
from functions.bridge.ledger.stops import Press, Stop
from functions.bridge.people import Person
from functions.bridge.queue_commands import StopThread, StopTurn
from functions.bridge.replies.chat import Chat
from functions.bridge.turn import Turn
from functions.bridge.turns import audit
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.press import carry_out

# Seconds after which a mark of a thread must have been obeyed. A turn that is at work looks each half second.
LOOK_AGAIN_SECONDS = 5.0


def stop(command: StopThread | StopTurn, delivery: Delivery, ports: Ports, rules: Access) -> Outcome:
    """Leave the mark, if who pressed may ask in that thread. Whose press comes to nothing is told why."""
    outcome = Outcome(Verdict.STOPPED)

    def leave_mark() -> str:
        return _refusal(command, ports, rules) or _mark(command, delivery, ports, outcome)

    carry_out(command, leave_mark, delivery, ports, outcome)
    if outcome.retry_in_seconds is None:
        audit.write_press(command, delivery, ports, outcome)
    return outcome


def _refusal(command: StopThread | StopTurn, ports: Ports, rules: Access) -> str:
    """Why who pressed may not stop an answer there; "" if they may: who may ask there may also stop."""
    asker = Turn(
        team=command.team,
        channel=command.channel,
        ts=command.thread_ts,
        thread_ts=command.thread_ts,
        user=command.user,
        bot_user="",
        text="",
        sender_unknown=command.sender_unknown,
        in_shared_channel=isinstance(command, StopThread) and command.in_shared_channel,
    )
    agent = ports.ledger.agent_of(asker.thread_id)
    person: Person | None = None
    for one in [rules.bridge, *([rules.of(agent)] if agent else [])]:
        if access.asks_who(asker, one):
            person = person or ports.chat.person(asker.user)
        if _is_refused(asker, person, one, ports.chat):
            return wording.MAY_NOT_STOP
    return ""


def _is_refused(asker: Turn, person: Person | None, rules: AccessRules, chat: Chat) -> bool:
    if access.refused_by_event(asker, rules):
        return True
    if person is None:
        return False
    is_ours = belongs_to_us(person.home, chat.identity())
    return access.refused_for_person(asker, person, rules, is_ours=is_ours) is not None


def _mark(command: StopThread | StopTurn, delivery: Delivery, ports: Ports, outcome: Outcome) -> str:
    """Leave the mark. Returns what is to be told to who pressed, "" where the turn's own message says it."""
    if isinstance(command, StopThread):
        return _mark_thread(command, delivery, ports, outcome)
    mark = Stop(command.user, command.action_ts)
    press = ports.stops.mark_turn(command.turn_id, command.attempt, command.message_ts, mark)
    if press in (Press.TAKEN, Press.TWICE):  # who pressed first may have been killed before this
        _wake(command.turn_id, command.attempt, ports)
    outcome.note("" if press is Press.TAKEN else press.name.lower())
    return wording.PRESSES_OF_STOP[press]


def _wake(turn_id: str, attempt: int, ports: Ports) -> bool:
    """Let a turn see the mark that waits for a decision. Returns whether it does."""
    waiting = ports.pauses.of_turn(turn_id, attempt)
    if waiting is None or not waiting.receipt:
        return False
    ports.kept.wake(waiting.receipt)
    return True


def _mark_thread(command: StopThread, delivery: Delivery, ports: Ports, outcome: Outcome) -> str:
    """Nobody knows whether anything runs in the thread: the mark is looked at again a little later."""
    mark = Stop(command.user, command.event_ts, command.streams)
    thread_id = command.group_id
    is_marked = ports.stops.mark_thread(thread_id, mark)
    stands = ports.stops.of_thread(thread_id)
    is_woken = stands.turn_id != "" and _wake(stands.turn_id, stands.attempt, ports)
    if is_marked or is_woken or delivery.receive_count == 1:
        outcome.verdict = Verdict.WAITING
        outcome.retry_in_seconds = LOOK_AGAIN_SECONDS
        return ""
    left = stands.stop
    if left is None or left.ts != mark.ts:
        return ""
    outcome.note("nothing was running")
    return wording.NOTHING_TO_STOP
