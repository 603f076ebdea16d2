"""Writing a reply while Slack refuses, fails and forgets: what must land lands once, in order."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from functions.bridge.agents.events import Failed, Finished, TextDelta, ToolUse
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import State
from functions.bridge.markdown.tables import Table, in_parts
from functions.bridge.replies.chat import ChatRateLimited, ChatRefused, ChatUnavailable, Message
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import AGAIN, SUNNY, Killed, take
from tests.functions.fakes import TURN, ScriptedAgent, Stage, Step, next_attempt

PARAGRAPHS = [f"Paragraph {number}. " + "word " * 200 for number in range(30)]
THREE_MESSAGES: list[Step] = [TextDelta("\n\n".join(PARAGRAPHS)), Finished()]


class Dying:
    """A port whose process dies at the call number `dies_at`, before or after it had its effect."""

    def __init__(self, port: Any, dies_at: int, *, after: bool) -> None:
        self._port = port
        self._left = dies_at
        self._after = after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            result = method(*arguments, **options)
            if self._left == 0:
                raise Killed
            return result

        return call


def words(texts: list[str]) -> list[str]:
    return " ".join(texts).split()


# --- several messages ---------------------------------------------------------------------------------------


def test_a_long_answer_arrives_complete_and_in_order(stage: Stage) -> None:
    sentences = [f"Sentence number {number}." for number in range(3000)]
    take(stage, TextDelta("\n\n".join(sentences)), Finished())
    assert len(stage.chat.texts()) > 4
    assert "\n\n".join(stage.chat.texts()).split("\n\n") == sentences


def test_a_long_answer_grows_over_several_messages_with_one_call_each_at_a_time(stage: Stage) -> None:
    script: list[Step] = []
    for number in range(60):
        script += [TextDelta(f"Paragraph {number}. " + "word " * 150 + "\n\n"), 1.0]
    at: list[tuple[float, int]] = []
    edit, post = stage.chat.edit, stage.chat.post

    def noting_edit(ts: str, message: Message) -> None:
        at.append((stage.clock.now(), message.number))
        edit(ts, message)

    def noting_post(message: Message) -> str:
        at.append((stage.clock.now(), message.number))
        return post(message)

    stage.chat.edit, stage.chat.post = noting_edit, noting_post  # type: ignore[method-assign]
    take(stage, *script, Finished())
    assert len(stage.chat.texts()) > 3
    assert len(at) == len(set(at))
    assert len([number for _, number in at if number == 0]) < 10  # a message that is full is left alone
    words = " ".join(" ".join(stage.chat.texts()).split())
    assert words == " ".join(f"Paragraph {number}. " + "word " * 149 + "word" for number in range(60))


def test_an_answer_is_heard_to_its_end_while_the_ledger_takes_no_progress(stage: Stage) -> None:
    def ledger_fails() -> None:
        stage.ledger.trouble["advance"] = [ServiceUnavailable("down")] * 100

    def ledger_works() -> None:
        stage.ledger.trouble.clear()

    script: list[Step] = [ledger_fails, *THREE_MESSAGES[:-1], 200.0, ledger_works, Finished()]
    assert take(stage, *script).verdict is Verdict.ANSWERED
    assert words(stage.chat.texts()) == words(PARAGRAPHS)


@pytest.mark.parametrize("beginning", ["```", "<", "|", "`", "<!--"])
def test_an_answer_that_begins_with_nothing_to_show_leaves_the_placeholder(
    stage: Stage, beginning: str
) -> None:
    seen: list[list[str]] = []
    look = lambda: seen.append(stage.chat.texts())  # noqa: E731
    take(stage, TextDelta(beginning), 3.0, look, TextDelta("x"), Finished())
    assert seen == [["Processing…"]]
    assert stage.chat.history("delete") == []


# --- a crowd in one workspace -------------------------------------------------------------------------------


def test_the_first_text_does_not_wait_until_slack_takes_edits_again(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(30), ChatRateLimited(29)]
    seen: list[list[str]] = []
    script: list[Step] = [
        ToolUse("weather"), 1.0, TextDelta("It is "), 1.0, lambda: seen.append(stage.chat.texts()),
        TextDelta("sunny"), 60.0, lambda: seen.append(stage.chat.texts()), TextDelta("."), Finished(),
    ]  # fmt: skip
    outcome = take(stage, *script)
    assert outcome.first_text_seconds is not None
    assert outcome.first_text_seconds < 2
    assert seen == [["Processing…", "It is"], ["It is sunny"]]
    assert stage.chat.texts() == ["It is sunny."]
    assert list(stage.chat.messages) == list(stage.record.reply)


def test_a_first_text_that_stands_apart_becomes_the_second_message_of_a_long_answer(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(5)]
    take(stage, TextDelta("First. "), 1.0, *THREE_MESSAGES[:-1], 30.0, Finished())
    assert len(stage.chat.texts()) == 3
    assert words(stage.chat.texts()) == words(["First.", *PARAGRAPHS])
    assert stage.chat.history("delete") == []


# --- refusals -----------------------------------------------------------------------------------------------


def test_an_answer_of_many_short_sections_is_shown_in_pieces(stage: Stage) -> None:
    # Slack counts each heading and each paragraph: fifty in a message.
    sections = [f"## Term {number}\n\nWhat it means." for number in range(120)]

    def refuse(markdown: str) -> None:
        if markdown.count("## ") * 2 > 50:
            raise ChatRefused("msg_blocks_too_many")

    edit, post = stage.chat.edit, stage.chat.post

    def strict_edit(ts: str, message: Message) -> None:
        refuse(message.markdown)
        edit(ts, message)

    def strict_post(message: Message) -> str:
        refuse(message.markdown)
        return post(message)

    stage.chat.edit, stage.chat.post = strict_edit, strict_post  # type: ignore[method-assign]
    assert take(stage, TextDelta("\n\n".join(sections)), Finished()).verdict is Verdict.ANSWERED
    assert "\n\n".join(stage.chat.texts()) == "\n\n".join(sections)


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long"])
def test_a_data_table_that_slack_refuses_is_cut_into_tables_in_markdown(stage: Stage, code: str) -> None:
    def check(message: Message) -> None:
        if any(isinstance(piece, Table) for piece in in_parts(message.markdown)):
            raise ChatRefused(code)

    post, edit = stage.chat.post, stage.chat.edit
    stage.chat.post = lambda message: (check(message), post(message))[1]  # type: ignore[method-assign,func-returns-value]
    stage.chat.edit = lambda ts, message: (check(message), edit(ts, message))[1]  # type: ignore[method-assign,func-returns-value]
    rows = [f"| {number} | x |" for number in range(200)]
    head = "| n | v |\n|---|---|"
    outcome = take(stage, TextDelta("\n".join(["Look:\n", head, *rows, "\nDone."])), 9.0, Finished())
    assert (outcome.verdict, outcome.detail) == (Verdict.ANSWERED, f"Slack refused the text: {code}")
    texts = stage.chat.texts()
    assert (texts[0], texts[-1]) == ("Look:", "Done.")
    assert all(text.startswith(head) for text in texts[1:-1])
    assert [line for text in texts[1:-1] for line in text.split("\n")[2:]] == rows


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
    assert outcome.detail == "Slack refused the text: invalid_blocks"
    [text] = stage.chat.texts()
    assert "cannot be shown in Slack" in text


def test_a_refusal_that_nobody_foresaw_is_explained_and_offers_retry(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRefused("a_new_rule_of_slacks")]
    outcome = take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished())
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.NOT_SHOWABLE)
    [message] = stage.chat.messages.values()
    assert "cannot be shown in Slack" in message.markdown
    assert message.buttons


@pytest.mark.parametrize("code", ["channel_not_found", "is_archived", "message_not_found"])
def test_a_thread_that_is_gone_ends_the_turn_quietly(stage: Stage, code: str) -> None:
    stage.chat.trouble["edit"] = [ChatRefused(code), ChatRefused(code)]
    outcome = take(stage)
    assert (outcome.verdict, outcome.detail) == (Verdict.REFUSED_BY_SLACK, code)
    assert outcome.retry_in_seconds is None
    assert stage.record.state is State.FAILED


# --- messages that cannot be edited any more ----------------------------------------------------------------


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
def test_an_answer_that_can_no_longer_be_edited_in_is_posted(stage: Stage, code: str) -> None:
    stage.chat.trouble["edit"] = [None, ChatRefused(code)]
    assert take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished()).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["Sunny."]


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message", "block_mismatch"])
def test_the_post_that_replaces_an_uneditable_message_may_get_lost(stage: Stage, code: str) -> None:
    stage.chat.trouble["edit"] = [ChatRefused(code)] * 9
    stage.chat.trouble["post"] = [None, ChatUnavailable("reset")]
    assert take(stage, 1.0, *SUNNY).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_an_uneditable_message_that_slack_keeps_is_left_standing(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRefused("cant_update_message")] * 9
    stage.chat.trouble["delete"] = [ChatRefused("cant_delete_message")] * 9
    stage.chat.trouble["post"] = [None, ChatUnavailable("reset")]
    assert take(stage, 1.0, *SUNNY).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["Processing…", "It is sunny."]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("said", ["It is sunny.", "\n\n".join(PARAGRAPHS)], ids=["one message", "three"])
@pytest.mark.parametrize("dies_at", range(1, 25))
def test_a_crash_while_messages_are_replaced_neither_loses_nor_repeats(
    stage: Stage, said: str, after: bool, dies_at: int
) -> None:
    def freeze_all() -> None:
        stage.chat.frozen.update(stage.chat.messages)

    agent = ScriptedAgent(stage.clock, [TextDelta(said), 3.0, freeze_all, TextDelta(" End."), Finished()])
    ports = stage.ports
    stage.ports = replace(ports, chat=Dying(stage.chat, dies_at, after=after))
    try:
        take(stage, agent=agent)
    except Killed:
        stage.clock.sleep(61)
        stage.ports = ports
        take(stage, agent=agent)
    assert len(agent.questions) == 1 or dies_at == 1  # it looks for the asker's name
    if stage.record.state is State.ANSWERED:
        assert words(stage.chat.texts()) == words([said, "End."])
    else:
        [text] = stage.chat.texts()
        assert "was not asked again" in text


def test_messages_stay_in_order_when_the_first_is_replaced(stage: Stage) -> None:
    def freeze() -> None:
        stage.chat.frozen.add(min(stage.chat.messages, key=float))

    take(stage, *THREE_MESSAGES[:-1], 3.0, freeze, TextDelta(" End."), Finished())
    assert len(stage.chat.texts()) == 3
    assert words(stage.chat.texts()) == words([*PARAGRAPHS, "End."])


# --- taking messages back -----------------------------------------------------------------------------------


def interrupted_after_three_messages(stage: Stage) -> None:
    take(stage, *THREE_MESSAGES[:-1], Failed(Failure.CUT_OFF, "cut"))
    assert len(stage.chat.texts()) == 3


def test_a_retry_with_a_shorter_answer_takes_back_the_rest_of_the_longer_one(stage: Stage) -> None:
    take(stage, TextDelta("\n\n".join(["A sentence."] * 3000)), Failed(Failure.CUT_OFF, "x"))
    assert len(stage.chat.texts()) > 2
    take(stage, turn=next_attempt(TURN))
    assert stage.chat.texts() == ["It is sunny."]
    assert (stage.record.reply, stage.record.intended) == (stage.record.reply[:1], 1)


def test_the_messages_of_an_earlier_attempt_make_way_for_the_new_answer(stage: Stage) -> None:
    take(stage, *THREE_MESSAGES[:-1], Failed(Failure.CUT_OFF, "cut"))
    before = len(stage.chat.texts())
    again = replace(TURN, text="", attempt=2)
    seen: list[int] = []
    take(stage, TextDelta("It is"), 3.0, lambda: seen.append(len(stage.chat.texts())), Finished(), turn=again)
    assert (before, seen) == (3, [1])
    assert stage.chat.texts() == ["It is"]


def test_a_first_text_whose_removal_nobody_confirmed_may_be_followed_by_a_long_answer(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(2)]
    stage.chat.trouble["delete"] = [(ChatUnavailable("timeout"), "after")]
    take(stage, TextDelta("First. "), 5.0, *THREE_MESSAGES[:-1], 5.0, Finished())
    assert words(stage.chat.texts()) == words(["First.", *PARAGRAPHS])


@pytest.mark.parametrize("trouble", [ChatRateLimited(1), ChatUnavailable("503")])
def test_an_attempt_that_cannot_be_taken_back_at_once_makes_way_all_the_same(
    stage: Stage, trouble: Exception
) -> None:
    interrupted_after_three_messages(stage)
    stage.chat.trouble["delete"] = [None, trouble]
    script: list[Step] = [TextDelta("First. "), 2.0, *THREE_MESSAGES[:-1], 5.0, Finished()]
    assert take(stage, *script, turn=AGAIN).verdict is Verdict.ANSWERED
    assert words(stage.chat.texts()) == words(["First.", *PARAGRAPHS])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", range(1, 20))
def test_a_crash_while_an_attempt_is_taken_back_leaves_one_outcome_in_order(
    stage: Stage, after: bool, dies_at: int
) -> None:
    interrupted_after_three_messages(stage)
    stage.chat.frozen.add(min(stage.chat.messages, key=float))
    ports = stage.ports
    stage.ports = replace(ports, chat=Dying(stage.chat, dies_at, after=after))
    agent = ScriptedAgent(stage.clock, [TextDelta("New. "), 2.0, *THREE_MESSAGES[:-1], 5.0, Finished()])
    with suppress(Killed):
        take(stage, agent=agent, turn=AGAIN)
    stage.ports = ports
    stage.clock.sleep(61)
    take(stage, agent=agent, turn=AGAIN)
    assert list(stage.chat.messages) == list(stage.record.reply)
    if stage.record.state is State.ANSWERED:
        assert words(stage.chat.texts()) == words(["New.", *PARAGRAPHS])
    else:
        assert len(stage.chat.texts()) == 1
