"""A model check of the turn: deliveries, crashes, leases and time in any order Hypothesis can think of.

A turn is delivered, its worker dies before or after any external call, or is found alive by another delivery,
or sleeps so long that it loses its lease; the clocks of two workers differ; Slack and the ledger fail for a
while; Slack refuses the app, and accepts it again; the asker presses Retry; dead_letters gives up; the
operator lets the asker in or not; other questions of theirs take all slots; somebody presses Slack's Stop or
ours, before the turn is claimed, while it is at work, or after its end. Whatever happens, the thread ends
with exactly one outcome and no placeholder, and the agent was asked at most once for each attempt. The worker
gives up after three tries only, and a delivery that had to wait is none. A slot outlives no delivery. A turn
ends as stopped only if somebody has pressed Stop while it was at work.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from functions.bridge import wording
from functions.bridge.admission.access import Access, AccessRules, Reason
from functions.bridge.admission.slots import until
from functions.bridge.agents.events import Failed, File, Finished, TextDelta, ToolUse
from functions.bridge.agents.failures import Failure
from functions.bridge.clock import Clock
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import SETTLED, Record, State
from functions.bridge.ledger.stops import Stop
from functions.bridge.markdown.split import split
from functions.bridge.replies.buttons import RETRY
from functions.bridge.replies.chat import ChatAppRefused, ChatRateLimited, ChatUnavailable
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.replies.stream_style import ENOUGH_BYTES
from functions.bridge.turns.answer import give_up
from functions.bridge.turns.handle import handle
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.settle import MOST_TRIES
from tests.functions.bridge.asking import Killed, NotingAgent, answering
from tests.functions.bridge.outcomes import check_agent, check_answer, check_settled
from tests.functions.fakes import TURN, Stage, Step, at_once, command_of, next_attempt, when_waited_for

PARAGRAPHS = [f"Paragraph {number}. {'word ' * 200}\n\n" for number in range(24)]
SCRIPTS: dict[str, list[Step]] = {
    "answers": [TextDelta("It is "), 2.0, TextDelta("sunny."), Finished()],
    "is slow": [30.0, TextDelta("It is sunny."), 30.0, Finished()],
    "talks long": [
        TextDelta("".join(PARAGRAPHS[:13])),
        3.0,
        *map(TextDelta, PARAGRAPHS[13:]),
        3.0,
        Finished(),
    ],
    "works": [
        ToolUse("radar"),
        3.0,
        TextDelta("It is "),
        ToolUse("satellite"),
        3.0,
        TextDelta("sunny."),
        Finished(),
    ],
    "brings files": [
        File("a.png", "image/png", b"a"),
        TextDelta("Look."),
        File("b.png", "image/png", b"b"),
        Finished(),
    ],
    "breaks": [TextDelta("It is "), Failed(Failure.CUT_OFF, "cut")],
    "never ends": [TextDelta("It is "), 1000.0],
}
LEDGER = ("question", "claim", "start", "advance", "owe", "settle", "renew", "release")
SLOTS = ("take", "wait", "clear_earlier", "give_back", "free")
STOPS = ("begin", "of_thread", "marks", "obeyed")
PERSON = f"{TURN.team}:{TURN.user}"
DELIVERY_SECONDS = 290.0
DENIED = Access(AccessRules(deny_users=(TURN.user,)))
OTHERS = frozenset(f"other-{number}@{10**14}" for number in range(2))
CHAT = (
    "post",
    "edit",
    "find",
    "delete",
    "upload",
    "start_stream",
    "append_stream",
    "stop_stream",
    "set_session",
    "set_status",
    "post_ephemeral",
)  # fmt: skip
APP_REFUSAL = ChatAppRefused("token_revoked", "store another token")
TROUBLE: list[Any] = [
    None,
    ChatRateLimited(3),
    ChatRateLimited(30),
    ChatUnavailable("503"),
    (ChatUnavailable("timeout"), "after"),
]


class Watched:
    """A port whose calls are counted; `before` and `after` may end the process there."""

    def __init__(self, port: Any, point: Callable[[], None]) -> None:
        self._port = port
        self._point = point

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self._point()
            result = method(*arguments, **options)
            self._point()
            return result

        return call


class WrongClock:
    """A clock that is `off` by so many seconds."""

    def __init__(self, clock: Clock, off: float) -> None:
        self._clock = clock
        self._off = off
        self.sleep = clock.sleep

    def now(self) -> float:
        return self._clock.now() + self._off


class TurnMachine(RuleBasedStateMachine):
    style = Style.EDIT

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.attempt = TURN
        self.asked: list[int] = []
        self.clock_off = 0.0
        self.calls_run_late = False
        self.access = Access()
        self.receives: Counter[int] = Counter()
        # What the agent said, by attempt.
        self.said: dict[int, str] = {}
        # How many deliveries may have been tries, by attempt; and the attempts that dead_letters gave up.
        self.tries: Counter[int] = Counter()
        self.given_up_by_dead_letters: set[int] = set()
        # The attempts that were at work, or waited with a message of theirs, when somebody pressed Stop.
        self.stopped: set[int] = set()

    # --- what can happen ---

    @rule(
        script=st.sampled_from(sorted(SCRIPTS)),
        dies_at=st.none() | st.integers(0, 30),
        meets_at=st.none() | st.integers(0, 30),
    )
    def delivered(self, script: str, dies_at: int | None, meets_at: int | None) -> None:
        """The queue delivers the turn; the worker may die, and may be met by a second delivery."""
        self._deliver(script, dies_at, meets_at)

    @rule(script=st.sampled_from(sorted(SCRIPTS)))
    def delivered_to_a_sleeper(self, script: str) -> None:
        """The worker stands still for longer than its lease, and another one takes over meanwhile."""

        def sleep() -> None:
            self.stage.clock.sleep(61)
            self._deliver("answers", None, None)

        self._deliver(script, None, None, first=[TextDelta("It "), sleep])

    @rule(dies_at=st.none() | st.integers(0, 15))
    def given_up(self, dies_at: int | None) -> None:
        """The turn arrives in the dead-letter queue."""
        self.given_up_by_dead_letters.add(self.attempt.attempt)
        command, delivery = command_of(self.attempt), self.stage.delivery(50.0)
        self._run(dies_at, None, lambda ports: handle(command, delivery, ports, give_up))

    @rule(seconds=st.sampled_from([1.0, 30.0, 61.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.stage.clock.sleep(seconds)

    @rule(late=st.booleans())
    def calls_beside_others_run_late(self, late: bool) -> None:
        self.calls_run_late = late

    @rule(seconds=st.sampled_from([-5.0, 0.0, 5.0]))
    def next_worker_has_a_clock_of_its_own(self, seconds: float) -> None:
        self.clock_off = seconds

    @rule(
        method=st.sampled_from(CHAT),
        trouble=st.lists(st.sampled_from(TROUBLE), max_size=12),
        times=st.integers(1, 12),
    )
    def slack_is_in_trouble(self, method: str, trouble: list[Any], times: int) -> None:
        self.stage.chat.trouble[method] = trouble * times

    @rule(method=st.sampled_from(LEDGER), times=st.integers(1, 12))
    def ledger_is_in_trouble(self, method: str, times: int) -> None:
        self.stage.ledger.trouble[method] = [ServiceUnavailable("down")] * times

    @rule(method=st.sampled_from(SLOTS), times=st.integers(1, 12))
    def slots_are_in_trouble(self, method: str, times: int) -> None:
        self.stage.slots.trouble[method] = [ServiceUnavailable("down")] * times

    @rule(is_let_in=st.booleans())
    def the_operator_changes_who_may_ask(self, is_let_in: bool) -> None:
        self.access = Access() if is_let_in else DENIED

    @rule(are_free=st.booleans())
    def other_questions_take_or_free_the_slots(self, are_free: bool) -> None:
        running = self.stage.slots.running.setdefault(PERSON, set())
        if are_free:
            running -= OTHERS
        else:
            running |= OTHERS

    @rule()
    def slack_refuses_the_app(self) -> None:
        self.stage.chat.app_refusal = APP_REFUSAL

    @rule(script=st.sampled_from(sorted(SCRIPTS)), times=st.integers(1, 5))
    def delivered_to_a_refused_app(self, script: str, times: int) -> None:
        self.slack_refuses_the_app()
        for _ in range(times):
            self._deliver(script, None, None)

    @rule()
    def slack_accepts_the_app(self) -> None:
        self.stage.chat.app_refusal = None

    @rule(script=st.sampled_from(sorted(SCRIPTS)))
    def delivered_and_the_app_refused_meanwhile(self, script: str) -> None:
        self._deliver(script, None, None, first=[TextDelta("It "), 3.0, self.slack_refuses_the_app])

    @rule()
    def somebody_presses_slacks_stop(self) -> None:
        self._stop_thread()

    @rule()
    def somebody_presses_our_stop(self) -> None:
        self._stop_turn()

    @rule(
        script=st.sampled_from(sorted(SCRIPTS)),
        is_ours=st.booleans(),
        dies_at=st.none() | st.integers(0, 30),
    )
    def delivered_and_stopped_meanwhile(self, script: str, is_ours: bool, dies_at: int | None) -> None:
        stop = self._stop_turn if is_ours else self._stop_thread
        self._deliver(script, dies_at, None, first=[TextDelta("It "), 3.0, stop])

    @rule(method=st.sampled_from(STOPS), times=st.integers(1, 12))
    def marks_are_in_trouble(self, method: str, times: int) -> None:
        self.stage.stops.trouble[method] = [ServiceUnavailable("down")] * times

    @rule()
    def next_worker_has_written_nowhere_yet(self) -> None:
        self.stage.chat.places.clear()

    @rule()
    def messages_grow_too_old_to_be_edited(self) -> None:
        self.stage.chat.frozen.update(self.stage.chat.messages)

    @rule()
    def streams_expire(self) -> None:
        """Slack ends streams that live too long."""
        self.stage.chat.expire()

    @precondition(lambda self: self._offers_retry())
    @rule()
    def asker_presses_retry(self) -> None:
        record = self.stage.record
        if self.attempt.attempt == record.attempt:
            self.attempt = next_attempt(self.attempt)

    # --- what must hold all the time ---

    @invariant()
    def the_agent_is_asked_once_for_each_attempt(self) -> None:
        check_agent(self.stage, self.asked)

    @invariant()
    def there_are_no_more_messages_than_the_answer_takes(self) -> None:
        # A first text may stand below the placeholder for a while.
        assert len(self.stage.chat.texts()) <= self._most() + 1

    @invariant()
    def an_answer_that_was_given_stays(self) -> None:
        record = self.stage.ledger.records.get(TURN.turn_id)
        if record and record.state is State.ANSWERED:
            self._check_answered(record)

    @invariant()
    def the_worker_gives_up_after_three_tries_only(self) -> None:
        record = self.stage.ledger.records.get(TURN.turn_id)
        if record and record.failure is Failure.UNDELIVERABLE:
            is_by_dead_letters = record.attempt in self.given_up_by_dead_letters
            assert is_by_dead_letters or self.tries[record.attempt] >= MOST_TRIES

    @invariant()
    def only_a_turn_that_somebody_stopped_is_stopped(self) -> None:
        record = self.stage.ledger.records.get(TURN.turn_id)
        if record and record.state is State.STOPPED:
            assert record.attempt in self.stopped

    @invariant()
    def a_slot_outlives_no_delivery(self) -> None:
        now = self.stage.clock.now()
        ends = [until(one) for one in self.stage.slots.running.get(PERSON, set()) if one not in OTHERS]
        assert all(end <= now + DELIVERY_SECONDS + 5.0 for end in ends)  # by a clock that is wrong by 5 s

    def teardown(self) -> None:
        """The world calms down, and the queue delivers until the turn is settled: in vain only so often."""
        self.stage.chat.trouble.clear()
        self.stage.chat.app_refusal = None
        self.stage.ledger.trouble.clear()
        self.stage.slots.trouble.clear()
        self.stage.stops.trouble.clear()
        self.other_questions_take_or_free_the_slots(are_free=True)
        self.stage.clock.sleep(DELIVERY_SECONDS + 5.0)  # slots that could not be given back expire
        for _ in range(4):
            self.stage.clock.sleep(61)
            self._deliver("answers", None, None)
        self.the_agent_is_asked_once_for_each_attempt()
        assert len(self.stage.chat.texts()) <= self._most()
        record = self.stage.record
        if record.state is State.ANSWERED and record.attempt not in self.said:
            self._check_answered(record)
        else:
            check_settled(self.stage, self.said)
        self.stage.clock.sleep(DELIVERY_SECONDS + 5.0)  # a worker that died had one for so long
        assert self.stage.slots.holders() == set()
        ended = {"answered", "interrupted", "failed", "stopped", "refused"}
        audited = {one["attempt"] for one in self.stage.audit.records if one["verdict"] in ended}
        assert record.attempt in audited

    # --- how it is done ---

    def _deliver(
        self, script: str, dies_at: int | None, meets_at: int | None, *, first: list[Step] | None = None
    ) -> None:
        agent = NotingAgent(self.stage.clock, [*(first or []), *SCRIPTS[script]], self._note)

        work_on_turn = answering(self.stage, agent, ReplyOptions(style=self.style), self.access)

        def work(ports: Ports) -> Outcome:
            self.receives[self.attempt.attempt] += 1
            receives = self.receives[self.attempt.attempt]
            delivery = replace(self.stage.delivery(DELIVERY_SECONDS), receive_count=receives)
            return handle(command_of(self.attempt), delivery, ports, work_on_turn)

        self._run(dies_at, meets_at, work)

    def _run(self, dies_at: int | None, meets_at: int | None, work: Callable[[Ports], Outcome]) -> None:
        points = iter(range(10_000))

        def point() -> None:
            number = next(points)
            if number == dies_at:
                raise Killed
            if number == meets_at:
                self.clock_off *= -1
                self._deliver("answers", None, None)

        stage = self.stage
        ports = Ports(
            chat=Watched(stage.chat, point),
            history=Watched(stage.history, point),
            ledger=Watched(stage.ledger, point),
            audit=Watched(stage.audit, point),
            slots=Watched(stage.slots, point),
            beside=when_waited_for if self.calls_run_late else at_once,
            stops=stage.stops,
            pauses=Watched(stage.pauses, point),
            groups=stage.groups,
            kept=stage.kept,
            waiting=stage.waiting,
            clock=WrongClock(stage.clock, self.clock_off),
            ticker=stage.ticker,
            lease_seconds=60.0,
            notify_after=60.0,
        )
        attempt, release_fails = self.attempt.attempt, bool(stage.ledger.trouble.get("release"))
        try:
            outcome = work(ports)
        except (Killed, ServiceUnavailable):
            self.tries[attempt] += 1
            return  # the message comes back after its visibility timeout
        self.tries[attempt] += release_fails or outcome.verdict not in _NO_TRIES
        assert (outcome.retry_in_seconds is None) == (outcome.verdict not in _GIVEN_BACK)

    def _stop_thread(self) -> None:
        self._note_stop()
        stop = Stop("U2", f"{self.stage.clock.now() + 0.001:.6f}")
        self.stage.stops.trouble.pop("mark_thread", None)
        self.stage.stops.mark_thread(TURN.thread_id, stop)
        self.stage.clock.sleep(5.01)  # a worker's clock may be wrong by so much

    def _stop_turn(self) -> None:
        self._note_stop()
        record = self.stage.ledger.records.get(TURN.turn_id)
        if record and record.reply:
            stop = Stop("U2", f"{self.stage.clock.now():.6f}")
            self.stage.stops.mark_turn(TURN.turn_id, record.attempt, record.reply[0], stop)

    def _note_stop(self) -> None:
        record = self.stage.ledger.records.get(TURN.turn_id)
        if record and record.state not in SETTLED:
            self.stopped.add(record.attempt)

    def _note(self, says: str) -> None:
        assert not self.stage.chat.app_refusal
        self.asked.append(self.attempt.attempt)
        self.said[self.attempt.attempt] = says

    def _check_answered(self, record: Record) -> None:
        """The answer stands; or the asker was not let in: a message says so only where one stood before."""
        if record.attempt in self.said:
            check_answer(self.stage, self.said[record.attempt])
        else:
            assert self.stage.chat.texts() in ([], [wording.refusal(Reason.DENIED)])
            assert self.stage.chat.session == "active"

    def _most(self) -> int:
        """The messages that the longest of the answers takes."""
        return max(map(self._most_messages, self.said.values()), default=1)

    def _most_messages(self, text: str) -> int:
        return len(split(text))

    def _offers_retry(self) -> bool:
        messages = self.stage.chat.messages.values()
        return any(button.action_id == RETRY for message in messages for button in message.buttons)


_NO_TRIES = (Verdict.HELD, Verdict.UNAVAILABLE, Verdict.APP_REFUSED, Verdict.WAITING)
_GIVEN_BACK = (*_NO_TRIES, Verdict.OWED, Verdict.LEASE_LOST)


class StreamedTurnMachine(TurnMachine):
    style = Style.STREAM

    def _most_messages(self, text: str) -> int:
        # A stream that gets too old is ended, and what is still to be said goes into another message.
        return len(text.encode()) // ENOUGH_BYTES + 2


TestTurn = TurnMachine.TestCase
TestStreamedTurn = StreamedTurnMachine.TestCase
TestTurn.settings = settings(max_examples=150, stateful_step_count=12, deadline=None)
TestStreamedTurn.settings = TestTurn.settings
