"""What presses of all buttons have in common: somebody is told if theirs does nothing."""

from collections.abc import Callable

from functions.bridge.delivery import Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.queue_commands import Decide, RefusePress, Retry, StopThread, StopTurn
from functions.bridge.replies.chat import ChatAppRefused, ChatError, ChatRefused
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports


def carry_out(
    press: StopThread | StopTurn | Decide | Retry | RefusePress,
    act: Callable[[], str],
    delivery: Delivery,
    ports: Ports,
    outcome: Outcome,
) -> None:
    """Do what a press asks for, and note in the outcome how that went.

    `act` does it, and returns what whoever pressed is told alone; "" for nothing.
    """
    try:
        if words := act():
            outcome.verdict = Verdict.PRESS_REFUSED
            ports.chat.post_ephemeral(press.channel, press.thread_ts, press.user, words)
    except ChatRefused as exc:
        outcome.verdict = Verdict.REFUSED_BY_SLACK
        outcome.note(exc.code)
    except ChatAppRefused as exc:
        outcome.verdict = Verdict.APP_REFUSED
        outcome.app_refusal, outcome.remedy = exc.code, exc.remedy
    except (ChatError, ServiceUnavailable) as exc:
        outcome.verdict = Verdict.UNAVAILABLE
        outcome.retry_in_seconds = delivery.back_off(delivery.receive_count)
        outcome.note(str(exc))
