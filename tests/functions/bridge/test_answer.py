"""The use case over fakes of its ports. What `kill` stands for: the process is gone between two calls."""

from dataclasses import replace
from typing import Any

import pytest

from functions.bridge.agent import (
    AgentEvent,
    Citation,
    Failed,
    File,
    Finished,
    Guardrail,
    Rationale,
    Source,
    TextDelta,
    ToolUse,
)
from functions.bridge.answer import give_up
from functions.bridge.chat import ChatRateLimited, ChatRefused, ChatUnavailable, Part
from functions.bridge.conversation import RETRY_WAITS
from functions.bridge.custody import ServiceUnavailable
from functions.bridge.failures import NOT_STARTED, Failure
from functions.bridge.ledger import Claim, State
from functions.bridge.manner import Manner, Style
from functions.bridge.outcome import Outcome, Verdict
from functions.bridge.turn import Attachment, Notice, Turn, next_attempt
from tests.functions.bridge.asking import SUNNY, Killed, kill, take
from tests.functions.fakes import TURN, ScriptedAgent, Stage, Step


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_placeholder_becomes_the_answer(stage: Stage) -> None:
    outcome = take(stage, 0.5, *SUNNY)
    assert outcome == Outcome(Verdict.ANSWERED, first_text_seconds=0.5)
    assert stage.chat.calls[:2] == [("name_of", TURN.user), ("post", "Processing…")]
    assert stage.chat.texts() == ["It is sunny."]
    assert stage.record.state is State.ANSWERED


def test_the_agent_is_asked_once_in_the_session_of_the_thread(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, SUNNY)
    take(stage, agent=agent)
    assert [(q.session_id, q.text) for q in agent.questions] == [(TURN.thread_id, TURN.text)]


def test_started_is_on_record_before_the_agent_is_asked(stage: Stage) -> None:
    states: list[State] = []
    take(stage, lambda: states.append(stage.record.state), *SUNNY)
    assert states == [State.STARTED]


def test_the_final_text_is_on_record_before_it_is_sent(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRefused("is_archived")]
    take(stage, TextDelta("It is"), 3.0, TextDelta(" sunny."), Finished())
    owed = [record.owed for name, record in stage.ledger.writes if name == "owe"]
    assert owed == [("It is sunny.",)]


def test_no_text_stays_on_record_once_it_has_landed(stage: Stage) -> None:
    take(stage)
    assert (stage.record.owed, stage.record.ending) == ((), None)


def test_the_answer_grows_at_growing_intervals(stage: Stage) -> None:
    script: list[Step] = []
    for number in range(60):
        script += [TextDelta(f"word{number} "), 1.0]
    take(stage, *script, Finished())
    edits = stage.chat.history("edit")
    assert edits[0] == "word0"
    assert len(edits) < 20
    assert edits == sorted(edits, key=len)


def test_a_long_answer_arrives_complete_and_in_order(stage: Stage) -> None:
    sentences = [f"Sentence number {number}." for number in range(3000)]
    take(stage, TextDelta("\n\n".join(sentences)), Finished())
    assert len(stage.chat.texts()) > 4
    assert "\n\n".join(stage.chat.texts()).split("\n\n") == sentences


def test_rationale_is_part_of_the_reply_only_with_the_debug_switch(stage: Stage) -> None:
    take(stage, Rationale("Look it up"), *SUNNY, manner=Manner(show_rationale=True))
    assert stage.chat.texts() == ["> Look it up\n\nIt is sunny."]


@pytest.mark.parametrize("notice", sorted(set(Notice) - {Notice.NOT_YOURS}))
def test_a_notice_is_answered_without_an_agent(stage: Stage, notice: Notice) -> None:
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = take(stage, turn=replace(TURN, text="", notice=notice), agent=agent)
    assert outcome.verdict is Verdict.ANSWERED
    assert agent.questions == []
    assert len(stage.chat.texts()) == 1
    assert stage.chat.history("edit") == []


# --- delivered again ---------------------------------------------------------------------------------------


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
    assert seen == [Outcome(Verdict.HELD, again_in=55.0)]
    assert stage.chat.texts() == ["It is sunny."]


def test_the_lease_and_the_message_are_kept_while_a_silent_agent_works(stage: Stage) -> None:
    take(stage, 100.0, *SUNNY)
    renewed = [name for name, _ in stage.ledger.writes].count("renew")
    assert renewed == 5  # at 20, 40, 60, 80 and 100 seconds
    assert stage.message.hidden == [61.0, *[60.0] * 5]


def test_a_message_is_hidden_before_anything_else_so_that_a_crash_is_noticed_soon(stage: Stage) -> None:
    stage.ledger.trouble["claim"] = [ServiceUnavailable("down")]
    take(stage)
    assert stage.message.hidden == [61.0]


def test_a_message_that_could_not_be_hidden_is_hidden_soon(stage: Stage) -> None:
    stage.message.trouble = [ServiceUnavailable("down"), ServiceUnavailable("down")]
    take(stage, 6.0, *SUNNY)
    assert stage.message.hidden == [60.0]


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
    stage.ledger.trouble["advance"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage)
    stage.clock.sleep(61)
    assert take(stage).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_a_placeholder_that_the_ledger_does_not_know_of_is_found_and_reused(stage: Stage) -> None:
    # Killed after the post, before its ts was on record.
    stage.ledger.trouble["advance"] = []
    stage.chat.trouble["post"] = [(Killed(), "after")]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage)
    stage.clock.sleep(61)
    take(stage)
    assert stage.chat.history("find") == [""]
    assert len(stage.chat.texts()) == 1
    assert stage.chat.texts() != ["Processing…"]


def test_without_the_history_scopes_at_most_one_message_is_left_over(stage: Stage) -> None:
    stage.chat.trouble["post"] = [(Killed(), "after")]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage)
    stage.clock.sleep(61)
    stage.chat.trouble["find"] = [ChatRefused("missing_scope")]
    take(stage)
    assert len(stage.chat.history("find")) == 1
    assert len(stage.chat.texts()) == 2


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


def test_half_a_table_row_does_not_keep_the_worker_busy(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, [TextDelta("| City | Temp |"), 100.0, Finished()])
    take(stage, agent=agent)
    assert agent.runs[0].asked < 60


def test_a_long_answer_keeps_its_lease_while_its_parts_go_out(stage: Stage) -> None:
    post = stage.chat.post

    def slow_post(part: Part) -> str:
        stage.clock.sleep(9)
        return post(part)

    stage.chat.post = slow_post  # type: ignore[method-assign]
    take(stage, TextDelta("\n\n".join(["A sentence."] * 9000)), Finished())
    leases = [name for name, _ in stage.ledger.writes].count("renew")
    assert leases >= 3


def test_a_long_owed_answer_is_continued_where_it_stopped(stage: Stage) -> None:
    long = "\n\n".join(f"Sentence number {number}." for number in range(3000))
    stage.chat.trouble["post"] = [None, None, (Killed(), "after")]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage, TextDelta(long), Finished())
    stage.clock.sleep(61)
    assert take(stage).verdict is Verdict.ANSWERED
    assert "\n\n".join(stage.chat.texts()) == long


def test_a_worker_that_lost_its_lease_writes_nothing_more(stage: Stage) -> None:
    def lose() -> None:
        stage.ledger.records[TURN.turn_id] = replace(stage.record, owner="somebody else")

    outcome = take(stage, TextDelta("It is "), 1.0, lose, TextDelta("sunny."), Finished())
    assert outcome.verdict is Verdict.LEASE_LOST
    assert outcome.again_in is not None
    assert stage.chat.texts() == ["It is"]


# --- an agent in trouble -----------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", sorted(set(Failure) - NOT_STARTED))
def test_a_failure_is_explained_and_the_agent_not_asked_again(stage: Stage, failure: Failure) -> None:
    agent = ScriptedAgent(
        stage.clock, [TextDelta("It is"), Failed(failure, "arn:aws:iam::123456789012:role/x")]
    )
    outcome = take(stage, agent=agent)
    assert outcome.verdict in (Verdict.FAILED, Verdict.INTERRUPTED)
    assert (outcome.failure, outcome.detail) == (failure, "arn:aws:iam::123456789012:role/x")
    assert len(agent.questions) == 1
    [text] = stage.chat.texts()
    assert text.startswith("It is\n\n:warning:")
    assert TURN.reference in text
    assert "arn:" not in text


@pytest.mark.parametrize("failure", sorted(NOT_STARTED))
def test_an_agent_that_did_not_start_is_asked_again(stage: Stage, failure: Failure) -> None:
    refused: list[Step] = [Failed(failure, "HTTP 429")]
    agent = ScriptedAgent(stage.clock, refused, refused, SUNNY)
    assert take(stage, agent=agent).verdict is Verdict.ANSWERED
    assert len(agent.questions) == 3
    assert "The agent is busy. Trying again…" in stage.chat.history("edit")
    assert stage.chat.texts() == ["It is sunny."]


def test_an_agent_that_never_starts_is_given_up(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, [Failed(Failure.THROTTLED, "HTTP 429")])
    outcome = take(stage, agent=agent)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.THROTTLED)
    assert len(agent.questions) == 1 + len(RETRY_WAITS)


def test_a_turn_killed_while_it_waits_to_ask_again_is_asked_again(stage: Stage) -> None:
    # The agent provably did not start, so a new worker may ask it.
    stage.chat.trouble["edit"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage, Failed(Failure.THROTTLED, "HTTP 429"))
    stage.clock.sleep(61)
    assert take(stage).verdict is Verdict.ANSWERED


def test_an_agent_without_a_word_is_a_failure(stage: Stage) -> None:
    outcome = take(stage, Rationale("hm"), Finished())
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.EMPTY)
    assert "may have done" not in stage.chat.texts()[0]


@pytest.mark.parametrize("failure", [Failure.EMPTY, Failure.ACCESS_DENIED, Failure.RETURN_OF_CONTROL])
def test_an_agent_that_used_a_tool_may_have_acted_whatever_stopped_it(stage: Stage, failure: Failure) -> None:
    last = Finished() if failure is Failure.EMPTY else Failed(failure, "x")
    assert take(stage, ToolUse("open-ticket"), TextDelta("  "), last).verdict is Verdict.INTERRUPTED
    assert "may have done part of its work" in stage.chat.texts()[0]


@pytest.mark.parametrize("chatty", [True, False])
def test_the_answer_ends_when_the_time_is_nearly_up(stage: Stage, chatty: bool) -> None:
    event: AgentEvent = TextDelta("more ")
    agent = ScriptedAgent(stage.clock, [event, 0.5] * 1000 if chatty else [event, 1000.0])
    outcome = take(stage, agent=agent, seconds=100.0)
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, Failure.DEADLINE)
    assert agent.runs[0].cancelled
    assert stage.chat.texts()[0].startswith("more")
    assert TURN.reference in stage.chat.texts()[0]


# --- Slack in trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", [ChatRateLimited(1), ChatUnavailable("503"), ChatRefused("restricted_action")], ids=str
)
def test_a_placeholder_that_fails_does_not_stop_the_run(stage: Stage, trouble: Exception) -> None:
    stage.chat.trouble["post"] = [trouble]
    assert take(stage).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_a_placeholder_whose_confirmation_was_lost_is_not_posted_twice(stage: Stage) -> None:
    stage.chat.trouble["post"] = [(ChatUnavailable("timeout"), "after")]
    assert take(stage, 5.0, *SUNNY).verdict is Verdict.ANSWERED
    assert stage.chat.history("post") == ["Processing…"]
    assert stage.chat.texts() == ["It is sunny."]


def test_without_the_history_scopes_progress_is_not_posted_after_a_lost_confirmation(stage: Stage) -> None:
    stage.chat.trouble["post"] = [(ChatUnavailable("timeout"), "after")]
    stage.chat.trouble["find"] = [ChatRefused("missing_scope")] * 9
    script: list[Step] = []
    for _ in range(9):
        script += [TextDelta("word "), 3.0]
    assert take(stage, *script, Finished()).verdict is Verdict.ANSWERED
    assert len(stage.chat.texts()) == 2  # the one that was lost, and the answer


def test_progress_that_slack_refuses_is_skipped_and_not_repeated(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(30)]
    take(stage, TextDelta("It is "), 5.0, TextDelta("sunny."), 5.0, Finished())
    assert stage.chat.history("edit") == ["It is", "It is sunny."]


def test_the_final_text_waits_as_long_as_slack_asks(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRateLimited(30), ChatUnavailable("500")]
    began = stage.clock.now()
    assert take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished()).verdict is Verdict.ANSWERED
    assert stage.clock.now() - began >= 34
    assert stage.chat.texts() == ["Sunny."]


def test_a_final_text_that_cannot_land_in_time_is_owed_and_the_turn_let_go(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRateLimited(400)]
    outcome = take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished())
    assert (outcome.verdict, outcome.again_in) == (Verdict.OWED, 400)
    agent = ScriptedAgent(stage.clock, SUNNY)
    assert take(stage, agent=agent).verdict is Verdict.ANSWERED  # at once: no lease to wait for
    assert agent.questions == []
    assert stage.chat.texts() == ["Sunny."]


@pytest.mark.parametrize("code", ["msg_too_long", "msg_blocks_too_many", "invalid_blocks"])
def test_what_slack_does_not_show_at_once_it_is_shown_in_pieces(stage: Stage, code: str) -> None:
    sentences = [f"Sentence number {number}." for number in range(400)]
    stage.chat.trouble["edit"] = [None, ChatRefused(code)]
    assert (
        take(stage, TextDelta("\n\n".join(sentences)), 3.0, TextDelta(" End."), Finished()).verdict
        is Verdict.ANSWERED
    )
    assert len(stage.chat.texts()) == 2
    assert "\n\n".join(stage.chat.texts()).split("\n\n") == [*sentences[:-1], f"{sentences[-1]} End."]


def test_what_slack_shows_in_no_way_is_explained(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRefused("invalid_blocks")]
    outcome = take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished())
    assert outcome.verdict is Verdict.FAILED
    [text] = stage.chat.texts()
    assert "cannot be shown in Slack" in text


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
def test_an_answer_that_can_no_longer_be_edited_in_is_posted(stage: Stage, code: str) -> None:
    stage.chat.trouble["edit"] = [None, ChatRefused(code)]
    assert take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished()).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["Sunny."]


@pytest.mark.parametrize("code", ["channel_not_found", "is_archived", "message_not_found", "token_revoked"])
def test_a_thread_that_is_gone_ends_the_turn_quietly(stage: Stage, code: str) -> None:
    stage.chat.trouble["edit"] = [ChatRefused(code), ChatRefused(code)]
    outcome = take(stage)
    assert (outcome.verdict, outcome.detail) == (Verdict.REFUSED_BY_SLACK, code)
    assert outcome.again_in is None
    assert stage.record.state is State.FAILED


# --- our own stores in trouble -----------------------------------------------------------------------------


def test_a_turn_that_cannot_be_claimed_is_tried_again_later_and_later(stage: Stage) -> None:
    stage.ledger.trouble["claim"] = [ServiceUnavailable("DynamoDB did not answer")] * 2
    assert take(stage) == Outcome(Verdict.UNAVAILABLE, detail="DynamoDB did not answer", again_in=5.0)
    again = replace(stage.delivery(), receives=9)
    assert give_up(TURN, again, stage.ports).again_in == 60.0
    assert take(stage).verdict is Verdict.ANSWERED


def test_a_ledger_that_fails_for_a_moment_loses_nothing(stage: Stage) -> None:
    stage.ledger.trouble = {name: [ServiceUnavailable("x")] for name in ("advance", "owe", "settle")}
    assert take(stage).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_a_lease_that_cannot_be_renewed_is_tried_again_soon(stage: Stage) -> None:
    stage.ledger.trouble["renew"] = [ServiceUnavailable("x"), ServiceUnavailable("x")]
    assert take(stage, 35.0, *SUNNY).verdict is Verdict.ANSWERED
    renewals = [name for name, _ in stage.ledger.writes if name == "renew"]
    assert renewals == ["renew"]  # at 30 seconds, after two tries in vain


def test_a_lease_counts_from_before_its_claim(stage: Stage) -> None:
    claim = stage.ledger.claim

    def claim_slowly(*arguments: Any, **more: Any) -> Claim:
        claimed = claim(*arguments, **more)
        stage.clock.sleep(9)
        return claimed

    stage.ledger.claim = claim_slowly  # type: ignore[method-assign]
    stage.ledger.trouble["renew"] = [ServiceUnavailable("x")] * 100
    seen: list[list[str]] = []
    # After 62 seconds another worker may have the turn.
    script: list[Step] = [53.0, TextDelta("It is "), 1.0, lambda: seen.append(stage.chat.texts())]
    take(stage, *script, stage.ledger.trouble.clear, TextDelta("sunny."), Finished())
    assert seen == [["Processing…"]]
    assert stage.chat.texts() == ["It is sunny."]


# --- dead letters ------------------------------------------------------------------------------------------


def surrender(stage: Stage) -> Outcome:
    return give_up(TURN, stage.delivery(50.0), stage.ports)


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
    assert len(stage.chat.calls) == 1


def test_a_failure_is_told_again_by_who_receives_the_message_again(stage: Stage) -> None:
    surrender(stage)  # and is killed before that is in the log
    again = replace(stage.delivery(), receives=2)
    assert give_up(TURN, again, stage.ports) == Outcome(Verdict.DUPLICATE, failure=Failure.UNDELIVERABLE)


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


def test_an_answer_of_many_messages_is_given_back_when_slack_is_too_slow_for_it(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatUnavailable("503")] * 100
    take(stage, TextDelta("\n\n".join(["A sentence."] * 6000)), Finished())
    stage.chat.trouble.clear()
    post = stage.chat.post

    def post_slowly(part: Part) -> str:
        stage.clock.sleep(9)
        return post(part)

    stage.chat.post = post_slowly  # type: ignore[method-assign]
    delivery = stage.delivery(25.0)
    assert give_up(TURN, delivery, stage.ports).verdict is Verdict.OWED
    assert stage.clock.now() < delivery.deadline + 9  # the last one began before it
    assert give_up(TURN, stage.delivery(250.0), stage.ports).verdict is Verdict.ANSWERED
    assert " ".join(stage.chat.texts()).split() == ["A", "sentence."] * 6000


def test_a_dead_letter_stays_on_the_queue_while_slack_is_down(stage: Stage) -> None:
    stage.chat.trouble["post"] = [ChatUnavailable("503")] * 20
    assert surrender(stage).verdict is Verdict.OWED
    stage.chat.trouble["post"] = []
    assert surrender(stage).verdict is Verdict.FAILED
    assert len(stage.chat.texts()) == 1


# --- asked again by a person -------------------------------------------------------------------------------


def test_a_turn_without_its_answer_offers_to_be_asked_again(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    assert [part.offers_retry for part in stage.chat.messages.values()] == [True]


def test_an_answer_and_a_notice_offer_no_retry(stage: Stage) -> None:
    take(stage)
    take(stage, turn=replace(TURN, ts="1700000009.000100", text="", notice=Notice.EMPTY))
    assert [part.offers_retry for part in stage.chat.messages.values()] == [False, False]


def test_a_retry_asks_the_same_question_in_the_same_message(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    agent = ScriptedAgent(stage.clock, [0.5, *SUNNY])
    outcome = take(stage, turn=next_attempt(TURN), agent=agent)
    assert outcome.verdict is Verdict.ANSWERED
    assert [question.text for question in agent.questions] == [TURN.text]
    assert stage.chat.texts() == ["It is sunny."]
    assert "Processing…" in stage.chat.history("edit")
    assert [part.offers_retry for part in stage.chat.messages.values()] == [False]


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
    [part] = stage.chat.messages.values()
    assert part.offers_retry
    assert second.reference in part.markdown
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
    assert [part.offers_retry for part in stage.chat.messages.values()] == [False]


def test_who_did_not_ask_is_told_so_and_nothing_else_happens(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    before = stage.chat.texts()
    press = replace(TURN, ts="1700000020.000100", user="U2", text="", attempt=2, notice=Notice.NOT_YOURS)
    assert take(stage, turn=press).verdict is Verdict.WHISPERED
    assert "Only the person who asked" in stage.chat.history("whisper")[0]
    assert stage.chat.texts() == before


def test_who_could_not_be_told_is_in_the_log(stage: Stage) -> None:
    stage.chat.trouble["whisper"] = [ChatRefused("user_not_in_channel"), ChatUnavailable("HTTP 503")]
    press = replace(TURN, ts="1700000020.000100", user="U2", text="", attempt=2, notice=Notice.NOT_YOURS)
    assert take(stage, turn=press) == Outcome(Verdict.REFUSED_BY_SLACK, detail="user_not_in_channel")
    assert take(stage, turn=press) == Outcome(Verdict.UNAVAILABLE, detail="HTTP 503")


def test_a_retry_with_a_shorter_answer_takes_back_the_rest_of_the_longer_one(stage: Stage) -> None:
    take(stage, TextDelta("\n\n".join(["A sentence."] * 3000)), Failed(Failure.CUT_OFF, "x"))
    assert len(stage.chat.texts()) > 2
    take(stage, turn=next_attempt(TURN))
    assert stage.chat.texts() == ["It is sunny."]
    assert (stage.record.reply, stage.record.intended) == (stage.record.reply[:1], 1)


def test_a_dead_letter_of_a_retry_keeps_the_question(stage: Stage) -> None:
    take(stage, Failed(Failure.INTERNAL, "x"))
    give_up(next_attempt(TURN), stage.delivery(50.0), stage.ports)
    assert stage.ledger.question(TURN) == TURN


# --- files and people in the question ----------------------------------------------------------------------

PHOTO = Attachment("photo.png", "image/png", 3, "https://files.slack.com/photo.png")
TABLE = Attachment("table.csv", "text/csv", 5, "https://files.slack.com/table.csv")


def asking_with(*files: Attachment, text: str = TURN.text) -> Turn:
    return replace(TURN, text=text, files=files)


def test_files_of_a_question_reach_the_agent(stage: Stage) -> None:
    stage.attachments.contents = {PHOTO.url: b"png", TABLE.url: b"a,b\r\n"}
    agent = ScriptedAgent(stage.clock, SUNNY)
    take(stage, turn=asking_with(PHOTO, TABLE), agent=agent)
    assert agent.questions[0].files == (
        File("photo.png", "image/png", b"png"),
        File("table.csv", "text/csv", b"a,b\r\n"),
    )


def test_files_without_a_word_are_a_question_too(stage: Stage) -> None:
    stage.attachments.contents = {PHOTO.url: b"png"}
    agent = ScriptedAgent(stage.clock, SUNNY)
    take(stage, turn=asking_with(PHOTO, text=""), agent=agent)
    assert "photo.png" in agent.questions[0].text


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


def test_a_file_that_cannot_be_fetched_can_be_tried_again(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = take(stage, turn=asking_with(PHOTO), agent=agent)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.ATTACHMENT)
    assert outcome.detail == "Slack answered HTTP 302"
    assert agent.questions == []
    [part] = stage.chat.messages.values()
    assert part.offers_retry
    assert "HTTP" not in part.markdown
    stage.attachments.contents = {PHOTO.url: b"png"}
    assert take(stage, turn=next_attempt(TURN), agent=agent).verdict is Verdict.ANSWERED
    assert [file.data for file in agent.questions[0].files] == [b"png"]


def test_people_in_a_question_have_their_names(stage: Stage) -> None:
    stage.chat.names = {"U2": "alice"}
    agent = ScriptedAgent(stage.clock, SUNNY)
    asked = replace(TURN, text="ask @U2 or @U3, not @U2X", mentioned=("U2", "U3"))
    stage.chat.trouble["name_of"] = [None, ChatRefused("missing_scope")]
    take(stage, turn=asked, agent=agent)
    assert agent.questions[0].text == "ask @alice or @U3, not @U2X"
    assert stage.chat.history("name_of") == ["U2", "U3"]  # who refuses once is not asked again


def test_the_lease_is_kept_while_people_are_looked_up(stage: Stage) -> None:
    people = tuple(f"U{number}" for number in range(2, 50))
    name_of = stage.chat.name_of

    def slowly(user: str) -> str:
        stage.clock.sleep(2)
        return name_of(user)

    stage.chat.name_of = slowly  # type: ignore[method-assign]
    take(stage, turn=replace(TURN, text="hello", mentioned=people))
    assert len(stage.message.hidden) > 3


# --- files and sources in the answer ------------------------------------------------------------------------

CHART = File("chart.png", "image/png", b"png")


def test_files_of_the_agent_are_in_the_thread_before_the_text_that_names_them(stage: Stage) -> None:
    take(stage, TextDelta("See the chart."), CHART, Finished())
    assert stage.chat.files == [CHART]
    calls = [name for name, _ in stage.chat.calls if name in ("upload", "edit")]
    assert calls == ["upload", "edit"]
    assert stage.chat.texts() == ["See the chart."]


def test_an_agent_may_answer_with_nothing_but_a_file(stage: Stage) -> None:
    assert take(stage, CHART, Finished()).verdict is Verdict.ANSWERED
    assert stage.chat.files == [CHART]
    assert stage.chat.texts() == ["Here you are."]


def test_a_file_whose_fate_is_unknown_may_be_missing(stage: Stage) -> None:
    stage.chat.trouble["upload"] = [(ChatUnavailable("timeout"), "after")]
    take(stage, TextDelta("See the chart."), CHART, Finished())
    assert stage.chat.files == [CHART]
    assert "may be missing here: “chart.png”" in stage.chat.texts()[0]


def test_a_file_that_slack_does_not_take_is_named_under_the_text(stage: Stage) -> None:
    stage.chat.trouble["upload"] = [ChatRefused("missing_scope")]
    second = replace(CHART, name="<!channel>.png")
    take(stage, TextDelta("See the charts."), second, CHART, Finished())
    [text] = stage.chat.texts()
    assert text.startswith("See the charts.\n\n:warning: Slack did not take this file")
    assert "hannel" in text
    assert "<!" not in text
    assert "chart.png" not in text
    assert stage.chat.files == [CHART]


def test_a_file_waits_as_long_as_slack_asks(stage: Stage) -> None:
    stage.chat.trouble["upload"] = [ChatRateLimited(20), ChatRateLimited(20)]
    began = stage.clock.now()
    take(stage, TextDelta("See."), CHART, Finished())
    assert stage.chat.files == [CHART]
    assert stage.clock.now() - began >= 40
    assert stage.chat.texts() == ["See."]


def test_a_file_does_not_wait_beyond_the_end_of_the_invocation(stage: Stage) -> None:
    stage.chat.trouble["upload"] = [ChatRateLimited(400)]
    assert take(stage, TextDelta("See."), CHART, Finished()).verdict is Verdict.ANSWERED
    assert "chart.png" in stage.chat.texts()[0]


def test_a_worker_that_lost_its_lease_uploads_nothing(stage: Stage) -> None:
    def lose() -> None:
        stage.clock.sleep(61)
        stage.ledger.records[TURN.turn_id] = replace(stage.record, owner="somebody else")

    assert take(stage, TextDelta("See."), CHART, lose, Finished()).verdict is Verdict.LEASE_LOST
    assert stage.chat.files == []


def test_sources_are_listed_below_the_answer_once_it_is_complete(stage: Stage) -> None:
    page = Source("a.example", "https://a.example/x")
    take(stage, TextDelta("Sunny."), Citation((page,)), 3.0, TextDelta(" Warm."), Finished())
    assert stage.chat.history("edit")[0] == "Sunny. [1]"
    assert stage.chat.texts() == ["Sunny. [1] Warm.\n\n**Sources**\n\n1. [a.example](https://a.example/x)"]


def test_a_guardrail_that_left_nothing_to_say_is_named_as_the_reason(stage: Stage) -> None:
    outcome = take(stage, Guardrail(("topic Finance blocked",)), Finished())
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.GUARDRAIL)
    assert outcome.guardrails == ("topic Finance blocked",)
    [text] = stage.chat.texts()
    assert "guardrail" in text
    assert "Finance" not in text  # for the operator alone


def test_a_guardrail_that_changed_the_answer_is_named_below_it(stage: Stage) -> None:
    outcome = take(stage, TextDelta("I cannot say."), Guardrail(("pii masked",)), Finished())
    assert (outcome.verdict, outcome.guardrails) == (Verdict.ANSWERED, ("pii masked",))
    [text] = stage.chat.texts()
    assert text.startswith("I cannot say.\n\n")
    assert "guardrail" in text


# --- slow answers, long answers -----------------------------------------------------------------------------


def test_who_had_to_wait_is_told_that_the_answer_is_there(stage: Stage) -> None:
    take(stage, 61.0, *SUNNY)
    assert stage.chat.history("mention") == ["U1 The answer to your question is complete."]
    assert stage.chat.calls[-1][0] == "mention"
    take(stage)  # delivered again
    assert len(stage.chat.history("mention")) == 1


@pytest.mark.parametrize(("seconds", "style"), [(59.0, Style.EDIT), (61.0, Style.STREAM)])
def test_who_is_notified_anyway_or_was_quick_is_not_told(stage: Stage, seconds: float, style: Style) -> None:
    take(stage, seconds, *SUNNY, manner=Manner(style=style))
    assert stage.chat.history("mention") == []


def test_how_long_is_slow_is_a_setting(stage: Stage) -> None:
    stage.ports = replace(stage.ports, notify_after=101.0)
    take(stage, 100.0, *SUNNY)
    assert stage.chat.history("mention") == []


def test_who_waits_for_a_stream_that_became_edits_is_told(stage: Stage) -> None:
    stage.chat.trouble["start_stream"] = [ChatRefused("unknown_method")]
    take(stage, TextDelta("It is "), 61.0, TextDelta("sunny."), Finished(), manner=Manner(style=Style.STREAM))
    assert len(stage.chat.history("mention")) == 1


def test_who_asked_long_before_the_last_delivery_is_told(stage: Stage) -> None:
    with pytest.raises(Killed):
        take(stage, TextDelta("It is"), 2.0, kill)
    stage.clock.sleep(61)
    assert give_up(TURN, stage.delivery(), stage.ports).verdict is Verdict.INTERRUPTED
    assert len(stage.chat.history("mention")) == 1


def test_a_mention_waits_as_long_as_slack_asks(stage: Stage) -> None:
    stage.chat.trouble["mention"] = [ChatRateLimited(5)]
    take(stage, 61.0, *SUNNY)
    assert len(stage.chat.history("mention")) == 2


def test_nobody_is_mentioned_in_the_last_seconds_of_the_invocation(stage: Stage) -> None:
    edit = stage.chat.edit

    def edit_slowly(ts: str, part: Part) -> None:
        stage.clock.sleep(12)
        edit(ts, part)

    stage.chat.edit = edit_slowly  # type: ignore[method-assign]
    assert take(stage, 279.0, *SUNNY).verdict is Verdict.ANSWERED
    assert stage.chat.history("mention") == []


def test_a_mention_that_fails_is_not_repeated(stage: Stage) -> None:
    stage.chat.trouble["mention"] = [ChatUnavailable("503")]
    assert take(stage, 61.0, *SUNNY).verdict is Verdict.ANSWERED
    take(stage)
    assert len(stage.chat.history("mention")) == 1


def test_a_long_answer_grows_over_several_messages_with_one_call_each_at_a_time(stage: Stage) -> None:
    script: list[Step] = []
    for number in range(60):
        script += [TextDelta(f"Paragraph {number}. " + "word " * 150 + "\n\n"), 1.0]
    at: list[tuple[float, int]] = []
    edit, post = stage.chat.edit, stage.chat.post

    def noting_edit(ts: str, part: Part) -> None:
        at.append((stage.clock.now(), part.number))
        edit(ts, part)

    def noting_post(part: Part) -> str:
        at.append((stage.clock.now(), part.number))
        return post(part)

    stage.chat.edit, stage.chat.post = noting_edit, noting_post  # type: ignore[method-assign]
    take(stage, *script, Finished())
    assert len(stage.chat.texts()) > 3
    assert len(at) == len(set(at))
    assert len([number for _, number in at if number == 0]) < 10  # a message that is full is left alone
    words = " ".join(" ".join(stage.chat.texts()).split())
    assert words == " ".join(f"Paragraph {number}. " + "word " * 149 + "word" for number in range(60))


def test_an_answer_of_many_short_sections_is_shown_in_pieces(stage: Stage) -> None:
    # Slack counts each heading and each paragraph: fifty in a message.
    sections = [f"## Term {number}\n\nWhat it means." for number in range(120)]

    def refuse(markdown: str) -> None:
        if markdown.count("## ") * 2 > 50:
            raise ChatRefused("msg_blocks_too_many")

    edit, post = stage.chat.edit, stage.chat.post

    def strict_edit(ts: str, part: Part) -> None:
        refuse(part.markdown)
        edit(ts, part)

    def strict_post(part: Part) -> str:
        refuse(part.markdown)
        return post(part)

    stage.chat.edit, stage.chat.post = strict_edit, strict_post  # type: ignore[method-assign]
    assert take(stage, TextDelta("\n\n".join(sections)), Finished()).verdict is Verdict.ANSWERED
    assert "\n\n".join(stage.chat.texts()) == "\n\n".join(sections)
