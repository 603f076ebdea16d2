"""What a hostile answer costs the worker: tokens, bytes and calls, counted. Seconds depend on the machine."""

import sys
import tracemalloc
from collections.abc import Callable

import pytest

from functions.adapters.agents.deltas import ModelText
from functions.bridge import wording
from functions.bridge.agents.events import Finished, TextDelta
from functions.bridge.markdown.links import plainly
from functions.bridge.markdown.parse import MOST_TOKENS, blocks
from functions.bridge.markdown.split import Pages
from functions.bridge.replies.answer_text import Draft
from functions.bridge.replies.reply import MOST_TEXT, Reply

ANSWER = 40_000  # characters
MOST_BYTES = 40_000_000
# For every four times as much text: a quadratic cost would be sixteen times as high.
MOST_GROWTH = 8

WIDE_TABLE = "|" * 251 + "\n" + "|-" * 250 + "|\n" + "x|\n" * 260 + "\n"
SHAPES = {
    "tables of 65,536 cells": WIDE_TABLE,
    "small tables": "a|b\n-|-\n\n",
    "empty cells": "|" * 21 + "\n" + "|-" * 20 + "|\n" + ("|" * 21 + "\n") * 100 + "\n",
    "lists of one item": "-\n+\n",
    "one list": "- a\n  - b\n",
    "nested lists": "1. " * 10 + "\n",
    "nested quotations": ">" * 19 + "a\n\n",
    "headings": "a\n=\n",
    "link definitions": "[a]:b\n",
    "brackets that nobody closes": "[a](<",
    "code that nobody closes": "`a``",
}


def answer(shape: str, characters: int = ANSWER) -> str:
    return (shape * (characters // len(shape) + 1))[:characters]


def take(text: str) -> None:
    """What the worker does with an answer between the agent and Slack."""
    draft = Draft()
    draft.add(text)
    Pages(most=10).of(draft.closed())
    draft.files()


def bytes_of(work: Callable[[], object]) -> int:
    """The most that is held at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def calls_of(work: Callable[[], object]) -> int:
    """How many functions are called, those in C among them."""
    count = 0

    def note(_: object, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_no_answer_has_more_than_two_tokens_for_each_character(shape: str) -> None:
    assert len(blocks(answer(shape))) <= 2 * ANSWER


@pytest.mark.parametrize("shape", ["-\n", "- - -\n", "a\n\n"])
def test_a_longer_answer_has_a_bounded_number_of_tokens_and_all_of_its_lines(shape: str) -> None:
    text = answer(shape, 500_000)
    tokens = blocks(text)
    assert len(tokens) < MOST_TOKENS + 100
    assert max(token.map[1] for token in tokens if token.map) >= text.rstrip().count("\n")


# Those that have the most tokens.
@pytest.mark.parametrize("shape", [WIDE_TABLE, "-\n+\n", "- a\n  - b\n"])
def test_no_answer_takes_more_than_forty_megabytes(shape: str) -> None:
    assert bytes_of(lambda: take(answer(shape))) <= MOST_BYTES


@pytest.mark.parametrize("shape", ["- a\n  - b\n", WIDE_TABLE, ">" * 19 + "a\n\n"])
def test_four_times_as_long_an_answer_is_read_in_about_four_times_as_many_steps(shape: str) -> None:
    short, long = (calls_of(lambda n=n: blocks(answer(shape, n))) for n in (15_000, 60_000))  # type: ignore[misc]
    assert long <= MOST_GROWTH * short


@pytest.mark.timeout(60)  # with a quadratic cost it would take a quarter of an hour
@pytest.mark.parametrize("end", ["", "</thinking>"])
def test_reasoning_without_an_end_is_read_once(end: str) -> None:
    text = ModelText()
    pieces = ["<thinking>", *["word word "] * 1_000_000, end]
    heard = [event for piece in pieces for event in text.delta(piece)] + [*text.end()]
    assert [len(event.text) for event in heard] == [9_999_999 if end else 10_000_010]


@pytest.mark.timeout(60)  # with a quadratic cost each would take a quarter of an hour
@pytest.mark.parametrize("begins", ["[a](", "[a](b", '[a](b "c"'])
@pytest.mark.parametrize("space", [" ", "\t", "\n\n"])
def test_a_link_that_ends_in_white_space_is_read_once(begins: str, space: str) -> None:
    text = begins + space * (400_000 // len(space))
    assert plainly(text) == text


def test_of_an_answer_that_does_not_end_as_much_is_kept_as_the_worker_can_read() -> None:
    reply = Reply(show_rationale=False)
    reply.add(TextDelta("a|b\n-|-\n"))
    for _ in range(100):
        reply.add(TextDelta("1|2\n" * 10_000))
    reply.add(Finished())
    text = reply.final()
    assert text.endswith(f"\n\n{wording.CUT_SHORT}")
    [table] = reply.files()
    assert len(table.data) <= MOST_TEXT * 2  # a file's lines end in two characters
    assert len(text) < 1000


def test_an_answer_of_that_length_is_not_cut_short() -> None:
    reply = Reply(show_rationale=False)
    for _ in range(10):
        reply.add(TextDelta("words\n" * (MOST_TEXT // 60)))
    reply.add(Finished())
    assert not reply.cut_short
