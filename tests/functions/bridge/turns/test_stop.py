"""A press of Stop, from the command to the thread: who may, which turn it ends, and what people are told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.bridge import wording
from functions.bridge.admission.access import Access, AccessRules
from functions.bridge.agents.events import Failed, Finished, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import Record, State
from functions.bridge.ledger.stops import Press, Stop
from functions.bridge.people import Home, Person
from functions.bridge.queue_commands import StopThread, StopTurn
from functions.bridge.replies.chat import ChatAppRefused, ChatRefused, ChatStopped, ChatUnavailable
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turns.handle import control
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.stop_watch import is_meant
from tests.functions.bridge.asking import AGAIN, Killed, kill, surrender, take
from tests.functions.fakes import START, TURN, ScriptedAgent, Stage, Step

STREAMED = ReplyOptions(style=Style.STREAM)
RECORD = Record(TURN.turn_id, 1, State.STARTED, "one", ("1700000005.000000",), 1, began_at=1700000004.0)


def slacks_stop(stage: Stage, *, user: str = "U2", streams: tuple[str, ...] = ()) -> StopThread:
    """A press right now."""
    ts = f"{stage.clock.now() + 0.001:.6f}"
    return StopThread("T1", "C1", TURN.thread_ts, user, ts, streams, sender_unknown=False)


def our_stop(stage: Stage, *, user: str = "U2", attempt: int = 1) -> StopTurn:
    ts = f"{stage.clock.now() + 0.001:.6f}"
    message_ts = stage.record.reply[0]
    return StopTurn("T1", "C1", TURN.ts, TURN.thread_ts, message_ts, user, attempt, ts, sender_unknown=False)


def press(
    stage: Stage, command: StopThread | StopTurn, *, receives: int = 1, access: Access | None = None
) -> Outcome:
    delivery = replace(stage.delivery(50.0), receive_count=receives)
    return control(command, delivery, stage.ports, access or Access())


def pressing(stage: Stage, which: Callable[[Stage], StopThread | StopTurn]) -> Callable[[], None]:
    def pressed() -> None:
        press(stage, which(stage))

    return pressed


@pytest.fixture(params=[slacks_stop, our_stop])
def stop(request: pytest.FixtureRequest, stage: Stage) -> Callable[[], None]:
    """Somebody presses Stop, Slack's or ours."""
    return pressing(stage, request.param)


def told(stage: Stage) -> list[str]:
    return [text.partition(" ")[2] for text in stage.chat.history("post_ephemeral")]


# --- the turn ----------------------------------------------------------------------------------------------


def test_what_was_said_stays_and_who_stopped_it_is_added(stage: Stage, stop: Callable[[], None]) -> None:
    agent = ScriptedAgent(
        stage.clock, [TextDelta("It is "), 3.0, stop, 60.0, TextDelta("sunny."), Finished()]
    )
    outcome = take(stage, agent=agent)
    assert outcome.verdict is Verdict.STOPPED
    assert stage.record.state is State.STOPPED
    [text] = stage.chat.texts()
    assert text == (
        "It is\n\n_Stopped by <@U2> at 22:13 UTC. The agent may go on by itself with what it has begun. "
        "Questions that wait behind it in this thread are still answered._"
    )
    assert agent.runs[0].cancelled
    assert stage.chat.session == "active"
    assert not any(message.buttons for message in stage.chat.messages.values())


def test_an_agent_that_is_silent_is_left_within_a_second(stage: Stage, stop: Callable[[], None]) -> None:
    agent = ScriptedAgent(stage.clock, [3.0, stop, 60.0, Finished()])
    take(stage, agent=agent)
    assert stage.clock.now() - START < 4.0


def test_a_stop_ends_the_session_where_that_is_wanted(stage: Stage, stop: Callable[[], None]) -> None:
    agent = ScriptedAgent(stage.clock, [3.0, stop, 60.0])
    ask = agent.ask

    def asked(question: object) -> object:
        run = ask(question)  # type: ignore[arg-type]
        run.ends_session = True
        return run

    agent.ask = asked  # type: ignore[assignment,method-assign]
    take(stage, agent=agent)
    assert agent.runs[0].session_stopped_at is not None
    assert "may go on" not in stage.chat.texts()[0]


def test_who_stopped_it_and_when_is_in_the_audit_record(stage: Stage, stop: Callable[[], None]) -> None:
    take(stage, 3.0, stop, 60.0)
    [record] = [record for record in stage.audit.records if record["kind"] == "turn"]
    assert (record["verdict"], record["stopped_by"]) == ("stopped", "U2")
    assert record["times"]["stopped"] == "2023-11-14T22:13:23.001+00:00"


def test_a_stop_before_the_agent_is_asked_keeps_it_from_being_asked(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, [Finished()])
    name_of = stage.chat.name_of

    def stopped_meanwhile(user: str) -> str:
        stage.clock.sleep(0.1)
        press(stage, slacks_stop(stage))
        return name_of(user)

    stage.chat.name_of = stopped_meanwhile  # type: ignore[method-assign]
    assert take(stage, agent=agent).verdict is Verdict.STOPPED
    assert agent.questions == []
    assert len(stage.chat.texts()) == 1


def test_a_question_that_waits_for_a_slot_can_be_stopped(stage: Stage) -> None:
    most = stage.slots.fairness.running_per_user
    stage.slots.running["T1:U1"] = {f"other-{number}#1@{int(2000 * START)}" for number in range(most)}
    assert take(stage).verdict is Verdict.WAITING
    stage.clock.sleep(1)
    press(stage, our_stop(stage))
    stage.clock.sleep(10)
    outcome = surrender(stage)
    assert outcome.verdict is Verdict.STOPPED
    assert stage.chat.texts()[0].startswith("_Stopped by <@U2>")


def test_an_agent_is_not_asked_again_after_a_stop(stage: Stage, stop: Callable[[], None]) -> None:
    busy: list[Step] = [0.1, stop, Failed(Failure.THROTTLED, "too much")]
    agent = ScriptedAgent(stage.clock, busy)
    assert take(stage, agent=agent).verdict is Verdict.STOPPED
    assert len(agent.questions) == 1


def test_whoever_takes_over_a_turn_obeys_the_mark(stage: Stage, stop: Callable[[], None]) -> None:
    with pytest.raises(Killed):
        take(stage, TextDelta("It is "), 3.0, kill)
    stop()
    stage.clock.sleep(61)
    assert surrender(stage).verdict is Verdict.STOPPED
    assert stage.chat.texts()[0].startswith("_Stopped by <@U2>")


def test_an_answer_that_was_complete_is_not_taken_back(stage: Stage, stop: Callable[[], None]) -> None:
    assert take(stage, TextDelta("It is sunny."), 3.0, Finished()).verdict is Verdict.ANSWERED
    stop()
    assert take(stage).verdict is Verdict.DUPLICATE
    assert stage.chat.texts() == ["It is sunny."]


def test_a_late_stop_is_none_of_the_next_attempt(stage: Stage) -> None:
    take(stage, TextDelta("It "), 3.0, Failed(Failure.CUT_OFF, "cut"))
    stage.clock.sleep(1)
    press(stage, slacks_stop(stage))
    stage.clock.sleep(1)
    assert take(stage, turn=AGAIN).verdict is Verdict.ANSWERED


def test_marks_that_cannot_be_read_hold_up_nothing(stage: Stage) -> None:
    for method in ("begin", "of_thread", "marks"):
        stage.stops.trouble[method] = [ServiceUnavailable("down")] * 50
    assert take(stage, 3.0, TextDelta("It is sunny."), Finished()).verdict is Verdict.ANSWERED


@pytest.mark.parametrize("comes_in_time", [True, False])
def test_who_stopped_a_stream_is_said_below_it(stage: Stage, comes_in_time: bool) -> None:
    stage.chat.trouble = {name: [ChatStopped("stopped_by_user")] for name in ("append_stream", "stop_stream")}
    steps: list[Step] = [TextDelta("It is "), 3.0, TextDelta("sunny. "), 3.0, TextDelta("x")]
    if comes_in_time:
        steps.insert(2, pressing(stage, slacks_stop))
    outcome = take(stage, *steps, options=STREAMED)
    assert outcome.verdict is Verdict.STOPPED
    texts = stage.chat.texts()
    assert texts[0].startswith("It is")
    assert [text.startswith("_Stopped by <@U2>") for text in texts[1:]] == [True] * comes_in_time


# --- which turn a thread's mark is meant for ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "stop", "meant"),
    [
        (RECORD, Stop("U2", "1700000005.000000"), True),
        (RECORD, Stop("U2", "1700000004.999999"), False),  # its first message stands since later
        (replace(RECORD, reply=()), Stop("U2", "1700000004.000000"), True),
        (replace(RECORD, reply=()), Stop("U2", "1700000003.999999"), False),  # it was not claimed
        (RECORD, Stop("U2", "1700000004.500000", RECORD.reply), True),
        (replace(RECORD, attempt=2, began_at=1700000009.0), Stop("U2", "1700000008.0", RECORD.reply), False),
        (replace(RECORD, attempt=2, began_at=1700000009.0), Stop("U2", "1700000009.0"), True),
    ],
)
def test_a_mark_is_meant_for_what_was_at_work_when_it_was_left(
    record: Record, stop: Stop, meant: bool
) -> None:
    assert is_meant(record, stop) is meant


# --- the press ---------------------------------------------------------------------------------------------


def test_slacks_stop_is_looked_at_again_and_whoever_came_too_late_is_told(stage: Stage) -> None:
    late = slacks_stop(stage)
    first = press(stage, late)
    assert (first.verdict, first.retry_in_seconds) == (Verdict.WAITING, 5.0)
    second = press(stage, late, receives=2)
    assert (second.verdict, second.retry_in_seconds) == (Verdict.PRESS_REFUSED, None)
    assert told(stage) == [f"U2 {wording.NOTHING_TO_STOP}"]


def test_slacks_stop_that_was_obeyed_needs_no_other_word(stage: Stage) -> None:
    pressed: list[StopThread] = []

    def stop() -> None:
        pressed.append(slacks_stop(stage))
        press(stage, pressed[0])

    take(stage, 3.0, stop, 60.0)
    assert press(stage, pressed[0], receives=2).verdict is Verdict.STOPPED
    assert told(stage) == []


def test_our_stop_after_the_end_is_told_to_be_late(stage: Stage) -> None:
    take(stage, TextDelta("It is sunny."), Finished())
    assert press(stage, our_stop(stage)).verdict is Verdict.PRESS_REFUSED
    assert told(stage) == [f"U2 {wording.PRESSES_OF_STOP[Press.OVER]}"]


def test_a_second_press_is_told_that_it_is_one(stage: Stage) -> None:
    def stop_twice() -> None:
        press(stage, our_stop(stage))
        press(stage, our_stop(stage, user="U3"))

    assert take(stage, 3.0, stop_twice, 60.0).verdict is Verdict.STOPPED
    assert told(stage) == ["U3 This answer is being stopped already."]
    assert stage.chat.texts()[0].startswith("_Stopped by <@U2>")


@pytest.mark.parametrize("which", [slacks_stop, our_stop])
def test_who_may_not_ask_may_not_stop(stage: Stage, which: Callable[[Stage], StopThread | StopTurn]) -> None:
    denied = Access(AccessRules(deny_users=("U2",)))

    def stop() -> None:
        press(stage, which(stage), access=denied)

    outcome = take(stage, TextDelta("It is "), 3.0, stop, Finished())
    assert outcome.verdict is Verdict.ANSWERED
    assert told(stage) == [f"U2 {wording.MAY_NOT_STOP}"]


def test_who_is_of_another_organisation_may_not_stop(stage: Stage) -> None:
    stage.chat.people["U2"] = Person(Home("T2"), is_stranger=True)
    outcome = press(stage, replace(slacks_stop(stage), sender_unknown=True))
    assert outcome.verdict is Verdict.PRESS_REFUSED
    assert stage.stops.threads == {}


def test_who_may_not_ask_the_agent_of_a_thread_may_not_stop_it(stage: Stage) -> None:
    stage.ledger.agents[TURN.thread_id] = "secret"
    access = Access(agents={"secret": AccessRules(users=("U1",))})
    assert press(stage, slacks_stop(stage), access=access).verdict is Verdict.PRESS_REFUSED
    assert press(stage, slacks_stop(stage, user="U1"), access=access).verdict is Verdict.WAITING


def test_a_press_while_the_ledger_or_slack_is_down_comes_again(stage: Stage) -> None:
    stage.stops.trouble["mark_thread"] = [ServiceUnavailable("down")]
    assert press(stage, slacks_stop(stage)).verdict is Verdict.UNAVAILABLE
    stage.chat.trouble["person"] = [ChatUnavailable("503")]
    outcome = press(stage, replace(slacks_stop(stage), sender_unknown=True))
    assert (outcome.verdict, outcome.retry_in_seconds is None) == (Verdict.UNAVAILABLE, False)


def test_a_word_that_slack_does_not_take_ends_the_press(stage: Stage) -> None:
    denied = Access(AccessRules(deny_users=("U2",)))
    stage.chat.trouble["post_ephemeral"] = [ChatRefused("user_not_in_channel")]
    assert press(stage, slacks_stop(stage), access=denied).verdict is Verdict.REFUSED_BY_SLACK
    stage.chat.app_refusal = ChatAppRefused("token_revoked", "store another token")
    assert press(stage, slacks_stop(stage), access=denied).verdict is Verdict.APP_REFUSED


def test_who_pressed_is_in_the_audit_log(stage: Stage) -> None:
    def stop() -> None:
        press(stage, our_stop(stage))

    take(stage, 3.0, stop, 60.0)
    [record] = [record for record in stage.audit.records if record["kind"] == "press"]
    assert (record["command"], record["person"], record["verdict"]) == ("stop_turn", "U2", "stopped")


# --- what Slack shows --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code", ["not_authorized", "feature_disabled", "unknown_method", "method_not_supported_for_channel_type"]
)
def test_where_slack_has_no_stop_there_is_ours(stage: Stage, code: str) -> None:
    stage.chat.trouble["set_session"] = [ChatRefused(code)]
    shown: list[tuple[str, ...]] = []

    def look() -> None:
        shown.append(tuple(b.action_id for m in stage.chat.messages.values() for b in m.buttons))

    take(stage, 1.0, look, TextDelta("It is "), 3.0, look, TextDelta("sunny."), Finished())
    assert shown == [("stop",), ("stop",)]
    assert not any(message.buttons for message in stage.chat.messages.values())
    assert stage.chat.session == "active"


def test_where_slack_has_refused_it_before_ours_is_there_at_once(stage: Stage) -> None:
    stage.chat.sessions = False
    take(stage, 1.0, TextDelta("It is sunny."), Finished())
    assert "set_session" not in [name for name, _ in stage.chat.calls]


def test_a_session_is_said_to_be_processing_once_and_active_at_the_end(stage: Stage) -> None:
    take(stage, 10.0, TextDelta("It is "), 10.0, TextDelta("sunny."), Finished())
    assert stage.chat.history("set_session") == ["processing", "active"]


def test_a_session_that_lasts_is_said_to_be_processing_anew_within_the_hour(stage: Stage) -> None:
    steps: list[Step] = [TextDelta("x "), 300.0] * 14
    take(stage, *steps, Finished(), seconds=5000.0)
    assert stage.chat.history("set_session") == ["processing", "processing", "active"]


def test_where_slack_limits_sessions_the_status_ends_it(stage: Stage) -> None:
    stage.chat.trouble["set_session"] = [None, ChatUnavailable("503")]
    take(stage, 10.0, TextDelta("It is sunny."), Finished())
    assert stage.chat.history("set_status") == [""]
    assert stage.chat.session == "active"


def test_dead_letters_leave_the_session_to_a_later_turn(stage: Stage) -> None:
    with pytest.raises(Killed):
        take(stage, 3.0, kill)
    stage.clock.sleep(61)
    stage.stops.begin(TURN.thread_id, turn_id=TURN.turn_id, attempt=1, began_at=stage.clock.now())
    assert surrender(stage).verdict is Verdict.INTERRUPTED
    assert stage.chat.session == "processing"
    assert stage.chat.history("set_status") == []
