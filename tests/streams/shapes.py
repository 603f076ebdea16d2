"""What a JSON body has that its shape in a service model does not allow: boto3 passes over it."""

import base64
import binascii
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session

_TYPES: dict[str, Any] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "blob": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


@cache
def output(service: str, operation: str) -> Any:
    """The shape of an operation's event stream."""
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    return model.get_event_stream_output()


@cache
def named(service: str, shape: str) -> Any:
    """The shape of this name."""
    return botocore.session.get_session().get_service_model(service).shape_for(shape)


def problems(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Each member that is unknown, missing, of the wrong type or without a meaning, by its path."""
    if getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if kind == "timestamp":
        kind = "string" if shape.serialization.get("timestampFormat") == "iso8601" else "double"
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path}: no {kind}"
        return
    match kind:
        case "structure":
            yield from _members(shape, value, path)
        case "map":
            for key, inner in value.items():
                yield from problems(shape.value, inner, f"{path}.{key}")
        case "list":
            for number, inner in enumerate(value):
                yield from problems(shape.member, inner, f"{path}[{number}]")
        case "blob":
            yield from _base64(value, path)
        case "string" if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{path}: none of its values"


def _members(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in value:
        if name not in shape.members:
            yield f"{path}.{name}: unknown"
        else:
            yield from problems(shape.members[name], value[name], f"{path}.{name}")
    for name in shape.required_members:
        if name not in value:
            yield f"{path}.{name}: missing"
    if shape.is_tagged_union and len(value) != 1:
        yield f"{path}: {len(value)} members of a union"


def _base64(value: str, path: str) -> Iterator[str]:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        yield f"{path}: no Base64"
