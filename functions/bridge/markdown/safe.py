"""Cleans, disarms and escapes text for Slack.

Nothing is converted: Slack's `markdown` block takes standard Markdown.
"""

import re

# Slack's ids are in capitals. Small letters count only with a digit, so `<@layout>` of a template is no id.
_ID = r"(?:[UWBS][A-Z0-9]+|(?i:[UWBS](?=[A-Z]*\d)[A-Z0-9]+))"
# Markdown removes a backslash before punctuation, so each sign of a mention may have one.
_MENTION = re.compile(
    rf"<(?=\\*@\\*{_ID}\\*[|>]|\\*!\\*(?i:channel|here|everyone|group|subteam\\*\^|date\\*\^))"
)
_BACKTICKS = re.compile("`+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#|~!&])")
_ZERO_WIDTH_SPACE = "\u200b"
_LINE_END = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def size(text: str) -> int:
    """Length in UTF-16 code units, as Slack's servers may count it. An emoji has two."""
    return len(text.encode("utf-16-le")) // 2


def clean(text: str) -> str:
    """The same text with "\n" as the only line end and without control characters.

    Slack may drop a control character, and the text around it could become a mention.
    """
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


def disarm(markdown: str) -> str:
    """The same text with its mentions (`<!channel>`, `<@U…>`, `<!subteam^…>`) disarmed: it notifies nobody.

    A zero-width space after the angle bracket keeps Slack from resolving a mention. Unlike `&lt;` it is never
    shown. Comparison signs, links, `<!DOCTYPE>`, names that cannot be ids (`<@layout>`, `a <@ARRAY[1]`) and
    links to channels stay. Mentions in code are disarmed too, because Slack may not take it for code.
    """
    return _MENTION.sub("<" + _ZERO_WIDTH_SPACE, markdown)


def escape(text: str) -> str:
    """Plain text, escaped for use in Markdown, on one line."""
    return _SPECIAL.sub(r"\\\1", disarm(clean(" ".join(text.split()))))


def fenced(text: str) -> str:
    """The text as a code block. The fence is longer than any run of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def plain(markdown: str, *, limit: int = 300) -> str:
    """At most `limit` characters for a notification, which renders no Markdown: one line, escaped."""
    line = " ".join(markdown.split())
    short = line if len(line) <= limit else line[: limit - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
