"""Tables for the Markdown parser: it learns where one stands, and not what is in its cells.

markdown-it's own rule makes three tokens of each cell, and fills short rows up: 1,000 characters could become
65,536 cells and 90 MB. Nobody here needs a token for a cell (`tables` reads the lines).
"""

from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as with_cells


def table(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A block rule: a table's opening and closing tokens, with its lines in `map`.

    github.github.com/gfm/#tables-extension-
    """
    if not with_cells(state, first, end, True):  # so it looks only at the head and at the line below
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
