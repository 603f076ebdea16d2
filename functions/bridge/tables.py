"""Tables that are too large for a message: they become files.

A table takes 100 rows of 20 cells, its head among them, and 10,000 characters
(docs.slack.dev/reference/block-kit/blocks/table-block).
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from functions.bridge.agent import File
from functions.bridge.markdown import size

MOST_ROWS = 100
MOST_CELLS = 20
MOST_CHARACTERS = 10_000
# Of one answer: each file is a message in the thread.
MOST_FILES = 10

# What a spreadsheet would take for a formula. owasp.org/www-community/attacks/CSV_Injection
# Some take the full-width signs for the usual ones.
_FORMULA = re.compile("[=+@\t\r\uff1d\uff0b\uff20\uff0d-]")
_NEGATIVE = re.compile(
    "-(?:\\d[\\d.,'\u2019\u00a0\u202f ]*|[.,]\\d+)(?:[eE][+-]?\\d+)?[ \u00a0\u202f]?(?:[%\u2030$€£¥]|°[CF]?)?"
)


@dataclass(frozen=True)
class Table:
    """A table of a text.

    Attributes:
        first, end: its first line, and the line after its last.
        rows: its cells, the head's among them.
        is_large: whether it is too large for a message.
    """

    first: int
    end: int
    rows: list[list[str]]
    is_large: bool


def tables_of(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[Table]:
    """The tables of a text that stand in no list and no quotation."""
    for token in tokens:
        if token.type == "table_open" and token.map and token.level == 0:
            first, end = token.map
            rows = list(_rows(lines[first:end]))
            yield Table(first, end, rows, _is_large(rows, lines[first:end]))


def file(rows: Sequence[Sequence[str]], name: str) -> File:
    """A table as a file for spreadsheets."""
    return File(name, "text/csv", _csv(rows))


def _rows(lines: Sequence[str]) -> Iterator[list[str]]:
    """The cells of the table that the lines are. As Markdown has it, a row has no more of them than the head.

    One that has fewer stays so: filled up, a small text would make a large file.
    """
    columns = len(_cells(lines[0]))
    for number, line in enumerate(lines):
        if number != 1:  # the line under the head
            yield _cells(line)[:columns]


def _cells(line: str) -> list[str]:
    cells = escapedSplit(line.strip())
    begin = 1 if not cells[0] else 0
    end = len(cells) - 1 if len(cells) > 1 and not cells[-1] else len(cells)
    return [cell.strip() for cell in cells[begin:end]]


def _is_large(rows: list[list[str]], lines: Sequence[str]) -> bool:
    too_many = len(rows) > MOST_ROWS or max(map(len, rows)) > MOST_CELLS
    return too_many or sum(map(size, lines)) > MOST_CHARACTERS


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([_harmless(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")  # without the mark Excel takes it for another encoding


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) and not _NEGATIVE.fullmatch(cell) else cell
