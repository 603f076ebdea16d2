"""The style in which a placeholder is edited into the answer."""

import pytest

from functions.bridge.agents.events import Finished, TextDelta, ToolUse
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.replies.chat import ChatRateLimited, Message
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import PARAGRAPHS, THREE_MESSAGES, take
from tests.functions.bridge.texts import words
from tests.functions.fakes import Stage, Step

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
