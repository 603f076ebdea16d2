"""What the adapters of the table share: its keys, DynamoDB's types, and its errors in the bridge's terms."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from functions.bridge.errors import ServiceUnavailable

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class ConditionFailed(Exception):
    """The condition of a write does not hold. `item` is what stands there, where that was asked for."""

    def __init__(self, item: dict[str, Any]) -> None:
        self.item = item


@contextmanager
def translated() -> Iterator[None]:
    """Raises `ConditionFailed` or `ServiceUnavailable` for what boto3 raises."""
    try:
        yield
    except ClientError as exc:
        if error_of(exc) == "ConditionalCheckFailedException":
            raise ConditionFailed(plain(exc.response.get("Item", {}))) from exc  # type: ignore[arg-type]
        raise ServiceUnavailable(f"DynamoDB refused: {error_of(exc)}") from exc
    except BotoCoreError as exc:
        raise ServiceUnavailable(f"DynamoDB did not answer: {type(exc).__name__}") from exc


def error_of(exc: ClientError) -> str:
    """DynamoDB's name of an error."""
    return exc.response.get("Error", {}).get("Code", "")


def key_of(turn_id: str, item: str) -> dict[str, Any]:
    return {"turn_id": {"S": turn_id}, "item": {"S": item}}


def typed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in values.items()}


def plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in item.items()}
