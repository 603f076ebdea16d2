"""Where a mark can stand in a paragraph: "^" shows each place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.markdown.word_ends import ends_of_words


def marked(text: str) -> str:
    begins = [0, *(places := ends_of_words(text, 0, len(text)))]
    return "^".join([*(text[begin:end] for begin, end in zip(begins, places, strict=False)), ""])


@pytest.mark.parametrize(
    "shown",
    [
        "It^ is^ sunny.^",
        "a^晴^れ^雨^",  # no spaces between words
        "\\`a^ b\\`^ c^",  # an escaped backtick opens no code span
        "\\\\`a b`^ c^",  # this one is not escaped: the backslash before it is
        "``a ` b``^ c^",  # as many backticks end it as have begun it
        "[![a b](c d)](e f)^ g^",
        "[a b][c d]^ e^",
        "<https://a.example/b>^ c^",
        "``a\\` b ``^ c^ ``d e``^ f^",  # in code a backslash means itself
        "\\``a b`^ c^",  # the first one is escaped, the second begins a code span
        '[a](b "c) d")^ e^',  # a link's title may contain parentheses: spec.commonmark.org/0.31.2/#links
        "[a](<b) c>)^ d^",  # so may its address in angle brackets
        '"a^ b"^ c^',
    ],
)
def test_a_mark_can_stand_behind_each_word_outside_of_code_and_links(shown: str) -> None:
    assert marked(shown.replace("^", "")) == shown


@pytest.mark.parametrize("shown", ["a^ `b c d^", "a^ [b c d^", "a^ [b](c d^", "a^ <b c d^"])
def test_a_span_that_is_never_closed_extends_to_the_end(shown: str) -> None:
    assert marked(shown.replace("^", "")) == shown


def test_only_words_of_the_paragraph_are_found() -> None:
    text = "An `open\n\ntwo words\n\nmore"
    begin = text.index("two")
    assert ends_of_words(text, begin, begin + len("two words")) == [begin + 3, begin + 9]


signs = st.lists(
    st.sampled_from(
        ["a", " ", "\n", "`", "``", "[", "](", "]", "(", ")", "<a", ">", "\\", "日本", "!", "<", '"']
    )
).map("".join)


@given(signs, signs)
def test_a_place_depends_only_on_the_text_before_it(text: str, more: str) -> None:
    *places, _ = ends_of_words(text, 0, len(text))
    assert ends_of_words(text + more, 0, len(text + more))[: len(places)] == places
