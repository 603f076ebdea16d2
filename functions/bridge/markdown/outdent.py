"""Removes deep indentation at the beginning of a message, which Markdown would read as code.

When a list is cut, the next message may begin with an item "    - c", a code block. It becomes "- c".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from functions.bridge.markdown.parse import CONTAINERS

# The deepest indentation, in columns, that Markdown does not read as code.
# spec.commonmark.org/0.31.2/#indented-code-blocks
DEEPEST = 3
# A line with fewer columns than this is in no list, and ends a code block in a list.
_SHALLOWEST_IN_A_LIST = 2
_INDENTATION = re.compile(r"[ \t]*")
_OPENING = re.compile(rf"{CONTAINERS.pattern}(`{{3,}}(?=[^`]*$)|~{{3,}})")


@dataclass(frozen=True)
class Outdent:
    """Indentation to remove from a text. See `outdented`.

    Attributes:
        at: where it begins, in characters of the text.
        opening: what the message has before the text.
        columns: the most columns to remove.
    """

    at: int
    opening: str
    columns: int

    def off(self, text: str) -> str:
        """The text without the indentation. The result for a longer text begins with the same characters."""
        whole = outdented(self.opening + text[self.at :], self.columns)
        return text[: self.at] + whole[len(outdented(self.opening, self.columns)) :]


def without(outdents: Iterable[Outdent], text: str) -> str:
    """The text after all outdents. `at` of each counts in the result of those before it."""
    for outdent in outdents:
        text = outdent.off(text)
    return text


def outdent_of(opening: str, text: str, at: int) -> Outdent | None:
    """The outdent for a message of `opening` and `text[at:]`; None if it needs none."""
    columns = indentation(opening or text[at : at + 200])
    return Outdent(at, opening, columns) if columns > DEEPEST else None


def indentation(text: str) -> int:
    """How many columns the first line of a text is indented."""
    blank = _INDENTATION.match(text)
    assert blank is not None
    return len(blank[0].expandtabs(4))


def outdented(text: str, columns: int) -> str:
    """The text with up to `columns` less indentation, until the first line that needs no outdent.

    A line that is indented less, but still too much, belongs to an outer list: from there on fewer columns
    are removed. Lines of a code block may be indented less than its fence.
    """
    shown: list[str] = []
    at, fence = 0, ""
    if columns <= DEEPEST:
        return text
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        line = text[at:end]
        depth = indentation(line)
        if depth < (_SHALLOWEST_IN_A_LIST if fence else min(columns, DEEPEST + 1)) and not line.isspace():
            break
        if not fence and not line.isspace():
            columns = min(columns, depth)
        fence = _fence_after(line.strip(), fence)
        shown.append(" " * max(0, depth - columns) + line.lstrip(" \t"))
        at = end
    return "".join(shown) + text[at:]


def _fence_after(line: str, fence: str) -> str:
    """The fence of the code block that is open after a line, "" for none. `fence`: that before the line."""
    if fence:
        ends = line.startswith(fence) and not line.strip(fence[0])
        return "" if ends else fence
    opening = _OPENING.match(line)
    return opening[1] if opening else ""
