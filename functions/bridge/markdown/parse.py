"""Parses Markdown into blocks, with markdown-it-py, in bounded memory. Inline Markdown is left to Slack.

Two rules keep an answer from needing far more memory than its text:

- A table is two tokens. markdown-it would make three of each cell and fill up short rows: 1,000 characters
  could become 65,536 cells and 90 MB. `tables` reads the cells from the lines instead.
- The text after the first MOST_TOKENS tokens is one paragraph.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as table_with_cells
from markdown_it.token import Token

# These tokens take about 50 MB. A text of 40,000 characters has at most 80,000, one message of it 20,000.
MOST_TOKENS = 150_000
# The markers in front of a line in a quotation or a list.
CONTAINERS = re.compile(r"(?:[ \t>]|[*+-][ \t]|\d+[.)][ \t])*")


def _table(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A block rule: a table's opening and closing tokens, with its lines in `map`.

    github.github.com/gfm/#tables-extension-
    """
    if not table_with_cells(state, first, end, True):  # silent: it checks only the head and the line below
        return False
    if silent:
        return True
    parent, state.parentType = state.parentType, "table"
    behind = first + 2
    while behind < end and not _ends_before(state, behind, end):
        behind += 1
    state.push("table_open", "table", 1).map = [first, behind]
    state.push("table_close", "table", -1)
    state.parentType = parent
    state.line = behind
    return True


def _ends_before(state: StateBlock, line: int, end: int) -> bool:
    """Whether a table ends before a line: blank, outside of the container, or the start of another block."""
    if state.isEmpty(line) or state.sCount[line] < state.blkIndent or state.is_code_block(line):
        return True
    return any(rule(state, line, end, True) for rule in state.md.block.ruler.getRules("blockquote"))


def _rest_as_paragraph(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A block rule: makes the rest of the text one paragraph once there are MOST_TOKENS tokens."""
    if len(state.tokens) < MOST_TOKENS:
        return False
    if silent:
        return True  # ends the current list or quotation
    state.push("paragraph_open", "p", 1).map = [first, end]
    state.push("inline", "", 0).map = [first, end]
    state.push("paragraph_close", "p", -1)
    state.line = end
    return True


_PARSER = MarkdownIt("commonmark").enable("table").disable("inline")
_PARSER.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
_PARSER.block.ruler.before("table", "rest_as_paragraph", _rest_as_paragraph, {"alt": ["list", "blockquote"]})


def blocks(text: str) -> list[Token]:
    """The blocks of a text as markdown-it's tokens. An opening token's `map` is its lines, [first, end)."""
    # markdown-it counts a carriage return as a line end; `split("\n")` does not.
    return _PARSER.parse(text.replace("\r", " "))


def first_line(block: Token) -> int:
    """The number of the line that a block begins with; lines are counted from 0."""
    assert block.map is not None
    return block.map[0]


def end_line(block: Token) -> int:
    """The number of the line after a block."""
    assert block.map is not None
    return block.map[1]


def is_open(fence: Token, text: str) -> bool:
    """Whether a fenced code block of `text` is open at the end of the text."""
    at_the_end = end_line(fence) >= len(text.rstrip("\n\r\t >").split("\n"))
    return at_the_end and not is_closed(fence, text.split("\n"))


def is_closed(fence: Token, lines: list[str]) -> bool:
    """Whether a fenced code block has its closing line. spec.commonmark.org/0.31.2/#fenced-code-blocks

    A last line that looks like a closing line is content when it is indented too far.
    """
    first, end = first_line(fence), end_line(fence)
    line = lines[end - 1].strip(" \t\r>")
    content = fence.content.removesuffix("\n").count("\n") + 1 if fence.content else 0
    return end - first == content + 2 and line.startswith(fence.markup) and not line.strip(fence.markup[0])


def closing(fence: Token, text: str) -> str:
    """The line that closes a fenced code block of `text`, in the quotation or list that it stands in."""
    before = text.split("\n")[first_line(fence)].partition(fence.markup)[0]
    return re.sub(r"[^>\s]", " ", before) + fence.markup
