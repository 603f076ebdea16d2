"""Short answers that would become many messages, each of which notifies whoever follows the thread."""

import re

import pytest

from functions.bridge.agents.events import Failed, Finished, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.ledger.record import State
from functions.bridge.replies.chat import ChatRefused, ChatUnavailable, ChatUndone
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import AGAIN, Killed, kill, take
from tests.functions.fakes import Stage, Step

MOST = 10
# Each of these is a block of its own, and a message takes 40.
RULES = "".join(f"w{number}\n\n---\n\n" for number in range(800))
WORDS = [f"w{number}" for number in range(800)]
PIECES: list[Step] = [
    step for at in range(0, len(RULES), 300) for step in (TextDelta(RULES[at : at + 300]), 2.0)
]


def words_of(stage: Stage) -> list[str]:
    """What was said, in order: in the messages and then in the files."""
    files = [file.data.decode() for file in stage.chat.files]
    return re.findall(r"w\d+", "\n".join([*stage.chat.texts(), *files]))


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize(
    "script", [[TextDelta(RULES), Finished()], [*PIECES, Finished()]], ids=["whole", "grown"]
)
def test_an_answer_has_ten_messages_at_most_and_the_rest_is_a_file(
    stage: Stage, style: Style, script: list[Step]
) -> None:
    assert take(stage, *script, options=ReplyOptions(style=style)).verdict is Verdict.ANSWERED
    assert len(stage.chat.texts()) == MOST
    [file] = stage.chat.files
    assert (file.name, file.media_type) == ("answer.md", "text/markdown")
    assert stage.chat.texts()[-1].endswith("_The answer is long. It goes on in the file answer.md._")
    assert words_of(stage) == WORDS


@pytest.mark.parametrize("style", Style)
def test_a_growing_answer_has_ten_messages_at_most(stage: Stage, style: Style) -> None:
    standing: list[int] = []

    def look() -> None:
        standing.append(len(stage.chat.texts()))

    script: list[Step] = [step for piece in PIECES for step in (piece, look)]
    take(stage, *script, Finished(), options=ReplyOptions(style=style))
    assert max(standing) == MOST
    assert len(stage.chat.history("post") + stage.chat.history("start_stream")) == MOST


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("most", [1, 2])
def test_the_operator_may_set_fewer_messages(stage: Stage, style: Style, most: int) -> None:
    take(stage, *PIECES, Finished(), options=ReplyOptions(style=style, max_messages=most))
    assert len(stage.chat.texts()) == most
    assert words_of(stage) == WORDS


@pytest.mark.parametrize("style", Style)
def test_why_an_answer_is_incomplete_stands_in_the_last_message(stage: Stage, style: Style) -> None:
    take(stage, *PIECES, Failed(Failure.CUT_OFF, "gone"), options=ReplyOptions(style=style))
    assert len(stage.chat.texts()) == MOST
    assert "The connection to the agent broke" in stage.chat.texts()[-1]
    assert words_of(stage)[-1] == WORDS[-1]


def test_an_explanation_alone_makes_no_file(stage: Stage) -> None:
    text = "\n\n---\n\n".join(["w"] * (MOST * 20))  # as many blocks as ten messages take
    take(stage, TextDelta(text), Failed(Failure.CUT_OFF, "gone"))
    assert len(stage.chat.texts()) == MOST
    assert "The connection to the agent broke" in stage.chat.texts()[-1]
    assert stage.chat.files == []


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("method", ["post", "edit", "upload"])
def test_the_file_lands_though_the_worker_dies(stage: Stage, style: Style, method: str) -> None:
    calls = 0
    before = getattr(stage.chat, method)

    def dies_at_the_third(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == (1 if method == "upload" else 3):
            kill()
        return before(*arguments)

    setattr(stage.chat, method, dies_at_the_third)
    script: list[Step] = [TextDelta(RULES), Finished()]
    try:
        take(stage, *script, options=ReplyOptions(style=style))
    except Killed:
        stage.chat.expire()
        stage.clock.sleep(61)
        take(stage, TextDelta("not asked again"), Finished(), options=ReplyOptions(style=style))
    assert stage.record.state is State.ANSWERED
    assert len(stage.chat.texts()) == MOST
    assert words_of(stage) == WORDS
    assert len(stage.chat.files) == 1


def test_a_file_that_slack_does_not_take_at_first_is_sent_again(stage: Stage) -> None:
    stage.chat.trouble["upload"] = [ChatUndone("503"), ChatUndone("503")]
    take(stage, TextDelta(RULES), Finished())
    assert words_of(stage) == WORDS


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (ChatRefused("missing_scope"), "Slack did not take this file of the agent's: “answer.md”."),
        (ChatUnavailable("timeout"), "Files of the agent's may be missing here: “answer.md”."),
    ],
)
def test_a_file_that_may_be_missing_is_said_to_be(stage: Stage, trouble: Exception, words: str) -> None:
    stage.chat.trouble["upload"] = [trouble]
    assert take(stage, TextDelta(RULES), Finished()).verdict is Verdict.ANSWERED
    assert len(stage.chat.history("upload")) == 1
    assert words in stage.chat.texts()[-1].replace("\\", "")


def test_the_next_attempt_has_ten_messages_too(stage: Stage) -> None:
    take(stage, TextDelta(RULES), Failed(Failure.CUT_OFF, "gone"))
    take(stage, TextDelta(RULES), Finished(), turn=AGAIN)
    assert len(stage.chat.texts()) == MOST


def test_what_slack_refuses_in_every_size_makes_twice_as_many_messages_at_most(stage: Stage) -> None:
    stage.chat.trouble["post"] = [ChatRefused("invalid_blocks")] * 1000
    text = "word " * 20_000
    take(stage, TextDelta(text), Finished())
    assert max(len(record.owed) for _, record in stage.ledger.writes) <= 2 * MOST
    assert len(stage.chat.texts()) <= 2 * MOST


def test_tables_make_ten_files_at_most(stage: Stage) -> None:
    table = "|".join(["h"] * 21) + "\n" + "|".join(["-"] * 21) + "\n" + "|".join(["```"] * 21) + "\n\n"
    take(stage, TextDelta(table * 30), Finished())
    csv = [file for file in stage.chat.files if file.media_type == "text/csv"]
    assert len(csv) == 10
    assert "\n".join(stage.chat.texts()).count("h|h") == 20 * 20 // 2


def test_a_turn_that_is_settled_keeps_no_rest(stage: Stage) -> None:
    take(stage, TextDelta(RULES), Finished())
    assert stage.record.owed == ()
    assert stage.record.rest == ""
