"""Takes indentation off the lines at the head of a message, because Markdown reads deep indentation as code.

A message begins so when the one before it ends inside a list: an item "    - c" at its head would be a code
block, and is shown as "- c".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from functions.bridge.markdown.parse import CONTAINERS

# The deepest indentation, in columns, that makes no code block.
# spec.commonmark.org/0.31.2/#indented-code-blocks
DEEPEST = 3
# A line with less indentation than this, in columns, is in no list, and ends a code block that is in one.
_SHALLOWEST_IN_A_LIST = 2
_INDENTATION = re.compile(r"[ \t]*")
_OPENING = re.compile(rf"{CONTAINERS.pattern}(`{{3,}}(?=[^`]*$)|~{{3,}})")


@dataclass(frozen=True)
class Outdent:
    """Indentation that is taken off the lines of a text. See `outdented`.

    Attributes:
        at: where in the text that begins, in characters.
        opening: what the message begins with before the text.
        columns: how many columns are taken off at most.
    """

    at: int
    opening: str
    columns: int

    def off(self, text: str) -> str:
        """The text without that indentation. A longer text gives the same and more."""
        whole = outdented(self.opening + text[self.at :], self.columns)
        return text[: self.at] + whole[len(outdented(self.opening, self.columns)) :]


def without(outdents: Iterable[Outdent], text: str) -> str:
    """The text after several outdents. `at` of each counts in the text that those before it have left."""
    for outdent in outdents:
        text = outdent.off(text)
    return text


def outdent_of(opening: str, text: str, at: int) -> Outdent | None:
    """The outdent that a message needs which begins with `opening` and goes on with `text` from `at`."""
    columns = indentation(opening or text[at : at + 200])
    return Outdent(at, opening, columns) if columns > DEEPEST else None


def indentation(text: str) -> int:
    """How many columns the first line of a text is indented."""
    blank = _INDENTATION.match(text)
    assert blank is not None
    return len(blank[0].expandtabs(4))


def outdented(text: str, columns: int) -> str:
    """The text with less indentation, up to its first line that means the same without what stood before.

    A line that has less of it, and yet too much, is in a list further out, as are those that follow. A code
    block stays whole: its lines may be indented less than its fence, and its end may not.
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
    """The fence of the code block that is open behind a line, "" for none; `fence` is that before it."""
    if fence:
        ends = line.startswith(fence) and not line.strip(fence[0])
        return "" if ends else fence
    opening = _OPENING.match(line)
    return opening[1] if opening else ""
