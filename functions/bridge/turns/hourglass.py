"""The hourglass under a question that waits on its queue: set and taken away, in whatever order that happens.

Before the hourglass is set, that is noted in the question's record, on condition that nobody has claimed it.
Who claims it finds the note, and takes the hourglass away; that may be before it is set. So who has set it
looks once more, and takes it away if the question was claimed meanwhile.
"""

from collections.abc import Callable

from functions.bridge.delivery import Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.waiting import Noted
from functions.bridge.queue_commands import ShowWaiting
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatError,
    ChatRateLimited,
    ChatRefused,
    ChatUnavailable,
)
from functions.bridge.turn import Turn
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.bridge.waits import Retry

HOURGLASS = "hourglass_flowing_sand"
# Seconds after which a question waits that nobody has claimed. Most are claimed sooner, and show nothing.
UNCLAIMED_SECONDS = 1.0
# How often an hourglass is taken away while Slack does not take that.
MOST_TRIES = 5


def show_waiting(command: ShowWaiting, delivery: Delivery, ports: Ports) -> Outcome:
    """Set the hourglass if the question waits."""
    outcome = Outcome(Verdict.DONE)
    is_to_go = False
    try:
        wait = float(command.ts) + UNCLAIMED_SECONDS - ports.clock.now()
        if delivery.receive_count == 1 and wait > 0:
            if not ports.waiting.is_claimed(command.turn_id):
                outcome.verdict = Verdict.WAITING
                outcome.retry_in_seconds = min(wait, UNCLAIMED_SECONDS)
            return outcome
        noted = ports.waiting.note_hourglass(command.turn_id)
        if noted is Noted.NOW:
            ports.chat.add_reaction(command.channel, command.ts, HOURGLASS)
        # Of an earlier delivery nobody knows how far it came.
        is_to_go = noted is Noted.BEFORE or (noted is Noted.NOW and ports.waiting.is_claimed(command.turn_id))
        if is_to_go:
            ports.chat.remove_reaction(command.channel, command.ts, HOURGLASS)
    except ChatRefused as exc:
        outcome.verdict = Verdict.REFUSED_BY_SLACK
        outcome.note(f"no hourglass: {exc.code}{f'; it takes {exc.needed}' if exc.needed else ''}")
    except ChatAppRefused as exc:
        outcome.verdict = Verdict.APP_REFUSED
        outcome.app_refusal, outcome.remedy = exc.code, exc.remedy
        if is_to_go:
            outcome.retry_in_seconds = delivery.back_off(delivery.receive_count)
    except (ChatError, ServiceUnavailable) as exc:
        outcome.verdict = Verdict.UNAVAILABLE
        asked_for = exc.retry_after if isinstance(exc, ChatRateLimited) else 0.0
        outcome.retry_in_seconds = max(asked_for, delivery.back_off(delivery.receive_count))
        outcome.note(str(exc))
    return outcome


def take_away(turn: Turn, delivery: Delivery, ports: Ports) -> Callable[[], str]:
    """Take the hourglass away, beside other work. The result waits for that, and says what went wrong."""
    retry = Retry(
        ports.clock,
        ports.clock.sleep,  # the lease is kept by whoever works on the turn
        delivery.share,
        until=delivery.deadline,
        most_tries=MOST_TRIES,
        after=(ChatRateLimited, ChatUnavailable),
    )
    removing = ports.beside(
        lambda: retry.run(lambda: ports.chat.remove_reaction(turn.channel, turn.ts, HOURGLASS))
    )

    def trouble() -> str:
        try:
            removing()
        except ChatRefused:
            return ""  # who could not set it has said why
        except ChatError as exc:
            return f"the hourglass may be left: {exc}"
        return ""

    return trouble
