"""Markdown on its way into Slack: cut to the size of a message, kept whole while it grows, disarmed.

Slack itself renders it (a `markdown` block takes standard Markdown), so nothing is converted here.
"""

import re
from itertools import accumulate

# A `markdown` block takes 12,000 characters, all of a message's blocks together
# (docs.slack.dev/reference/block-kit/blocks/markdown-block). The rest is for our own notes around the text.
MESSAGE_LIMIT = 11_000

# spec.commonmark.org/0.31.2/#fenced-code-blocks; longer runs are text to us, so that a fence is always short.
_FENCE = re.compile(r"[ \t]*(`{3,20}|~{3,20})([^`\n]*)")
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")
_MENTION = re.compile(
    r"<(?=@[A-Z0-9]|#[A-Z0-9]|!(?:channel|here|everyone|group|subteam\^|date\^))", re.IGNORECASE
)
_LONGEST_INFO = 40
_UNFINISHED = re.compile(r"<[^<>\s]{0,200}$|(?:^|\n)[ \t]*\|[^\n]*$")
_ZERO_WIDTH_SPACE = "\u200b"


def size(text: str) -> int:
    """Length as Slack's servers may count it: UTF-16 units, in which an emoji is two."""
    return len(text.encode("utf-16-le")) // 2


def disarm(markdown: str) -> str:
    """The same text, in which nothing notifies anybody (`<!channel>`, `<@U…>`, `<!subteam^…>`).

    Slack resolves these in Markdown too. A zero-width space after the angle bracket prevents it, shows as
    nothing, and unlike `&lt;` cannot be taken for text. Comparison signs, links and `<!DOCTYPE>` stay.
    """
    return _MENTION.sub("<" + _ZERO_WIDTH_SPACE, markdown)


def split(markdown: str, *, limit: int = MESSAGE_LIMIT) -> list[str]:
    """Cut a long text into messages of at most `limit` characters, in order and with nothing left out.

    Cuts between paragraphs where it can, else between lines, else between words. A code block that is cut
    is closed in the one message and opened again in the next.
    """
    messages = []
    rest = markdown
    while size(rest) > limit:
        head, rest = _cut(rest, limit)
        messages.append(head)
    messages.append(rest)
    return [message for message in messages if message.strip()] or [markdown[:limit]]


def preview(markdown: str, *, limit: int = MESSAGE_LIMIT) -> str:
    """A growing text as one message: no half mention, link or table row, no open code block."""
    if size(markdown) > limit:
        return _cut(markdown, limit)[0]
    steady = _UNFINISHED.sub("", markdown)
    opening = _open_fence(steady)
    return f"{steady.rstrip()}\n{_marker(opening)}" if opening else steady


def plain(markdown: str, *, limit: int = 300) -> str:
    """The beginning of a text for a notification, where Markdown is not rendered: one line, escaped."""
    line = " ".join(markdown.split())
    short = line if len(line) <= limit else line[: limit - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, limit: int) -> tuple[str, str]:
    window = _prefix(text, limit - _LONGEST_INFO)
    at = _best_cut(window)
    opening = _open_fence(text[:at])
    if not opening:
        return text[:at].rstrip(), _BLANK_LINES.sub("", text[at:])
    head = text[:at].removesuffix("\n")
    return f"{head}\n{_marker(opening)}", f"{opening}\n{text[at:]}"


def _prefix(text: str, units: int) -> str:
    # A character of two units that would be cut in half is left out.
    return text.encode("utf-16-le")[: units * 2].decode("utf-16-le", "ignore")


def _best_cut(window: str) -> int:
    """The best place to end a message, in its second half if there is one: paragraph, line, word, any."""
    lines = window.splitlines(keepends=True)[:-1]  # the last one may go on beyond the window
    starts = [0, *accumulate(len(line) for line in lines)]
    fences = _fences(lines)
    paragraphs = [
        start
        for start, line, before, after in zip(starts, lines, [None, *fences], fences, strict=False)
        if before is None and (not line.strip() or after is not None)
    ]
    for candidates in (paragraphs, starts, [match.end() for match in re.finditer(r"[ \t]", window)]):
        late = [at for at in candidates if at > len(window) // 2]
        if late:
            return late[-1]
    return len(window)


def _fences(lines: list[str]) -> list[str | None]:
    """For each line, the opening line of the code block that is open after it."""
    states: list[str | None] = []
    opening: str | None = None
    for line in lines:
        match = _FENCE.fullmatch(line.rstrip("\n"))
        if match and opening is None:
            info = match[2].strip()
            opening = match[1] + (info if len(match[1] + info) < _LONGEST_INFO else "")
        elif match and opening is not None:
            marker = _marker(opening)
            if match[1][0] == marker[0] and len(match[1]) >= len(marker) and not match[2].strip():
                opening = None
        states.append(opening)
    return states


def _open_fence(text: str) -> str | None:
    states = _fences(text.splitlines())
    return states[-1] if states else None


def _marker(opening: str) -> str:
    match = _FENCE.match(opening)
    assert match is not None
    return match[1]
