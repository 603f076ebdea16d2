"""Markdown on its way into Slack: kept whole while it grows, disarmed, quoted.

Slack itself renders it (a `markdown` block takes standard Markdown), so nothing is converted here. What
Markdown is, markdown-it-py says; how a long text is cut into messages is in `pages`.
"""

import re

from markdown_it.token import Token

from functions.bridge.markdown.parse import PARSER

# Slack's ids are in capitals; `<@layout>` is a template's. In doubt it is an id: with a digit in it, say.
_ID = r"(?:[UWBS][A-Z0-9]+|(?i:[UWBS](?=[A-Z]*\d)[A-Z0-9]+))"
# A backslash before a sign means nothing but that sign, so that it can stand anywhere in these.
_MENTION = re.compile(
    rf"<(?=\\*@\\*{_ID}\\*[|>]|\\*!\\*(?i:channel|here|everyone|group|subteam\\*\^|date\\*\^))"
)
_HALF_LINK = re.compile(
    r"(?:<(?:[^<>\s]{0,200}|\\*@\\*[A-Za-z0-9]*\\*)"
    r"|\](?:\((?:[^()\n]|\([^()\n]{0,200}\)){0,500}(?:\([^()\n]{0,200})?|:[ \t]*\S{0,500})"
    r"|https?:\S{0,500})\Z"
)
# The last line, as long as it may become one that opens or closes a code block.
_HALF_FENCE = re.compile(r"(?:[ \t>*+-]|\d+[.)])*(?:`{1,2}|`{3,}[^`]*|~+|~{3,}.*)\Z")
# What stands before the text of a line in a quotation or a list.
CONTAINERS = re.compile(r"(?:[ \t>]|[*+-][ \t]|\d+[.)][ \t])*")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)[^`]*(?<!`)\1(?!`|\Z)")
_BACKTICKS = re.compile("`+")
_CELL_END = re.compile(r"(?<!\\)(?:\\\\)*\|")
# The beginning of the line that makes the one above it the head of a table.
_HALF_DELIMITER_ROW = re.compile(r"[ \t>|:-]*\Z")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#|~!&])")
_ZERO_WIDTH_SPACE = "\u200b"
_LINE_END = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def size(text: str) -> int:
    """Length as Slack's servers may count it: UTF-16 units, in which an emoji is two."""
    return len(text.encode("utf-16-le")) // 2


def blocks(text: str) -> list[Token]:
    """The blocks of a text, as markdown-it's tokens: opening ones have `map`, their lines (first, end)."""
    return PARSER.parse(text.replace("\r", " "))  # alone it would begin a line, where we see none


def first_line(block: Token) -> int:
    """The number of the line that a block begins with; lines are counted from 0."""
    assert block.map is not None
    return block.map[0]


def end_line(block: Token) -> int:
    """The number of the line behind a block."""
    assert block.map is not None
    return block.map[1]


def clean(text: str) -> str:
    """The same text with line feeds at the ends of lines, and without control characters.

    Slack may leave these out, and what they were in the middle of could then be a mention.
    """
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


def disarm(markdown: str) -> str:
    """The same text, in which nothing notifies anybody (`<!channel>`, `<@U…>`, `<!subteam^…>`).

    Slack resolves these in Markdown too. A zero-width space after the angle bracket prevents it, shows as
    nothing, and unlike `&lt;` cannot be taken for text. Comparison signs, links, `<!DOCTYPE>` and what no id
    can be (`<@layout>`, `a <@ARRAY[1]`) stay, and so does a channel's link: it notifies nobody.
    What could be one is none in code either: what Slack takes for code is not ours to know.
    """
    return _MENTION.sub("<" + _ZERO_WIDTH_SPACE, markdown)


def escape(text: str) -> str:
    """Plain text for use in Markdown: on one line, every character meaning itself."""
    return _SPECIAL.sub(r"\\\1", disarm(clean(" ".join(text.split()))))


def steady(growing: str) -> str:
    """What can be shown of a text that goes on, its beginning: no half mention, link, fence or table row."""
    before, _, last = growing.rpartition("\n")
    at = len(growing) - len(last)
    if _may_be_row(last) or _HALF_FENCE.match(last):
        last = ""
    # A row by itself: whether it is the head of a table, the next line will say.
    if at and _HALF_DELIMITER_ROW.match(last):
        first, _, head = before.rpartition("\n")
        if _may_be_row(f"{head}\n") and not _may_be_row(first.rpartition("\n")[2] + "\n"):
            at, last = at - len(head) - 1, ""
    return growing[:at] + _HALF_LINK.sub("", last)


def _may_be_row(line: str) -> bool:
    """Whether a line, or the line that it becomes, may be a row of a table."""
    if "|" not in line:
        return False
    row = _CODE_SPAN.sub("", CONTAINERS.sub("", line))
    return row.startswith("|") or bool(_CELL_END.search(row))


def preview(growing: str) -> str:
    """`steady`, complete in itself."""
    return closed(steady(growing))


def closed(text: str) -> str:
    """A text that something else can follow: a code block that is open at its end is closed."""
    # White space that Markdown does not know, behind a fence, keeps it from closing anything.
    text = text.rstrip()
    fence = _open_fence(text)
    return f"{text}\n{closing(fence, text)}" if fence else text


def _open_fence(text: str) -> Token | None:
    """The fenced code block that goes on at the end of a text."""
    tokens = [token for token in blocks(text) if token.map and token.type != "inline"]
    if not tokens or tokens[-1].type != "fence":
        return None
    return tokens[-1] if is_open(tokens[-1], text) else None


def is_open(fence: Token, text: str) -> bool:
    """Whether a fenced code block of `text` goes on at its end."""
    at_the_end = end_line(fence) >= len(text.rstrip("\n\r\t >").split("\n"))
    return at_the_end and not is_closed(fence, text.split("\n"))


def is_closed(fence: Token, lines: list[str]) -> bool:
    """Whether a fenced code block has its closing line. spec.commonmark.org/0.31.2/#fenced-code-blocks

    That line looks like one, and is not part of the content: it may be indented too far.
    """
    first, end = first_line(fence), end_line(fence)
    line = lines[end - 1].strip(" \t\r>")
    content = fence.content.removesuffix("\n").count("\n") + 1 if fence.content else 0
    return end - first == content + 2 and line.startswith(fence.markup) and not line.strip(fence.markup[0])


def closing(fence: Token, text: str) -> str:
    """The line that closes a fenced code block of `text`, in the quotation or list that it stands in."""
    before = text.split("\n")[first_line(fence)].partition(fence.markup)[0]
    return re.sub(r"[^>\s]", " ", before) + fence.markup


def fenced(text: str) -> str:
    """A text as a code block, whatever backticks are in it."""
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def plain(markdown: str, *, limit: int = 300) -> str:
    """The beginning of a text for a notification, where Markdown is not rendered: one line, escaped."""
    line = " ".join(markdown.split())
    short = line if len(line) <= limit else line[: limit - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
