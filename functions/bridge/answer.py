"""The use case: from a queue message to exactly one outcome in the thread."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from functions.bridge import wording
from functions.bridge.agent import Agent, AgentRun, Failed, Finished, Question
from functions.bridge.cadence import Cadence
from functions.bridge.chat import ChatError, ChatRateLimited, ChatRefused
from functions.bridge.custody import Clock, Custody, Delivery, GiveBack, Ports, ServiceUnavailable
from functions.bridge.failures import MAY_HAVE_ACTED, NOT_STARTED, Failure, explanation
from functions.bridge.ledger import AlreadySettled, Held, LeaseLost, State
from functions.bridge.reply import Reply
from functions.bridge.turn import Notice, Turn
from functions.bridge.writer import Writer

# How long to wait, in seconds, before an agent that provably did not start is asked again.
RETRY_WAITS = (1.0, 3.0, 9.0)
# Skipped progress is tried again with the next text, but not sooner than this (seconds).
PROGRESS_BACK_OFF = 2.0


class Verdict(StrEnum):
    """What became of a delivery. The value is the word in logs and metrics."""

    ANSWERED = "answered"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    REFUSED_BY_SLACK = "refused_by_slack"
    DUPLICATE = "duplicate"
    HELD = "held"
    OWED = "owed"
    LEASE_LOST = "lease_lost"
    WHISPERED = "whispered"


_VERDICTS = {
    State.ANSWERED: Verdict.ANSWERED,
    State.INTERRUPTED: Verdict.INTERRUPTED,
    State.FAILED: Verdict.FAILED,
}


@dataclass
class Outcome:
    """What became of one delivery of a turn, for the log, the metrics and the queue.

    Attributes:
        verdict: see `Verdict`.
        failure: the agent's trouble, if any.
        detail: for the operator: what the agent or Slack said about it. Never message text.
        first_text_seconds: from the delivery to the first piece of the answer in Slack, if there was one.
        again_in: give the message back for another delivery in so many seconds; None: it is done with.
    """

    verdict: Verdict
    failure: Failure | None = None
    detail: str = ""
    first_text_seconds: float | None = None
    again_in: float | None = None


def answer(
    turn: Turn, delivery: Delivery, ports: Ports, *, agent: Agent, margin: float, show_rationale: bool
) -> Outcome:
    """Ask the agent and show its answer; or finish, or explain, what an earlier delivery left behind.

    Args:
        agent: who is asked, unless the turn has a notice or may have been asked before.
        margin: how many seconds before the delivery's deadline the agent is not waited for any longer.
        show_rationale: whether the agent's rationale is part of the reply (the debug switch).
    """

    def work(custody: Custody, writer: Writer, outcome: Outcome) -> None:
        if custody.record.state is not State.RECEIVED or turn.notice is not None:
            _owe_own_words(custody, writer, outcome)
        elif (question := custody.question()) is None:
            custody.owe([wording.TOO_OLD], State.ANSWERED)  # without another button
        else:
            stop_at = delivery.deadline - margin
            conversation = _Conversation(custody, writer, ports.clock, outcome, stop_at=stop_at)
            conversation.ask(agent, question, show_rationale)

    return _hold(turn, delivery, ports, work)


def give_up(turn: Turn, delivery: Delivery, ports: Ports) -> Outcome:
    """Tell the thread of a turn that the worker could not finish; or land the text that is still owed."""
    return _hold(turn, delivery, ports, _owe_own_words)


def _hold(
    turn: Turn, delivery: Delivery, ports: Ports, work: Callable[[Custody, Writer, Outcome], None]
) -> Outcome:
    """Claim the turn, let `work` decide what it is owed unless that is decided, and deliver it."""
    if turn.notice is Notice.NOT_YOURS:
        return _whisper(turn, wording.notice_text(turn.notice), ports)
    now = ports.clock.now()
    claim = ports.ledger.claim(turn, owner=delivery.owner, now=now, lease_seconds=ports.lease_seconds)
    if isinstance(claim, AlreadySettled):
        return Outcome(Verdict.DUPLICATE)
    if isinstance(claim, Held):
        return Outcome(Verdict.HELD, again_in=claim.seconds)
    custody = Custody(turn, claim, delivery, ports)
    writer = Writer(custody, ports.chat)
    outcome = Outcome(Verdict.FAILED)
    try:
        # Until then the message is hidden for as long as the queue says: a crash would go unnoticed longer.
        custody.keep()
        if claim.state is not State.REPLYING:
            work(custody, writer, outcome)
        writer.deliver()
        outcome.verdict = _VERDICTS[custody.record.state]
    except ChatRefused as exc:
        outcome.verdict, outcome.detail = Verdict.REFUSED_BY_SLACK, exc.code
    except GiveBack as exc:
        with suppress(ServiceUnavailable, LeaseLost):
            custody.release()
        outcome.verdict, outcome.again_in = Verdict.OWED, exc.seconds
    except LeaseLost:
        outcome.verdict, outcome.again_in = Verdict.LEASE_LOST, ports.lease_seconds
    return outcome


def _whisper(turn: Turn, text: str, ports: Ports) -> Outcome:
    """Tell somebody why a button did nothing: once, as the button can be pressed again."""
    with suppress(ChatError):
        ports.chat.whisper(turn, text)
    return Outcome(Verdict.WHISPERED)


def _owe_own_words(custody: Custody, _: Writer, outcome: Outcome) -> None:
    """What the bridge says by itself: its notice, that the agent was interrupted, or that it gives up."""
    turn = custody.turn
    if turn.notice is not None:
        custody.owe([wording.notice_text(turn.notice)], State.ANSWERED)
        return
    started = custody.record.state is State.STARTED
    outcome.failure = Failure.INTERRUPTED if started else Failure.UNDELIVERABLE
    ending = State.INTERRUPTED if started else State.FAILED
    custody.owe([explanation(outcome.failure, reference=turn.reference)], ending)


class _Conversation:
    """The agent's part of a turn: asking, listening, showing progress, knowing what is owed in the end."""

    def __init__(
        self, custody: Custody, writer: Writer, clock: Clock, outcome: Outcome, *, stop_at: float
    ) -> None:
        self._custody = custody
        self._writer = writer
        self._clock = clock
        self._outcome = outcome
        self._stop_at = stop_at
        self._began_at = clock.now()
        self._cadence = Cadence()
        self._shown = ""

    def ask(self, agent: Agent, text: str, show_rationale: bool) -> None:
        """Run the agent, again only while it provably did not start, and owe what came of it."""
        question = Question(session_id=self._custody.turn.thread_id, text=text)
        for wait in (*RETRY_WAITS, None):
            # Before the call: once it is made, nobody can tell any more whether the agent started.
            self._custody.advance(state=State.STARTED, intended=max(1, self._custody.record.intended))
            reply = Reply(show_rationale=show_rationale)
            run = agent.ask(question)
            if wait == RETRY_WAITS[0]:
                self._show(wording.PLACEHOLDER)
            self._listen(run, reply)
            if wait is None or not self._may_ask_again(reply, wait):
                break
            self._custody.advance(state=State.RECEIVED)
            self._show(wording.RETRYING)
            self._custody.pause(wait)
        self._owe(reply)

    def _may_ask_again(self, reply: Reply, wait: float) -> bool:
        unstarted = isinstance(reply.ended, Failed) and reply.ended.failure in NOT_STARTED
        return unstarted and self._clock.now() + wait < self._stop_at

    def _listen(self, run: AgentRun, reply: Reply) -> None:
        try:
            while reply.ended is None:
                self._custody.keep()
                self._show_if_due(reply)
                if self._clock.now() >= self._stop_at:
                    reply.add(Failed(Failure.DEADLINE, "the function's time is nearly up"))
                elif event := run.next(timeout=self._patience(reply)):
                    reply.add(event)
        finally:
            run.cancel()

    def _show_if_due(self, reply: Reply) -> None:
        if self._clock.now() < self._cadence.due_at():
            return
        if not self._writer.stands:
            self._show(wording.PLACEHOLDER)
        if reply.shows_anything():
            self._show_text(reply.growing())

    def _patience(self, reply: Reply) -> float:
        """How long to wait for an event before there is something else to do."""
        next_edit = [self._cadence.due_at()] if reply.shows_anything() else []
        return max(0.0, min(self._stop_at, self._custody.beat_at, *next_edit) - self._clock.now())

    def _show_text(self, text: str) -> None:
        """The answer so far. Where nothing is new, look again after the interval."""
        if text in ("", self._shown):
            self._cadence.edited(self._clock.now())
        elif self._show(text):
            self._shown = text
            self._cadence.edited(self._clock.now())
            if self._outcome.first_text_seconds is None:
                self._outcome.first_text_seconds = self._clock.now() - self._began_at

    def _show(self, text: str) -> bool:
        """Progress, skipped when Slack does not take it. Whether it did."""
        try:
            self._writer.try_show(text)
        except ChatRateLimited as exc:
            self._cadence.refused(self._clock.now(), exc.retry_after)
            return False
        except ChatError:
            self._cadence.refused(self._clock.now(), PROGRESS_BACK_OFF)
            return False
        return True

    def _owe(self, reply: Reply) -> None:
        ended = reply.ended
        assert ended is not None
        if isinstance(ended, Finished) and not reply.has_text:
            ended = Failed(Failure.EMPTY, "the stream ended without text")
        if isinstance(ended, Finished):
            self._custody.owe(reply.final(), State.ANSWERED)
            return
        self._outcome.failure, self._outcome.detail = ended.failure, ended.detail
        acted = reply.may_have_acted or ended.failure in MAY_HAVE_ACTED
        reference = self._custody.turn.reference
        note = explanation(ended.failure, reference=reference, may_have_acted=acted)
        self._custody.owe(reply.final(note), State.INTERRUPTED if acted else State.FAILED)
