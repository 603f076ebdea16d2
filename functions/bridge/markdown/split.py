"""Cuts a long text into messages: between paragraphs if possible, never through a fence or a table row.

A cut code block is closed in one message and reopened in the next. A cut table repeats its head.
"""

import re
from dataclasses import dataclass
from itertools import accumulate

from markdown_it.token import Token

from functions.bridge.markdown.outdent import DEEPEST, Outdent, indentation, outdent_of, outdented, without
from functions.bridge.markdown.parse import blocks, closing, end_line, first_line, is_closed, is_open
from functions.bridge.markdown.safe import size
from functions.bridge.markdown.tables import data_table_at

# Characters. The `markdown` blocks of one message may have 12,000 together; the rest is for notes of the
# bridge. docs.slack.dev/reference/block-kit/blocks/markdown-block
MESSAGE_LIMIT = 11_000
# Slack turns Markdown into blocks and allows 50 in a message; the rest is for buttons, tasks, and paragraphs
# that a following line turns into headings. docs.slack.dev/reference/block-kit/blocks
MOST_BLOCKS = 40

_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")
# Characters reserved for the line that closes a code block.
_RESERVE = 40
# What the next message repeats: an opening line of a code block up to this many characters, and a table's
# head up to this share of a message.
_LONGEST_REPEATED = 80
_LONGEST_HEAD = 1 / 4
_BLOCKS_OF_THEIR_OWN = {"heading_open", "hr", "table_open"}


@dataclass(frozen=True)
class Cut:
    """Where a message ends.

    Attributes:
        at: how many characters of the text it has.
        close: what is added at its end.
        reopen: what the next message begins with.
    """

    at: int
    close: str = ""
    reopen: str = ""


class Pages:
    """The messages of a text that may still grow. A full message is cut once and never changes.

    A table that needs a data table is a message of its own.

    Args:
        limit: the most characters of a message.
        most: the most messages; None for any number.
        data_tables: whether data tables are allowed. If not, large tables are cut like others.

    Attributes:
        rest: the text that `of` left over after `most` messages; "" if there is none.
    """

    def __init__(
        self, limit: int = MESSAGE_LIMIT, *, most: int | None = None, data_tables: bool = True
    ) -> None:
        self.rest = ""
        self._limit = limit
        self._most = most
        self._data_tables = data_tables
        self._full: list[str] = []
        self._past = ""
        self._reopen = ""
        self._outdents: list[Outdent] = []
        self._is_begun = True

    def of(self, text: str) -> list[str]:
        """The messages in order, each of at most `limit` characters. Nothing is left out but `rest`."""
        text = without(self._outdents, said := text)
        if not text.startswith(self._past):
            text = said
            self._full, self._past, self._reopen, self._outdents, self._is_begun = [], "", "", [], True
        rest = self._begun(text)
        text = self._past + rest
        while len(self._full) != self._most and (cut := self._next_cut(self._reopen + rest)):
            whole = self._reopen + rest
            self._full.append(ended(whole, cut))
            rest = continued(rest[cut.at - len(self._reopen) :], cut)
            self._past = text[: len(text) - len(rest)]
            self._reopen, self._is_begun = cut.reopen, False
            rest = self._begun(self._past + rest)
            text = self._past + rest
        last, self.rest = self._reopen + rest, ""
        if len(self._full) == self._most:
            last, self.rest = "", last if rest.strip() else ""
        pages = [page for page in (*self._full, last) if page.strip()]
        return pages or [text[: self._limit]]

    def _next_cut(self, text: str) -> Cut | None:
        return next_cut(text, self._limit, data_tables=self._data_tables)

    def _begun(self, text: str) -> str:
        """The rest of the text, outdented where it begins a new message."""
        rest = text[len(self._past) :]
        if self._is_begun or not (self._reopen + rest).strip():
            return rest
        self._is_begun = True
        if outdent := outdent_of(self._reopen, text, len(self._past)):
            self._outdents.append(outdent)
            self._reopen = outdented(self._reopen, outdent.columns)
            rest = outdent.off(text)[len(self._past) :]
        return rest


def split(text: str, *, limit: int = MESSAGE_LIMIT, data_tables: bool = True) -> list[str]:
    """The messages of a complete text."""
    return Pages(limit, data_tables=data_tables).of(text)


def ended(text: str, cut: Cut) -> str:
    """The message that ends at `cut`."""
    return text[: cut.at].rstrip() + cut.close


def continued(rest: str, cut: Cut) -> str:
    """The text after `cut`, without blank lines at its beginning."""
    return rest if cut.reopen else _BLANK_LINES.sub("", rest)


def next_cut(text: str, limit: int, *, data_tables: bool = True) -> Cut | None:
    """The best cut for a message of at most `limit` characters; None while the message is not full.

    A message that begins with a data table ends with it. Another message ends before Slack would make too
    many blocks of it; otherwise between blocks, lines or words, or anywhere. A cut of a later kind is used
    only where the earlier kinds would leave the message rather empty.
    """
    if data_tables and (end := end_of_data_table(text)) is not None:
        return Cut(end) if text[end:].strip() else None
    is_long = len(text) > limit or size(text) > limit
    beginning = _prefix(text, limit - _RESERVE) if is_long else text
    structure = Structure(beginning, whole=text if data_tables else "")
    if crowded := structure.crowded_at():
        return structure.cut(crowded)
    if not is_long:
        return None
    end = len(structure.text)
    choices = (
        (structure.between_blocks(), 0.3 * end),
        (structure.between_lines(), 0.5 * end),
        (structure.between_words(), 0.5 * end),
    )
    for candidates, least in choices:
        if late := [at for at in candidates if at > least]:
            return structure.cut(late[-1])
    return structure.cut(end)


def end_of_data_table(text: str) -> int | None:
    """The end of the data table at the beginning of a text; None where there is none."""
    table = data_table_at(text)
    return (
        None if table is None else sum(len(line) + 1 for line in text.split("\n", table.end)[: table.end]) - 1
    )


class Structure:
    """The blocks of a text and their positions.

    Args:
        whole: the text and what follows it, to find tables that become data tables; "" finds none.
    """

    def __init__(self, text: str, *, whole: str = "") -> None:
        self.text = text
        self._whole = whole
        self._lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        self._blocks = [token for token in blocks(text) if token.map and token.type != "inline"]
        self._fences = [token for token in self._blocks if token.type == "fence"]
        self._tables = [token for token in self._blocks if token.type == "table_open"]

    def crowded_at(self) -> int | None:
        """Where the message has to end because of Slack's limits on blocks; None if it keeps to them.

        A message may have one table (Slack's error for more is `invalid_attachments`, only_one_table_allowed:
        docs.slack.dev/reference/block-kit/blocks/table-block). A data table begins a message.
        """
        count = tables = 0
        in_text = False
        for token in self._blocks:
            if token.level or token.nesting < 0:
                continue
            apart = token.type in _BLOCKS_OF_THEIR_OWN
            count += apart or not in_text
            tables += token.type == "table_open"
            in_text = not apart
            start = self._starts[first_line(token)]
            if count > MOST_BLOCKS or tables > 1 or (start and self._is_data_table(token, start)):
                return start
        return None

    def _is_data_table(self, token: Token, start: int) -> bool:
        return token.type == "table_open" and data_table_at(self._whole[start:]) is not None

    def between_blocks(self) -> list[int]:
        """The beginnings of paragraphs, code blocks, tables and list items."""
        return [self._starts[first_line(token)] for token in self._blocks if self._may_begin_with(token)]

    def between_lines(self) -> list[int]:
        """The beginnings of lines where a cut leaves neither a table's head nor an empty code block behind.

        The end of the text is not among them, because the block that goes on there is not known.
        """
        apart = {first_line(token) + 1 for token in self._fences} | {
            end_line(token) - 1 for token in self._fences if is_closed(token, self._lines)
        }
        for table in self._tables:
            apart |= {first_line(table) + 1, first_line(table) + 2}
        starts = enumerate(self._starts[:-1])
        return [at for line, at in starts if line not in apart and at < len(self.text)]

    def between_words(self) -> list[int]:
        return [match.end() for match in re.finditer(r"[ \t]", self.text)]

    def cut(self, at: int) -> Cut:
        """A cut at a character, with the text that closes and reopens the block around it."""
        line = max(index for index, start in enumerate(self._starts[:-1]) if start <= at)
        for fence in self._fences:
            if self._goes_through(fence, at, line):
                opening = self._lines[first_line(fence)]
                if len(opening) > _LONGEST_REPEATED or len(fence.markup) > _RESERVE // 2:
                    return Cut(at)
                begun = opening[: at - self._starts[line]] if line == first_line(fence) else opening + "\n"
                return Cut(at, "\n" + closing(fence, self.text), begun)
        for table in self._tables:
            head = "\n".join(self._lines[first_line(table) : first_line(table) + 2]) + "\n"
            inside = first_line(table) + 2 < line < end_line(table) and at == self._starts[line]
            if inside and len(head) < _LONGEST_HEAD * len(self.text):
                return Cut(at, "", head)
        return Cut(at)

    def _goes_through(self, fence: Token, at: int, line: int) -> bool:
        """Whether a cut in this line leaves a part of the code block on each side."""
        if is_closed(fence, self._lines):
            return self._starts[first_line(fence)] < at <= self._starts[end_line(fence) - 1]
        return self._starts[first_line(fence)] < at and (line < end_line(fence) or is_open(fence, self.text))

    def _may_begin_with(self, block: Token) -> bool:
        line = self._lines[first_line(block)]
        return block.level == 0 or (block.type == "list_item_open" and indentation(line) <= DEEPEST)


def _prefix(text: str, units: int) -> str:
    # A character of two units is not cut in half but left out.
    return text[:units].encode("utf-16-le")[: units * 2].decode("utf-16-le", "ignore")
