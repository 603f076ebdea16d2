import csv
import io

import pytest

from functions.bridge.agent import File
from functions.bridge.draft import Draft


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


# A table takes 100 rows, its head among them, of 20 cells, and 10,000 characters.
@pytest.mark.parametrize("small", [table(99), table(1, columns=20), table(1, columns=1, cell="x" * 9_900)])
def test_a_table_that_slack_shows_stays(small: str) -> None:
    text = f"Look:\n\n{small}\n\nDone."
    assert without_large(text) == (text, [])


@pytest.mark.parametrize(
    ("large", "rows"),
    [
        (table(100), 100),
        (table(1, columns=21), 1),
        (table(1, columns=1, cell="x" * 10_001), 1),
        (table(1, columns=1, cell="🌦" * 5_001), 1),  # of two UTF-16 units each
    ],
)
def test_a_table_that_is_too_large_becomes_a_file(large: str, rows: int) -> None:
    text, [file] = without_large(f"Look:\n\n{large}\n\nDone.")
    assert text == f"Look:\n\n_The table ({rows} rows) is in the file table-1.csv._\n\nDone."
    assert (file.name, file.media_type) == ("table-1.csv", "text/csv")
    assert len(cells(file)) == rows + 1
    assert cells(file)[0] == ["head"] * len(cells(file)[1])


def test_a_table_without_pipes_at_its_sides_is_one_too() -> None:
    rows = "\n".join(f"{number} | x" for number in range(100))
    text, [file] = without_large(f"n | v\n--|:-:\n{rows}")
    assert text == "_The table (100 rows) is in the file table-1.csv._"
    assert cells(file)[:2] == [["n", "v"], ["0", "x"]]


def test_each_large_table_has_a_file_of_its_own_and_what_is_between_stays() -> None:
    text, files = without_large(f"{table(150)}\n\nThen:\n\n{table(2)}\n\nThen:\n\n{table(200)}\n")
    assert [file.name for file in files] == ["table-1.csv", "table-2.csv"]
    assert [len(cells(file)) for file in files] == [151, 201]
    assert table(2) in text
    assert text.count("Then:") == 2


def test_what_looks_like_a_table_in_code_is_code() -> None:
    text = f"```\n{table(150)}\n```"
    assert without_large(text) == (text, [])


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "@SUM(A1)", "-x", '=HYPERLINK("http://a.example")', "=cmd\\|' /C calc'!A0"]
)
def test_a_cell_is_no_formula_to_a_spreadsheet(cell: str) -> None:
    _, [file] = without_large(table(100, cell=cell))
    assert cells(file)[1][0] == "'" + cell.replace("\\|", "|")


@pytest.mark.parametrize("cell", ["-1", "-0.5", "-.5", "1 + 1", "a=b", 'say "hi", then go', "日本 é"])
def test_a_cell_that_is_no_formula_stays_as_it_is(cell: str) -> None:
    _, [file] = without_large(table(100, cell=cell))
    assert cells(file)[1][0] == cell


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
def test_a_line_made_to_be_looked_at_for_ever_is_not(line: str) -> None:
    assert without_large(f"a | b\n{line}") == (f"a | b\n{line}", [])
    assert before_growing(f"a | b\n{line}\n\nx") == f"a | b\n{line}\n\nx"
    assert f"a | b\n{line}".startswith(before_growing(f"a | b\n{line}"))
