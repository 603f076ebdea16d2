import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.markdown.parse import blocks, end_line, first_line
from functions.bridge.markdown.structure import Reading


@pytest.mark.parametrize(
    ("before", "last"),
    [
        ("one\n\n", "two\n"),
        ("one\n\n", "two\n\nthr"),  # nothing of the third is complete
        ("", "one\ntwo\n"),
        ("one\n\n- a\n", "- b\n\n  c\n"),  # each item of an outer list is a block
        ("1. a\n\n   - b\n", "2. c\n   - d\n"),
        ("one\n\n", "> - a\n> - b\n"),
        ("- a\n", "- b\n- | c |\n"),  # which may become a table's head by itself
        ("one\n\n", "```\na\n\nb\n"),
        ("# one\n", "two\n"),
    ],
)
def test_reading_can_begin_at_the_last_block_that_has_a_complete_line(before: str, last: str) -> None:
    assert Reading(before + last).start_of_last_block() == len(before)


lines = st.lists(
    st.sampled_from(
        [
            *["word", "\n", "\n\n", " ", "\t", "- item\n", "  - deep\n", "    - deeper\n", "1. x\n", "> "],
            *["```\n", "~~~py\n", "| a | b |\n", "|---|---|\n", "x | y\n", "===\n", "---\n", "# head\n"],
            *["   - three\n", "-\n", "2) y\n", "- | a | b |\n", "- ```\n", "  two\n", "- # head\n"],
            *["    code\n", "<div>\n", "<!-- ", "-->\n", "[a]: b\n"],
        ]
    ),
    max_size=20,
).map("".join)


def blocks_from(line: int, text: str) -> list[tuple[str, int, int, str, int]]:
    """The blocks of a text but its lists, which go on; with their lines counted from a line on."""
    return [
        (token.type, first_line(token) - line, end_line(token) - line, token.content, token.level)
        for token in blocks(text)
        if token.map and token.type not in ("bullet_list_open", "ordered_list_open")
    ]


@given(lines, lines)
def test_the_text_before_the_last_block_does_not_change(text: str, more: str) -> None:
    at = Reading(text).start_of_last_block()
    settled, rest = text[:at], text[at:] + more
    line = settled.count("\n")
    assert blocks_from(0, text + more) == blocks_from(0, settled) + blocks_from(-line, rest)


def test_a_table_in_a_list_or_a_quotation_is_none_of_the_tables() -> None:
    text = "| a |\n|---|\n\n- | b |\n  |---|\n\n> | c |\n> |---|\n\n| d |\n|---|\n"
    assert [table.rows for table in Reading(text).tables] == [[["a"]], [["d"]]]


def test_a_block_is_complete_when_another_has_begun() -> None:
    code = "```\na\n```"
    assert not Reading(f"{code}\n\n").goes_on_behind(len(code))
    assert Reading(f"{code}\n\nThen").goes_on_behind(len(code))
