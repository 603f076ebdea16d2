"""Converts Slack's escaped text of a message to the plain text that an agent reads.

Escapes: docs.slack.dev/messaging/formatting-message-text (links in angle brackets, and `&amp;`,
`&lt;`, `&gt;` for those three characters and no others).
"""

import re
from collections.abc import Mapping

from functions.bridge.names import quoted
from functions.bridge.turn import MOST_PEOPLE

_BRACKETS = re.compile(r"<([^<>]*)>")
_ID = re.compile(r"@([UW][A-Z0-9]+)\b")
_PERSON = re.compile(r"<@([UW][A-Z0-9]{1,30})>")
_ANYONE = re.compile(r"<@([UW][A-Z0-9]{1,30})(?:\|[^<>]*)?>")
# A person, a group or everybody. A date (`<!date^…>`), which only apps write, is none of them.
_SOMEBODY = re.compile(r"<(@|!(?!date\^))")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">"}


def question_text(text: str, *, bot_user: str) -> str:
    """The question without the mention of the bot, and with readable people, channels and links.

    Entities are decoded once, at the end: a user who types `<@U1>` sends `&lt;@U1&gt;`, which is no mention.
    """
    # The space after the mention is removed with it. All other white space stays.
    unaddressed = re.sub(rf"<@{re.escape(bot_user)}(?:\|[^<>]*)?>[ \t]*", "", text)
    readable = _BRACKETS.sub(lambda match: _readable(match[1]), unaddressed)
    return _ENTITY.sub(lambda match: _CHARACTERS[match[1]], readable).strip()


def first_mentioned(text: str) -> str:
    """The id of the first user whom the text mentions; "" if it mentions nobody."""
    found = _ANYONE.search(text)
    return found[1] if found else ""


def mentions(text: str, user: str) -> bool:
    """Whether the text mentions this user."""
    return user in _ANYONE.findall(text)


def mentions_somebody(text: str) -> bool:
    """Whether the text is for somebody, be it the bot, another person, a group or everybody."""
    return _SOMEBODY.search(text) is not None


def mentioned_people(text: str, *, bot_user: str) -> tuple[str, ...]:
    """The ids of the other people whom the text mentions without a name, each once."""
    ids = dict.fromkeys(_PERSON.findall(text))
    return tuple(user for user in ids if user != bot_user)[:MOST_PEOPLE]


def with_names(question: str, names: Mapping[str, str]) -> str:
    """The question with people's names, quoted, in place of their ids. `names`: by id.

    Ids without a name stay. Names are quoted because people choose them freely.
    """
    return _ID.sub(lambda match: f"@{quoted(name) if (name := names.get(match[1])) else match[1]}", question)


def _readable(inside: str) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return f"@{quoted(label.removeprefix('@'))}" if label else target
    if target.startswith("#"):
        return f"#{label}" if label else target
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    if not target:
        return ""
    address = target.removeprefix("mailto:")
    return f"{label} ({address})" if label and label != address else address
