"""What the adapters of the table share: its keys, DynamoDB's types, and its errors in the bridge's terms."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from functions.adapters.aws.json_client import AwsError
from functions.bridge.errors import ServiceUnavailable


class ConditionFailed(Exception):
    """The condition of a write does not hold. `item` is what stands there, where that was asked for."""

    def __init__(self, item: dict[str, Any]) -> None:
        self.item = item


@contextmanager
def translated() -> Iterator[None]:
    """Raises `ConditionFailed` or `ServiceUnavailable` for what DynamoDB refuses."""
    try:
        yield
    except AwsError as exc:
        if exc.code == "ConditionalCheckFailedException":
            raise ConditionFailed(plain(exc.answer.get("Item", {}))) from exc
        raise ServiceUnavailable(f"DynamoDB failed: {exc}") from exc


def key_of(turn_id: str, item: str) -> dict[str, Any]:
    return {"turn_id": {"S": turn_id}, "item": {"S": item}}


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Text, bytes, whole numbers, truth values, lists, and mappings by name, as DynamoDB has them.

    docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
    """
    return {name: _typed(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """What `typed` was given, and sets of strings."""
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case bool():  # which Python takes for a number
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case list() | tuple():
            return {"L": [*map(_typed, value)]}
        case dict():
            return {"M": typed(value)}
    raise TypeError(f"no item has a value of type {type(value).__name__}")


def _plain(value: Mapping[str, Any]) -> Any:
    [(kind, content)] = value.items()
    match kind:
        case "N":
            return int(content)
        case "B":
            return base64.b64decode(content)
        case "L":
            return [*map(_plain, content)]
        case "M":
            return plain(content)
        case "SS":
            return {*content}
    return content  # S, BOOL, NULL
