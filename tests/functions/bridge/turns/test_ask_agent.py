"""Asking the agent and listening to it: what is shown meanwhile, and what the thread is owed in the end."""

from dataclasses import replace

import pytest

from functions.bridge.agents.events import (
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
    Usage,
)
from functions.bridge.agents.failures import NOT_STARTED, Failure
from functions.bridge.agents.port import Question
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import State
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatRateLimited,
    ChatRefused,
    ChatUnavailable,
    ChatUndone,
)
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turn import Attachment, Turn
from functions.bridge.turns.ask_agent import RETRY_WAITS
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.settle import MOST_TRIES
from tests.functions.bridge.asking import CHART, PHOTO, SUNNY, Killed, asking_with, slow_down, take
from tests.functions.fakes import TURN, ScriptedAgent, ScriptedRun, Stage, Step, next_attempt, when_waited_for

# --- the question -------------------------------------------------------------------------------------------

TABLE = Attachment("table.csv", "text/csv", 5, "https://files.slack.com/table.csv")


def test_the_agent_is_asked_once_in_the_session_of_the_thread(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, SUNNY)
    take(stage, agent=agent)
    assert [(q.session_id, q.text) for q in agent.questions] == [(TURN.thread_id, TURN.text)]


def test_started_is_on_record_before_the_agent_is_asked(stage: Stage) -> None:
    states: list[State] = []
    take(stage, lambda: states.append(stage.record.state), *SUNNY)
    assert states == [State.STARTED]


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


def test_a_file_that_cannot_be_fetched_can_be_tried_again(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = take(stage, turn=asking_with(PHOTO), agent=agent)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.ATTACHMENT)
    assert outcome.detail == "Slack answered HTTP 302"
    assert agent.questions == []
    [part] = stage.chat.messages.values()
    assert part.buttons
    assert "HTTP" not in part.markdown
    stage.attachments.contents = {PHOTO.url: b"png"}
    assert take(stage, turn=next_attempt(TURN), agent=agent).verdict is Verdict.ANSWERED
    assert [file.data for file in agent.questions[0].files] == [b"png"]


def test_files_that_come_too_late_for_an_answer_leave_the_agent_unasked(stage: Stage) -> None:
    stage.attachments.contents = {PHOTO.url: b"png", TABLE.url: b"a,b\r\n"}
    slow_down(stage, stage.attachments, "fetch", 24)
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = take(stage, turn=asking_with(PHOTO, TABLE), agent=agent, seconds=55)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.ATTACHMENT)
    assert agent.questions == []


def test_people_in_a_question_have_their_names(stage: Stage) -> None:
    stage.chat.names = {"U2": "alice"}
    agent = ScriptedAgent(stage.clock, SUNNY)
    asked = replace(TURN, text="ask @U2 or @U3, not @U2X", mentioned=("U2", "U3"))
    stage.chat.trouble["name_of"] = [None, ChatRefused("missing_scope")]
    take(stage, turn=asked, agent=agent)
    assert agent.questions[0].text == 'ask @"alice" or @U3, not @U2X'
    assert stage.chat.history("name_of") == ["U2", "U3"]  # who refuses once is not asked again


def test_the_lease_is_kept_while_people_are_looked_up(stage: Stage) -> None:
    people = tuple(f"U{number}" for number in range(2, 50))
    slow_down(stage, stage.chat, "name_of", 2)
    take(stage, turn=replace(TURN, text="hello", mentioned=people))
    assert len(stage.message.hidden) > 3


# --- progress -----------------------------------------------------------------------------------------------


def test_the_answer_grows_at_growing_intervals(stage: Stage) -> None:
    script: list[Step] = []
    for number in range(60):
        script += [TextDelta(f"word{number} "), 1.0]
    take(stage, *script, Finished())
    edits = stage.chat.history("edit")
    assert edits[0] == "word0"
    assert len(edits) < 20
    assert edits == sorted(edits, key=len)


def test_what_comes_before_the_next_edit_wakes_the_worker_once(stage: Stage) -> None:
    words: list[Step] = [TextDelta("word "), 0.03] * 2000
    agent = ScriptedAgent(stage.clock, [*words, Finished()])
    take(stage, agent=agent)
    [text] = stage.chat.texts()
    assert text.split() == ["word"] * 2000
    # Twice for the first words, then for each edit, and when many have come.
    assert agent.runs[0].looked <= 2 + len(stage.chat.history("edit")) + 2000 / ScriptedRun.ENOUGH


def test_rationale_is_part_of_the_reply_only_with_the_debug_switch(stage: Stage) -> None:
    take(stage, Rationale("Look it up"), *SUNNY, options=ReplyOptions(show_rationale=True))
    assert stage.chat.texts() == ["> Look it up\n\nIt is sunny."]


def test_half_a_table_row_does_not_keep_the_worker_busy(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, [TextDelta("| City | Temp |"), 100.0, Finished()])
    take(stage, agent=agent)
    assert agent.runs[0].looked < 60


@pytest.mark.parametrize(
    "trouble", [ChatRateLimited(1), ChatUnavailable("503"), ChatRefused("restricted_action")], ids=str
)
def test_a_placeholder_that_fails_does_not_stop_the_run(stage: Stage, trouble: Exception) -> None:
    stage.chat.trouble["post"] = [trouble]
    assert take(stage).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_progress_that_slack_refuses_is_skipped_and_not_repeated(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(30)]
    take(stage, TextDelta("It is "), 5.0, TextDelta("sunny."), 5.0, Finished())
    assert stage.chat.history("edit") == ["It is", "It is sunny."]


# --- an agent in trouble ------------------------------------------------------------------------------------


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


def test_the_tokens_of_all_calls_of_models_are_added_up(stage: Stage) -> None:
    assert take(stage, Usage(1000, 20), *SUNNY[:1], Usage(1300, 40), *SUNNY[1:]).usage == Usage(2300, 60)
    assert stage.chat.texts() == ["It is sunny."]


def test_an_agent_that_fails_has_used_tokens_too(stage: Stage) -> None:
    outcome = take(stage, Usage(1000, 20), Failed(Failure.INTERNAL, "it broke"))
    assert (outcome.verdict, outcome.usage) == (Verdict.INTERRUPTED, Usage(1000, 20))


def test_of_an_agent_that_reports_no_tokens_none_are_known(stage: Stage) -> None:
    assert take(stage, *SUNNY).usage is None


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


def test_the_session_of_an_agent_that_takes_too_long_is_ended_while_the_answer_is_written(
    stage: Stage,
) -> None:
    agent = ScriptedAgent(stage.clock, [TextDelta("a "), 1000.0])
    before = stage.clock.now()
    outcome = take(stage, agent=agent, seconds=100.0)
    assert agent.runs[0].session_stopped_at == before + 90.0
    assert outcome.detail == "the function's time is nearly up"


def test_an_agent_that_ends_in_time_keeps_its_session(stage: Stage) -> None:
    agent = ScriptedAgent(stage.clock, SUNNY)
    take(stage, agent=agent)
    assert agent.runs[0].session_stopped_at is None


@pytest.mark.parametrize(("seconds", "trouble"), [(5.0, "it was refused"), (60.0, "not in time")])
def test_the_log_tells_why_a_session_was_not_ended(stage: Stage, seconds: float, trouble: str) -> None:
    def end_slowly() -> None:
        agent.runs[0].takes, agent.runs[0].trouble = seconds, "it was refused"

    agent = ScriptedAgent(stage.clock, [end_slowly, TextDelta("a "), 1000.0])
    deadline = stage.clock.now() + 100.0
    outcome = take(stage, agent=agent, seconds=100.0)
    assert outcome.detail == f"the function's time is nearly up; {trouble}"
    assert stage.clock.now() <= deadline


def test_the_answer_does_not_wait_for_the_end_of_a_session(stage: Stage) -> None:
    slow_down(stage, stage.ledger, "settle", 2.0)
    agent = ScriptedAgent(stage.clock, [TextDelta("a "), 1000.0])
    began_at = stage.clock.now()
    take(stage, agent=agent, seconds=100.0)
    [run] = agent.runs
    assert (run.session_stopped_at, run.waited_for_at) == (began_at + 90.0, began_at + 92.0)


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


# --- files and sources in the answer ------------------------------------------------------------------------


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


def test_a_file_of_which_nothing_shows_yet_is_sent_again(stage: Stage) -> None:
    stage.chat.trouble["upload"] = [ChatUndone("503"), ChatUndone("503")]
    outcome = take(stage, TextDelta("See."), CHART, Finished())
    assert (outcome.verdict, outcome.failure) == (Verdict.ANSWERED, None)
    assert stage.chat.files == [CHART]
    assert stage.chat.texts() == ["See."]


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


def test_uploads_end_with_the_time_of_the_invocation(stage: Stage) -> None:
    slow_down(stage, stage.chat, "upload", 100)
    files = [replace(CHART, name=f"{number}.png") for number in range(5)]
    outcome = take(stage, TextDelta("See."), *files, Finished())
    assert (outcome.verdict, outcome.failure) == (Verdict.ANSWERED, Failure.UPLOAD)
    assert len(stage.chat.files) == 3
    assert "“3.png”, “4.png”" in stage.chat.texts()[0]


def test_an_upload_that_outlives_the_lease_waits_for_the_ledger(stage: Stage) -> None:
    upload = stage.chat.upload

    def slowly(turn: Turn, file: File) -> None:
        stage.clock.sleep(70)
        stage.ledger.trouble["renew"] = [ServiceUnavailable("down")] * 2
        upload(turn, file)

    stage.chat.upload = slowly  # type: ignore[method-assign]
    files = [replace(CHART, name=f"{number}.png") for number in range(2)]
    assert take(stage, TextDelta("See."), *files, Finished()).verdict is Verdict.ANSWERED
    assert stage.chat.files == files


def test_a_worker_that_lost_its_lease_uploads_nothing(stage: Stage) -> None:
    def lose() -> None:
        stage.clock.sleep(61)
        stage.ledger.records[TURN.turn_id] = replace(stage.record, owner="somebody else")

    assert take(stage, TextDelta("See."), CHART, lose, Finished()).verdict is Verdict.LEASE_LOST
    assert stage.chat.files == []


def test_an_answer_survives_a_crash_while_its_files_are_uploaded(stage: Stage) -> None:
    stage.chat.trouble["upload"] = [(Killed(), "after")]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage, TextDelta("See the chart."), CHART, Finished())
    stage.clock.sleep(61)
    assert take(stage).verdict is Verdict.ANSWERED
    [text] = stage.chat.texts()
    assert text.startswith("See the chart.")
    assert "may be missing here: “chart.png”" in text


def test_sources_are_listed_below_the_answer_once_it_is_complete(stage: Stage) -> None:
    page = Source("a.example", "https://a.example/x")
    take(stage, TextDelta("Sunny."), Citation((page,)), 3.0, TextDelta(" Warm."), Finished())
    assert stage.chat.history("edit")[0] == "Sunny. [1]"
    assert stage.chat.texts() == ["Sunny. [1] Warm.\n\n**Sources**\n\n1. [a.example](https://a.example/x)"]


# --- in a channel where this process has not written yet ----------------------------------------------------

STYLES = pytest.mark.parametrize("style", [Style.EDIT, Style.STREAM])
FIRST_WORDS = ("post", "set_status", "start_stream")


def in_a_new_place(stage: Stage, style: Style, *trouble: Exception) -> tuple[Outcome, ScriptedAgent]:
    stage.chat.places.clear()
    for method in FIRST_WORDS:
        stage.chat.trouble[method] = [*trouble]
    agent = ScriptedAgent(stage.clock, SUNNY)
    return take(stage, agent=agent, options=ReplyOptions(style=style)), agent


@STYLES
@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found", "is_archived", "restricted_action"])
def test_where_the_bot_cannot_write_no_agent_is_asked(stage: Stage, style: Style, code: str) -> None:
    outcome, agent = in_a_new_place(stage, style, ChatRefused(code))
    assert (outcome.verdict, agent.questions) == (Verdict.REFUSED_BY_SLACK, [])
    assert code in outcome.detail
    assert stage.record.state is State.FAILED
    assert stage.slots.holders() == set()


@STYLES
def test_where_the_app_is_refused_no_agent_is_asked(stage: Stage, style: Style) -> None:
    outcome, agent = in_a_new_place(stage, style, ChatAppRefused("token_revoked", "store another token"))
    assert (outcome.verdict, agent.questions) == (Verdict.APP_REFUSED, [])


@STYLES
@pytest.mark.parametrize("trouble", [ChatRateLimited(7), ChatUnavailable("503"), ChatRefused("msg_too_long")])
def test_trouble_that_is_not_the_places_holds_no_agent_up(
    stage: Stage, style: Style, trouble: Exception
) -> None:
    outcome, agent = in_a_new_place(stage, style, trouble)
    assert (outcome.verdict, len(agent.questions)) == (Verdict.ANSWERED, 1)
    assert stage.chat.texts() == ["It is sunny."]


@STYLES
def test_the_first_word_stands_before_the_agent_is_asked(stage: Stage, style: Style) -> None:
    stage.chat.places.clear()
    stage.ports = replace(stage.ports, beside=when_waited_for)
    shown: list[int] = []

    class LookingAgent(ScriptedAgent):
        def ask(self, question: Question) -> ScriptedRun:
            shown.append(sum("Processing…" in stage.chat.history(method) for method in FIRST_WORDS))
            stage.chat.calls.clear()
            return super().ask(question)

    for ts in ("1700000000.000300", "1700000000.000301"):
        turn = replace(TURN, ts=ts, thread_ts=ts)
        take(stage, turn=turn, agent=LookingAgent(stage.clock, SUNNY), options=ReplyOptions(style=style))
    assert shown == [1, 0]  # side by side, once this process has written there


@STYLES
def test_a_first_word_of_workers_that_died_is_cleared_away(stage: Stage, style: Style) -> None:
    for _ in range(MOST_TRIES):
        stage.chat.places.clear()
        stage.chat.trouble["name_of"] = [Killed()]  # type: ignore[list-item]
        with pytest.raises(Killed):
            take(stage, options=ReplyOptions(style=style))
        stage.clock.sleep(61)
    outcome = take(stage, options=ReplyOptions(style=style))
    assert outcome.failure is Failure.UNDELIVERABLE
    assert stage.chat.session == "active"
    assert len(stage.chat.texts()) == 1
