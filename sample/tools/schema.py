"""A tool's schema, and the check of arguments against it."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sample.tools.failures import InvalidArguments

SCHEMAS = Path(__file__).parent / "schemas.json"

LONGEST_QUOTE = 60  # characters of a refused value that are repeated


@dataclass(frozen=True)
class Schema:
    """The name and the arguments of a tool.

    Attributes:
        name: by which the model calls it.
        parameters: by name; each in the words of JSON Schema (type, minimum, maximum, maxLength, format,
            default), and `required`.
    """

    name: str
    parameters: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, module: str) -> "Schema":
        """The schema of the tool that the module of this name is."""
        schema = json.loads(SCHEMAS.read_text(encoding="utf-8"))[module]
        return cls(name=schema["name"], parameters=schema["parameters"])

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """`arguments` with their proper types, and defaults for those that are left out.

        Action groups hand over every value as text, and models write "" or null for nothing.

        Raises:
            InvalidArguments: naming every problem, not just the first.
        """
        problems = [
            f"{_sendable(name)} is not a parameter" for name in arguments if name not in self.parameters
        ]
        checked: dict[str, Any] = {}
        for name, rule in self.parameters.items():
            value = arguments.get(name)
            if value is None or (isinstance(value, str) and not value.strip()):
                if rule.get("required"):
                    problems.append(f"{name} is missing; it must be {_allowed(rule)}")
                checked[name] = rule.get("default")
                continue
            checked[name] = _converted(value, rule)
            if checked[name] is None:
                problems.append(f"{name} is {_quoted(value)}; it must be {_allowed(rule)}")
        if problems:
            raise InvalidArguments(f"{'; '.join(problems)}. Parameters: {', '.join(self.parameters)}.")
        return checked


def _converted(value: object, rule: Mapping[str, Any]) -> str | int | float | None:
    """The value in the type that the rule asks for, or None when it is not allowed."""
    if rule["type"] == "string":
        return _text(value, rule)
    number = _number(value)
    if number is None or not rule["minimum"] <= number <= rule["maximum"]:
        return None
    if rule["type"] == "integer":
        return int(number) if number == int(number) else None
    return number


def _text(value: object, rule: Mapping[str, Any]) -> str | None:
    if not isinstance(value, str):
        return None
    text = value.strip()
    if rule.get("format") == "date":
        return text if _is_date(text) else None
    return text if len(text) <= rule["maxLength"] and _is_unicode(text) else None


def _is_unicode(text: str) -> bool:
    """Whether UTF-8 can encode the text: JSON may hold a lone surrogate, as in "\\ud800"."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None  # and not 20261124 or 2026-W48-2


def _allowed(rule: Mapping[str, Any]) -> str:
    if rule["type"] == "string":
        if rule.get("format") == "date":
            return "a date as YYYY-MM-DD"
        return f"text of at most {rule['maxLength']} characters"
    kind = "a whole number" if rule["type"] == "integer" else "a number"
    return f"{kind} from {rule['minimum']} to {rule['maximum']}"


def _quoted(value: object) -> str:
    text = _sendable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def _sendable(text: str) -> str:
    """With escapes for what is no character."""
    return text.encode(errors="backslashreplace").decode()
