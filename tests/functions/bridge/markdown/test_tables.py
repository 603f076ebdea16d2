import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.agents.events import File
from functions.bridge.markdown.parse import blocks
from functions.bridge.markdown.safe import size
from functions.bridge.markdown.split import split
from functions.bridge.markdown.tables import Cell, Table, cells_of, in_parts, tables_of
from functions.bridge.replies.answer_text import Draft


def table(rows: int, columns: int = 2, cell: str = "x") -> str:
    """A table with so many rows under its head."""
    lines = [["head"] * columns, ["---"] * columns, *([[cell] * columns] * rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def without_large(text: str) -> tuple[str, list[File]]:
    draft = Draft()
    draft.add(text)
    return draft.growing(), draft.files()


def before_growing(text: str) -> str:
    draft = Draft()
    draft.add(text)
    return draft.steady()


def cells(file: File) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.data.decode("utf-8-sig"))))


# A table block takes 100 rows, its head among them, of 20 cells, and 10,000 characters.
@pytest.mark.parametrize("small", [table(99), table(1, columns=20), table(1, columns=1, cell="x" * 9_900)])
def test_a_table_that_slack_shows_stays(small: str) -> None:
    text = f"Look:\n\n{small}\n\nDone."
    assert without_large(text) == (text, [])
    assert list(in_parts(text)) == [text]


# A data table takes 201 rows, its head among them, of 20 cells, and 20,000 characters in its cells.
@pytest.mark.parametrize(
    "large", [table(100), table(200), table(1, columns=1, cell="x" * 10_001), table(99, 20, "x" * 9)]
)
def test_a_table_that_a_data_table_can_show_stays_and_stands_apart(large: str) -> None:
    text = f"Look:\n\n{large}\n\nDone."
    assert without_large(text) == (text, [])
    before, found, after = in_parts(text)
    assert (before, after) == ("Look:", "Done.")
    assert isinstance(found, Table)
    assert len(found.rows) == large.count("\n")
    assert split(text) == ["Look:", large, "Done."]


@pytest.mark.parametrize(
    ("large", "rows"),
    [
        (table(201), 201),
        (table(1, columns=21), 1),
        (table(1, columns=1, cell="x" * 20_001), 1),
        (table(1, columns=1, cell="🌦" * 10_001), 1),  # of two UTF-16 units each
        (f"{table(150)}{' ' * 40_000}", 150),
    ],
)
def test_a_table_that_is_too_large_becomes_a_file(large: str, rows: int) -> None:
    text, [file] = without_large(f"Look:\n\n{large}\n\nDone.")
    assert text == f"Look:\n\n_The table ({rows} rows) is in the file table-1.csv._\n\nDone."
    assert (file.name, file.media_type) == ("table-1.csv", "text/csv")
    assert len(cells(file)) == rows + 1
    assert cells(file)[0] == ["head"] * len(cells(file)[1])


def test_a_table_without_pipes_at_its_sides_is_one_too() -> None:
    rows = "\n".join(f"{number} | x" for number in range(250))
    text, [file] = without_large(f"n | v\n--|:-:\n{rows}")
    assert text == "_The table (250 rows) is in the file table-1.csv._"
    assert cells(file)[:2] == [["n", "v"], ["0", "x"]]


def test_each_large_table_has_a_file_of_its_own_and_what_is_between_stays() -> None:
    text, files = without_large(f"{table(250)}\n\nThen:\n\n{table(2)}\n\nThen:\n\n{table(300)}\n")
    assert [file.name for file in files] == ["table-1.csv", "table-2.csv"]
    assert [len(cells(file)) for file in files] == [251, 301]
    assert table(2) in text
    assert text.count("Then:") == 2


def test_what_looks_like_a_table_in_code_is_code() -> None:
    text = f"```\n{table(150)}\n```"
    assert without_large(text) == (text, [])


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "@SUM(A1)", "-x", '=HYPERLINK("http://a.example")', "=cmd\\|' /C calc'!A0"]
)
def test_a_cell_is_no_formula_to_a_spreadsheet(cell: str) -> None:
    _, [file] = without_large(table(250, cell=cell))
    assert cells(file)[1][0] == "'" + cell.replace("\\|", "|")


@pytest.mark.parametrize("cell", ["-1", "-0.5", "-.5", "1 + 1", "a=b", 'say "hi", then go', "日本 é"])
def test_a_cell_that_is_no_formula_stays_as_it_is(cell: str) -> None:
    _, [file] = without_large(table(250, cell=cell))
    assert cells(file)[1][0] == cell


def cells_in(markdown: str) -> list[list[Cell]]:
    [found] = tables_of(blocks(markdown), markdown.split("\n"))
    return cells_of(found)


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("**bold** and _so_ on", "bold and so on"),
        ("`a < b` \\| `c`", "a < b | c"),
        ("[a page](https://a.example/é)", "a page (https://a.example/é)"),
        ("<https://a.example>", "https://a.example"),
        ("one<br>two", "one two"),
        ("&lt;b&gt; &amp; <u>", "<b> & <u>"),
        ("![a picture](https://a.example)", "a picture"),
        ("", "\N{NO-BREAK SPACE}"),
    ],
)
def test_a_cell_of_a_data_table_says_what_its_markdown_means(markdown: str, said: str) -> None:
    assert cells_in(f"| head |\n|---|\n| {markdown} |")[1] == [Cell(said)]


def test_a_column_of_numbers_is_sorted_as_numbers() -> None:
    rows = [("1,234.5", "1", "a", "-2"), ("10", "", "2", "\u22123.25")]
    head, *body = cells_in("\n".join(["|a|b|c|d|", "|-|-|-|-|", *(f"|{'|'.join(row)}|" for row in rows)]))
    assert [cell.number for cell in head] == [None] * 4
    assert [[cell.number for cell in row] for row in body] == [
        [1234.5, None, None, -2],
        [10, None, None, -3.25],
    ]
    assert [row[0].text for row in body] == ["1,234.5", "10"]


@pytest.mark.parametrize("cell", ["1,23", "1e5", "0x1F", "12.", "9" * 16, "5 %", "2026-11-28", "inf", "NaN"])
def test_text_that_only_looks_like_a_number_is_text(cell: str) -> None:
    assert cells_in(f"|n|\n|-|\n| {cell} |")[1] == [Cell(cell)]


@given(
    st.lists(
        st.lists(st.text("ab*_`[]()<>&|\\!0 é🌦", max_size=12), min_size=2, max_size=2), min_size=1, max_size=8
    )
)
def test_no_cells_text_exceeds_the_estimate(rows: list[list[str]]) -> None:
    markdown = "\n".join(["|a|b|", "|-|-|", *(f"|{'|'.join(row)}|" for row in rows)])
    for found in tables_of(blocks(markdown), markdown.split("\n")):
        for written, shown in zip(found.rows, cells_of(found), strict=True):
            missing = [""] * (len(shown) - len(written))  # a short row is filled up
            for cell, said in zip([*written, *missing], shown, strict=True):
                assert 1 <= size(said.text) <= size(cell) + 1


def test_a_growing_text_stops_before_the_table_that_it_ends_in() -> None:
    assert before_growing(f"Look:\n\n{table(3)}") == "Look:"
    assert before_growing(f"Look:\n\n{table(3)}\n| 1") == "Look:"
    assert before_growing(f"{table(3)}\n") == ""


@pytest.mark.parametrize("after", ["\n\n", "\n\nDone.", "\n \nDone."])
def test_a_table_that_is_complete_is_shown(after: str) -> None:
    text = f"Look:\n\n{table(3)}{after}"
    assert before_growing(text) == text.rstrip()


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "line", ["-" + " " * 100_000 + "x", " " * 100_000 + "x", "-" * 100_000 + "x", "|-" * 50_000 + "x"]
)
def test_a_line_made_to_be_slow_is_parsed_in_time(line: str) -> None:
    assert without_large(f"a | b\n{line}") == (f"a | b\n{line}", [])
    assert before_growing(f"a | b\n{line}\n\nx") == f"a | b\n{line}\n\nx"
    assert f"a | b\n{line}".startswith(before_growing(f"a | b\n{line}"))
