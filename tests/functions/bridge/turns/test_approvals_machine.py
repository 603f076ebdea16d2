"""A model check of a turn that waits for a decision: presses, deliveries, crashes, expiry, in any order.

Its queue is the real one's in small: a message is hidden until a time, each receive has a receipt of its own,
and an old receipt changes nothing. Workers and deciders die before or after any call and are delivered again;
Slack, the ledger and the queue fail for a while; people decide, decide otherwise, or stop. Whatever happens,
the agent is told exactly one decision about each request, the one on record; the card says it; no decision is
left unnoticed; the turn ends; and an agent that was told none is left alone in its session.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from functions.bridge.admission.access import Access
from functions.bridge.admission.approvers import ApproverRule, Approvers
from functions.bridge.agents.events import Failed, Finished, TextDelta, ToolAnswer, ToolRequest, Wanted
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import Question
from functions.bridge.delivery import Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.pauses import Decided
from functions.bridge.ledger.record import SETTLED, State
from functions.bridge.queue_commands import ControlCommand, Decide, StopThread, StopTurn
from functions.bridge.replies.chat import ChatRateLimited, ChatUnavailable
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turns.answer import give_up
from functions.bridge.turns.approvals import ApprovalRules
from functions.bridge.turns.handle import control, handle
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from tests.functions.bridge.asking import Killed, answering
from tests.functions.bridge.turns.test_state_machine import Watched
from tests.functions.fakes import TURN, ScriptedAgent, ScriptedRun, Stage, Step, at_once, command_of

SECONDS = 600
RULES = ApprovalRules(Approvers(ApproverRule.ANYONE), SECONDS)
DONE: list[Step] = [TextDelta("It is "), 2.0, TextDelta("done."), Finished()]
DELIVERY_SECONDS = 290.0
# A message that nobody hides is hidden for so long at each receive.
VISIBILITY_SECONDS = 330.0
CHAT = ("post", "edit", "find", "stop_stream", "set_session", "set_status", "person", "post_ephemeral")
LEDGER = ("claim", "start", "advance", "owe", "settle", "wait", "renew", "release")


class Queue:
    """One message of a queue. An old receipt is refused, and does nothing when it is to wake the message."""

    def __init__(self, stage: Stage) -> None:
        self.trouble = 0
        self.is_gone = False
        self._stage = stage
        self._receives = 0
        self._visible_at = stage.clock.now()

    @property
    def is_visible(self) -> bool:
        return not self.is_gone and self._stage.clock.now() >= self._visible_at

    @property
    def hidden_for(self) -> float:
        return self._visible_at - self._stage.clock.now()

    def receive(self) -> "Received":
        self._receives += 1
        self._visible_at = self._stage.clock.now() + VISIBILITY_SECONDS
        return Received(self, f"receipt-{self._receives}", self._receives)

    def change(self, receipt: str, seconds: float) -> bool:
        """Whether that is the receipt of the last receive, and the message is hidden."""
        if self.trouble:
            self.trouble -= 1
            raise ServiceUnavailable("sqs")
        if self.is_visible or receipt != f"receipt-{self._receives}":
            return False
        self._visible_at = self._stage.clock.now() + seconds
        return True

    def wake(self, receipt: str) -> None:
        self.change(receipt, 0)


class Received:
    def __init__(self, queue: Queue, receipt: str, count: int) -> None:
        self.receipt = receipt
        self.count = count
        self._queue = queue

    def extend_visibility(self, seconds: float) -> None:
        if not self._queue.change(self.receipt, seconds):
            raise ServiceUnavailable("the receipt handle has expired")


def asks(number: int) -> list[Step]:
    """Each time for something else."""
    mail = ToolRequest(f"call-{number}", "send_email", f'{{"to": "ann-{number}"}}', Wanted.CONSENT)
    return [TextDelta("I will write."), 2.0, mail, Failed(Failure.RETURN_OF_CONTROL, "asks")]


class Asking(ScriptedAgent):
    """Asks for one or two approvals before it is done. Notes each decision that it is told."""

    def __init__(self, stage: Stage, told: list[ToolAnswer], pauses: int) -> None:
        super().__init__(stage.clock, *map(asks, range(pauses)), DONE)
        self._told = told

    def resume(self, question: Question, answers: Any) -> ScriptedRun:
        self._told.extend(answers)
        return super().resume(question, answers)


class WaitingTurn(RuleBasedStateMachine):
    style = Style.EDIT
    pauses = 1

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.queue = Queue(self.stage)
        self.told: list[ToolAnswer] = []
        self.agent = Asking(self.stage, self.told, self.pauses)
        # Commands that the control queue still holds.
        self.commands: list[ControlCommand] = []
        self.presses = 0

    # --- what can happen ---

    @rule(dies_at=st.none() | st.integers(0, 40), meets_at=st.none() | st.integers(0, 40))
    def delivered(self, dies_at: int | None, meets_at: int | None) -> None:
        if not self.queue.is_visible:
            return
        received = self.queue.receive()

        def meet() -> None:
            if self.commands:
                self._handle(self.commands[0], None)

        def work(ports: Ports) -> Outcome:
            delivery = Delivery(
                received,
                f"worker-{received.count}",
                self.stage.clock.now() + DELIVERY_SECONDS,
                received.count,
            )
            do = answering(self.stage, self.agent, ReplyOptions(style=self.style), approvals=RULES)
            return handle(command_of(TURN), delivery, ports, do)

        outcome = self._run(work, dies_at, meets_at, meet)
        if outcome is None or outcome.is_kept:
            return
        if outcome.retry_in_seconds is None:
            self.queue.is_gone = True
        else:
            self._hide(received, outcome.retry_in_seconds)

    @rule(user=st.sampled_from(["U1", "U2"]), approve=st.booleans(), dies_at=st.none() | st.integers(0, 12))
    def somebody_decides(self, user: str, approve: bool, dies_at: int | None) -> None:
        record = self.stage.ledger.records.get(TURN.turn_id)
        if record is None or record.pause is None or len(record.reply) < 2:
            return
        self.presses += 1
        ts = f"{self.stage.clock.now():.3f}{self.presses:03}"
        command = Decide(
            *("T1", "C1", TURN.ts, TURN.thread_ts, record.reply[-1], user, 1, record.pause.id, approve, ts)
        )
        self.commands.append(command)
        self._handle(command, dies_at)

    @rule(is_ours=st.booleans(), dies_at=st.none() | st.integers(0, 12))
    def somebody_stops(self, is_ours: bool, dies_at: int | None) -> None:
        record = self.stage.ledger.records.get(TURN.turn_id)
        if record is None or not record.reply or record.state in SETTLED:
            return
        ts = f"{self.stage.clock.now() + 0.001:.6f}"
        command: ControlCommand = StopThread("T1", "C1", TURN.thread_ts, "U1", ts, (), sender_unknown=False)
        if is_ours:
            command = StopTurn(
                *("T1", "C1", TURN.ts, TURN.thread_ts, record.reply[-1], "U1", 1, ts), sender_unknown=False
            )
        self.commands.append(command)
        self._handle(command, dies_at)

    @rule()
    def a_command_is_delivered_again(self) -> None:
        if self.commands:
            self._handle(self.commands[-1], None)

    @rule(seconds=st.sampled_from([1.0, 61.0, 299.0, 601.0]))
    def time_passes(self, seconds: float) -> None:
        self.stage.clock.sleep(seconds)

    @rule(method=st.sampled_from(CHAT), times=st.integers(1, 6), lost=st.booleans())
    def slack_is_in_trouble(self, method: str, times: int, lost: bool) -> None:
        trouble: Any = (ChatUnavailable("timeout"), "after") if lost else ChatRateLimited(3)
        self.stage.chat.trouble[method] = [trouble] * times

    @rule(method=st.sampled_from(LEDGER), times=st.integers(1, 6))
    def ledger_is_in_trouble(self, method: str, times: int) -> None:
        self.stage.ledger.trouble[method] = [ServiceUnavailable("down")] * times

    @rule(method=st.sampled_from(["of_turn", "decide"]), times=st.integers(1, 4))
    def pauses_are_in_trouble(self, method: str, times: int) -> None:
        self.stage.pauses.trouble[method] = [ServiceUnavailable("down")] * times

    @rule(times=st.integers(1, 3))
    def queue_is_in_trouble(self, times: int) -> None:
        self.queue.trouble = times

    @rule()
    def given_up(self) -> None:
        """The turn arrives in the dead-letter queue."""
        if not self.queue.is_visible:
            return
        self.queue.is_gone = True
        outcome = self._run(
            lambda ports: handle(command_of(TURN), self.stage.delivery(50.0), ports, give_up), None, None
        )
        if outcome is None or outcome.retry_in_seconds is not None:
            self.queue.is_gone = False

    # --- what must hold all the time ---

    @invariant()
    def the_agent_is_asked_once_and_told_one_decision_about_each_request(self) -> None:
        assert len(self.agent.questions) <= 1
        assert len(self.told) <= self.pauses

    @invariant()
    def the_agent_is_told_what_is_on_record(self) -> None:
        decisions = [*self.stage.ledger.decisions.values()]
        for answer, decision in zip(self.told, decisions, strict=False):
            assert answer.is_approved == (decision.decided is Decided.APPROVED)

    def teardown(self) -> None:
        """The world calms down."""
        for port in (self.stage.chat, self.stage.ledger, self.stage.pauses, self.stage.stops):
            port.trouble.clear()
        self.queue.trouble = 0
        self.stage.clock.sleep(61)  # the lease of whoever was killed has expired
        for command in [*self.commands]:
            self._handle(command, None)
        record = self.stage.ledger.records.get(TURN.turn_id)
        if record and record.state is State.WAITING and self.stage.ledger.decision_of(record):
            # Nobody leaves it hidden until the request expires: at most as long as the queue itself hides it.
            assert self.queue.is_gone or self.queue.hidden_for <= VISIBILITY_SECONDS
        for _ in range(12):
            if self.queue.is_gone:
                break
            self.stage.clock.sleep(max(0.0, self.queue.hidden_for))
            self.delivered(None, None)
        assert self.queue.is_gone
        record = self.stage.record
        assert record.state in SETTLED
        assert record.pause is None
        assert self.stage.chat.session == "active"
        cards = [text for text in self.stage.chat.texts() if text.startswith(":raised_hand:")]
        assert cards == []
        asked = {written.pause.id for _, written in self.stage.ledger.writes if written.pause}
        has_new_session = self.stage.ledger.session(TURN.thread_id, "").began != ""
        assert has_new_session or len(self.told) == len(asked)

    # --- how it is done ---

    def _handle(self, command: ControlCommand, dies_at: int | None) -> None:
        """The control queue delivers a command; it keeps it until that has succeeded."""
        outcome = self._run(
            lambda ports: control(command, self.stage.delivery(50.0), ports, Access()), dies_at, None
        )
        if outcome is not None and outcome.retry_in_seconds is None and command in self.commands:
            self.commands.remove(command)

    def _hide(self, received: Received, seconds: float) -> None:
        try:
            received.extend_visibility(seconds)
        except ServiceUnavailable:
            return

    def _run(
        self,
        work: Callable[[Ports], Outcome],
        dies_at: int | None,
        meets_at: int | None,
        meet: Callable[[], None] = lambda: None,
    ) -> Outcome | None:
        """What came of it; None when the process died."""
        points = iter(range(10_000))

        def point() -> None:
            number = next(points)
            if number == dies_at:
                raise Killed
            if number == meets_at:
                meet()

        stage = self.stage
        ports = replace(
            stage.ports,
            chat=Watched(stage.chat, point),
            ledger=Watched(stage.ledger, point),
            pauses=Watched(stage.pauses, point),
            stops=Watched(stage.stops, point),
            kept=Watched(self.queue, point),
            beside=at_once,
        )
        try:
            return work(ports)
        except (Killed, ServiceUnavailable):
            return None


class StreamedWaitingTurn(WaitingTurn):
    style = Style.STREAM
    pauses = 2


TestWaitingTurn = WaitingTurn.TestCase
TestStreamedWaitingTurn = StreamedWaitingTurn.TestCase
TestWaitingTurn.settings = settings(max_examples=200, stateful_step_count=14, deadline=None)
TestStreamedWaitingTurn.settings = TestWaitingTurn.settings
