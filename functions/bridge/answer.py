"""The use case: from a queue message to exactly one outcome in the thread."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from functions.bridge import inbound, wording
from functions.bridge.agent import Agent, AgentEvent, AgentRun, Asker, Failed, File, Finished, Question
from functions.bridge.attachments import MOST_BYTES, Attachments, AttachmentUnavailable, objection
from functions.bridge.cadence import Cadence
from functions.bridge.chat import ChatError, ChatRateLimited, ChatRefused, ChatStopped
from functions.bridge.custody import Custody, Delivery, GiveBack, Ports, ServiceUnavailable
from functions.bridge.failures import MAY_HAVE_ACTED, NOT_STARTED, Failure, explanation
from functions.bridge.ledger import AlreadySettled, Held, LeaseLost, State
from functions.bridge.manner import Manner, Style
from functions.bridge.reply import Reply
from functions.bridge.routing import Agents, Choice
from functions.bridge.streaming import StreamWriter
from functions.bridge.turn import Notice, Turn
from functions.bridge.writer import EditWriter, Writer

T = TypeVar("T")

# How long to wait, in seconds, before an agent that provably did not start is asked again.
RETRY_WAITS = (1.0, 3.0, 9.0)
# Skipped progress is tried again with the next text, but not sooner than this (seconds).
PROGRESS_BACK_OFF = 2.0
# So long, in seconds, the first text waits for more: an answer that arrives whole is shown once.
LINGER = 0.05
# So often a file is sent again that Slack did not take for now.
UPLOAD_TRIES = 3


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
    STOPPED = "stopped"


_VERDICTS = {
    State.ANSWERED: Verdict.ANSWERED,
    State.INTERRUPTED: Verdict.INTERRUPTED,
    State.FAILED: Verdict.FAILED,
    State.STOPPED: Verdict.STOPPED,
}


@dataclass
class Outcome:
    """What became of one delivery of a turn, for the log, the metrics and the queue.

    Attributes:
        verdict: see `Verdict`.
        failure: the agent's trouble, if any.
        detail: for the operator: what the agent or Slack said about it. Never message text.
        guardrails: the policies of guardrails that stepped in.
        first_text_seconds: from the delivery to the first piece of the answer in Slack, if there was one.
        again_in: give the message back for another delivery in so many seconds; None: it is done with.
    """

    verdict: Verdict
    failure: Failure | None = None
    detail: str = ""
    guardrails: tuple[str, ...] = ()
    first_text_seconds: float | None = None
    again_in: float | None = None


def answer(
    turn: Turn,
    delivery: Delivery,
    ports: Ports,
    *,
    agents: Agents,
    attachments: Attachments,
    manner: Manner,
    margin: float,
) -> Outcome:
    """Ask the agent and show its answer; or finish, or explain, what an earlier delivery left behind.

    Args:
        agents: one of them is asked, unless the turn has a notice or may have been asked before.
        attachments: fetches the files that hang on the question.
        margin: how many seconds before the delivery's deadline the agent is not waited for any longer.
    """

    def work(custody: Custody, writer: Writer, outcome: Outcome) -> None:
        if custody.record.state is not State.RECEIVED or turn.notice is not None:
            _owe_own_words(custody, writer, outcome)
        elif (asked := custody.question()) is None:
            custody.owe([wording.TOO_OLD], State.ANSWERED)  # without another button
        elif words := _own_answer(asked, agents):
            custody.owe([words], State.ANSWERED)
        elif (choice := _choose(custody, asked, agents)) is None:
            custody.owe([wording.NO_AGENT], State.ANSWERED)
        else:
            asked = replace(asked, text=choice.text)
            stop_at = delivery.deadline - margin
            conversation = _Conversation(custody, writer, ports, outcome, manner, stop_at=stop_at)
            conversation.ask(choice.agent, asked, attachments)

    began_at = ports.clock.now()
    outcome = _hold(turn, delivery, ports, work, style=manner.style)
    is_over = outcome.verdict in (Verdict.ANSWERED, Verdict.INTERRUPTED, Verdict.FAILED)
    if is_over and manner.style is Style.EDIT and ports.clock.now() - began_at > manner.notify_after:
        with suppress(ChatError):  # once, and not again: the turn is settled
            ports.chat.mention(turn, wording.READY)
    return outcome


def _own_answer(asked: Turn, agents: Agents) -> str:
    """What the bridge answers by itself; "" when the question is for an agent."""
    if asked.text.lower() == "help":
        return wording.help_text(agents.reachable(asked.channel))
    return objection(asked.files)


def _choose(custody: Custody, asked: Turn, agents: Agents) -> Choice | None:
    """Who answers. A thread stays with the agent that it began with."""
    if not agents.are_several():
        return agents.choose(asked.channel, asked.text, so_far=None)
    so_far = custody.agent_of_thread()
    choice = agents.choose(asked.channel, asked.text, so_far=so_far)
    if choice and choice.name != so_far:
        custody.keep_agent_of_thread(choice.name)
    return choice


def give_up(turn: Turn, delivery: Delivery, ports: Ports) -> Outcome:
    """Tell the thread of a turn that the worker could not finish; or land the text that is still owed."""
    return _hold(turn, delivery, ports, _owe_own_words)


def _hold(
    turn: Turn,
    delivery: Delivery,
    ports: Ports,
    work: Callable[[Custody, Writer, Outcome], None],
    *,
    style: Style = Style.EDIT,
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
    writer: Writer = (
        StreamWriter(custody, ports.chat, ports.clock)
        if style is Style.STREAM
        else EditWriter(custody, ports.chat)
    )
    outcome = Outcome(Verdict.FAILED)
    try:
        # Until then the message is hidden for as long as the queue says: a crash would go unnoticed longer.
        custody.keep()
        try:
            if claim.state is not State.REPLYING:
                work(custody, writer, outcome)
            writer.deliver()
        except ChatStopped:
            custody.settle(State.STOPPED)
        outcome.verdict = _VERDICTS[custody.record.state]
        if outcome.verdict is Verdict.ANSWERED and outcome.first_text_seconds is None:
            outcome.first_text_seconds = ports.clock.now() - now
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
        self,
        custody: Custody,
        writer: Writer,
        ports: Ports,
        outcome: Outcome,
        manner: Manner,
        *,
        stop_at: float,
    ) -> None:
        self._custody = custody
        self._writer = writer
        self._chat = ports.chat
        self._clock = ports.clock
        self._outcome = outcome
        self._manner = manner
        self._stop_at = stop_at
        self._began_at = ports.clock.now()
        self._cadence = Cadence(phase=int(custody.turn.reference, 16) / 16**8)

    def ask(self, agent: Agent, asked: Turn, attachments: Attachments) -> None:
        """Run the agent, again only while it provably did not start, and owe what came of it."""
        try:
            question = self._question(asked, attachments)
        except AttachmentUnavailable as exc:
            self._owe(_failed(Failure.ATTACHMENT, str(exc)))
            return
        for wait in (*RETRY_WAITS, None):
            # Before the call: once it is made, nobody can tell any more whether the agent started.
            self._custody.advance(state=State.STARTED, intended=max(1, self._custody.record.intended))
            reply = Reply(show_rationale=self._manner.show_rationale)
            run = agent.ask(question)
            if wait == RETRY_WAITS[0]:
                self._wait(wording.PLACEHOLDER)
            self._listen(run, reply)
            if wait is None or not self._may_ask_again(reply, wait):
                break
            self._custody.advance(state=State.RECEIVED)
            self._wait(wording.RETRYING)
            self._custody.pause(wait)
        self._owe(reply)

    def _question(self, asked: Turn, attachments: Attachments) -> Question:
        """What the agent is asked: people by their names, and the files themselves."""
        if asked.files:
            self._wait(wording.PLACEHOLDER)
        names = {user: self._name_of(user) or user for user in asked.mentioned}
        files: list[File] = []
        for file in asked.files:
            self._custody.keep()
            files.append(File(file.name, file.media_type, attachments.fetch(file)))
        if sum(len(file.data) for file in files) > MOST_BYTES:
            raise AttachmentUnavailable("the files are larger than Slack said")
        text = inbound.with_names(asked.text, names) or wording.only_files([file.name for file in files])
        asker = Asker(asked.user, asked.team, asked.channel, asked.thread_ts, self._name_of(asked.user))
        return Question(asked.thread_id, text, asker, tuple(files))

    def _name_of(self, user: str) -> str:
        """What people call a user; "" when Slack does not tell."""
        try:
            return self._chat.name_of(user)
        except ChatError:
            return ""

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
                    self._add(event, run, reply)
        finally:
            run.cancel()

    def _add(self, event: AgentEvent | None, run: AgentRun, reply: Reply) -> None:
        """Add an event, and those that are there already or come at once: all are shown together."""
        linger_until = self._clock.now() + LINGER
        while event is not None:
            reply.add(event)
            if reply.ended is not None:
                return
            left = linger_until - self._clock.now()
            event = run.next(timeout=left) if left > 0 else None

    def _show_if_due(self, reply: Reply) -> None:
        if reply.has_text and self._outcome.first_text_seconds is None:
            self._cadence.hurry()  # a line about the agent's work may have been shown just now
        if self._clock.now() < self._cadence.due_at():
            return
        self._wait(wording.PLACEHOLDER)
        shown = self._try(lambda: self._writer.show(reply)) if reply.shows_anything() else None
        if shown is None:
            return
        self._cadence.edited(self._clock.now())  # where nothing was new, look again after the interval
        if shown and reply.has_text and self._outcome.first_text_seconds is None:
            self._outcome.first_text_seconds = self._clock.now() - self._began_at

    def _patience(self, reply: Reply) -> float:
        """How long to wait for an event before there is something else to do."""
        next_edit = [self._cadence.due_at()] if reply.shows_anything() else []
        return max(0.0, min(self._stop_at, self._custody.beat_at, *next_edit) - self._clock.now())

    def _wait(self, words: str) -> None:
        self._try(lambda: self._writer.wait(words))

    def _try(self, progress: Callable[[], T]) -> T | None:
        """Progress, skipped when Slack does not take it; None then."""
        try:
            return progress()
        except ChatStopped:
            raise
        except ChatRateLimited as exc:
            self._cadence.refused(self._clock.now(), exc.retry_after)
        except ChatError:
            self._cadence.refused(self._clock.now(), PROGRESS_BACK_OFF)
        return None

    def _owe(self, reply: Reply) -> None:
        ended = reply.ended
        assert ended is not None
        self._outcome.guardrails = tuple(reply.guardrails)
        files = reply.files()
        if isinstance(ended, Finished) and not reply.has_text and not files:
            failure = Failure.GUARDRAIL if reply.guardrails else Failure.EMPTY
            ended = Failed(failure, "the stream ended without text")
        notes = self._upload(files)
        if isinstance(ended, Finished):
            text = reply.final(*notes) or wording.FILES_ONLY
            self._custody.owe(self._writer.pages(text), State.ANSWERED)
            return
        self._outcome.failure, self._outcome.detail = ended.failure, ended.detail
        acted = reply.may_have_acted or ended.failure in MAY_HAVE_ACTED
        reference = self._custody.turn.reference
        note = explanation(ended.failure, reference=reference, may_have_acted=acted)
        pages = self._writer.pages(reply.final(*notes, note))
        self._custody.owe(pages, State.INTERRUPTED if acted else State.FAILED)

    def _upload(self, files: Sequence[File]) -> list[str]:
        """Bring files into the thread, before the text that names them; a word about those that failed."""
        missing = [file.name for file in files if not self._has_uploaded(file)]
        return [wording.missing_files(missing)] if missing else []

    def _has_uploaded(self, file: File) -> bool:
        for _ in range(UPLOAD_TRIES):
            self._custody.keep()
            self._custody.confirm()
            try:
                self._chat.upload(self._custody.turn, file)
            except ChatRateLimited as exc:
                if self._clock.now() + exc.retry_after >= self._stop_at:
                    return False
                self._custody.pause(exc.retry_after)
            except ChatStopped:
                raise
            except ChatError:
                return False
            else:
                return True
        return False


def _failed(failure: Failure, detail: str) -> Reply:
    """The reply of an agent that was not asked."""
    reply = Reply(show_rationale=False)
    reply.add(Failed(failure, detail))
    return reply
