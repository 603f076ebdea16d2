"""Checks a request against a service's own model, as far as the model tells: strictly.

Left out, as services do: members that the model does not know are passed over.
"""

import base64
import binascii
import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import botocore.session
from werkzeug.datastructures import Headers

from simulator.agent.asked import AgentError

_TYPES: dict[str, type | tuple[type, ...]] = {
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


@functools.cache
def operation(service: str, name: str) -> Any:
    """botocore's model of an operation."""
    return botocore.session.get_session().get_service_model(service).operation_model(name)


def read(
    operation: Any,
    *,
    uri: Mapping[str, str],
    query: Mapping[str, str],
    headers: Headers,
    body: bytes,
) -> dict[str, Any]:
    """The members of the operation's input, from where its model puts them.

    Raises AgentError where they are not as the model says.
    """
    shape = operation.input_shape
    places: dict[str, Any] = {"uri": uri, "querystring": query, "header": headers}
    found: dict[str, Any] = {}
    payload = shape.serialization.get("payload")
    document = {} if payload else _object(body)
    for name, member in shape.members.items():
        place = member.serialization.get("location", "body")
        wire_name = member.serialization.get("name", name)
        if name == payload:
            found[name] = body
        elif (value := places.get(place, document).get(wire_name)) is not None:
            found[name] = value
    _check_members(shape, found, "")
    return found


def _check(shape: Any, value: Any, path: str) -> None:
    if shape.type_name == "structure" and shape.metadata.get("document"):
        return
    _check_type(shape, value, path)
    match shape.type_name:
        case "structure":
            _check_members(shape, value, path)
        case "list":
            for number, inner in enumerate(value, 1):
                _check(shape.member, inner, f"{path}.{number}.member")
        case "map":
            for key, inner in value.items():
                _check(shape.value, inner, f"{path}.{key}")
    _check_constraints(shape, value, path)


def _check_type(shape: Any, value: Any, path: str) -> None:
    if isinstance(value, bytes) and shape.type_name == "blob":
        return
    wrong = not isinstance(value, _TYPES[shape.type_name])
    if wrong or (isinstance(value, bool) and shape.type_name != "boolean"):
        raise AgentError("serializationException", f"'{path}' has the wrong type.", 400)
    if shape.type_name == "blob":
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise AgentError("serializationException", f"'{path}' is not Base64.", 400) from None


def _check_members(shape: Any, value: Mapping[str, Any], path: str) -> None:
    for name in shape.required_members:
        if value.get(name) is None:
            raise _violation(f"{path}.{name}", "Member must not be null")
    known = [name for name in shape.members if value.get(name) is not None]
    if shape.is_tagged_union and len(known) != 1:
        raise AgentError("serializationException", f"'{path}' must have exactly one member.", 400)
    for name in known:
        _check(shape.members[name], value[name], f"{path}.{name}")


def _check_constraints(shape: Any, value: Any, path: str) -> None:
    metadata = shape.metadata
    size = value if isinstance(value, int | float) else len(value)
    if not metadata.get("min", size) <= size <= metadata.get("max", size):
        raise _violation(path, f"Member must be between {metadata.get('min')} and {metadata.get('max')}")
    if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
        raise _violation(path, f"Member must satisfy regular expression pattern: {metadata['pattern']}")
    if shape.type_name == "string" and shape.enum and value not in shape.enum:
        raise _violation(path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")


def _object(body: bytes) -> dict[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise AgentError("serializationException", "The request body is not a JSON object.", 400)
    return members


def _violation(path: str, constraint: str) -> AgentError:
    where = path.removeprefix(".")
    message = f"1 validation error detected: Value at '{where}' failed to satisfy constraint: {constraint}"
    return AgentError("validationException", message)
