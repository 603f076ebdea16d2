"""The use case over fakes of its ports. What `kill` stands for: the process is gone between two calls."""

from dataclasses import replace

import pytest

from functions.bridge import wording
from functions.bridge.admission.access import Reason
from functions.bridge.agents.events import Failed, Finished, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import State
from functions.bridge.replies.buttons import RetryValue, read_retry_value
from functions.bridge.replies.chat import ChatRateLimited, ChatRefused, ChatUnavailable, Message
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turn import Attachment, Notice
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.bridge.asking import PHOTO, SUNNY, Killed, asking_with, kill, slow_down, surrender, take
from tests.functions.fakes import START, TURN, ScriptedAgent, Stage, Step, next_attempt


def only_message(stage: Stage) -> Message:
    [message] = stage.chat.messages.values()
    return message


def test_the_placeholder_becomes_the_answer(stage: Stage) -> None:
    outcome = take(stage, 0.5, *SUNNY)
    assert outcome == Outcome(
        Verdict.ANSWERED, first_text_seconds=0.5, agent="default", claimed_at=START, asked_at=START
    )
    assert stage.chat.calls[:2] == [("post", "Processing…"), ("name_of", TURN.user)]
    assert stage.chat.texts() == ["It is sunny."]
    assert stage.record.state is State.ANSWERED


def test_the_final_text_is_on_record_before_it_is_sent(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRefused("is_archived")]
    take(stage, TextDelta("It is"), 3.0, TextDelta(" sunny."), Finished())
    owed = [record.owed for name, record in stage.ledger.writes if name == "owe"]
    assert owed == [("It is sunny.",)]


@pytest.mark.parametrize("notice", sorted({*Notice} - {Notice.EXTERNAL}))
def test_a_notice_is_answered_without_an_agent(stage: Stage, notice: Notice) -> None:
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = take(stage, turn=replace(TURN, text="", notice=notice), agent=agent)
    assert outcome.verdict is Verdict.ANSWERED
    assert agent.questions == []
    assert len(stage.chat.texts()) == 1
    assert stage.chat.history("edit") == []


def test_a_person_of_another_organization_alone_is_told_that_they_are_not_answered(stage: Stage) -> None:
    outcome = take(stage, turn=replace(TURN, text="", notice=Notice.EXTERNAL))
    assert (outcome.verdict, outcome.refusal) == (Verdict.REFUSED, Reason.FOREIGN)
    [told] = stage.chat.history("post_ephemeral")
    assert told.endswith(wording.notice_text(Notice.EXTERNAL, reference=TURN.reference))
    assert stage.chat.texts() == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([replace(PHOTO, name="film.mp4", media_type="video/mp4")], "film.mp4"),
        ([PHOTO] * 6, "5 files"),
        ([PHOTO, replace(PHOTO, name="huge.png", size=10_000_000)], "huge.png"),
        ([replace(PHOTO, url="")], "photo.png"),
    ],
    ids=["kind", "number", "size", "hidden"],
)
def test_files_that_no_agent_can_take_are_refused_in_words(
    stage: Stage, files: list[Attachment], words: str
) -> None:
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = take(stage, turn=asking_with(*files), agent=agent)
    assert outcome.verdict is Verdict.ANSWERED
    assert agent.questions == []
    [text] = stage.chat.texts()
    assert words in text


# --- delivered again ----------------------------------------------------------------------------------------


def test_a_second_delivery_of_an_answered_turn_changes_nothing(stage: Stage) -> None:
    take(stage)
    calls = len(stage.chat.calls)
    agent = ScriptedAgent(stage.clock, SUNNY)
    assert take(stage, agent=agent) == Outcome(Verdict.DUPLICATE)
    assert agent.questions == []
    assert len(stage.chat.calls) == calls


def test_a_live_lease_sends_the_message_back_for_as_long_as_it_runs(stage: Stage) -> None:
    seen: list[Outcome] = []
    take(stage, 5.0, lambda: seen.append(take(stage)), *SUNNY)
    assert seen == [Outcome(Verdict.HELD, retry_in_seconds=55.0)]
    assert stage.chat.texts() == ["It is sunny."]


def test_a_turn_that_cannot_be_claimed_is_tried_again_later_and_later(stage: Stage) -> None:
    stage.ledger.trouble["claim"] = [ServiceUnavailable("DynamoDB did not answer")] * 2
    first = take(stage)
    assert (first.verdict, first.detail) == (Verdict.UNAVAILABLE, "DynamoDB did not answer")
    again = surrender(stage, receives=9)
    assert first.retry_in_seconds is not None
    assert again.retry_in_seconds is not None
    assert first.retry_in_seconds <= 5 < 30 <= again.retry_in_seconds <= 60
    assert take(stage).verdict is Verdict.ANSWERED


def test_a_worker_killed_in_mid_stream_leaves_one_message_that_says_so(stage: Stage) -> None:
    with pytest.raises(Killed):
        take(stage, TextDelta("It is "), 0.5, kill)
    agent = ScriptedAgent(stage.clock, SUNNY)
    stage.clock.sleep(61)
    outcome = take(stage, agent=agent)
    assert outcome.verdict is Verdict.INTERRUPTED
    assert agent.questions == []
    assert len(stage.chat.texts()) == 1
    assert TURN.reference in stage.chat.texts()[0]


def test_a_worker_killed_before_the_agent_was_asked_is_replaced(stage: Stage) -> None:
    stage.ledger.trouble["start"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage)
    stage.clock.sleep(61)
    assert take(stage).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


@pytest.mark.parametrize("died_at", ["edit", "settle"])
def test_an_owed_answer_lands_with_the_next_delivery(stage: Stage, died_at: str) -> None:
    if died_at == "edit":
        stage.chat.trouble["edit"] = [None, Killed()]  # type: ignore[list-item]
    else:
        stage.ledger.trouble["settle"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage, TextDelta("It is"), 3.0, TextDelta(" sunny."), Finished())
    agent = ScriptedAgent(stage.clock, SUNNY)
    stage.clock.sleep(61)
    assert take(stage, agent=agent).verdict is Verdict.ANSWERED
    assert agent.questions == []
    assert stage.chat.texts() == ["It is sunny."]


def test_why_a_turn_ends_is_known_to_whoever_finishes_it(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(400), ChatRateLimited(400)]
    stage.chat.trouble["post"] = [None, ChatRateLimited(400)]
    script: list[Step] = [TextDelta("It is"), 3.0, Failed(Failure.DEPENDENCY, "a tool")]
    assert take(stage, *script).verdict is Verdict.OWED
    outcome = take(stage)
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, Failure.DEPENDENCY)


# --- dead letters -------------------------------------------------------------------------------------------


def test_a_turn_that_nobody_could_take_is_explained_in_its_thread(stage: Stage) -> None:
    outcome = surrender(stage)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.UNDELIVERABLE)
    [text] = stage.chat.texts()
    assert TURN.reference in text


def test_a_placeholder_that_was_left_behind_becomes_the_explanation(stage: Stage) -> None:
    with pytest.raises(Killed):
        take(stage, 1.0, kill)
    stage.clock.sleep(61)
    assert surrender(stage).verdict is Verdict.INTERRUPTED
    assert len(stage.chat.texts()) == 1
    assert "Processing" not in stage.chat.texts()[0]


def test_giving_up_twice_says_it_once(stage: Stage) -> None:
    surrender(stage)
    assert surrender(stage) == Outcome(Verdict.DUPLICATE)
    assert [name for name, _ in stage.chat.calls] == ["post", "set_status"]


def test_a_failure_is_told_again_by_who_receives_the_message_again(stage: Stage) -> None:
    surrender(stage)  # and is killed before that is in the log
    again = surrender(stage, receives=2)
    assert again == Outcome(Verdict.DUPLICATE, failure=Failure.UNDELIVERABLE)


def test_a_turn_that_is_still_being_worked_on_is_not_given_up(stage: Stage) -> None:
    seen: list[Outcome] = []
    take(stage, 1.0, lambda: seen.append(surrender(stage)), *SUNNY)
    assert seen[0].verdict is Verdict.HELD
    assert stage.chat.texts() == ["It is sunny."]


def test_an_owed_answer_lands_even_from_the_dead_letter_queue(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRateLimited(400)]
    take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished())
    assert surrender(stage).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["Sunny."]


def test_a_dead_letter_stays_on_the_queue_while_slack_is_down(stage: Stage) -> None:
    stage.chat.trouble["post"] = [ChatUnavailable("503")] * 20
    assert surrender(stage).verdict is Verdict.OWED
    stage.chat.trouble["post"] = []
    assert surrender(stage).verdict is Verdict.FAILED
    assert len(stage.chat.texts()) == 1


# --- asked again by a person --------------------------------------------------------------------------------


def test_a_turn_without_its_answer_offers_to_be_asked_again(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    [button] = only_message(stage).buttons
    assert (button.label, button.action_id) == ("Retry", "retry")
    assert read_retry_value(button.value) == RetryValue(TURN.team, TURN.channel, TURN.ts, TURN.user, 2)
    assert TURN.text not in button.value


def test_an_answer_and_a_notice_offer_no_retry(stage: Stage) -> None:
    take(stage)
    take(stage, turn=replace(TURN, ts="1700000009.000100", text="", notice=Notice.EMPTY))
    assert [message.buttons for message in stage.chat.messages.values()] == [(), ()]


def test_a_retry_asks_the_same_question_in_the_same_message(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    agent = ScriptedAgent(stage.clock, [0.5, *SUNNY])
    outcome = take(stage, turn=next_attempt(TURN), agent=agent)
    assert outcome.verdict is Verdict.ANSWERED
    assert [question.text for question in agent.questions] == [TURN.text]
    assert stage.chat.texts() == ["It is sunny."]
    assert "Processing…" in stage.chat.history("edit")
    assert only_message(stage).buttons == ()


def test_a_retry_of_a_crashed_turn_runs_the_agent_once_more(stage: Stage) -> None:
    with pytest.raises(Killed):
        take(stage, TextDelta("It is "), 0.5, kill)
    stage.clock.sleep(61)
    take(stage)
    assert take(stage, turn=next_attempt(TURN)).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_a_retry_that_fails_can_be_tried_again_under_another_reference(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    second = next_attempt(TURN)
    take(stage, Failed(Failure.INTERNAL, "x"), turn=second)
    message = only_message(stage)
    assert message.buttons
    assert second.reference in message.markdown
    assert take(stage, turn=next_attempt(second)).verdict is Verdict.ANSWERED


def test_a_retry_that_is_delivered_twice_runs_once(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    agent = ScriptedAgent(stage.clock, SUNNY)
    take(stage, turn=next_attempt(TURN), agent=agent)
    take(stage, turn=next_attempt(TURN), agent=agent)
    assert len(agent.questions) == 1


def test_the_first_attempt_delivered_after_the_second_changes_nothing(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    take(stage, turn=next_attempt(TURN))
    assert take(stage).verdict is Verdict.DUPLICATE
    assert stage.chat.texts() == ["It is sunny."]


def test_an_answered_question_is_not_kept_and_not_asked_again(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    take(stage, turn=next_attempt(TURN))
    assert stage.ledger.questions == {}
    agent = ScriptedAgent(stage.clock, SUNNY)
    assert take(stage, turn=replace(TURN, text="", attempt=3), agent=agent).verdict is Verdict.DUPLICATE
    assert agent.questions == []
    assert stage.chat.texts() == ["It is sunny."]


def test_a_question_is_kept_only_when_something_went_wrong(stage: Stage) -> None:
    take(stage)
    assert stage.ledger.questions == {}


def test_after_a_day_a_question_is_too_old_to_be_asked_again(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    stage.clock.sleep(24 * 3600 + 1)
    agent = ScriptedAgent(stage.clock, SUNNY)
    take(stage, turn=next_attempt(TURN), agent=agent)
    assert agent.questions == []
    assert "too old" in stage.chat.texts()[0]
    assert only_message(stage).buttons == ()


def test_a_dead_letter_of_a_retry_keeps_the_question(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    surrender(stage, next_attempt(TURN))
    assert stage.ledger.question(TURN) == TURN


# --- who had to wait ----------------------------------------------------------------------------------------


def test_who_had_to_wait_is_told_that_the_answer_is_there(stage: Stage) -> None:
    take(stage, 61.0, *SUNNY)
    assert stage.chat.history("mention") == ["U1 The answer to your question is complete."]
    assert stage.chat.calls[-1][0] == "mention"
    take(stage)  # delivered again
    assert len(stage.chat.history("mention")) == 1


def test_who_had_to_wait_in_vain_is_not_told_of_an_answer(stage: Stage) -> None:
    assert take(stage, 300.0).verdict is Verdict.INTERRUPTED
    assert stage.chat.history("mention") == [
        "U1 Your question did not get its answer. The message above says why."
    ]


@pytest.mark.parametrize("channel", ["C1", "G1", "D1"])
@pytest.mark.parametrize("style", Style)
def test_by_default_direct_messages_are_streamed_and_all_else_is_edited(
    stage: Stage, channel: str, style: Style
) -> None:
    turn = replace(TURN, channel=channel)
    take(
        stage,
        TextDelta("It is "),
        5.0,
        TextDelta("sunny."),
        Finished(),
        turn=turn,
        options=ReplyOptions(style),
    )
    streamed = style is Style.STREAM or (style is Style.AUTO and channel == "D1")
    assert bool(stage.chat.history("start_stream")) is streamed
    assert bool(stage.chat.history("edit")) is not streamed
    assert ReplyOptions().style is Style.AUTO


@pytest.mark.parametrize(("seconds", "style"), [(59.0, Style.EDIT), (61.0, Style.STREAM)])
def test_who_is_notified_anyway_or_was_quick_is_not_told(stage: Stage, seconds: float, style: Style) -> None:
    take(stage, seconds, *SUNNY, options=ReplyOptions(style=style))
    assert stage.chat.history("mention") == []


def test_how_long_is_slow_is_a_setting(stage: Stage) -> None:
    stage.ports = replace(stage.ports, notify_after=101.0)
    take(stage, 100.0, *SUNNY)
    assert stage.chat.history("mention") == []


def test_who_waits_for_a_stream_that_became_edits_is_told(stage: Stage) -> None:
    stage.chat.trouble["start_stream"] = [ChatRefused("unknown_method")]
    take(
        stage,
        TextDelta("It is "),
        61.0,
        TextDelta("sunny."),
        Finished(),
        options=ReplyOptions(style=Style.STREAM),
    )
    assert len(stage.chat.history("mention")) == 1


def test_who_asked_long_before_the_last_delivery_is_told(stage: Stage) -> None:
    with pytest.raises(Killed):
        take(stage, TextDelta("It is"), 2.0, kill)
    stage.clock.sleep(61)
    assert surrender(stage).verdict is Verdict.INTERRUPTED
    assert len(stage.chat.history("mention")) == 1


def test_a_mention_waits_as_long_as_slack_asks(stage: Stage) -> None:
    stage.chat.trouble["mention"] = [ChatRateLimited(5)]
    take(stage, 61.0, *SUNNY)
    assert len(stage.chat.history("mention")) == 2


def test_nobody_is_mentioned_in_the_last_seconds_of_the_invocation(stage: Stage) -> None:
    slow_down(stage, stage.chat, "edit", 12)
    assert take(stage, 279.0, *SUNNY).verdict is Verdict.ANSWERED
    assert stage.chat.history("mention") == []


def test_a_mention_that_fails_is_not_repeated(stage: Stage) -> None:
    stage.chat.trouble["mention"] = [ChatUnavailable("503")]
    assert take(stage, 61.0, *SUNNY).verdict is Verdict.ANSWERED
    take(stage)
    assert len(stage.chat.history("mention")) == 1
