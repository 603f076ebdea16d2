"""Reads a TOML table key by key and collects its problems."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

# A regular expression, and its meaning in words.
Rule = tuple[str, str]

T = TypeVar("T")

# Characters of a wrong value that a message quotes.
LONGEST_VALUE = 500


class Table:
    """A TOML table that is read key by key.

    Where a value is wrong or missing, each method notes the problem and returns a usable value, so that the
    rest is read too. The caller refuses the file at the end.
    """

    def __init__(self, values: Mapping[str, object], path: str, problems: list[str]) -> None:
        self._values = values
        self._path = path
        self._problems = problems
        self._known: list[str] = []

    def table(self, key: str) -> "Table":
        """The table at `key`; an empty one if it is absent, so that its required keys are reported."""
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self.refuse(key, "a table")
            value = None
        return Table(value or {}, f"{self._path}{key}.", self._problems)

    def holds(self, key: str, kind: type) -> bool:
        """Whether the value at `key` is of this type, for a key that may have several."""
        return isinstance(self._values.get(key), kind)

    def names(self) -> list[str]:
        """All keys of the table."""
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
        """A list of strings that match the rule; () if the key is absent."""
        pattern, allowed = rule
        value = self._take(key, [])
        if isinstance(value, list) and all(
            isinstance(one, str) and re.fullmatch(pattern, one, re.ASCII) for one in value
        ):
            return tuple(value)
        self.refuse(key, f"a list, each entry {allowed}")
        return ()

    def only(self, key: str, rule: Rule, *, otherwise: str = "there is no such limit") -> tuple[str, ...]:
        """A list of the only strings that count, each by the rule; () if the key is missing: then all count.

        An empty list is refused: whoever takes the last entry out means nobody, and would get everybody.
        `otherwise`: what a missing key means.
        """
        if self._values.get(key) == []:
            self._known.append(key)
            self.refuse(key, f"one entry or more, each {rule[1]}; without the key {otherwise}")
            return ()
        return self.texts(key, rule)

    def text(self, key: str, rule: Rule, *, quote: bool = True) -> str:
        """A required string that matches the rule. `quote`: whether a message may quote a wrong one."""
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

    def choice(self, key: str, allowed: Sequence[str], *, default: str | None = None, also: str = "") -> str:
        """One of the words. `also`: what else the caller takes, in words."""
        value = self._take(key, default)
        if isinstance(value, str) and value in allowed:
            return value
        self.refuse(key, f"{_either(allowed)}, or {also}" if also else _either(allowed))
        return allowed[0]

    def looked_up(self, key: str, known: Mapping[str, T]) -> T | None:
        """The value in `known` for the required word at `key`; None for an unknown word."""
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
        # In Python a bool is an int.
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
        """Note every key that no method has read."""
        known = ", ".join(self._known)
        for key in self._values:
            if key not in self._known:
                self._problems.append(f"{self._path}{key} is not a setting; allowed here: {known}")

    def _take(self, key: str, default: object = None) -> object:
        self._known.append(key)
        return self._values.get(key, default)

    def refuse(self, key: str, allowed: str) -> None:
        """Note that the value at `key` is wrong, and what is allowed."""
        found = f"is {_as_toml(self._values[key])}" if key in self._values else "is missing"
        self.refuse_key(key, found, allowed)

    def refuse_key(self, key: str, problem: str, allowed: str) -> None:
        """Note a problem of the key, without its value."""
        self._problems.append(f"{self._path}{key} {problem}; allowed: {allowed}")


def _either(allowed: Iterable[str]) -> str:
    return " or ".join(_as_toml(one) for one in allowed)


def _as_toml(value: object) -> str:
    """The value as TOML, so that it can be found in the file. Contents of tables are left out."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return "a list of tables"
    text = json.dumps(value, ensure_ascii=False, default=str)  # TOML writes all of these as JSON does
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
