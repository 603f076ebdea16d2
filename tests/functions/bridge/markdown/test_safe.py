import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from functions.bridge.markdown.safe import clean, closed, disarm, escape, plain, preview, steady
from tests.functions.bridge.texts import text_with_structure


def test_code_in_one_line_is_no_open_fence() -> None:
    assert preview("```x = 1``` is how you assign") == "```x = 1``` is how you assign"


@given(text_with_structure)
def test_a_growing_text_leaves_no_code_block_open(text: str) -> None:
    # One left open would swallow what follows it.
    assert preview(f"{preview(text)}\n\nend").endswith("end")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It is <", "It is"),
        ("It is <https://exam", "It is"),
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
        "<@USLACKBOT>",
        "<@W1|a label>",
        r"<\!channel>",
        r"<!\channel>",
        r"\<\@U123\>",
        r"<!subteam\^S123>",
        r"<@U123\|x>",
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
        "<#C123>",
        "<#if user??>",
        "<#list items as i>",
        "<@macro x=1/>",
        "<@layout>",
        "<@base|x>",
        "a <@ARRAY[1]",
        "r <@int4range(1,5)",
        "x <@U123",
    ],
)
def test_other_angle_brackets_stay_as_they_are(harmless: str) -> None:
    assert disarm(harmless) == harmless


MENTION = re.compile(r"<(@[UW][A-Z0-9]+[|>]|!(channel|here|everyone|subteam))")


@given(
    st.lists(
        st.sampled_from(["<!", "<@", "channel", "here", "subteam^", "U1", "W", "B2C"])
        | st.text(alphabet="<!@#UC1>|^\\ \u200b", max_size=3)
    ).map("".join)
)
def test_no_mention_is_left_in_any_text(text: str) -> None:
    for safe in (disarm(text), escape(text)):
        assert not MENTION.search(re.sub(r"\\([^\w\s])", r"\1", safe))


def test_escaping_a_mention_disarms_it() -> None:
    assert escape("<!channel>") == "\\<\u200b\\!channel\\>"
    assert escape("<\x00@U123>") == "\\<\u200b@U123\\>"


def test_a_notification_is_one_short_escaped_line() -> None:
    assert plain("# A\n\nb <c> & d") == "# A b &lt;c&gt; &amp; d"
    assert len(plain("x" * 1000)) == 300


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("word \n\n", "word"),
        ("```\nx = 1", "```\nx = 1\n```"),
        ("```\nx = 1\n```", "```\nx = 1\n```"),
        ("```\nx = 1\n```  \n\n", "```\nx = 1\n```"),
        ("```", "```\n```"),
        ("~~~~py\nx\n~~~", "~~~~py\nx\n~~~\n~~~~"),
        ("````\n```\n````", "````\n```\n````"),
        ("```\nx\n> ```", "```\nx\n> ```\n```"),  # what looks like its end is code
        ("```\nx\n      ```", "```\nx\n      ```\n```"),
        ("- a\n\n  ```\n  x", "- a\n\n  ```\n  x\n  ```"),
        ("> ```\n> x", "> ```\n> x\n> ```"),
        ("> ```\n> x\nafter", "> ```\n> x\nafter"),
        ("```\r\nx\r\n```\r\n", "```\r\nx\r\n```"),
        *((f"```\n```{space}", "```\n```") for space in "\xa0\x85\u2003\u3000\u2028\x0b\x0c"),
        ("```\nx\xa0", "```\nx\n```"),
    ],
)
def test_a_text_is_closed_so_that_something_else_can_follow(text: str, complete: str) -> None:
    assert closed(text) == complete


@given(text_with_structure)
def test_whatever_follows_a_closed_text_is_no_code(text: str) -> None:
    *_, paragraph, _ = MarkdownIt().parse(f"{closed(clean(text))}\n\n:warning: Cut off.")
    assert paragraph.content.endswith(":warning: Cut off.")


@pytest.mark.parametrize(
    ("growing", "shown"),
    [
        ("Look:\n`", "Look:\n"),
        ("Look:\n``", "Look:\n"),
        ("Look:\n```py", "Look:\n"),
        ("Look:\n```py\n", "Look:\n```py\n"),
        ("- ~~", ""),
        ("Look:\n`x` is", "Look:\n`x` is"),
        ("Hey <!chan", "Hey "),
        ("Hey <@", "Hey "),
        ("| a | b |\n|-", ""),
        ("| a | b |\n|---|---|\n| 1", "| a | b |\n|---|---|\n"),
        ("a | b\n--- | ---\n1 | ", "a | b\n--- | ---\n"),
        ("x\n\nName | Age", "x\n\n"),
        ("x\n\nName | Age\n", "x\n\n"),
        ("x\n\nName | Age\n-", "x\n\n"),
        ("x\n\nName | Age\n--- | :-", "x\n\n"),
        ("x\n\nName | Age\nor", "x\n\nName | Age\nor"),
        ("> Name | Age\n> --", ""),
        ("- Name | Age\n  --", ""),
        ("1. | a", ""),
        ("Run `a | b` and", "Run `a | b` and"),
        ("Run `a | b`", ""),  # a longer row of backticks would not end it
        (r"1 \| 2", r"1 \| 2"),
        (r"1 \\| 2", ""),
        ("Hey <@U" + "1" * 300, "Hey "),
    ],
)
def test_what_is_steady_has_nothing_half_at_its_end(growing: str, shown: str) -> None:
    assert steady(growing) == shown


@pytest.mark.parametrize("hidden", ["<\x00!channel>", "<!ch\x07annel>", "<@\x1bU123>", "\x7f<!here>"])
def test_control_characters_hide_no_mention(hidden: str) -> None:
    text = disarm(clean(hidden))
    assert not re.search(r"<[!@]", text)
    assert not re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text)


def test_lines_end_in_one_way() -> None:
    assert clean("a\r\nb\rc\n\td") == "a\nb\nc\n\td"


@given(st.text(alphabet="ab\r\n\x00", max_size=30), st.integers(0, 30))
def test_cleaning_a_growing_text_changes_nothing_that_was_shown(text: str, end: int) -> None:
    assert clean(text).startswith(clean(text[:end]))
