"""Tables that are made to cost more than their text: in memory, and as files."""

import csv
import io

from functions.bridge.markdown.parse import blocks
from functions.bridge.replies.answer_text import Draft

# The parser would fill each row up to the columns of the head: 65,000 cells of 2,000 characters.
WIDE = "|" * 251 + "\n" + "|-" * 250 + "|\n" + "x|\n" * 260


def cells_of(cell: str) -> str:
    """What a cell of a table becomes in the table's file."""
    draft = Draft()
    draft.add("a | b\n--|--\n" + f"{cell} | b\n" * 250)
    [file] = draft.files()
    return list(csv.reader(io.StringIO(file.data.decode("utf-8-sig"))))[1][0]


def test_a_table_has_two_tokens_however_many_cells_it_has() -> None:
    assert [token.type for token in blocks(WIDE)] == ["table_open", "table_close"]


def test_a_table_in_a_list_or_a_quotation_has_two_tokens_too() -> None:
    quoted = "".join(f"> {line}\n" for line in WIDE.splitlines())
    assert len(blocks(quoted)) == 4
    listed = "- " + "".join(f"  {line}\n" for line in WIDE.splitlines()).lstrip()
    assert len(blocks(listed)) == 6


def test_the_file_of_a_table_has_no_cells_that_the_answer_did_not_have() -> None:
    draft = Draft()
    draft.add(WIDE)
    [file] = draft.files()
    rows = list(csv.reader(io.StringIO(file.data.decode("utf-8-sig"))))
    assert [len(row) for row in rows] == [250] + [1] * 260
    assert len(file.data) < len(WIDE)


def test_cells_beyond_the_heads_are_dropped() -> None:
    draft = Draft()
    draft.add("a | b\n--|--\n" + "1 | 2 | 3\n" * 250)
    [file] = draft.files()
    assert file.data.decode("utf-8-sig").splitlines()[:2] == ["a,b", "1,2"]
