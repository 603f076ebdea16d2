"""The agent's part of a turn: asking, listening, showing progress. What is owed then is in `agent_result`."""

from collections.abc import Mapping, Sequence

from functions.bridge import wording
from functions.bridge.agents.attachments import MOST_BYTES, Attachments, AttachmentUnavailable
from functions.bridge.agents.events import AgentEvent, Failed, File, Finished, ToolRequest
from functions.bridge.agents.failures import MAY_HAVE_ACTED, NOT_STARTED, Failure
from functions.bridge.agents.port import Agent, AgentRun, Asker, Question
from functions.bridge.agents.tools import ToolFunctions
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.incoming import user_text
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.pauses import Decided, Decision, Pause
from functions.bridge.ledger.record import State
from functions.bridge.names import LONGEST_FILE_NAME, one_line
from functions.bridge.replies.cadence import Cadence
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatError,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
)
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.replies.refusals import IS_CLOSED
from functions.bridge.replies.reply import Reply
from functions.bridge.replies.writer import Progress
from functions.bridge.turn import Turn
from functions.bridge.turns.agent_result import AgentResult
from functions.bridge.turns.approvals import ApprovalRules, Denied, new_pause
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.stop_watch import StopWatch
from functions.bridge.turns.thread_session import ThreadSession
from functions.bridge.turns.tools import ToolRunner

# Seconds to wait before an agent that provably did not start is asked again. `waits.Retry` repeats calls that
# raise; here an agent is asked again because of its answer, and each time the turn's state is written first.
RETRY_WAITS = (1.0, 3.0, 9.0)
# Seconds before progress is tried again that Slack or the ledger did not take, and before it is tried again
# when Slack refused the app: that takes an operator.
PROGRESS_BACK_OFF = 2.0
APP_REFUSED_BACK_OFF = 60.0
# So often in a row an agent may ask for tools for which nobody has to be asked.
MOST_ROUNDS = 20
# Seconds that the first text waits for more, so that an answer that arrives whole is shown once.
LINGER = 0.05


class AskAgent:
    """One attempt of a turn whose agent may be asked.

    Args:
        session: in which the agent is asked.
        rules: what is done about what the agent asks for before it acts.
        outcome: what is to be logged goes in here.
        stop_at: when the turn stops listening to the agent, seconds since the epoch.
    """

    def __init__(
        self,
        claimed: ClaimedTurn,
        progress: Progress,
        ports: Ports,
        session: ThreadSession,
        outcome: Outcome,
        options: ReplyOptions,
        rules: ApprovalRules,
        tools: ToolFunctions,
        *,
        stop_at: float,
    ) -> None:
        self._claimed = claimed
        self._progress = progress
        self._chat = ports.chat
        self._clock = ports.clock
        self._session = session
        self._outcome = outcome
        self._options = options
        self._stop_at = stop_at
        self._began_at = ports.clock.now()
        self._cadence = Cadence(phase=int(claimed.turn.reference, 16) / 16**8)
        self._hurried = False
        self._wait_again_at = float("-inf")
        self._refusal: ChatError | None = None
        self._stopped_run: AgentRun | None = None
        self._waits_for_answers = False  # the agent, to its requests
        self._is_silent = True  # the agent, since it was asked or told something
        self._denied: Denied | None = None
        self._watch = StopWatch(claimed, ports)
        self._rules = rules
        self._tools = ToolRunner(claimed.turn, ports, tools, rules, outcome)
        self._result = AgentResult(claimed, progress, ports, session, outcome, self._watch, stop_at=stop_at)

    def ask(self, agent: Agent, asked: Turn, attachments: Attachments, *, asker: str = "") -> None:
        """Run the agent, again only while it provably did not start, and owe what came of it.

        `asker` is what people call who asks, "" where that is to be looked up.

        Raises:
            ChatAppRefused: Slack refused the app before the agent was started. It was not asked.
            ChatRefused: Slack lets the bot write nothing here. It was not asked either, and the turn is over.
        """
        with self._watch.watching():
            self._progress.begin()
            try:
                self._ask(agent, asked, attachments, asker)
            finally:
                self._progress.join()

    def _ask(self, agent: Agent, asked: Turn, attachments: Attachments, asker: str) -> None:
        if not self._chat.has_written_in(self._claimed.turn.channel):
            first = self._claimed.record.base
            if not self._claimed.knows_of(first):
                # On record before it shows, so that whoever takes over clears it away.
                self._claimed.advance(intended=first + 1)
            self._wait(wording.PLACEHOLDER)  # elsewhere it is shown while the agent works
        try:
            question = self._question(asked, attachments, asker)
        except _FileMissing as exc:
            self._outcome.note(exc.why)
            self._claimed.owe_explanation(Failure.ATTACHMENT, State.FAILED, about=exc.name)
            return
        for wait in self._retry_waits():
            reply = self._new_reply()
            # On record before the call: after it, nothing tells whether the agent has started.
            if not self._watch.start():
                break
            self._outcome.asked_at = self._clock.now()
            try:
                self._listen(agent.ask(question), reply)
            except ChatStopped:
                self._keep_seen(reply)
                raise
            if wait is None or not self._may_ask_again(reply, wait):
                break
            self._claimed.advance(state=State.RECEIVED)
            self._wait(wording.RETRYING)
            self._watch.pause(wait)
        self._settle(agent, question, reply)

    def go_on(self, agent: Agent, asked: Turn, pause: Pause, decision: Decision) -> None:
        """Tell the agent what was decided about the pause of the turn, and owe what came of it.

        The card says it already. Raises `GiveBack`; and, before the agent is told, ChatAppRefused.
        """
        name = one_line(self._names_of([asked.user], {})[asked.user])
        asker = Asker(asked.user, asked.team, asked.channel, asked.thread_ts, name)
        question = Question(pause.session_id, asked.text, asker)
        self._waits_for_answers = True
        if not self._watch.start(goes_on=True):
            self._owe(self._new_reply())
            return
        self._outcome.asked_at = self._clock.now()
        with self._watch.watching():
            self._progress.begin()
            try:
                reply = self._new_reply()
                reply.may_have_acted = True
                if decision.decided is Decided.DENIED:
                    self._denied = Denied(pause.requests, decision)
                self._resume(agent, question, pause.requests, decision, reply)
                self._settle(agent, question, reply)
            finally:
                self._progress.join()

    def _settle(self, agent: Agent, question: Question, reply: Reply) -> None:
        """Answer the requests about which nobody has to be asked, and owe what the agent says in the end."""
        rounds = 0
        while reply.hands_over and self._watch.stop is None:
            is_free = self._rules.are_free(reply.requests)
            again = None if is_free or self._denied is None else self._denied.again(reply.requests)
            if not is_free and again is None:
                break
            rounds += 1
            if rounds > MOST_ROUNDS:
                reply.add(Failed(Failure.LIMIT, f"the agent asked for tools {rounds} times"))
                break
            if again:
                self._outcome.note("the agent asked once more for what was denied")
            self._resume(agent, question, tuple(reply.requests), again, reply)
        self._keep_seen(reply)
        self._owe(reply)

    def _owe(self, reply: Reply) -> None:
        """Owe what came of it. An agent that waits for answers which it will not get begins a new session."""
        pause = self._new_pause(reply.requests) if reply.hands_over else None
        is_left_alone = pause is None and (reply.hands_over or reply.requests)
        if is_left_alone or self._waits_for_answers:
            self._claimed.begin_session(self._session.person)
        is_unreadable = pause is None and reply.hands_over and not self._rules.missing(reply.requests)
        self._result.owe(reply, pause, is_unreadable=is_unreadable)

    def _resume(
        self,
        agent: Agent,
        question: Question,
        requests: Sequence[ToolRequest],
        decision: Decision | None,
        reply: Reply,
    ) -> None:
        """Run what may run, and let the agent go on with what came of it."""
        self._waits_for_answers = True
        answers = self._tools.answers(requests, decision, self._watch, until=self._stop_at)
        for wait in self._retry_waits():
            reply.go_on()
            if answers is None:  # a person pressed Stop
                return
            if self._clock.now() >= self._stop_at:
                reply.add(Failed(Failure.DEADLINE, "the tools took the function's time"))
                return
            self._listen(agent.resume(question, answers), reply)
            self._waits_for_answers = self._may_wait_still(reply)
            if isinstance(reply.ended, Failed) and reply.ended.failure is Failure.INVALID:
                self._end_as_forgotten(reply, reply.ended)
            if wait is None or not self._may_ask_again(reply, wait):
                return
            self._wait(wording.RETRYING)
            self._watch.pause(wait)

    def _may_wait_still(self, reply: Reply) -> bool:
        """Whether an agent may not have got its answers: it was refused them, or failed without a word."""
        ended = reply.ended
        if not isinstance(ended, Failed) or ended.failure is Failure.DEADLINE:
            return False
        return self._is_silent or not (ended.begun or ended.failure in MAY_HAVE_ACTED)

    def _end_as_forgotten(self, reply: Reply, refusal: Failed) -> None:
        """Told something that is invalid, an agent does not wait for it: its session is over, or another."""
        self._waits_for_answers = True
        if not refusal.begun:
            reply.ended = Failed(Failure.EXPIRED, refusal.detail)

    def _new_pause(self, requests: Sequence[ToolRequest]) -> Pause | None:
        return new_pause(
            requests,
            self._rules,
            agent=self._outcome.agent,
            session_id=self._session.id,
            session_person=self._session.person,
            asker=self._claimed.turn.user,
            now=self._clock.now(),
        )

    def _retry_waits(self) -> tuple[float | None, ...]:
        return (*map(self._claimed.spread, RETRY_WAITS), None)

    def _new_reply(self) -> Reply:
        return Reply(show_rationale=self._options.show_rationale, link_hosts=self._options.link_hosts)

    def _keep_seen(self, reply: Reply) -> None:
        """Keep that the agent has seen the question, if it did anything about it."""
        if reply.may_have_acted or reply.guardrails or isinstance(reply.ended, Finished):
            self._session.keep_seen()

    def note_session(self, *, deadline: float) -> None:
        """Note in the outcome if the session of an agent that took too long could not be ended.

        Waits until then, at most until `deadline` (seconds since the epoch): so the answer comes first.
        """
        if self._stopped_run is not None:
            left = deadline - self._clock.now()
            self._outcome.note(self._stopped_run.session_trouble(timeout=left))

    # --- before ---

    def _question(self, asked: Turn, attachments: Attachments, asker_name: str) -> Question:
        """What the agent is asked: people by their names, the files themselves, and the thread before it."""
        if asked.files:
            self._wait(wording.PLACEHOLDER)
        said = self._session.read(stop_at=self._stop_at)
        known = {**self._session.names, **({asked.user: asker_name} if asker_name else {})}
        names = self._names_of([*asked.mentioned, asked.user], known)
        files = self._fetch(asked, attachments)
        text = user_text.with_names(asked.text, names) or wording.only_files([file.name for file in files])
        if quotation := self._session.quotation(said, names):
            text = quotation.before(text, asker=names[asked.user] or asked.user)
        name = one_line(names[asked.user])
        asker = Asker(asked.user, asked.team, asked.channel, asked.thread_ts, name)
        return Question(self._session.id, text, asker, tuple(files))

    def _fetch(self, asked: Turn, attachments: Attachments) -> list[File]:
        files: list[File] = []
        for file in asked.files:
            self._claimed.heartbeat()
            try:
                data = attachments.fetch(file)
            except AttachmentUnavailable as exc:
                raise _FileMissing(file.name, str(exc)) from exc
            name = one_line(file.name, most=LONGEST_FILE_NAME) or "file"
            files.append(File(name, file.media_type, data))
            if sum(len(file.data) for file in files) > MOST_BYTES:
                raise _FileMissing(file.name, "the files are larger than Slack said")
            if self._clock.now() >= self._stop_at:  # the agent would begin without a listener
                raise _FileMissing(file.name, "it came when the function's time was nearly up")
        return files

    def _names_of(self, users: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
        """What people call users; "" where Slack does not tell, which it is not asked for again then."""
        names = {**dict.fromkeys(users, ""), **known}
        for user in [one for one in names if one not in known]:
            self._claimed.heartbeat()
            try:
                names[user] = self._chat.name_of(user)
            except ChatAppRefused:
                raise
            except ChatError:
                break
        return names

    # --- meanwhile ---

    def _listen(self, run: AgentRun, reply: Reply) -> None:
        self._is_silent = True
        self._watch.ends(run)
        try:
            while reply.ended is None and self._watch.stop is None:
                self._claimed.heartbeat()
                self._show_if_due(reply)
                if self._clock.now() >= self._stop_at:
                    reply.add(Failed(Failure.DEADLINE, "the function's time is nearly up"))
                    self._stop_session(run)
                else:
                    self._hear(run, reply)
            if reply.ended is None:
                self._stop_agent(run)
        except ChatStopped:
            self._stop_agent(run)
            raise
        finally:
            run.cancel()

    def _stop_agent(self, run: AgentRun) -> None:
        """A person wants no more of it."""
        run.cancel()
        self._outcome.agent_may_go_on = not run.ends_session
        self._stop_session(run)

    def _stop_session(self, run: AgentRun) -> None:
        """End the session of an agent that nobody waits for, beside the writing of the answer."""
        run.stop_session()
        self._stopped_run = run

    def _hear(self, run: AgentRun, reply: Reply) -> None:
        """Wait for the agent's next words. Those that come meanwhile are shown together."""
        patience = self._patience(reply)
        events: Sequence[AgentEvent] = ()
        if reply.has_text:  # the first of it is shown, and the next edit is not due
            events = run.gather(timeout=patience)
        elif first := run.next(timeout=patience):
            events = [first, *run.gather(timeout=LINGER)]
        for event in events:
            self._outcome.use(event)
            reply.add(event)
            self._is_silent = self._is_silent and isinstance(event, Failed)

    def _show_if_due(self, reply: Reply) -> None:
        self._wait(wording.PLACEHOLDER)
        if reply.has_text and not self._hurried:
            self._hurried = True
            self._cadence.hurry()  # a line about the agent's work may have been shown just now
        if not reply.shows_anything() or self._clock.now() < self._cadence.due_at():
            return
        self._show(reply)
        if self._progress.shows_answer and self._outcome.first_text_seconds is None:
            self._outcome.first_text_at = self._clock.now()
            self._outcome.first_text_seconds = self._outcome.first_text_at - self._began_at

    def _patience(self, reply: Reply) -> float:
        """How long to wait for an event before there is something else to do."""
        now = self._clock.now()
        times = [self._stop_at, self._claimed.next_heartbeat_at]
        if reply.shows_anything():
            times.append(self._cadence.due_at())
        if self._wait_again_at > now:
            times.append(self._wait_again_at)
        return max(0.0, min(times) - now)

    def _wait(self, words: str) -> None:
        """Show that the bot is at work. Trouble with that does not hold up the answer.

        Raises:
            ChatAppRefused: before the agent runs.
            ChatRefused: likewise, where the bot cannot write. The turn is over.
        """
        now = self._clock.now()
        if now >= self._wait_again_at:
            self._refusal = None
            try:
                self._progress.wait(words)
            except ChatStopped:
                raise
            except (ChatError, ServiceUnavailable) as exc:
                self._refusal = exc if isinstance(exc, ChatAppRefused | ChatRefused) else None
                self._wait_again_at = now + self._seconds_after(exc)
        if self._claimed.record.state is State.STARTED:
            return
        if isinstance(self._refusal, ChatAppRefused):
            raise self._refusal
        if isinstance(self._refusal, ChatRefused) and IS_CLOSED.fullmatch(self._refusal.code):
            self._claimed.settle(State.FAILED)
            raise self._refusal

    def _show(self, reply: Reply) -> None:
        """Show what there is: progress, skipped when Slack or the ledger does not take it."""
        try:
            self._progress.show(reply)
        except ChatStopped:
            raise
        except (ChatError, ServiceUnavailable) as exc:
            self._cadence.refused(self._clock.now(), self._seconds_after(exc))
        else:
            self._cadence.edited(self._clock.now())  # where nothing was new, look again after the interval

    def _seconds_after(self, trouble: Exception) -> float:
        """Seconds without progress after `trouble` with it."""
        if isinstance(trouble, ChatRateLimited):
            return trouble.retry_after
        return APP_REFUSED_BACK_OFF if isinstance(trouble, ChatAppRefused) else PROGRESS_BACK_OFF

    def _may_ask_again(self, reply: Reply, wait: float) -> bool:
        unstarted = isinstance(reply.ended, Failed) and reply.ended.failure in NOT_STARTED
        return unstarted and self._clock.now() + wait < self._stop_at


class _FileMissing(Exception):
    """The agent cannot get a file of the question. `why` is for the operator."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name
        self.why = why
