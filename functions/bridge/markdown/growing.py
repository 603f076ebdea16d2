"""Finds the part of a growing text that can be shown: no incomplete link at its end, no open code block."""

import re

from markdown_it.token import Token

from functions.bridge.markdown.parse import CONTAINERS, blocks, closing, is_open

# A link or a mention whose end may still be missing.
_HALF_LINK = re.compile(
    r"(?:<(?:[^<>\s]{0,200}|\\*@\\*[A-Za-z0-9]*\\*)"
    r"|\](?:\((?:[^()\n]|\([^()\n]{0,200}\)){0,500}(?:\([^()\n]{0,200})?|:[ \t]*\S{0,500})"
    r"|https?:\S{0,500})\Z"
)
# A last line that may become a fence.
_HALF_FENCE = re.compile(r"(?:[ \t>*+-]|\d+[.)])*(?:`{1,2}|`{3,}[^`]*|~+|~{3,}.*)\Z")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)[^`]*(?<!`)\1(?!`|\Z)")
_CELL_END = re.compile(r"(?<!\\)(?:\\\\)*\|")
# The beginning of the line that makes the one above it the head of a table.
_HALF_DELIMITER_ROW = re.compile(r"[ \t>|:-]*\Z")


def steady(growing: str) -> str:
    """A growing text without the incomplete mention, link, fence or table row at its end."""
    before, _, last = growing.rpartition("\n")
    at = len(growing) - len(last)
    if _may_be_row(last) or _HALF_FENCE.match(last):
        last = ""
    # The next line decides whether a row by itself is the head of a table.
    if at and _HALF_DELIMITER_ROW.match(last):
        first, _, head = before.rpartition("\n")
        if _may_be_row(f"{head}\n") and not _may_be_row(first.rpartition("\n")[2] + "\n"):
            at, last = at - len(head) - 1, ""
    return growing[:at] + _HALF_LINK.sub("", last)


def _may_be_row(line: str) -> bool:
    """Whether a line is, or may become, a row of a table."""
    if "|" not in line:
        return False
    row = _CODE_SPAN.sub("", CONTAINERS.sub("", line))
    return row.startswith("|") or bool(_CELL_END.search(row))


def preview(growing: str) -> str:
    """`steady`, with its code block closed."""
    return closed(steady(growing))


def closed(text: str) -> str:
    """The text with the code block at its end closed, so that other text can follow."""
    # A fence followed by white space that Markdown does not know would not close the block.
    text = text.rstrip()
    fence = _open_fence(text)
    return f"{text}\n{closing(fence, text)}" if fence else text


def _open_fence(text: str) -> Token | None:
    """The fenced code block that is open at the end of a text; None without one."""
    if "```" not in text and "~~~" not in text:  # which takes much less time than to parse it
        return None
    tokens = [token for token in blocks(text) if token.map and token.type != "inline"]
    if not tokens or tokens[-1].type != "fence":
        return None
    return tokens[-1] if is_open(tokens[-1], text) else None
