"""Reads fields of a JSON object that comes from a queue, a button or a request.

Each function takes the object and the name of a field. It raises `WrongField` if the value has the wrong
type, format or size, or if it is missing and there is no `default`.
"""

import re
from collections.abc import Mapping
from typing import Any

# Slack's ids of teams, channels and users, and its timestamps. Slack has issued shorter ones only.
ID = re.compile(r"[A-Z][A-Z0-9]{1,30}")
# An id of ours that nobody can guess.
TOKEN = re.compile(r"[0-9a-f]{32}")
TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
SURROGATE = re.compile("[\ud800-\udfff]")

Fields = Mapping[str, Any]


class WrongField(ValueError):
    """A field is wrong. The text says which and what it should be, never the value: people wrote it."""


def slack_id(fields: Fields, name: str, default: str | None = None) -> str:
    """Slack's id of a team, a channel or a user, such as "C0123456789"."""
    value = text(fields, name, default)
    if value != default and not ID.fullmatch(value):
        raise WrongField(f"{name} is no id")
    return value


def timestamp(fields: Fields, name: str, default: str | None = None) -> str:
    """Slack's id of a message in its channel, such as "1700000000.000100"."""
    value = text(fields, name, default)
    if value != default and not TS.fullmatch(value):
        raise WrongField(f"{name} is no timestamp")
    return value


def token(fields: Fields, name: str) -> str:
    """An id of ours that nobody can guess: 32 hexadecimal digits."""
    value = text(fields, name)
    if not TOKEN.fullmatch(value):
        raise WrongField(f"{name} is no id of ours")
    return value


def text(fields: Fields, name: str, default: str | None = None) -> str:
    """Text that UTF-8 can encode. A lone surrogate is refused."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise WrongField(f"{name} is no text")
    if SURROGATE.search(value):
        raise WrongField(f"{name} has half a character")
    return value


def any_text(fields: Fields, name: str) -> str:
    """The text in a field of Slack's, "" if there is none. Lone surrogates are replaced."""
    value = fields.get(name)
    return SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""


def number(fields: Fields, name: str, *, least: int, most: int, default: int | None = None) -> int:
    """A whole number from `least` to `most`."""
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise WrongField(f"{name} is no number from {least} to {most}")
    return value


def items(fields: Fields, name: str, *, most: int) -> list[Any]:
    """A list of at most `most` items; an empty one if it is missing."""
    value = fields.get(name, [])
    if not isinstance(value, list) or len(value) > most:
        raise WrongField(f"{name} is no list of at most {most}")
    return value


def inner(fields: Fields, name: str) -> Fields:
    """The object in a field."""
    value = fields.get(name)
    if not isinstance(value, dict):
        raise WrongField(f"{name} is no object")
    return value
