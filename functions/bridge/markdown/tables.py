"""Tables of an answer: shown in Markdown, as a data table, or as a file.

Slack turns a table in Markdown into a table block of at most 100 rows with the head, 20 cells a row and
10,000 characters: docs.slack.dev/reference/block-kit/blocks/table-block. A data table, which people can sort,
has at most 201 rows and 20,000 characters in its cells:
docs.slack.dev/reference/block-kit/blocks/data-table-block (older copies of the page say 101 and 10,000). Both
limits count all tables of a message; the bridge puts one into each message
(`functions.bridge.markdown.split`).
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from functions.bridge.agents.events import File
from functions.bridge.markdown.parse import blocks
from functions.bridge.markdown.safe import size

MOST_ROWS = 100
MOST_CELLS = 20
MOST_CHARACTERS = 10_000
MOST_DATA_ROWS = 201
MOST_DATA_CHARACTERS = 20_000
# Characters of a data table's Markdown. A table that is padded to more becomes a file.
MOST_DATA_MARKDOWN = 40_000
# Files of one answer. Each is a message in the thread.
MOST_FILES = 10

# Cells that a spreadsheet would run as a formula: owasp.org/www-community/attacks/CSV_Injection
# Some spreadsheets also accept full-width signs.
_FORMULA = re.compile("[=+@\t\r\uff1d\uff0b\uff20\uff0d-]")
_NEGATIVE = re.compile(
    "-(?:\\d[\\d.,'\u2019\u00a0\u202f ]*|[.,]\\d+)(?:[eE][+-]?\\d+)?[ \u00a0\u202f]?(?:[%\u2030$€£¥]|°[CF]?)?"
)


# A number for sorting: "-12", "1,234.5".
_NUMBER = re.compile(r"[-+\u2212]?(?:\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.\d{1,15})?")
# The line below a table's head.
_DELIMITER_ROW = re.compile(r" {0,3}[|:-][ \t|:-]*")
# Slack refuses a cell without characters.
_EMPTY = "\N{NO-BREAK SPACE}"
# A blank line ends every table.
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


class _Inline(MarkdownIt):
    def normalizeLink(self, url: str) -> str:
        return url  # unchanged, because escapes would make it longer


_INLINE = _Inline("commonmark")


class Form(Enum):
    """How Slack can show a table."""

    MARKDOWN = auto()
    DATA = auto()
    FILE = auto()


@dataclass(frozen=True)
class Table:
    """A table of a text.

    Attributes:
        first, end: the number of its first line, and of the line after its last.
        rows: the Markdown of its cells, head first; no row has more cells than the head.
    """

    first: int
    end: int
    rows: list[list[str]]
    form: Form


@dataclass(frozen=True)
class Cell:
    """A cell of a data table: its plain text, and its number if it is one."""

    text: str
    number: float | None = None


def tables_of(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[Table]:
    """The tables of a text outside of lists and quotations."""
    for token in tokens:
        if token.type == "table_open" and token.map and token.level == 0:
            first, end = token.map
            rows = list(_rows(lines[first:end]))
            yield Table(first, end, rows, _form(rows, lines[first:end]))


def data_table_at(text: str) -> Table | None:
    """The table at the beginning of a text, if it needs a data table."""
    second = text[text.find("\n") + 1 :].partition("\n")[0]
    if not _DELIMITER_ROW.fullmatch(second):
        return None
    blank = _BLANK_LINE.search(text, 0, MOST_DATA_MARKDOWN + 2)
    beginning = text[: blank.start() if blank else MOST_DATA_MARKDOWN + 2]
    if beginning.count("\n") < MOST_ROWS and size(beginning) <= MOST_CHARACTERS:
        return None
    return _data_table(beginning)


@lru_cache(maxsize=2)  # each table is parsed before and after the cut in front of it
def _data_table(lines: str) -> Table | None:
    table = next(tables_of(blocks(lines), lines.split("\n")), None)
    return table if table and table.first == 0 and table.form is Form.DATA else None


def in_parts(text: str) -> Iterator[str | Table]:
    """The parts of a message: Markdown, and tables that need a data table."""
    lines = text.split("\n")
    at = 0
    for table in tables_of(blocks(text), lines):
        if table.form is Form.DATA:
            if before := "\n".join(lines[at : table.first]).strip("\n"):
                yield before
            yield table
            at = table.end
    if rest := "\n".join(lines[at:]).strip("\n") if at else text:
        yield rest


def cells_of(table: Table) -> list[list[Cell]]:
    """The cells of a data table, in rows of equal length. A column sorts as numbers if all its cells are."""
    columns = len(table.rows[0])
    head, *body = [[_plain(cell) for cell in row] + [_EMPTY] * (columns - len(row)) for row in table.rows]
    numeric = [all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*body, strict=True)]
    rows = [
        [
            Cell(cell, _number(cell) if is_number else None)
            for cell, is_number in zip(row, numeric, strict=True)
        ]
        for row in body
    ]
    return [[Cell(cell) for cell in head], *rows]


def file(rows: Sequence[Sequence[str]], name: str) -> File:
    """A table as a CSV file."""
    return File(name, "text/csv", _csv(rows))


def _rows(lines: Sequence[str]) -> Iterator[list[str]]:
    """The cells of a table's lines. Cells beyond the head's are dropped, as in Markdown.

    Short rows are not filled up, or a small text could make a large file.
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


def _form(rows: list[list[str]], lines: Sequence[str]) -> Form:
    if max(map(len, rows)) > MOST_CELLS:
        return Form.FILE
    written = sum(map(size, lines))
    if len(rows) <= MOST_ROWS and written <= MOST_CHARACTERS:
        return Form.MARKDOWN
    # A cell's text may be a little longer than its Markdown; an empty or missing cell has one character.
    said = sum(size(cell) for row in rows for cell in row) + len(rows) * len(rows[0])
    fits = 2 <= len(rows) <= MOST_DATA_ROWS and said <= MOST_DATA_CHARACTERS
    return Form.DATA if fits and written + len(lines) <= MOST_DATA_MARKDOWN else Form.FILE


def _plain(cell: str) -> str:
    """The plain text of a cell, as data tables render no Markdown; a no-break space if it is empty."""
    said: list[str] = []
    links: list[tuple[int, str]] = []
    for token in _INLINE.parseInline(cell)[0].children or ():
        match token.type:
            case "link_open":
                links.append((len(said), str(token.attrs["href"])))
            case "link_close":
                begun, address = links.pop()
                if "".join(said[begun:]) != address:
                    said.append(f" ({address})")
            case "html_inline" if token.content.lower().startswith("<br"):
                said.append(" ")
            case _:
                said.append(token.content)
    return "".join(said).strip() or _EMPTY


def _number(cell: str) -> float:
    return float(cell.replace(",", "").replace("\u2212", "-"))


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([_harmless(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")  # Excel needs the byte order mark


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) and not _NEGATIVE.fullmatch(cell) else cell
