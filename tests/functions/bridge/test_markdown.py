import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.markdown import disarm, plain, preview, size, split

LIMIT = 400


def test_a_short_text_is_one_message() -> None:
    assert split("Hello **world**") == ["Hello **world**"]


def test_a_long_text_is_cut_between_paragraphs() -> None:
    paragraphs = [f"Paragraph {number}. " + "word " * 30 for number in range(6)]
    messages = split("\n\n".join(paragraphs), limit=LIMIT)
    assert all(message.startswith("Paragraph") for message in messages)
    assert " ".join("\n\n".join(messages).split()) == " ".join("\n\n".join(paragraphs).split())


def test_a_table_is_cut_between_rows() -> None:
    rows = [f"| row {number} | {'x' * 40} |" for number in range(30)]
    messages = split("\n".join(rows), limit=LIMIT)
    assert [row for message in messages for row in message.splitlines()] == rows


def test_a_code_block_is_closed_and_opened_again() -> None:
    code = "\n".join(f"print({number:04})" for number in range(100))
    messages = split(f"Look:\n\n```python\n{code}\n```\n\nDone.", limit=LIMIT)
    assert len(messages) > 2
    assert messages[0].endswith("\n```")
    assert messages[1].startswith("```python\nprint(")
    printed = re.findall(r"print\(\d+\)", "\n".join(messages))
    assert printed == code.splitlines()


def test_a_fence_inside_a_longer_fence_does_not_close_it() -> None:
    inner = "\n".join(["```", *(["text"] * 100), "```"])
    messages = split(f"````markdown\n{inner}\n````", limit=LIMIT)
    assert all(message.startswith("````markdown\n") and message.endswith("\n````") for message in messages)


def test_a_word_longer_than_a_message_is_cut_anywhere() -> None:
    assert "".join(split("x" * 1000, limit=LIMIT)) == "x" * 1000


def test_an_emoji_counts_as_two_and_is_never_cut_in_half() -> None:
    messages = split("🌦" * 500, limit=LIMIT)
    assert all(size(message) <= LIMIT for message in messages)
    assert "".join(messages) == "🌦" * 500


@pytest.mark.parametrize(
    "text", ["`" * 12_000, "~" * 12_000, "`" * 2_000 + "\n" + "x" * 12_000, "```\n" * 9_000]
)
def test_runs_of_fence_characters_are_cut_to_size_too(text: str) -> None:
    messages = split(text)
    assert all(size(message) <= 11_000 for message in messages)
    assert len(messages) < 9


def test_code_in_one_line_is_no_open_fence() -> None:
    assert preview("```x = 1``` is how you assign") == "```x = 1``` is how you assign"


def test_blank_lines_are_no_message() -> None:
    assert split("a\n" + " \n" * 12_000 + "b") == ["a", "b"]


text_with_structure = st.lists(
    st.sampled_from(
        [
            "word",
            "a longer piece of text ",
            "\n",
            "\n\n",
            "```",
            "```py\n",
            "~~~~\n",
            "| a | b |\n",
            "🌦é",
            "- item\n",
        ]
    )
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30),
    max_size=200,
).map("".join)


@given(text_with_structure)
def test_every_message_fits_and_nothing_is_left_out(text: str) -> None:
    messages = split(text, limit=LIMIT)
    assert all(size(message) <= LIMIT for message in messages)

    def letters(markdown: str) -> str:
        return re.sub(r"[`~\s]|py", "", markdown)  # all but what is repeated around a cut

    assert letters("".join(messages)) == letters(text)


@given(text_with_structure)
def test_a_growing_text_fits_into_one_message_and_leaves_no_code_block_open(text: str) -> None:
    shown = preview(text, limit=LIMIT)
    assert size(shown) <= LIMIT
    # A code block left open would swallow what follows it.
    assert preview(f"{shown}\n\nend", limit=10 * LIMIT).endswith("end")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It is <", "It is "),
        ("It is <https://exam", "It is "),
        ("Is 1 < 2? Yes", "Is 1 < 2? Yes"),
        ("| a | b |\n| --- | --- |\n| 1 |", "| a | b |\n| --- | --- |"),
        ("```python\nprint(1)", "```python\nprint(1)\n```"),
        ("```python\nprint(1)\n```\nDone", "```python\nprint(1)\n```\nDone"),
    ],
)
def test_a_growing_text_shows_nothing_half(text: str, shown: str) -> None:
    assert preview(text) == shown


@pytest.mark.parametrize(
    "mention",
    [
        "<!channel>",
        "<!here|here>",
        "<!everyone>",
        "<!subteam^S123>",
        "<!Channel>",
        "<@U123>",
        "<@w123|x>",
        "<#C123>",
    ],
)
def test_a_mention_notifies_nobody(mention: str) -> None:
    disarmed = disarm(f"Hey {mention}!")
    assert mention not in disarmed
    assert disarmed.replace("\u200b", "") == f"Hey {mention}!"


@pytest.mark.parametrize(
    "harmless",
    [
        "1 < 2",
        "a <- b",
        "<https://a.example|x>",
        "<!DOCTYPE html>",
        "<!-- note -->",
        "#include <stdio.h>",
        "a<@ b",
    ],
)
def test_other_angle_brackets_stay_as_they_are(harmless: str) -> None:
    assert disarm(harmless) == harmless


@given(st.text(alphabet="<!@#UC1channelhere>|^subteam \u200b"))
def test_no_mention_is_left_in_any_text(text: str) -> None:
    assert not re.search(r"<(@[UW]\w|#C\w|!(channel|here|everyone|subteam))", disarm(text))


def test_a_notification_is_one_short_escaped_line() -> None:
    assert plain("# A\n\nb <c> & d") == "# A b &lt;c&gt; &amp; d"
    assert len(plain("x" * 1000)) == 300
