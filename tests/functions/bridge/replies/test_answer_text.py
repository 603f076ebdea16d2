"""A text that grows. What its marks may stand behind is in test_reply, its tables are in test_tables."""

import pytest
from markdown_it.token import Token

from functions.bridge.markdown.growing import preview
from functions.bridge.markdown.parse import _PARSER
from functions.bridge.markdown.split import Pages
from functions.bridge.replies.answer_text import Draft


def draft_of(*pieces: str) -> Draft:
    draft = Draft()
    for piece in pieces:
        draft.add(piece)
    return draft


def test_adding_tells_what_can_be_shown_of_it() -> None:
    draft = Draft()
    assert draft.add("\n  ") == ""
    assert not draft
    assert draft.add(" a\x00\n  b") == "a\n  b"
    assert draft


def test_a_line_end_in_two_pieces_is_one() -> None:
    assert draft_of("a\r", "", "\nb\r", "c").growing() == "a\nb\nc"


def test_a_number_may_move_as_long_as_its_word_may_go_on() -> None:
    draft = draft_of("It is sun")
    draft.mark(1)
    assert draft.growing() == draft.closed() == "It is sun [1]"
    assert draft.steady() == "It is sun"
    draft.add("ny. And")
    assert draft.growing() == draft.closed() == draft.steady() == "It is sunny. [1] And"


def test_a_number_stands_once_in_a_place_and_those_of_a_place_in_their_order() -> None:
    draft = draft_of("It is sun")
    for number in (1, 2):
        draft.mark(number)
    draft.add("ny.")
    for number in (1, 3):
        draft.mark(number)
    assert draft.closed() == "It is sunny. [1] [2] [3]"


def test_a_number_behind_a_block_waits_until_another_block_begins() -> None:
    draft = draft_of("```\na\n```")
    draft.mark(1)
    assert draft.growing() == "```\na\n```"
    draft.add("\n\nThen.")
    paragraphs = [line for line in draft.growing().splitlines() if line]
    assert paragraphs == ["```", "a", "```", "[1]", "Then."]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("It is sunny. ", "It is sunny. [1]"),
        ("It is sunny.\n\n", "It is sunny. [1]"),
        ("```\na\n```\n", "```\na\n```\n\n[1]"),
    ],
)
def test_a_number_behind_the_white_space_that_an_answer_ends_in_is_shown(said: str, shown: str) -> None:
    draft = draft_of(said)
    draft.mark(1)
    assert draft.closed() == shown


LONG = "word " * 20_000


def test_the_end_of_a_very_long_block_is_read_when_it_has_grown_by_a_quarter() -> None:
    draft = draft_of(LONG)
    assert draft.growing() == LONG
    draft.add("more " * 4_000)
    assert draft.growing() == LONG
    draft.add("more " * 1_000)
    assert draft.growing() == LONG + "more " * 5_000


def test_an_answer_that_ends_is_read_to_its_end_however_long_it_is() -> None:
    draft = draft_of(LONG)
    draft.growing()
    draft.add("more.")
    assert draft.closed() == LONG + "more."


@pytest.mark.parametrize(
    ("line", "most"),
    [("- item with some words in it\n", 5), ("| Chicago | windy |\n", 9), (f"{'> ' * 40}words\n", 12)],
)
def test_a_long_answer_of_one_block_is_parsed_a_few_times_over_however_it_grows(
    monkeypatch: pytest.MonkeyPatch, line: str, most: int
) -> None:
    parsed: list[str] = []
    parse = _PARSER.parse

    def noted(text: str) -> list[Token]:
        parsed.append(text)
        return parse(text)

    monkeypatch.setattr(_PARSER, "parse", noted)
    answer = "| a | b |\n|-|-|\n" * ("|" in line) + line * (60_000 // len(line))
    draft, pages = draft_of(""), Pages()
    for at in range(0, len(answer), 4_000):  # what comes from one edit to the next
        draft.add(answer[at : at + 4_000])
        preview(pages.of(draft.growing())[-1])
    pages.of(draft.closed())
    assert sum(map(len, parsed)) <= most * len(answer)
