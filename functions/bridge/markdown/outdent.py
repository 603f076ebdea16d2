"""The indentation at the head of a message: what is indented too far is code to Markdown, so it is taken off.

A message begins so when the one before it ends inside a list.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from functions.bridge.markdown.parse import CONTAINERS

# So many columns mean nothing. spec.commonmark.org/0.31.2/#indented-code-blocks
DEEPEST = 3
# Further to the left than this, a line is in no list, and so it ends a code block that is.
_SHALLOWEST_IN_A_LIST = 2
_INDENTATION = re.compile(r"[ \t]*")
_OPENING = re.compile(rf"{CONTAINERS.pattern}(`{{3,}}(?=[^`]*$)|~{{3,}})")


@dataclass(frozen=True)
class Outdent:
    """What is taken off the lines of a text, from a place on. See `outdented`.

    Attributes:
        at: so many of the text's characters stand before that place.
        opening: what the message begins with besides the text.
        columns: how much is taken off, at most.
    """

    at: int
    opening: str
    columns: int

    def off(self, text: str) -> str:
        """The text without it. Of a longer text it is the same or more."""
        whole = outdented(self.opening + text[self.at :], self.columns)
        return text[: self.at] + whole[len(outdented(self.opening, self.columns)) :]


def without(outdents: Iterable[Outdent], text: str) -> str:
    """The text without the outdents, each of which counts in what those before it have left."""
    for outdent in outdents:
        text = outdent.off(text)
    return text


def outdent_of(opening: str, text: str, at: int) -> Outdent | None:
    """What is to be taken off a message that begins with `opening` and goes on with `text` from `at`."""
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
