"""The streaming style over fakes of the ports."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from markdown_it import MarkdownIt

from functions.bridge.agents.events import Failed, Finished, TextDelta, ToolUse
from functions.bridge.agents.failures import Failure
from functions.bridge.ledger.record import State
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
    TaskStatus,
)
from functions.bridge.turn import Turn
from functions.bridge.turns.answer import give_up
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import PHOTO, Killed, kill
from tests.functions.bridge.strict import TROUBLE, StrictStage, deliver_until_settled, take, words_of
from tests.functions.fakes import TURN, ScriptedAgent, Step, next_attempt


@pytest.fixture
def stage() -> StrictStage:
    return StrictStage()


def writes(stage: StrictStage) -> list[str]:
    """The calls that the thread shows for good, in order."""
    return [
        name for name, _ in stage.chat.calls if name not in ("set_session", "set_status", "name_of", "find")
    ]


def growing(words: Sequence[str], pause: float = 1.5) -> list[Step]:
    """An answer that comes word by word."""
    script: list[Step] = []
    for word in words:
        script += [TextDelta(word), pause]
    return [*script, Finished()]


def spoken(number: int, *, between: str = " ") -> list[str]:
    return [f"w{index}.{between}" for index in range(number)]


# --- waiting -----------------------------------------------------------------------------------------------


def test_a_status_takes_the_place_of_the_placeholder(stage: StrictStage) -> None:
    outcome = take(stage, 5.0, TextDelta("It is "), 2.0, TextDelta("sunny."), Finished())
    assert outcome.verdict is Verdict.ANSWERED
    assert outcome.first_text_seconds == pytest.approx(5.05)
    assert stage.chat.history("set_status") == ["Processing…"]  # the end of the stream takes it back
    assert stage.chat.history("post") == stage.chat.history("edit") == []
    assert stage.chat.texts() == ["It is sunny."]


def test_the_status_is_set_again_before_slack_takes_it_away(stage: StrictStage) -> None:
    at: list[float] = []
    set_status = stage.chat.set_status

    def noting(turn: Turn, status: str) -> None:
        if status:
            at.append(stage.clock.now())
        set_status(turn, status)

    stage.chat.set_status = noting  # type: ignore[method-assign]
    take(stage, 400.0, TextDelta("Sunny."), Finished())
    assert len(at) == 4
    assert all(90 <= later - earlier < 120 for earlier, later in pairwise(at))


def test_the_status_says_that_the_agent_is_asked_again(stage: StrictStage) -> None:
    refused: list[Step] = [Failed(Failure.THROTTLED, "HTTP 429")]
    agent = ScriptedAgent(stage.clock, refused, [1.0, TextDelta("Sunny."), Finished()])
    take(stage, agent=agent)
    assert "The agent is busy. Trying again…" in stage.chat.history("set_status")
    assert stage.chat.texts() == ["Sunny."]


@pytest.mark.parametrize("code", ["unknown_method", "feature_disabled", "missing_scope", "not_agent_app"])
def test_where_slack_refuses_a_status_there_is_a_placeholder(stage: StrictStage, code: str) -> None:
    stage.chat.trouble["set_status"] = [ChatRefused(code)]
    outcome = take(stage, 0.5, TextDelta("It is "), 3.0, TextDelta("sunny."), Finished())
    assert writes(stage)[:2] == ["post", "edit"]
    assert outcome.first_text_seconds == pytest.approx(0.55)  # not held up by the refusal
    assert stage.chat.history("start_stream") == []
    assert stage.chat.texts() == ["It is sunny."]


@pytest.mark.parametrize("trouble", [ChatRateLimited(3), ChatUnavailable("503")], ids=str)
def test_a_status_that_fails_for_now_ends_no_streaming(stage: StrictStage, trouble: Exception) -> None:
    stage.chat.trouble["set_status"] = [trouble]
    take(stage, 10.0, TextDelta("It is "), 3.0, TextDelta("sunny."), Finished())
    assert writes(stage) == ["start_stream", "stop_stream"]


# --- what Slack shows of the session ------------------------------------------------------------------------


def test_a_session_is_active_again_when_the_answer_is_posted(stage: StrictStage) -> None:
    take(stage, 2.0, TextDelta("It is "), TextDelta("sunny."), Finished())
    assert stage.chat.history("set_status") == ["Processing…", ""]
    assert stage.chat.session == "active"


def test_a_session_is_processing_until_the_last_message_ends(stage: StrictStage) -> None:
    seen: list[str] = []
    stop_stream = stage.chat.stop_stream

    def noting(*arguments: Any, **options: Any) -> None:
        stop_stream(*arguments, **options)
        seen.append(stage.chat.session)

    stage.chat.stop_stream = noting  # type: ignore[method-assign]
    take(stage, *growing(spoken(160), pause=5.0))  # 800 seconds
    assert seen == ["processing", "processing", "processing", "active"]


@pytest.mark.parametrize("code", ["unknown_method", "feature_disabled", "missing_scope"])
def test_a_session_is_active_again_where_streams_are_refused(stage: StrictStage, code: str) -> None:
    stage.chat.trouble["start_stream"] = [ChatRefused(code)]
    take(stage, *growing(spoken(40)))
    assert stage.chat.session == "active"


@pytest.mark.parametrize("method", ["append_stream", "stop_stream"])
def test_a_session_is_active_again_when_a_person_stops_the_stream(stage: StrictStage, method: str) -> None:
    stage.chat.trouble[method] = [ChatStopped("stopped_by_user")]
    assert take(stage, *growing(spoken(9))).verdict is Verdict.STOPPED
    assert stage.chat.session == "active"


@pytest.mark.parametrize("trouble", [ChatRateLimited(3), ChatUnavailable("503")], ids=str)
def test_a_session_that_slack_does_not_take_back_for_now_is_taken_back_later(
    stage: StrictStage, trouble: Exception
) -> None:
    stage.chat.trouble["set_status"] = [None, trouble, trouble]
    assert take(stage, 2.0, TextDelta("It is sunny."), Finished()).verdict is Verdict.ANSWERED
    assert stage.chat.session == "active"


def test_a_session_that_slack_does_not_take_back_at_all_holds_up_nothing(stage: StrictStage) -> None:
    stage.chat.trouble["set_status"] = [None, ChatRefused("method_deprecated")]
    assert take(stage, 2.0, TextDelta("It is sunny."), Finished()).verdict is Verdict.ANSWERED


def test_a_stopped_turn_is_over_though_slack_refuses_the_app_by_then(stage: StrictStage) -> None:
    stage.chat.trouble["append_stream"] = [ChatStopped("stopped_by_user")]
    stage.chat.trouble["set_status"] = [None, ChatAppRefused("token_revoked", "a new one")]
    assert take(stage, *growing(spoken(9))).verdict is Verdict.STOPPED


def test_a_session_is_active_again_when_the_turn_is_given_up(stage: StrictStage) -> None:
    def die(attachment: object) -> bytes:  # noqa: ARG001
        raise Killed

    stage.attachments.fetch = die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        take(stage, turn=replace(TURN, files=(PHOTO,)))
    assert stage.chat.session == "processing"
    stage.clock.sleep(61)
    give_up(TURN, stage.delivery(), stage.ports)
    assert stage.chat.session == "active"


# --- growing -----------------------------------------------------------------------------------------------


def test_a_short_answer_that_arrives_whole_is_one_post(stage: StrictStage) -> None:
    take(stage, 2.0, TextDelta("It is "), TextDelta("sunny."), Finished())
    assert writes(stage) == ["post"]
    assert stage.chat.texts() == ["It is sunny."]


def test_a_message_only_grows_and_nothing_is_sent_twice(stage: StrictStage) -> None:
    take(stage, *growing(spoken(40)))
    assert set(writes(stage)) == {"start_stream", "append_stream", "stop_stream"}
    assert "".join(chunk.markdown for chunk in stage.chat.chunks) == " ".join(spoken(40, between=""))
    assert stage.chat.texts() == [" ".join(spoken(40, between=""))]


def test_many_small_pieces_are_sent_together(stage: StrictStage) -> None:
    take(stage, *growing(spoken(1200), pause=0.05))  # for a minute
    assert len(writes(stage)) <= 20
    assert words_of(stage) == spoken(1200, between="")


def test_an_agent_that_is_silent_causes_no_calls(stage: StrictStage) -> None:
    take(stage, TextDelta("It is "), 100.0, TextDelta("sunny."), Finished())
    assert writes(stage) == ["start_stream", "stop_stream"]


def test_a_rate_limit_is_waited_out_and_what_it_held_up_comes_once(stage: StrictStage) -> None:
    stage.chat.trouble["append_stream"] = [ChatRateLimited(5), None, ChatRateLimited(5)]
    stage.chat.trouble["stop_stream"] = [ChatRateLimited(5)]
    assert take(stage, *growing(spoken(40))).verdict is Verdict.ANSWERED
    assert "edit" not in writes(stage)
    assert stage.chat.texts() == [" ".join(spoken(40, between=""))]


def test_the_first_text_does_not_wait_until_slack_opens_streams_again(stage: StrictStage) -> None:
    stage.chat.trouble["start_stream"] = [ChatRateLimited(55)]
    outcome = take(stage, *growing(spoken(40)))
    assert outcome.verdict is Verdict.ANSWERED
    assert outcome.first_text_seconds is not None
    assert outcome.first_text_seconds < 2
    assert writes(stage)[:3] == ["start_stream", "post", "edit"]
    assert words_of(stage) == spoken(40, between="")


def test_trouble_with_the_waiting_sign_does_not_hold_up_the_answer(stage: StrictStage) -> None:
    stage.chat.trouble["set_status"] = [ChatRateLimited(30)]
    outcome = take(stage, 1.0, *growing(spoken(40)))
    assert outcome.first_text_seconds is not None
    assert outcome.first_text_seconds < 3


def test_a_stream_that_slack_does_not_stop_is_waited_for(stage: StrictStage) -> None:
    refused = ChatRefused("unknown_method")
    stage.chat.trouble["stop_stream"] = [refused, refused, refused]
    assert take(stage, *growing(spoken(10))).verdict is Verdict.ANSWERED
    assert stage.chat.streams == {}
    assert len(stage.chat.texts()) == 1


# --- going on in another message ----------------------------------------------------------------------------


def test_a_message_ends_before_slack_ends_it_for_its_age(stage: StrictStage) -> None:
    take(stage, *growing(spoken(160), pause=5.0))  # 800 seconds
    assert len(stage.chat.texts()) == 4
    assert stage.chat.longest < 250
    assert "edit" not in writes(stage)
    assert words_of(stage) == spoken(160, between="")


def test_a_message_ends_for_its_age_though_nothing_is_said(stage: StrictStage) -> None:
    take(stage, TextDelta("Wait."), 700.0, TextDelta("\n\nSunny."), Finished())
    assert stage.chat.longest < 250
    assert stage.chat.texts() == ["Wait.", "Sunny."]
    assert stage.chat.history("set_status")[-2:] == ["Processing…", ""]  # nothing else says that it goes on


def test_a_message_ends_before_slack_ends_it_for_its_size(stage: StrictStage) -> None:
    take(stage, *growing([f"w{number}. ☀ {'word ' * 150}\n\n" for number in range(60)]))
    texts = stage.chat.texts()
    assert len(texts) > 4
    assert all(len(text.encode()) <= 9_000 for text in texts)
    assert all(text.startswith("w") for text in texts)  # each begins with a paragraph
    assert "edit" not in writes(stage)
    assert words_of(stage) == [f"w{number}." for number in range(60)]


@pytest.mark.parametrize("between", [" ", "\n", "\n\n"])
def test_a_burst_arrives_complete_and_in_order(stage: StrictStage, between: str) -> None:
    words = spoken(28_000, between=between)
    text = "".join(words)
    assert len(text) > 200_000
    take(stage, TextDelta("First. "), 2.0, TextDelta(text), 60.0, Finished())
    assert "edit" not in writes(stage)
    assert words_of(stage) == spoken(28_000, between="")


def test_a_burst_without_any_place_to_cut_arrives_complete(stage: StrictStage) -> None:
    take(stage, TextDelta("x" * 1000), 2.0, TextDelta("é" * 50_000), 60.0, Finished())
    assert "".join(stage.chat.texts()) == "x" * 1000 + "é" * 50_000


def test_a_burst_after_a_long_silence_fits_into_each_message(stage: StrictStage) -> None:
    # The message is too old for more, and the next end of a line far away.
    take(stage, TextDelta("w0. "), 238.0, TextDelta("".join(spoken(9_000)[1:])), 9.0, Finished())
    assert "edit" not in writes(stage)
    assert words_of(stage) == spoken(9_000, between="")


def test_a_code_block_is_closed_and_opened_again(stage: StrictStage) -> None:
    lines = [f"print({number:05})\n" for number in range(2_000)]
    take(stage, TextDelta("Look:\n\n```python\n"), 1.0, *growing([*lines, "```\n\nDone."], pause=0.1))
    texts = stage.chat.texts()
    assert len(texts) > 3
    assert all(text.startswith("```python\nprint") for text in texts[1:-1])
    assert all(text.endswith(")\n```") for text in texts[:-1])
    assert re.findall(r"print\(\d+\)", "".join(texts)) == [line.strip() for line in lines]
    assert texts[-1] == "Done."


def test_a_table_has_its_head_in_every_message(stage: StrictStage) -> None:
    head = "| place | weather |\n| --- | --- |\n"
    rows = "".join(f"| w{number}. | {'sunny ' * 15} |\n" for number in range(95))
    take(stage, TextDelta("Look:\n\n"), 2.0, TextDelta(head + rows), TextDelta("\nDone."), 9.0, Finished())
    texts = stage.chat.texts()
    assert len(texts) == 2
    assert texts[1].startswith(head)
    assert words_of(stage) == [f"w{number}." for number in range(95)]


def test_a_code_block_that_has_just_ended_is_not_opened_again(stage: StrictStage) -> None:
    take(stage, TextDelta("```py\nx = 1\n```\n"), 245.0, TextDelta("\nDone."), 3.0, Finished())
    assert stage.chat.texts() == ["```py\nx = 1\n```", "Done."]


@pytest.mark.parametrize("pause", range(234, 246, 2))
@pytest.mark.parametrize("at", [1, 3, 5, 6, 10, 12, 14, 15, 16])
def test_a_code_block_survives_the_end_of_a_message_anywhere(stage: StrictStage, at: int, pause: int) -> None:
    text = "```py\nx = 1\n```\n\nDone."
    take(stage, TextDelta(text[:at]), float(pause), TextDelta(text[at:]), 9.0, Finished())
    tokens = [token for shown in stage.chat.texts() for token in MarkdownIt().parse(shown)]
    code = [token for token in tokens if token.type == "fence"]
    assert "".join("".join(token.content for token in code).split()) == "x=1"
    assert {token.info for token in code} == {"py"}
    assert [token.content for token in tokens if token.type == "inline"] == ["Done."]


def test_a_message_that_goes_on_in_a_list_begins_with_no_code(stage: StrictStage) -> None:
    items = [f"    - w{number}. of the list\n" for number in range(1_000)]
    take(stage, TextDelta("1. Parent\n"), 1.0, *growing([*items, "2. Done."], pause=0.1))
    texts = stage.chat.texts()
    assert len(texts) > 3
    assert "code_block" not in {token.type for text in texts for token in MarkdownIt().parse(text)}
    assert "edit" not in writes(stage)
    assert words_of(stage) == [f"w{number}." for number in range(1_000)]
    assert texts[-1].endswith("\n2. Done.")


def test_a_message_has_one_table(stage: StrictStage) -> None:
    tables = [f"Look:\n\n| w{number}. | b |\n|---|---|\n| x | y |\n\n" for number in range(3)]
    take(stage, *growing(tables))
    assert [text.count("|---|") for text in stage.chat.texts()] == [1, 1, 1]
    assert "edit" not in writes(stage)
    assert words_of(stage) == ["w0.", "w1.", "w2."]


def test_a_message_has_no_more_blocks_than_slack_takes(stage: StrictStage) -> None:
    take(stage, *growing([f"# w{number}.\n\ntext\n\n" for number in range(60)], pause=0.5))
    assert all(text.count("#") <= 20 for text in stage.chat.texts())
    assert words_of(stage) == [f"w{number}." for number in range(60)]


def test_tasks_count_when_a_message_is_long_enough(stage: StrictStage) -> None:
    tools: list[Step] = [step for number in range(60) for step in (ToolUse("x" * 70 + str(number)), 1.0)]
    paragraphs = [f"w{number}. {'word ' * 60}\n\n" for number in range(20)]
    take(stage, *tools, *growing(paragraphs))
    assert len(stage.chat.texts()[0].encode()) < 3_500
    assert words_of(stage) == [f"w{number}." for number in range(20)]


# --- tools -------------------------------------------------------------------------------------------------


def tasks_of(stage: StrictStage) -> list[tuple[str, TaskStatus]]:
    return [(task.title, task.status) for chunk in stage.chat.chunks for task in chunk.tasks]


def test_a_tool_is_a_task_that_is_complete_when_the_agent_speaks(stage: StrictStage) -> None:
    take(stage, ToolUse("get_weather"), 3.0, TextDelta("It is sunny."), 3.0, Finished())
    assert tasks_of(stage) == [
        ("Get weather…", TaskStatus.IN_PROGRESS),
        ("Get weather…", TaskStatus.COMPLETE),
    ]
    assert stage.chat.texts() == ["It is sunny."]


def test_a_tool_gives_way_to_the_next(stage: StrictStage) -> None:
    take(stage, ToolUse("one"), 3.0, ToolUse("two"), 3.0, TextDelta("Done."), Finished())
    assert tasks_of(stage) == [
        ("One…", TaskStatus.IN_PROGRESS),
        ("One…", TaskStatus.COMPLETE),
        ("Two…", TaskStatus.IN_PROGRESS),
        ("Two…", TaskStatus.COMPLETE),
    ]


def test_a_tool_at_which_the_agent_failed_is_an_error(stage: StrictStage) -> None:
    take(stage, TextDelta("Let me see."), ToolUse("weather"), 3.0, Failed(Failure.DEPENDENCY, "x"))
    assert tasks_of(stage)[-1] == ("Weather…", TaskStatus.ERROR)
    assert "edit" not in writes(stage)


def test_a_tool_that_takes_longer_than_a_message_lives_goes_on_in_the_next(stage: StrictStage) -> None:
    take(stage, ToolUse("weather"), 300.0, TextDelta("It is sunny."), 3.0, Finished())
    assert stage.chat.texts() == ["…", "It is sunny."]
    assert [list(stream.tasks) for stream in stage.chat.stopped] == [["step-0"], ["step-0"]]
    last = [task.status for stream in stage.chat.stopped for task in stream.tasks.values()]
    assert last == [TaskStatus.COMPLETE, TaskStatus.COMPLETE]


def test_a_message_that_held_only_tasks_can_be_delivered_again(stage: StrictStage) -> None:
    stage.ledger.trouble["settle"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage, ToolUse("weather"), 300.0, TextDelta("It is sunny."), 3.0, Finished())
    deliver_until_settled(stage)
    assert stage.record.state is State.ANSWERED
    assert stage.chat.texts() == ["…", "It is sunny."]


def test_more_tasks_than_a_message_takes_lose_no_text(stage: StrictStage) -> None:
    script: list[Step] = []
    for number in range(300):
        script += [ToolUse(f"a-tool-with-quite-a-long-name-so-that-it-takes-room-{number}"), 2.0]
    take(stage, *script, *growing(spoken(100)))
    assert words_of(stage) == spoken(100, between="")
    assert not stage.chat.streams


def test_the_name_of_a_tool_notifies_nobody(stage: StrictStage) -> None:
    take(stage, ToolUse("<!channel> <@U1>"), 3.0, TextDelta("Done."), Finished())
    titles = " ".join(title for title, _ in tasks_of(stage))
    assert "hannel" in titles
    assert not re.search("<[!@]", titles)


# --- refusals ----------------------------------------------------------------------------------------------

TABLE = "| a | b |\n|--|--|\n| 1 | 2 |\n\n"
ANSWER = growing(["It is ", "sunny.\n\n", "```py\n", "x = 1\n", "```\n\n", TABLE, "Done."], 3.0)
ANSWER_TEXT = "It is sunny.\n\n```py\nx = 1\n```\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\nDone."


@pytest.mark.parametrize("trouble", TROUBLE, ids=str)
@pytest.mark.parametrize("skip", [0, 1, 3])
@pytest.mark.parametrize("method", ["start_stream", "append_stream", "stop_stream"])
def test_where_a_stream_is_refused_the_answer_goes_on_by_edits(
    stage: StrictStage, method: str, skip: int, trouble: Any
) -> None:
    stage.chat.trouble[method] = [*[None] * skip, *[trouble] * 20]
    if isinstance(trouble, ChatRateLimited) and method == "stop_stream":
        stage.chat.trouble[method] = stage.chat.trouble[method][: skip + 5]
    assert take(stage, *ANSWER).verdict is Verdict.ANSWERED
    assert stage.chat.texts()[-1] == ANSWER_TEXT
    # A stream that can be neither stopped nor edited is beyond help.
    assert len(stage.chat.texts()) == 1 + len(stage.chat.streams)
    assert not stage.chat.streams or (method == "stop_stream" and isinstance(trouble, ChatRefused))


@pytest.mark.parametrize("trouble", TROUBLE, ids=str)
@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("method", ["start_stream", "append_stream", "stop_stream"])
def test_a_long_answer_survives_a_refusal_between_its_messages(
    stage: StrictStage, method: str, skip: int, trouble: Any
) -> None:
    stage.chat.trouble[method] = [*[None] * skip, trouble]
    script = growing([f"w{number}. {'word ' * 100}\n\n" for number in range(60)])
    assert take(stage, *script).verdict is Verdict.ANSWERED
    assert words_of(stage) == [f"w{number}." for number in range(60)]
    assert not stage.chat.streams


def test_a_stream_that_expired_early_is_edited_to_its_end(stage: StrictStage) -> None:
    assert take(
        stage, TextDelta("It is "), 3.0, stage.chat.expire, TextDelta("sunny."), 3.0, Finished()
    ).verdict is (Verdict.ANSWERED)
    assert stage.chat.texts() == ["It is sunny."]


@pytest.mark.parametrize("code", ["message_not_in_streaming_state", "msg_too_long"])
def test_what_stands_is_never_hidden_by_a_placeholder(stage: StrictStage, code: str) -> None:
    stage.chat.trouble["append_stream"] = [ChatRefused(code)]
    stage.chat.trouble["edit"] = [ChatRateLimited(2)] * 3
    take(stage, TextDelta("It is "), 3.0, TextDelta("sunny"), 20.0, TextDelta("."), Finished())
    assert "Processing…" not in stage.chat.history("edit")
    assert stage.chat.texts() == ["It is sunny."]


def test_a_message_that_cannot_be_ended_for_its_age_keeps_its_text(stage: StrictStage) -> None:
    stage.chat.trouble["stop_stream"] = [ChatRefused("message_not_in_streaming_state")]
    take(stage, TextDelta("It is "), 280.0, TextDelta("sunny."), 3.0, Finished())
    assert "Processing…" not in stage.chat.history("edit")
    assert stage.chat.texts() == ["It is sunny."]


def test_a_start_whose_answer_got_lost_is_not_repeated(stage: StrictStage) -> None:
    stage.chat.trouble["start_stream"] = [(ChatUnavailable("timeout"), "after")]
    take(stage, TextDelta("It is "), 3.0, TextDelta("sunny."), 3.0, Finished())
    assert len(stage.chat.history("start_stream")) == 1
    assert stage.chat.texts() == ["It is sunny."]


def test_an_append_whose_answer_got_lost_is_not_repeated(stage: StrictStage) -> None:
    stage.chat.trouble["append_stream"] = [(ChatUnavailable("timeout"), "after")]
    take(stage, TextDelta("It "), 3.0, TextDelta("is "), 3.0, TextDelta("sunny."), 3.0, Finished())
    assert len(stage.chat.history("append_stream")) == 1
    assert stage.chat.texts() == ["It is sunny."]


def test_the_head_of_a_table_that_turns_into_a_file_is_not_streamed(stage: StrictStage) -> None:
    rows = "".join(f"{number} | x\n" for number in range(250))
    take(stage, TextDelta("Look:\n\nn | v\n"), 3.0, TextDelta("--|--\n"), 3.0, TextDelta(rows), Finished())
    assert stage.chat.texts() == ["Look:\n\n_The table (250 rows) is in the file table-1.csv._"]
    assert [file.name for file in stage.chat.files] == ["table-1.csv"]
    assert "edit" not in writes(stage)


# Behind another line that looks like a row, nobody can see that a line is a head.
TWO_LINES = "Look:\n\na | b\nn | v\n"


def test_words_that_turn_out_to_be_the_head_of_a_file_stay(stage: StrictStage) -> None:
    rows = "".join(f"{number} | x\n" for number in range(250))
    take(stage, TextDelta(TWO_LINES), 3.0, TextDelta("--|--\n"), 3.0, TextDelta(rows), 3.0, Finished())
    [text] = stage.chat.texts()
    assert text == f"{TWO_LINES}\n_The table (250 rows) is in the file table-1.csv._"
    assert stage.chat.files[0].data.decode("utf-8-sig").startswith("n,v\r\n0,x\r\n")
    assert "edit" not in writes(stage)


DATA = "| n | v |\n|---|---|\n" + "".join(f"| {number} | w{number}. |\n" for number in range(150))


@pytest.mark.parametrize("pause", [0.01, 3.0])
def test_a_data_table_is_a_message_between_two_streams(stage: StrictStage, pause: float) -> None:
    lines = [f"{line}\n" for line in DATA.splitlines()]
    script = [TextDelta("Look:\n\n"), 3.0, *growing([*lines, "\nDone. ", "Really."], pause)]
    assert take(stage, *script).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["Look:", DATA.strip(), "Done. Really."]
    assert "edit" not in writes(stage)
    assert stage.chat.files == []
    assert stage.chat.session == "active"


def test_a_data_table_is_posted_when_an_answer_ends_with_it(stage: StrictStage) -> None:
    take(stage, TextDelta("Look:\n\n"), 3.0, TextDelta(DATA), 3.0, Finished())
    assert stage.chat.texts() == ["Look:", DATA.strip()]
    assert writes(stage) == ["start_stream", "stop_stream", "post"]


def test_words_that_turn_out_to_be_the_head_of_a_data_table_are_put_right_by_edits(
    stage: StrictStage,
) -> None:
    rows = "".join(f"{number} | x\n" for number in range(150))
    end: list[Step] = [TextDelta("\nOk"), 3.0, Finished()]
    take(stage, TextDelta(TWO_LINES), 3.0, TextDelta(f"--|--\n{rows}"), 3.0, *end)
    assert stage.chat.texts() == ["Look:\n\na | b", f"n | v\n--|--\n{rows}".strip(), "Ok"]
    assert "edit" in writes(stage)


# --- a person presses Stop ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["append_stream", "stop_stream"])
def test_a_stream_that_a_person_stopped_is_left_as_it_is(stage: StrictStage, method: str) -> None:
    stage.chat.trouble[method] = [ChatStopped("stopped_by_user")]
    agent = ScriptedAgent(stage.clock, growing(spoken(9)))
    outcome = take(stage, agent=agent)
    assert outcome.verdict is Verdict.STOPPED
    assert stage.record.state is State.STOPPED
    assert writes(stage)[-1] == method
    assert agent.runs[0].cancelled
    assert take(stage, TextDelta("x"), Finished()).verdict is Verdict.DUPLICATE


def test_who_stops_while_an_answer_is_being_put_right_is_obeyed(stage: StrictStage) -> None:
    stage.chat.trouble["append_stream"] = [ChatUnavailable("503")]
    stage.chat.trouble["stop_stream"] = [ChatStopped("stopped_by_user")]
    assert take(stage, *growing(spoken(9))).verdict is Verdict.STOPPED
    assert stage.chat.texts() == ["w0."]


def test_a_stream_that_only_slack_knew_of_is_on_record_when_a_person_stops_it(stage: StrictStage) -> None:
    stage.chat.trouble["start_stream"] = [(Killed(), "after")]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage, TextDelta("It is "), 3.0, Finished())
    [stream] = stage.chat.streams
    assert not stage.record.reply
    stage.clock.sleep(61)
    stage.chat.trouble["stop_stream"] = [ChatStopped("stopped_by_user")]
    assert take(stage).verdict is Verdict.STOPPED
    assert [*stage.record.reply] == [stream]


def test_a_turn_that_was_stopped_and_taken_over_is_not_settled_twice(stage: StrictStage) -> None:
    def lose() -> None:
        stage.ledger.records[TURN.turn_id] = replace(stage.record, owner="somebody else")

    stage.chat.trouble["append_stream"] = [ChatStopped("stopped_by_user")]
    outcome = take(stage, TextDelta("It is "), 3.0, lose, TextDelta("sunny."), 3.0, Finished())
    assert outcome.verdict is Verdict.LEASE_LOST


# --- delivered again, asked again --------------------------------------------------------------------------


def test_a_retry_is_written_into_the_message_of_the_attempt_before(stage: StrictStage) -> None:
    take(stage, TextDelta("It is "), 3.0, Failed(Failure.CUT_OFF, "x"))
    take(stage, 1.0, *growing(["It is ", "rainy."], 3.0), turn=next_attempt(TURN))
    assert stage.chat.history("start_stream") == ["It is"]
    assert "Processing…" in stage.chat.history("edit")
    assert stage.chat.texts() == ["It is rainy."]


def test_a_failure_offers_to_be_asked_again_below_the_stream(stage: StrictStage) -> None:
    take(stage, TextDelta("It is "), 3.0, Failed(Failure.CUT_OFF, "x"))
    [part] = stage.chat.messages.values()
    assert part.buttons
    assert part.markdown.startswith("It is\n\n:warning:")
    assert writes(stage) == ["start_stream", "stop_stream"]


def _scripts() -> Iterator[tuple[str, list[Step]]]:
    yield "short", growing(spoken(6), 3.0)
    yield "long", growing([f"w{number}. {'word ' * 200}\n\n" for number in range(20)], 3.0)
    yield "old", growing(spoken(6), 100.0)
    yield "tools", [ToolUse("weather"), 250.0, *growing(spoken(3), 3.0)]


@pytest.mark.parametrize("name", [name for name, _ in _scripts()])
def test_a_crash_at_any_call_leaves_no_open_stream(name: str) -> None:
    script = dict(_scripts())[name]
    for number in range(1000):
        stage = StrictStage()
        points = iter(range(100_000))

        def die(points: Iterator[int] = points, number: int = number) -> None:
            if next(points) == number:
                raise Killed

        stage.chat.before_each = die
        try:
            take(stage, *script)
        except Killed:
            deliver_until_settled(stage)
            assert not stage.chat.streams, f"died at {number}"
            assert stage.chat.session == "active", f"died at {number}"
            assert list(stage.chat.messages) == list(stage.record.reply), f"died at {number}"
        else:
            assert number > 5
            return
    raise AssertionError("the script never ends")


def test_a_message_that_is_left_over_is_taken_back_for_certain(stage: StrictStage) -> None:
    with pytest.raises(Killed):
        take(stage, *growing([f"w{number}. {'word ' * 200}\n\n" for number in range(20)])[:-1], kill)
    assert len(stage.chat.streams) == 1
    assert len(stage.chat.messages) > 1
    stage.clock.sleep(61)
    stage.chat.trouble["delete"] = [ChatRateLimited(1), ChatUnavailable("503")]
    stage.chat.trouble["stop_stream"] = [ChatRateLimited(1)]
    assert take(stage, TextDelta("x"), Finished()).verdict is Verdict.INTERRUPTED
    assert len(stage.chat.texts()) == 1
    assert not stage.chat.streams


def test_a_worker_that_lost_its_lease_writes_nothing_more(stage: StrictStage) -> None:
    def sleep() -> None:
        stage.clock.sleep(61)
        take(stage, TextDelta("x"), Finished())

    agent = ScriptedAgent(
        stage.clock, [TextDelta("It is "), 3.0, sleep, TextDelta("sunny."), 3.0, Finished()]
    )
    assert take(stage, agent=agent).verdict is Verdict.LEASE_LOST
    assert agent.runs[0].cancelled
    [text] = stage.chat.texts()
    assert text.startswith(":warning:")
    assert not stage.chat.streams


def test_the_lease_is_kept_while_a_burst_goes_out(stage: StrictStage) -> None:
    stage.chat.latency = 4.0
    take(stage, TextDelta("First. "), 3.0, TextDelta("".join(spoken(20_000))), 400.0, Finished())
    times = [name for name, _ in stage.ledger.writes].count("renew")
    assert times > 5
    assert words_of(stage) == spoken(20_000, between="")


def test_a_stream_that_broke_off_is_not_told_again_beside_itself_while_slack_takes_no_edits(
    stage: StrictStage,
) -> None:
    stage.chat.trouble["append_stream"] = [ChatUnavailable("timeout")]
    stage.chat.trouble["edit"] = [ChatRateLimited(30)] * 2
    take(stage, *growing(spoken(4)))
    assert writes(stage).count("post") == 0
    assert words_of(stage) == [f"w{index}." for index in range(4)]
