"""One person, or one channel, must not take the bot from the others."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.bridge import wording
from functions.bridge.admission.access import Access, Reason
from functions.bridge.admission.slots import WAITING_SECONDS, Fairness, Full, Limit, entry
from functions.bridge.agents.events import Failed, Finished, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.delivery import LONGEST_DEFERRAL, PATIENT_AFTER_RECEIVES, SHORTEST_DEFERRAL
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import State
from functions.bridge.replies.chat import ChatAppRefused, ChatRateLimited, ChatUnavailable
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turn import Notice, Turn
from functions.bridge.turns.handle import handle
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.settle import MOST_TRIES
from tests.functions.bridge.asking import AGAIN, SUNNY, Killed, answering, kill, surrender
from tests.functions.fakes import TURN, ScriptedAgent, Stage, Step, command_of

WAITS = wording.waits(Full(Limit.PERSON, 2))
ONE_AT_A_TIME = Fairness(running_per_user=1)


class Crowd:
    """Questions of several people, in several threads, by the default limits."""

    def __init__(self, fairness: Fairness = Fairness()) -> None:  # noqa: B008 - it is frozen
        self.stage = Stage()
        self.stage.slots.fairness = fairness
        self.agent = ScriptedAgent(self.stage.clock, SUNNY)
        self.receives: dict[str, int] = {}
        self.outcomes: list[Outcome] = []

    def deliver(
        self, turn: Turn, *script: Step, style: Style = Style.EDIT, seconds: float = 290.0
    ) -> Outcome:
        """The queue delivers a question, once more each time."""
        agent = ScriptedAgent(self.stage.clock, script) if script else self.agent
        key = f"{turn.turn_id}#{turn.attempt}"
        self.receives[key] = self.receives.get(key, 0) + 1
        delivery = replace(self.stage.delivery(seconds), receive_count=self.receives[key])
        work = answering(self.stage, agent, ReplyOptions(style=style), Access())
        return handle(command_of(turn), delivery, self.stage.ports, work)

    def during(self, *turns: Turn) -> list[Step]:
        """An agent that is slow: meanwhile these questions are delivered."""
        return [*map(self._delivers, turns), 1.0, TextDelta("It is sunny."), Finished()]

    def while_two_run(self, *turns: Turn, first: int = 90) -> None:
        """Deliver questions while two others of the same person are answered, `first` and the next one."""
        self.beside_two(self.during(*turns), first=first)

    def beside_two(self, script: list[Step], *, first: int = 90) -> None:
        """The script of the second of two questions that are answered at once."""

        def second() -> None:
            self.deliver(question(first + 1), *script)

        self.deliver(question(first), second, *SUNNY)

    def texts(self, turn: Turn) -> list[str]:
        parts = [one for one in self.stage.chat.messages.values() if one.turn.turn_id == turn.turn_id]
        return [part.markdown for part in parts]

    def _delivers(self, turn: Turn) -> Callable[[], None]:
        return lambda: self.outcomes.append(self.deliver(turn))


def question(number: int, *, user: str = "U1", channel: str = "C1") -> Turn:
    ts = f"1700000000.{number:06}"
    return replace(TURN, ts=ts, thread_ts=ts, user=user, channel=channel)


def test_one_person_has_two_questions_running_and_a_third_says_that_it_waits() -> None:
    crowd = Crowd()
    crowd.while_two_run(question(1))
    [outcome] = crowd.outcomes
    assert outcome.verdict is Verdict.WAITING
    assert outcome.failure is None
    assert crowd.texts(question(1)) == [WAITS] == ["You have 2 questions running; this one waits."]
    assert crowd.agent.questions == []


@pytest.mark.parametrize("style", [Style.EDIT, Style.STREAM])
def test_the_note_that_a_question_waits_becomes_the_answer(style: Style) -> None:
    crowd = Crowd()
    crowd.while_two_run(question(1))
    posts = len(crowd.stage.chat.history("post"))
    assert crowd.deliver(question(1), style=style).verdict is Verdict.ANSWERED
    assert crowd.texts(question(1)) == ["It is sunny."]
    assert len(crowd.stage.chat.history("post")) == posts
    assert crowd.stage.chat.session == "active"


def test_the_note_that_a_question_waits_is_posted_once() -> None:
    crowd = Crowd()
    crowd.while_two_run(*[question(1)] * 20)
    assert {outcome.verdict for outcome in crowd.outcomes} == {Verdict.WAITING}
    assert [text for _, text in crowd.stage.chat.calls].count(WAITS) == 1


@pytest.mark.parametrize(
    "trouble", [ChatRateLimited(3), ChatUnavailable("503"), (ChatUnavailable("timeout"), "after")]
)
def test_the_note_is_posted_once_though_slack_fails(trouble: Exception | tuple[Exception, str]) -> None:
    crowd = Crowd()
    crowd.stage.chat.trouble["post"] = [None, None, trouble]  # those that run have posted before
    crowd.deliver(question(89))
    crowd.while_two_run(*[question(1)] * 3)
    assert crowd.texts(question(1)) == [WAITS]
    assert crowd.deliver(question(1)).verdict is Verdict.ANSWERED
    assert crowd.texts(question(1)) == ["It is sunny."]


def test_a_refused_app_is_told_to_the_operator_while_a_question_waits() -> None:
    crowd = Crowd()
    crowd.while_two_run(question(1))
    refusal = ChatAppRefused("token_revoked", "store another token")
    until = 2 * crowd.stage.clock.now()
    crowd.stage.slots.running["T1:U1"] = {entry(question(number), until) for number in (3, 4)}
    crowd.stage.chat.app_refusal = refusal
    assert crowd.deliver(question(2)).verdict is Verdict.APP_REFUSED


def test_waiting_takes_5_to_15_seconds_and_longer_after_a_while() -> None:
    crowd = Crowd()
    crowd.while_two_run(*[question(1)] * (PATIENT_AFTER_RECEIVES + 5))
    waits = [outcome.retry_in_seconds or 0.0 for outcome in crowd.outcomes]
    early, late = waits[:PATIENT_AFTER_RECEIVES], waits[PATIENT_AFTER_RECEIVES:]
    assert SHORTEST_DEFERRAL <= min(early) < max(early) <= LONGEST_DEFERRAL
    assert all(4 * SHORTEST_DEFERRAL <= wait <= 4 * LONGEST_DEFERRAL for wait in late)


def test_waiting_uses_up_no_tries() -> None:
    crowd = Crowd()
    crowd.while_two_run(*[question(1)] * (3 * MOST_TRIES))
    record = crowd.stage.ledger.records[question(1).turn_id]
    assert (record.state, record.tries) == (State.RECEIVED, 0)
    assert crowd.stage.ledger.leases[record.turn_id] == 0.0
    assert crowd.deliver(question(1)).verdict is Verdict.ANSWERED


def test_twenty_questions_of_one_person_do_not_delay_anothers() -> None:
    crowd = Crowd(Fairness(questions_per_minute=100, waiting_per_user=18))
    other = question(50, user="U2")
    crowd.stage.slots.people["T1:U2"] = crowd.stage.slots.people["T1:U1"]
    crowd.while_two_run(*[question(number) for number in range(1, 19)], other)
    verdicts = [outcome.verdict for outcome in crowd.outcomes]
    assert verdicts == [Verdict.WAITING] * 18 + [Verdict.ANSWERED]


def test_one_channel_has_ten_questions_running() -> None:
    crowd = Crowd(Fairness(running_per_channel=2))
    others = [question(1, user="U2"), question(2, user="U2", channel="C2"), question(3, channel="D1")]
    crowd.while_two_run(*others)
    assert [outcome.verdict for outcome in crowd.outcomes][:2] == [Verdict.WAITING, Verdict.ANSWERED]
    assert crowd.texts(others[0]) == ["This channel has 2 questions running; this one waits."]
    # What the person had taken when the channel was full was given back.
    assert crowd.stage.slots.holders() == set()


def test_with_a_limit_of_one_the_second_question_waits() -> None:
    crowd = Crowd(ONE_AT_A_TIME)
    crowd.deliver(question(90), *crowd.during(question(1)))
    assert crowd.texts(question(1)) == ["You have one question running; this one waits."]


# --- questions that wait ------------------------------------------------------------------------------------


def test_of_one_person_so_many_questions_wait_and_further_ones_are_refused_for_them_alone_to_see() -> None:
    crowd = Crowd(Fairness(questions_per_minute=100))
    crowd.while_two_run(*[question(number) for number in range(1, 8)])
    verdicts = [outcome.verdict for outcome in crowd.outcomes]
    assert verdicts == [Verdict.WAITING] * 5 + [Verdict.REFUSED] * 2
    assert crowd.outcomes[-1].refusal is Reason.TOO_MANY_WAITING
    assert crowd.texts(question(7)) == []
    told = crowd.stage.chat.history("post_ephemeral")
    assert [words.endswith(f"U1 {wording.too_many_waiting(5)}") for words in told] == [True, True]


def test_hours_of_ten_questions_a_minute_leave_no_more_of_them_waiting() -> None:
    crowd = Crowd()

    def ask_for_half_an_hour() -> None:
        for minute in range(30):
            crowd.stage.clock.sleep(60)
            until = crowd.stage.clock.now() + 290  # the two that run go on
            crowd.stage.slots.running["T1:U1"] = {entry(question(n), until) for n in (99_990, 99_991)}
            for turn in waiting:
                assert crowd.deliver(turn).verdict is Verdict.WAITING
            asked = [question(100 * minute + number) for number in range(10)]
            waiting.extend(turn for turn in asked if crowd.deliver(turn).verdict is Verdict.WAITING)

    waiting: list[Turn] = []
    crowd.beside_two([ask_for_half_an_hour, 1.0], first=99_990)
    assert len(waiting) == 5


def test_what_waits_for_its_channel_counts_among_what_waits() -> None:
    crowd = Crowd(Fairness(running_per_channel=2, waiting_per_user=1))
    crowd.while_two_run(question(1, user="U2"), question(2, user="U2"), question(3, user="U2", channel="C2"))
    verdicts = [outcome.verdict for outcome in crowd.outcomes]
    assert verdicts == [Verdict.WAITING, Verdict.REFUSED, Verdict.ANSWERED]
    assert crowd.stage.slots.holders() == set()


def test_when_one_of_them_runs_another_may_wait() -> None:
    crowd = Crowd(Fairness(waiting_per_user=1))
    crowd.while_two_run(question(1))

    def runs() -> None:
        crowd.deliver(question(1), *crowd.during(question(2)))

    crowd.deliver(question(92), runs, 1.0)
    assert [outcome.verdict for outcome in crowd.outcomes] == [Verdict.WAITING] * 2


def test_who_knows_that_their_question_waits_is_not_refused_later() -> None:
    crowd = Crowd(Fairness(waiting_per_user=1))
    crowd.while_two_run(question(1))
    crowd.stage.clock.sleep(2 * WAITING_SECONDS)  # no worker had time to look at it
    crowd.while_two_run(question(2), question(1), first=92)
    assert [outcome.verdict for outcome in crowd.outcomes] == [Verdict.WAITING] * 3


def test_a_question_that_was_refused_as_too_many_wait_does_not_count_for_its_minute() -> None:
    crowd = Crowd(Fairness(waiting_per_user=1, questions_per_minute=4))
    crowd.while_two_run(*[question(number) for number in range(1, 20)])
    assert {outcome.refusal for outcome in crowd.outcomes[1:]} == {Reason.TOO_MANY_WAITING}
    assert crowd.deliver(question(30)).verdict is Verdict.ANSWERED


def test_a_retry_that_may_not_wait_can_be_pressed_again() -> None:
    crowd = Crowd(Fairness(waiting_per_user=1))
    assert crowd.deliver(TURN, Failed(Failure.CUT_OFF, "cut")).verdict is Verdict.INTERRUPTED
    crowd.while_two_run(question(1), AGAIN)
    assert crowd.outcomes[-1].refusal is Reason.TOO_MANY_WAITING
    [part] = [one for one in crowd.stage.chat.messages.values() if one.turn.turn_id == TURN.turn_id]
    assert (part.markdown, len(part.buttons)) == (wording.too_many_waiting(1), 1)
    assert crowd.deliver(replace(AGAIN, attempt=3)).verdict is Verdict.ANSWERED


def test_while_nobody_knows_how_many_wait_a_question_goes_back_to_its_queue() -> None:
    crowd = Crowd()
    crowd.stage.slots.trouble["wait"] = [ServiceUnavailable("DynamoDB did not answer")]
    crowd.while_two_run(question(1), question(1))
    assert [outcome.verdict for outcome in crowd.outcomes] == [Verdict.OWED, Verdict.WAITING]
    assert "DynamoDB did not answer" in crowd.outcomes[0].detail


# --- what needs no slot -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "turn",
    [
        replace(question(1), text="help"),
        replace(question(1), text="", notice=Notice.EMPTY),
        replace(question(1), text="", notice=Notice.TOO_LONG),
    ],
)
def test_help_and_notices_need_no_slot(turn: Turn) -> None:
    crowd = Crowd()
    crowd.while_two_run(turn)
    assert crowd.outcomes[0].verdict is Verdict.ANSWERED


def test_a_refusal_needs_no_slot() -> None:
    crowd = Crowd()
    crowd.while_two_run(replace(question(1), in_shared_channel=True))
    assert crowd.outcomes[0].refusal is Reason.SHARED_CHANNEL


def test_a_text_that_is_owed_needs_no_slot() -> None:
    crowd = Crowd()
    crowd.stage.chat.trouble["edit"] = [ChatUnavailable("503")] * 1000
    assert crowd.deliver(question(1), TextDelta("It is"), 3.0, *SUNNY).verdict is Verdict.OWED
    crowd.stage.chat.trouble.clear()
    crowd.while_two_run(question(1))
    assert crowd.outcomes[0].verdict is Verdict.ANSWERED


def test_what_was_interrupted_is_explained_without_a_slot() -> None:
    crowd = Crowd(Fairness(running_per_user=3))  # its dead worker has one of them still
    with pytest.raises(Killed):
        crowd.deliver(question(1), 1.0, kill)
    crowd.stage.clock.sleep(61)
    crowd.while_two_run(question(1))
    assert crowd.outcomes[0].verdict is Verdict.INTERRUPTED


# --- slots are not lost -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        SUNNY,
        [Failed(Failure.CUT_OFF, "cut")],
        [TextDelta("It is "), 1000.0],
    ],
)
def test_a_turn_that_is_over_has_no_slot(script: list[Step]) -> None:
    crowd = Crowd(ONE_AT_A_TIME)
    crowd.deliver(question(1), *script)
    assert crowd.stage.slots.holders() == set()


def test_a_turn_that_is_given_back_has_no_slot() -> None:
    crowd = Crowd(ONE_AT_A_TIME)
    crowd.stage.chat.app_refusal = ChatAppRefused("token_revoked", "store another token")
    assert crowd.deliver(question(1)).verdict is Verdict.APP_REFUSED
    assert crowd.stage.slots.holders() == set()


def test_a_duplicate_and_a_held_turn_give_back_what_they_took() -> None:
    crowd = Crowd(Fairness(questions_per_minute=3))
    crowd.deliver(question(1), *crowd.during(question(1)))
    assert crowd.outcomes[0].verdict is Verdict.HELD
    for _ in range(10):
        crowd.receives.clear()
        assert crowd.deliver(question(1)).verdict is Verdict.DUPLICATE
    assert crowd.stage.slots.holders() == set()
    assert crowd.deliver(question(2)).verdict is Verdict.ANSWERED


def test_a_defect_gives_the_slot_back() -> None:
    crowd = Crowd(ONE_AT_A_TIME)
    crowd.stage.chat.trouble["edit"] = [ValueError("a defect")]
    with pytest.raises(ValueError, match="a defect"):
        crowd.deliver(question(1), TextDelta("It is"), 3.0, *SUNNY)
    assert crowd.stage.slots.holders() == set()


def test_a_crash_holds_a_slot_until_its_deliverys_end_and_no_longer() -> None:
    crowd = Crowd(ONE_AT_A_TIME)
    with pytest.raises(Killed):
        crowd.deliver(question(1), 1.0, kill)
    crowd.stage.clock.sleep(100)
    assert crowd.deliver(question(2)).verdict is Verdict.WAITING
    crowd.stage.clock.sleep(190)
    assert crowd.deliver(question(2)).verdict is Verdict.ANSWERED


def test_the_next_worker_takes_over_the_slot_of_a_dead_one() -> None:
    crowd = Crowd(ONE_AT_A_TIME)
    crowd.stage.ledger.trouble["start"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        crowd.deliver(question(1))
    crowd.stage.clock.sleep(61)
    assert crowd.deliver(question(1)).verdict is Verdict.ANSWERED
    assert crowd.stage.slots.holders() == set()


def test_the_slot_of_a_dead_worker_is_free_once_its_turn_has_ended_as_interrupted() -> None:
    crowd = Crowd(ONE_AT_A_TIME)
    with pytest.raises(Killed):
        crowd.deliver(question(1), 1.0, kill)
    crowd.stage.clock.sleep(61)
    assert crowd.deliver(question(1)).verdict is Verdict.INTERRUPTED
    assert crowd.stage.slots.holders() == set()


def test_a_release_that_fails_harms_nobody() -> None:
    crowd = Crowd(ONE_AT_A_TIME)
    crowd.stage.slots.trouble["give_back"] = [ServiceUnavailable("down")]
    assert crowd.deliver(question(1)).verdict is Verdict.ANSWERED
    assert crowd.deliver(question(2)).verdict is Verdict.WAITING
    crowd.stage.clock.sleep(290)
    assert crowd.deliver(question(2)).verdict is Verdict.ANSWERED


def test_no_agent_is_asked_while_the_slots_are_unknown() -> None:
    crowd = Crowd()
    for _ in range(2 * MOST_TRIES):
        crowd.stage.slots.trouble["take"] = [ServiceUnavailable("DynamoDB did not answer")]
        outcome = crowd.deliver(question(1))
        assert outcome.retry_in_seconds is not None
        assert "DynamoDB did not answer" in outcome.detail
    assert (crowd.agent.questions, crowd.stage.chat.texts()) == ([], [])
    assert crowd.deliver(question(1)).verdict is Verdict.ANSWERED


def test_a_waiting_question_that_becomes_a_dead_letter_is_explained_in_its_message() -> None:
    crowd = Crowd()
    crowd.while_two_run(question(1))
    assert surrender(crowd.stage, question(1)).failure is Failure.UNDELIVERABLE
    [text] = crowd.texts(question(1))
    assert question(1).reference in text


def test_who_may_not_ask_any_more_is_told_in_the_message_that_says_that_they_wait() -> None:
    crowd = Crowd()
    crowd.while_two_run(question(1))
    person, until = crowd.stage.slots.people["T1:U1"]
    crowd.stage.slots.people["T1:U1"] = (replace(person, is_guest=True), until)
    assert crowd.deliver(question(1)).refusal is Reason.GUEST
    assert crowd.texts(question(1)) == [wording.refusal(Reason.GUEST)]
    assert crowd.stage.chat.history("post_ephemeral") == []


# --- questions per minute -----------------------------------------------------------------------------------


def test_one_persons_questions_in_a_minute_are_limited() -> None:
    crowd = Crowd(Fairness(questions_per_minute=10))
    verdicts = [crowd.deliver(question(number)).verdict for number in range(12)]
    assert verdicts == [Verdict.ANSWERED] * 10 + [Verdict.REFUSED] * 2
    assert crowd.texts(question(11)) == []
    told = crowd.stage.chat.history("post_ephemeral")
    assert len(told) == 2
    assert "10 questions within a minute" in told[0]
    assert "again in 60 seconds" in told[0]
    crowd.stage.clock.sleep(60)
    assert crowd.deliver(question(20)).verdict is Verdict.ANSWERED


@pytest.mark.parametrize("asked", [{"text": "help"}, {"text": "", "notice": Notice.EMPTY}])
def test_what_the_bridge_answers_by_itself_counts_in_that_minute(asked: dict[str, Any]) -> None:
    crowd = Crowd(Fairness(questions_per_minute=3))
    verdicts = [crowd.deliver(replace(question(number), **asked)).verdict for number in range(5)]
    assert verdicts == [Verdict.ANSWERED] * 3 + [Verdict.REFUSED] * 2
    assert len(crowd.stage.chat.texts()) == 3


def test_who_has_too_many_questions_waiting_is_told_only_if_slack_takes_that_at_once() -> None:
    crowd = Crowd(Fairness(waiting_per_user=1))
    crowd.stage.chat.trouble["post_ephemeral"] = [ChatRateLimited(30)]
    crowd.while_two_run(question(1), question(2), question(2))
    assert [outcome.verdict for outcome in crowd.outcomes][1:] == [Verdict.REFUSED, Verdict.DUPLICATE]


@pytest.mark.parametrize(
    ("turn", "reason", "verdict"),
    [
        (question(2), Reason.TOO_MANY, Verdict.REFUSED),
        (replace(question(2), in_shared_channel=True), Reason.SHARED_CHANNEL, Verdict.OWED),
        (replace(question(2), text="", notice=Notice.EXTERNAL), Reason.FOREIGN, Verdict.OWED),
    ],
)
def test_no_worker_waits_until_slack_takes_a_refusal(turn: Turn, reason: Reason, verdict: Verdict) -> None:
    crowd = Crowd(Fairness(questions_per_minute=1))
    crowd.deliver(question(1))
    crowd.stage.chat.trouble["post_ephemeral"] = [ChatRateLimited(30)]
    began_at = crowd.stage.clock.now()
    outcome = crowd.deliver(turn)
    assert (outcome.verdict, outcome.refusal) == (verdict, reason)
    assert crowd.stage.clock.now() == began_at
    assert crowd.stage.slots.holders() == set()
    again = crowd.deliver(turn)
    assert again.verdict is (Verdict.DUPLICATE if verdict is Verdict.REFUSED else Verdict.REFUSED)
    assert len(crowd.agent.questions) == 1
    if verdict is Verdict.OWED:
        assert outcome.retry_in_seconds == 30
        assert len(crowd.stage.chat.history("post_ephemeral")) == 2


@pytest.mark.parametrize("trouble", [ChatRateLimited(30), ChatUnavailable("503")])
@pytest.mark.parametrize("channel", ["C1", "D1"])
def test_no_worker_waits_until_slack_takes_a_refusal_as_a_message(channel: str, trouble: Exception) -> None:
    crowd = Crowd()
    turn = question(1, channel=channel)
    method = "post"
    if channel == "C1":  # there a message of the turn takes the refusal
        crowd.while_two_run(turn)
        method = "edit"
    person, until = crowd.stage.slots.people["T1:U1"]
    crowd.stage.slots.people["T1:U1"] = (replace(person, is_guest=True), until)
    crowd.stage.chat.trouble[method] = [trouble] * 3
    for _ in range(3):
        began_at = crowd.stage.clock.now()
        outcome = crowd.deliver(turn)
        assert (outcome.verdict, outcome.refusal) == (Verdict.OWED, Reason.GUEST)
        assert crowd.stage.clock.now() == began_at
        crowd.stage.clock.sleep(outcome.retry_in_seconds or 0.0)
    assert crowd.deliver(turn).verdict is Verdict.REFUSED
    assert crowd.texts(turn) == [wording.refusal(Reason.GUEST)]


def test_a_refusal_in_a_direct_message_is_posted_once_though_its_answer_got_lost() -> None:
    crowd = Crowd()
    crowd.stage.chat.trouble["post"] = [(ChatUnavailable("timeout"), "after")]
    person, until = crowd.stage.slots.people["T1:U1"]
    crowd.stage.slots.people["T1:U1"] = (replace(person, is_guest=True), until)
    turn = question(1, channel="D1")
    assert [crowd.deliver(turn).verdict for _ in range(2)] == [Verdict.OWED, Verdict.REFUSED]
    assert len(crowd.stage.chat.messages) == 1


def test_in_a_direct_message_who_asks_too_much_is_told_only_if_slack_takes_that_at_once() -> None:
    crowd = Crowd(Fairness(questions_per_minute=1))
    crowd.deliver(question(1, channel="D1"))
    crowd.stage.chat.trouble["post"] = [ChatRateLimited(30)]
    began_at = crowd.stage.clock.now()
    assert crowd.deliver(question(2, channel="D1")).refusal is Reason.TOO_MANY
    assert crowd.stage.clock.now() == began_at
    assert crowd.deliver(question(2, channel="D1")).verdict is Verdict.DUPLICATE


def test_another_persons_question_is_accepted_in_that_minute() -> None:
    crowd = Crowd(Fairness(questions_per_minute=1))
    crowd.deliver(question(1))
    assert crowd.deliver(question(2)).refusal is Reason.TOO_MANY
    assert crowd.deliver(question(3, user="U2")).verdict is Verdict.ANSWERED


def test_retry_counts_and_can_be_pressed_again_later() -> None:
    crowd = Crowd(Fairness(questions_per_minute=2))
    stage = crowd.stage
    assert crowd.deliver(TURN, Failed(Failure.CUT_OFF, "cut")).verdict is Verdict.INTERRUPTED
    assert crowd.deliver(AGAIN, Failed(Failure.CUT_OFF, "cut")).verdict is Verdict.INTERRUPTED
    third = replace(AGAIN, attempt=3)
    assert crowd.deliver(third).refusal is Reason.TOO_MANY
    [part] = stage.chat.messages.values()
    assert "again in 60 seconds" in part.markdown
    assert part.buttons
    stage.clock.sleep(60)
    assert crowd.deliver(replace(AGAIN, attempt=4)).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_retry_waits_for_a_slot_like_any_question() -> None:
    crowd = Crowd()
    assert crowd.deliver(TURN, Failed(Failure.CUT_OFF, "cut")).verdict is Verdict.INTERRUPTED
    crowd.while_two_run(AGAIN)
    assert crowd.outcomes[0].verdict is Verdict.WAITING
    assert crowd.texts(TURN) == [WAITS]
    assert crowd.deliver(AGAIN).verdict is Verdict.ANSWERED
    assert crowd.texts(TURN) == ["It is sunny."]


def test_a_question_that_waits_counts_for_its_minute_once() -> None:
    crowd = Crowd(Fairness(questions_per_minute=4))
    crowd.while_two_run(*[question(1)] * 10, question(2), question(3))
    assert crowd.outcomes[-2].verdict is Verdict.WAITING
    assert crowd.outcomes[-1].refusal is Reason.TOO_MANY
