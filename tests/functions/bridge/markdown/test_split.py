import re
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from functions.bridge.markdown.safe import size
from functions.bridge.markdown.split import Pages, split
from simulator.slack.expansion import expand
from tests.functions.bridge.texts import text_with_structure

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


def test_blank_lines_are_no_message() -> None:
    assert split("a\n" + " \n" * 12_000 + "b") == ["a", "b"]


def letters(markdown: str) -> str:
    """All but what is repeated around a cut."""
    return re.sub(r"[`~\s]|py", "", markdown)


@given(text_with_structure)
def test_every_message_fits_and_nothing_is_left_out(text: str) -> None:
    messages = split(text, limit=LIMIT)
    assert all(size(message) <= LIMIT for message in messages)
    assert letters("".join(messages)) == letters(text)


@given(text_with_structure, st.lists(st.integers(1, 400), max_size=30))
def test_messages_cut_from_a_growing_text_do_not_change(text: str, steps: list[int]) -> None:
    pages = Pages(LIMIT)
    earlier: list[str] = []
    for end in accumulate(steps):
        full = pages.of(text[:end])[:-1]
        assert full[: len(earlier)] == earlier
        earlier = full
    messages = pages.of(text)
    assert all(size(message) <= LIMIT for message in messages)
    assert letters("".join(messages)) == letters(text)


def test_the_messages_of_a_growing_text_are_those_of_the_whole() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 30 for number in range(20))
    pages = Pages(LIMIT)
    for end in range(0, len(text), 7):
        pages.of(text[:end])
    assert pages.of(text) == split(text, limit=LIMIT)


def test_a_text_that_has_changed_is_cut_anew() -> None:
    pages = Pages(LIMIT)
    pages.of("word " * 200)
    assert pages.of("other " * 200) == split("other " * 200, limit=LIMIT)


def test_a_table_has_its_head_in_every_message() -> None:
    head = "| place | weather |\n|:--|--:|\n"
    rows = [f"| row {number} | {'x' * 40} |" for number in range(30)]
    messages = split(f"Look:\n\n{head}" + "\n".join(rows) + "\n\nDone.", limit=LIMIT)
    assert len(messages) > 3
    assert all(message.startswith(head) for message in messages[1:])
    assert [row for message in messages for row in re.findall(r"\| row .*", message)] == rows


@pytest.mark.parametrize(
    ("before", "indent"), [("- item\n\n", "  "), ("1. item\n\n", "   "), ("> said\n>\n", "> "), ("", "   ")]
)
def test_a_code_block_in_a_list_or_a_quotation_is_closed_and_opened_there(before: str, indent: str) -> None:
    code = "".join(f"{indent}print({number:04})\n" for number in range(100))
    messages = split(f"{before}{indent}```py\n{code}{indent}```\n\nDone.", limit=LIMIT)
    assert len(messages) > 3
    fences = [token for message in messages for token in MarkdownIt().parse(message) if token.type == "fence"]
    assert {token.info for token in fences} == {"py"}
    printed = "".join(token.content for token in fences)
    assert printed.split() == [f"print({number:04})" for number in range(100)]
    assert messages[-1].endswith("Done.")


def test_a_cut_at_the_end_of_a_line_of_code_is_in_the_code() -> None:
    # The message is full exactly where a line ends.
    for extra in range(20):
        code = "\n".join("x" * 19 for _ in range(60))
        messages = split(f"{'y' * extra}\n\n```\n{code}\n```\n", limit=LIMIT)
        assert all(message.startswith("```\nx") for message in messages[1:])
        assert all(message.rstrip().endswith("x\n```") for message in messages)


@pytest.mark.parametrize("odd", ["\r", "\x00", "\u2028", "\x0b", "\x85", "\ufeff", "\u202e"])
def test_odd_characters_are_kept_and_counted(odd: str) -> None:
    text = "".join(f"word{number}{odd} " for number in range(200))
    messages = split(text, limit=LIMIT)
    assert all(size(message) <= LIMIT for message in messages)
    assert re.findall(r"word\d+", "".join(messages)) == re.findall(r"word\d+", text)


def kinds_of(messages: list[str]) -> set[str]:
    return {token.type for message in messages for token in MarkdownIt().enable("table").parse(message)}


def test_a_message_that_goes_on_in_a_list_begins_with_no_code() -> None:
    children = "".join(f"    - child {number}\n" for number in range(400))
    text = f"1. Parent\n{children}2. Next\n    - its child\n"
    messages = split(text, limit=LIMIT)
    assert "code_block" not in kinds_of(messages)
    assert re.findall(r"child \d+", "".join(messages)) == [f"child {number}" for number in range(400)]
    assert messages[1].startswith("- child")
    assert messages[-1].endswith("2. Next\n    - its child\n")


def test_a_code_block_deep_in_a_list_goes_on_as_one() -> None:
    code = "".join(
        f"        print({number:04})\n" if number % 3 else "      x = 1\n\n" for number in range(100)
    )
    messages = split(f"1. A\n    - B\n\n        ```py\n{code}        ```\n\n    - C\n2. D", limit=LIMIT)
    fences = [token for message in messages for token in MarkdownIt().parse(message) if token.type == "fence"]
    assert {token.info for token in fences} == {"py"}
    assert "code_block" not in kinds_of(messages)
    assert "".join(token.content for token in fences).split() == code.split()
    assert messages[-1].endswith("- C\n2. D")


def test_a_table_in_a_list_goes_on_as_one() -> None:
    rows = "".join(f"    | row {number} | {'x' * 40} |\n" for number in range(30))
    messages = split(f"1. A\n\n    | a | b |\n    |---|---|\n{rows}", limit=LIMIT)
    assert "code_block" not in kinds_of(messages)
    assert all(message.startswith("| a | b |\n|---|---|\n| row") for message in messages[1:])


def test_a_paragraph_of_a_list_goes_on_as_one() -> None:
    lines = "".join(f"    line {number} of a paragraph\n" for number in range(100))
    messages = split(f"10. A\n\n{lines}", limit=LIMIT)
    assert "code_block" not in kinds_of(messages)
    assert re.findall(r"line \d+", "".join(messages)) == [f"line {number}" for number in range(100)]


@given(
    st.lists(
        st.sampled_from(
            [
                *["1. a\n", "    - b c d e f\n", "\t- x\n", "\t\t- y\n", "        - deep deep\n", "\n", "  "],
                *["      ```py\n", "      print(1)\n", "      ```\n", "    text text text\n", "# head\n"],
                *["    | a | b |\n    |---|---|\n", "    | 1 | 2 |\n", "| a |\n|---|\n| 1 |\n\n", "margin\n"],
            ]
        ),
        min_size=10,
        max_size=100,
    ).map("".join),
    st.lists(st.integers(1, 300), max_size=30),
)
def test_messages_cut_from_a_growing_list_do_not_change(text: str, steps: list[int]) -> None:
    text = text.lstrip()
    pages = Pages(LIMIT)
    earlier: list[str] = []
    for end in accumulate(steps):
        full = pages.of(text[:end])[:-1]
        assert len(full) >= len(earlier)
        assert all(page is before for page, before in zip(full, earlier, strict=False))  # not cut again
        earlier = full
    messages = pages.of(text)
    assert all(size(message) <= LIMIT for message in messages)
    assert all(len(message) - len(message.lstrip(" ")) <= 3 for message in messages)
    assert all(expand(message).kinds.count("table") <= 1 for message in messages)


def data_table(rows: int, cell: str = "x") -> str:
    return "\n".join(["| n | v |", "|---|---|", *(f"| {number} | {cell} |" for number in range(rows))])


@pytest.mark.parametrize("table", [data_table(150), data_table(150, "x" * 100), data_table(50, "x" * 250)])
def test_a_data_table_is_a_message_of_its_own_whatever_stands_around_it(table: str) -> None:
    before = "\n\n".join("word " * 100 for _ in range(12)).strip()
    after = "\n\n".join("word " * 100 for _ in range(30)).strip()
    messages = split(f"{before}\n\n{table}\n\n{after}\n\n{table}")
    assert messages[0] == before
    assert [messages[1], messages[-1]] == [table, table]
    assert " ".join(messages[2:-1]).split() == after.split()


def test_a_data_table_grows_in_a_message_of_its_own() -> None:
    lines = f"Look:\n\n{data_table(180)}\n\nDone.".split("\n")
    pages = Pages()
    shown = [pages.of("\n".join(lines[:number])) for number in range(1, len(lines) + 1)]
    assert shown[-1] == ["Look:", data_table(180), "Done."]
    assert all(len(messages) <= 3 for messages in shown)


@pytest.mark.timeout(20)
def test_a_very_long_text_with_many_data_tables_is_cut_in_reasonable_time() -> None:
    tables = [f"{data_table(150, 'x' * 90)}\n\nw{number}." for number in range(40)]
    messages = split("\n\n".join(tables))
    assert len(messages) == 80


def test_a_message_has_one_table() -> None:
    tables = [f"Table {number}:\n\n| a | b |\n|---|---|\n| {number} | x |\n" for number in range(3)]
    messages = split("\n".join(tables), limit=LIMIT)
    assert len(messages) == 3
    assert all(expand(message).kinds.count("table") == 1 for message in messages)


def test_a_message_has_no_more_blocks_than_slack_takes() -> None:
    messages = split("".join(f"# Head {number}\n\ntext\n\n---\n\n" for number in range(40)))
    assert all(len(expand(message).kinds) <= 45 for message in messages)
    assert re.findall(r"Head \d+", "".join(messages)) == [f"Head {number}" for number in range(40)]


def test_pages_of_a_list_are_not_cut_again() -> None:
    text = "1. Parent\n" + "    - child of it\n" * 400
    pages = Pages(LIMIT)
    before = pages.of(text)[:-1]
    after = pages.of(text + "    - one more\n")
    assert all(page is earlier for page, earlier in zip(after, before, strict=False))
