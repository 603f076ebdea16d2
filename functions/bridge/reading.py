"""The structure of a growing text: where its tables are, where a mark can stand, from where to read on."""

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate

from markdown_it.token import Token

from functions.bridge.margins import indentation, outdented
from functions.bridge.markdown import blocks, is_closed
from functions.bridge.tables import Table, tables_of
from functions.bridge.words import ends_of_words

_LEAVES = {"paragraph_open", "heading_open", "fence", "code_block", "html_block", "hr", "table_open"}
_OF_WORDS = {"paragraph_open", "heading_open"}
_BLOCKS = _LEAVES | {"bullet_list_open", "ordered_list_open", "list_item_open", "blockquote_open"}
_CONTAINERS = re.compile(r"(?:[ \t>]|[*+-][ \t]|\d+[.)][ \t])*")


class Reading:
    """A text, read from the beginning of a block on.

    Attributes:
        text: the text.
        tables: those that stand in no list and no quotation.
    """

    def __init__(self, text: str, context: str = "") -> None:
        """`context` are the lines before `text` that say in what it goes on: a fence, the head of a table."""
        self.text = text
        before = context.count("\n")
        whole = context + text
        tokens = blocks(outdented(whole, indentation(whole)))
        self._lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        self._blocks = [token for token in tokens if token.type in _BLOCKS and token.map]
        for token in self._blocks:
            token.map = [_first(token) - before, _end(token) - before]
        self._leaves = [token for token in self._blocks if token.type in _LEAVES]
        self._firsts = [_first(token) for token in self._leaves]
        self._before = before
        self._whole_lines = whole.split("\n")
        self.tables = list(tables_of(tokens, self._whole_lines, shift=before))
        self._words: dict[int, list[int]] = {}

    def start_of(self, line: int) -> int:
        """Where a line begins; one of the context: 0."""
        return self._starts[max(0, min(line, len(self._lines)))]

    def grows(self, table: Table) -> bool:
        """Whether the text ends in a table that may go on."""
        ends = table.end >= len(self.text.rstrip("\n").split("\n"))
        return ends and not self.text.endswith("\n\n")

    def place_behind(self, at: int) -> tuple[int, str]:
        """Where a mark that belongs behind text[:at] can stand, and what it begins with there.

        The next end of a word, or behind a block that has no words. That is a paragraph of its own: the
        beginning is then its white space. It depends only on what stands before it.
        """
        at = len(self.text[:at].rstrip())
        line = bisect_right(self._starts, at) - 1
        leaf = self._leaf_at(line)
        if leaf is None:
            return self._next(ends_of_words(self.text, self.start_of(line), self.end_of(line)), at)
        if leaf.type in _OF_WORDS and line < _end_of_words(leaf):
            return self._next(self._words_of(leaf), at)
        return self.end_of(_end(leaf) - 1), "\n\n" + self._indentation_of(leaf)

    def restart(self, least: int) -> tuple[int, str, list[list[str]]] | None:
        """From where it suffices to read again, in what context, and the rows of a table before that place.

        None when nothing is settled. At the beginning of the last block, which may still become something
        else; of the outermost one unless more than `least` characters would remain, and inside a long one.
        """
        complete = len(self._lines) - 1
        begun = [token for token in self._blocks if _first(token) < complete]
        if not begun:
            return None
        outermost = max(_first(token) for token in begun if token.level == 0)
        last = begun[-1]
        for line in (outermost, _first(last)):
            if line > 0 and len(self.text) - self._starts[line] <= least:
                return self._starts[line], "", []
        return self._inside(last, complete - 1) or (
            (self._starts[_first(last)], "", []) if _first(last) > 0 else None
        )

    def _inside(self, block: Token, line: int) -> tuple[int, str, list[list[str]]] | None:
        if _end(block) <= line or line <= max(0, _first(block) + 1):
            return None
        at, head = self._starts[line], _first(block) + self._before
        match block.type:
            case "fence" if not is_closed(_shifted(block, self._before), self._whole_lines):
                return at, self._whole_lines[head] + "\n", []
            case "table_open" if block.level == 0 and line > _first(block) + 2:
                table = next(table for table in self.tables if table.first == _first(block))
                if not (table.is_large or self._before):
                    return None
                return at, "\n".join(self._whole_lines[head : head + 2]) + "\n", table.rows_before(line)
            case "paragraph_open":
                return at, "", []
        return None

    def _leaf_at(self, line: int) -> Token | None:
        index = bisect_right(self._firsts, line) - 1
        return self._leaves[index] if index >= 0 and line < _end(self._leaves[index]) else None

    def _words_of(self, leaf: Token) -> list[int]:
        first = _first(leaf)
        if first not in self._words:
            end = self.end_of(_end_of_words(leaf) - 1)
            self._words[first] = ends_of_words(self.text, self.start_of(first), end)
        return self._words[first]

    def _next(self, places: list[int], at: int) -> tuple[int, str]:
        return places[min(bisect_left(places, at), len(places) - 1)], " "

    def end_of(self, line: int) -> int:
        """Where the words of a line end."""
        end = self._starts[min(max(line, 0), len(self._lines) - 1) + 1] - 1
        return len(self.text[:end].rstrip()) if end == len(self.text) else end

    def _indentation_of(self, block: Token) -> str:
        """What a paragraph after a block begins with, to be in the same list or quotation."""
        if block.level == 0:
            return ""
        line = self._whole_lines[_first(block) + self._before]
        begins = _CONTAINERS.match(line)
        assert begins is not None
        before = re.sub(r"[^>\s]", " ", begins[0])
        return before[:-4] if block.type == "code_block" else before


def _end_of_words(leaf: Token) -> int:
    """The line behind the words of a paragraph or a heading, which may be underlined."""
    return _end(leaf) - (leaf.markup in ("=", "-"))


def _shifted(token: Token, lines: int) -> Token:
    return token.copy(map=[_first(token) + lines, _end(token) + lines])


def _first(token: Token) -> int:
    assert token.map is not None
    return token.map[0]


def _end(token: Token) -> int:
    assert token.map is not None
    return token.map[1]
