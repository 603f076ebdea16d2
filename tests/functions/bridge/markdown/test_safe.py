import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.markdown.safe import clean, disarm, escape, plain


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
