"""The owed text while Slack refuses it: it lands in a form that Slack shows, or is explained."""

import pytest

from functions.bridge.agents.events import Finished, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.ledger.record import State
from functions.bridge.markdown.tables import Table, in_parts
from functions.bridge.replies.chat import ChatRefused, Message
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import take
from tests.functions.fakes import Stage


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
