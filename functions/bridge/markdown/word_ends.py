"""Finds the places in a paragraph where a mark can be inserted without changing its Markdown."""

import re

# Chinese and Japanese write no spaces between words.
_WIDE = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
# Outside a code span a backslash escapes a backtick: \`a is no code span. Inside one a backslash is a plain
# character: `a\` is a code span.
_SIGN = re.compile(rf"\\?`+|\\\S|\]\(|[\[\]()>\"]|<(?=[A-Za-z/!?@#])|\s|[{_WIDE}]")

_ENDS = {"<": ">", '"': '"'}


def ends_of_words(text: str, begin: int, end: int) -> list[int]:
    """The ends of words in the paragraph text[begin:end] that are in no code span, link or angle brackets.

    A span that is never closed extends to the end, so that each result depends only on the text before it.
    The last result is the end of the paragraph.
    """
    found: list[int] = []
    until = ""  # what ends the current code span, angle brackets or link title
    brackets = parentheses = 0
    for match in _SIGN.finditer(text, begin, end):
        sign, before = match[0], text[match.start() - 1 : match.start()]
        if until:
            until = "" if sign.lstrip("\\") == until else until
        elif parentheses:
            parentheses += {"(": 1, ")": -1}.get(sign, 0)
            if (sign == "<" and before == "(") or (sign == '"' and before.isspace()):
                until = _ENDS[sign]
        elif "`" in sign:
            until = sign if sign[0] == "`" else sign[2:]
        elif sign == "<":
            until = _ENDS[sign]
        elif sign == "](" and brackets:
            brackets, parentheses = brackets - 1, 1
        elif sign in "[]":
            brackets = max(0, brackets + (1 if sign == "[" else -1))
        elif not brackets and sign not in '()>]("' and sign[0] != "\\":
            found.append(match.start())
    return [*found, end]
