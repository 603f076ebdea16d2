"""The Markdown parser: markdown-it's, for blocks only, and at a bounded cost.

What is inside a paragraph is Slack's to read. Two of its rules are ours, as an answer may be made to cost
more than its text:

- A table has two tokens. markdown-it makes three of each cell, and fills short rows up: 1,000 characters
  could become 65,536 cells and 90 MB. Nobody here needs a token for a cell (`tables` reads the lines).
- What stands behind MOST_TOKENS is one paragraph.
"""

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as table_with_cells

# About 50 MB. A text of 40,000 characters has 80,000 at most, and one message of it a quarter of that.
MOST_TOKENS = 150_000


def _table(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A block rule: a table's opening and closing tokens, with its lines in `map`.

    github.github.com/gfm/#tables-extension-
    """
    if not table_with_cells(state, first, end, True):  # so it looks only at the head and at the line below
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
    """Whether a table ends before a line: a blank one, one further out, or the beginning of another block."""
    if state.isEmpty(line) or state.sCount[line] < state.blkIndent or state.is_code_block(line):
        return True
    return any(rule(state, line, end, True) for rule in state.md.block.ruler.getRules("blockquote"))


def _too_much(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A block rule: all that is left, when there are tokens enough."""
    if len(state.tokens) < MOST_TOKENS:
        return False
    if silent:
        return True  # the list or quotation that goes on here ends
    state.push("paragraph_open", "p", 1).map = [first, end]
    state.push("inline", "", 0).map = [first, end]
    state.push("paragraph_close", "p", -1)
    state.line = end
    return True


PARSER = MarkdownIt("commonmark").enable("table").disable("inline")
PARSER.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
PARSER.block.ruler.before("table", "too_much", _too_much, {"alt": ["list", "blockquote"]})
