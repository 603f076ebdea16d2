"""A TOML table that is read key by key, and in which every problem is noted."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

# A regular expression, and the same in words.
Rule = tuple[str, str]

T = TypeVar("T")

# How much of a wrong value is repeated, in characters.
LONGEST_VALUE = 500


class Table:
    """A TOML table that is read key by key.

    Each method answers with a usable value even where the file has none, and notes the problem: the
    reading goes on, and the file is refused at its end.
    """

    def __init__(self, values: Mapping[str, object], path: str, problems: list[str]) -> None:
        self._values = values
        self._path = path
        self._problems = problems
        self._known: list[str] = []

    def table(self, key: str) -> "Table":
        """The table at `key`; an absent one is empty, so that its required keys are reported by name."""
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self.refuse(key, "a table")
            value = None
        return Table(value or {}, f"{self._path}{key}.", self._problems)

    def names(self) -> list[str]:
        """The keys of the table, whatever they are."""
        return list(self._values)

    def tables(self, key: str) -> "list[Table]":
        """The array of tables at `key`; [] if there is none."""
        value = self._take(key, [])
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return [
                Table(one, f"{self._path}{key}[{number}].", self._problems)
                for number, one in enumerate(value, start=1)
            ]
        self.refuse(key, f"tables, each under [[{self._path}{key}]]")
        return []

    def texts(self, key: str, rule: Rule) -> tuple[str, ...]:
        """A list of strings, each by the rule; () if there is none."""
        pattern, allowed = rule
        value = self._take(key, [])
        if isinstance(value, list) and all(
            isinstance(one, str) and re.fullmatch(pattern, one, re.ASCII) for one in value
        ):
            return tuple(value)
        self.refuse(key, f"a list, each entry {allowed}")
        return ()

    def text(self, key: str, rule: Rule, *, quote: bool = True) -> str:
        """A required string, by the rule; `quote` is whether a wrong one may be repeated."""
        pattern, allowed = rule
        value = self._take(key)
        if isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII):
            return value
        if quote or value is None:
            self.refuse(key, allowed)
        else:
            self.refuse_key(key, "is something else", allowed)
        return ""

    def optional_text(self, key: str, rule: Rule, *, quote: bool = True) -> str | None:
        if key in self._values:
            return self.text(key, rule, quote=quote)
        self._known.append(key)
        return None

    def choice(self, key: str, allowed: Sequence[str], *, default: str | None = None) -> str:
        value = self._take(key, default)
        if isinstance(value, str) and value in allowed:
            return value
        self.refuse(key, _either(allowed))
        return allowed[0]

    def looked_up(self, key: str, known: Mapping[str, T]) -> T | None:
        """What the required word at `key` stands for; None if it is not one of the known ones."""
        value = self._take(key)
        if isinstance(value, str) and value in known:
            return known[value]
        self.refuse(key, _either(known))
        return None

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self._take(key, default)
        if isinstance(value, bool):
            return value
        self.refuse(key, "true or false")
        return default

    def integer(self, key: str, allowed: range, *, default: int) -> int:
        value = self._take(key, default)
        # In Python true is a number.
        if isinstance(value, int) and not isinstance(value, bool) and value in allowed:
            return value
        self.refuse(key, f"a whole number from {allowed[0]} to {allowed[-1]}")
        return default

    def optional_integer(self, key: str, allowed: range) -> int | None:
        if key in self._values:
            return self.integer(key, allowed, default=allowed[0])
        self._known.append(key)
        return None

    def refuse_the_rest(self) -> None:
        """Note every key that no method has asked for."""
        known = ", ".join(self._known)
        for key in self._values:
            if key not in self._known:
                self._problems.append(f"{self._path}{key} is not a setting; allowed here: {known}")

    def _take(self, key: str, default: object = None) -> object:
        self._known.append(key)
        return self._values.get(key, default)

    def refuse(self, key: str, allowed: str) -> None:
        """Note that the value at `key` is wrong, and what would be right."""
        found = f"is {_as_toml(self._values[key])}" if key in self._values else "is missing"
        self.refuse_key(key, found, allowed)

    def refuse_key(self, key: str, problem: str, allowed: str) -> None:
        """Note what is wrong with the key itself, whatever its value."""
        self._problems.append(f"{self._path}{key} {problem}; allowed: {allowed}")


def _either(allowed: Iterable[str]) -> str:
    return " or ".join(_as_toml(one) for one in allowed)


def _as_toml(value: object) -> str:
    """The value as the file has it, so that it is found again; of tables not what is in them."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return "a list of tables"
    text = json.dumps(value, ensure_ascii=False, default=str)  # strings, numbers and booleans look the same
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
