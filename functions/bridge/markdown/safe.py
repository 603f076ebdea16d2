"""Cleans, disarms and quotes text on its way into Slack.

Slack renders Markdown itself (a `markdown` block takes standard Markdown), so nothing is converted here.
"""

import re

# Slack's ids are in capitals, so that `<@layout>` of a template is none. Lower case with a digit may be one.
_ID = r"(?:[UWBS][A-Z0-9]+|(?i:[UWBS](?=[A-Z]*\d)[A-Z0-9]+))"
# Markdown drops a backslash before a sign, so that one may stand before each sign of a mention.
_MENTION = re.compile(
    rf"<(?=\\*@\\*{_ID}\\*[|>]|\\*!\\*(?i:channel|here|everyone|group|subteam\\*\^|date\\*\^))"
)
_BACKTICKS = re.compile("`+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#|~!&])")
_ZERO_WIDTH_SPACE = "\u200b"
_LINE_END = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def size(text: str) -> int:
    """Length in UTF-16 units, as Slack's servers may count it. An emoji has two."""
    return len(text.encode("utf-16-le")) // 2


def clean(text: str) -> str:
    """The same text with line feeds at the ends of lines, and without control characters.

    Slack may drop control characters, and the text around one could then become a mention.
    """
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


def disarm(markdown: str) -> str:
    """The same text without mentions, which notify people (`<!channel>`, `<@U…>`, `<!subteam^…>`).

    Slack resolves mentions in Markdown too. A zero-width space after the angle bracket prevents that. It is
    invisible, and unlike `&lt;` nobody can take it for text. Comparison signs, links, `<!DOCTYPE>` and names
    that cannot be ids (`<@layout>`, `a <@ARRAY[1]`) stay. Links to channels stay: they notify nobody.
    Mentions in code are disarmed as well, because Slack may take less for code than Markdown does.
    """
    return _MENTION.sub("<" + _ZERO_WIDTH_SPACE, markdown)


def escape(text: str) -> str:
    """Plain text for use in Markdown: one line, in which every character means itself."""
    return _SPECIAL.sub(r"\\\1", disarm(clean(" ".join(text.split()))))


def fenced(text: str) -> str:
    """A text as a code block. The fence is longer than any row of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def plain(markdown: str, *, limit: int = 300) -> str:
    """The beginning of a text for a notification, where Markdown is not rendered: one line, escaped."""
    line = " ".join(markdown.split())
    short = line if len(line) <= limit else line[: limit - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
