"""Tables that are too large for a message: they become files.

A table takes 100 rows of 20 cells, its head among them, and 10,000 characters
(docs.slack.dev/reference/block-kit/blocks/table-block).
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from functions.bridge.agent import File
from functions.bridge.markdown import blocks, size

MOST_ROWS = 100
MOST_CELLS = 20
MOST_CHARACTERS = 10_000

# The second line of a table may look so; a text without one is not looked at any closer.
_DELIMITER_ROW = re.compile(r"^[ \t|:]*-[ \t|:-]*$", re.MULTILINE)
# What a spreadsheet would take for a formula. owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"[=+@\t\r]|-(?![\d.,])")


def without_large(text: str) -> tuple[str, list[File]]:
    """The text with a word in the place of each table that Slack would not show, and those tables as CSV."""
    if not _DELIMITER_ROW.search(text):
        return text, []
    lines = text.split("\n")
    shown: list[str] = []
    files: list[File] = []
    at = 0
    for first, end, rows in _tables(text):
        if not _is_large(rows, lines[first:end]):
            continue
        name = f"table-{len(files) + 1}.csv"
        files.append(File(name, "text/csv", _csv(rows)))
        shown += [*lines[at:first], f"_The table ({len(rows) - 1} rows) is in the file {name}._"]
        at = end
    return "\n".join([*shown, *lines[at:]]), files


def before_growing(text: str) -> str:
    """A growing text up to the table that it ends in: what will become of that is not known yet."""
    if not _DELIMITER_ROW.search(text):
        return text
    lines = text.split("\n")
    last = max(
        (first for first, end, _ in _tables(text) if end >= len(text.rstrip("\n").split("\n"))), default=None
    )
    return text if last is None or text.endswith("\n\n") else "".join(line + "\n" for line in lines[:last])


def _tables(text: str) -> Iterator[tuple[int, int, list[list[str]]]]:
    """The first line of each table, the line after it, and its cells."""
    tokens = blocks(text)
    for index, token in enumerate(tokens):
        if token.type == "table_open" and token.map and token.level == 0:
            yield *_lines(token), list(_rows(tokens[index:]))


def _lines(token: Token) -> tuple[int, int]:
    assert token.map is not None
    return token.map[0], token.map[1]


def _rows(tokens: Sequence[Token]) -> Iterator[list[str]]:
    """The cells of the table that begins `tokens`."""
    row: list[str] = []
    for token in tokens:
        match token.type:
            case "tr_open":
                row = []
            case "inline":
                row.append(token.content)
            case "tr_close":
                yield row
            case "table_close":
                return


def _is_large(rows: list[list[str]], lines: list[str]) -> bool:
    too_many = len(rows) > MOST_ROWS or max(map(len, rows)) > MOST_CELLS
    return too_many or sum(map(size, lines)) > MOST_CHARACTERS


def _csv(rows: list[list[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([_harmless(cell) for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")  # without the mark Excel takes it for another encoding


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
