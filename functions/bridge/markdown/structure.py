"""The structure of a growing text: its tables, the places for citation marks, and where to read on."""

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate

from markdown_it.token import Token

from functions.bridge.markdown.parse import CONTAINERS, blocks, end_line, first_line
from functions.bridge.markdown.tables import Table, tables_of
from functions.bridge.markdown.word_ends import ends_of_words

_LEAVES = {"paragraph_open", "heading_open", "fence", "code_block", "html_block", "hr", "table_open"}
_OF_WORDS = {"paragraph_open", "heading_open"}
_BLOCKS = _LEAVES | {"bullet_list_open", "ordered_list_open", "list_item_open", "blockquote_open"}


class Reading:
    """The structure of a text that begins at a block.

    Attributes:
        tables: the tables outside of lists and quotations.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        tokens = blocks(text)
        self._lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        self._blocks = [token for token in tokens if token.type in _BLOCKS and token.map]
        self._leaves = [token for token in self._blocks if token.type in _LEAVES]
        self._firsts = [first_line(token) for token in self._leaves]
        self.tables = list(tables_of(tokens, self._lines))
        self._words: dict[int, list[int]] = {}

    def start_of(self, line: int) -> int:
        """Where a line begins."""
        return self._starts[min(line, len(self._lines))]

    def grows(self, table: Table) -> bool:
        """Whether the text ends in a table that may go on."""
        ends = table.end >= len(self.text.rstrip("\n").split("\n"))
        return ends and not self.text.endswith("\n\n")

    def place_behind(self, at: int) -> tuple[int, str]:
        """Where a mark for text[:at] can be inserted, and the white space in front of it.

        That is the next end of a word, or the end of a block without words (code), where the mark is a
        paragraph of its own. Both depend only on the text before them.
        """
        at = len(self.text[:at].rstrip())
        line = bisect_right(self._starts, at) - 1
        leaf = self._leaf_at(line)
        if leaf is None:
            return self._next(ends_of_words(self.text, self.start_of(line), self.end_of(line)), at)
        if leaf.type in _OF_WORDS and line < _end_of_words(leaf):
            return self._next(self._words_of(leaf), at)
        return self.end_of(end_line(leaf) - 1), "\n\n" + self._indentation_of(leaf)

    def goes_on_behind(self, at: int) -> bool:
        """Whether a block begins at `at` or later, so that the block before it is complete."""
        return bool(self._leaves) and self._starts[first_line(self._leaves[-1])] >= at

    def start_of_last_block(self) -> int:
        """The beginning of the last outer block, or item of an outer list, with a complete line; else 0.

        Reading can begin there, because the text before it does not change any more.
        """
        complete = len(self._lines) - 1
        begun = [first_line(token) for token in self._blocks if self._can_begin_with(token)]
        return self._starts[max((line for line in begun if line < complete), default=0)]

    def _can_begin_with(self, block: Token) -> bool:
        if block.level == 0:
            return True
        # What is an item within its list might be the head of a table at the beginning of a text.
        is_outer_item = block.level == 1 and block.type == "list_item_open"
        return is_outer_item and "|" not in self._lines[first_line(block)]

    def _leaf_at(self, line: int) -> Token | None:
        index = bisect_right(self._firsts, line) - 1
        return self._leaves[index] if index >= 0 and line < end_line(self._leaves[index]) else None

    def _words_of(self, leaf: Token) -> list[int]:
        first = first_line(leaf)
        if first not in self._words:
            end = self.end_of(_end_of_words(leaf) - 1)
            self._words[first] = ends_of_words(self.text, self.start_of(first), end)
        return self._words[first]

    def _next(self, ends: list[int], at: int) -> tuple[int, str]:
        return ends[min(bisect_left(ends, at), len(ends) - 1)], " "

    def end_of(self, line: int) -> int:
        """The end of a line's text."""
        end = self._starts[min(max(line, 0), len(self._lines) - 1) + 1] - 1
        return len(self.text[:end].rstrip()) if end == len(self.text) else end

    def _indentation_of(self, block: Token) -> str:
        """The prefix that keeps a paragraph after a block in the same list or quotation."""
        if block.level == 0:
            return ""
        line = self._lines[first_line(block)]
        begins = CONTAINERS.match(line)
        assert begins is not None
        before = re.sub(r"[^>\s]", " ", begins[0])
        return before[:-4] if block.type == "code_block" else before


def _end_of_words(leaf: Token) -> int:
    """The line after the words of a paragraph or heading, without the underline of a heading."""
    return end_line(leaf) - (leaf.markup in ("=", "-"))
