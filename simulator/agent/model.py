"""Checks a request against a service's own model, as far as the model tells, and the form of its signature.

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

from simulator.agent.request import AgentError

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


def check_signature(authorization: str | None, service: str) -> None:
    """Raises AgentError unless the header has the form of Signature Version 4 for `service`.

    The signature itself is not computed: the fake has no keys. Form:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
    """
    if not authorization:
        raise AgentError("missingAuthenticationTokenException", "Missing Authentication Token", 403)
    scope = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=[^/, ]+/\d{8}/[a-z0-9-]+/(?P<service>[a-z0-9-]+)/aws4_request, ?"
        r"SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}",
        authorization,
    )
    if scope is None:
        message = "Authorization header is not of the form of AWS Signature Version 4."
        raise AgentError("incompleteSignatureException", message, 403)
    if scope["service"] != service:
        message = f"Credential should be scoped to correct service: '{service}'."
        raise AgentError("invalidSignatureException", message, 403)


def violation(path: str, constraint: str) -> AgentError:
    """What the service answers when a member breaks a rule of the model."""
    where = path.removeprefix(".")
    message = f"1 validation error detected: Value at '{where}' failed to satisfy constraint: {constraint}"
    return AgentError("validationException", message)


def _check(shape: Any, value: Any, path: str) -> None:
    if shape.type_name == "structure" and shape.metadata.get("document"):
        return
    _check_type(shape, value, path)
    size = value if isinstance(value, int | float) else len(value)
    match shape.type_name:
        case "structure":
            _check_members(shape, value, path)
        case "list":
            for number, inner in enumerate(value, 1):
                _check(shape.member, inner, f"{path}.{number}.member")
        case "map":
            for key, inner in value.items():
                _check(shape.value, inner, f"{path}.{key}")
        case "blob" if isinstance(value, str):
            size = _decoded_bytes(value, path)
    _check_constraints(shape, value, size, path)


def _check_type(shape: Any, value: Any, path: str) -> None:
    if isinstance(value, bytes) and shape.type_name == "blob":
        return
    wrong = not isinstance(value, _TYPES[shape.type_name])
    if wrong or (isinstance(value, bool) and shape.type_name != "boolean"):
        raise AgentError("serializationException", f"'{path}' has the wrong type.", 400)


def _decoded_bytes(value: str, path: str) -> int:
    try:
        return len(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raise AgentError("serializationException", f"'{path}' is not Base64.", 400) from None


def _check_members(shape: Any, value: Mapping[str, Any], path: str) -> None:
    for name in shape.required_members:
        if value.get(name) is None:
            raise violation(f"{path}.{name}", "Member must not be null")
    known = [name for name in shape.members if value.get(name) is not None]
    if shape.is_tagged_union and len(known) != 1:
        raise AgentError("serializationException", f"'{path}' must have exactly one member.", 400)
    for name in known:
        _check(shape.members[name], value[name], f"{path}.{name}")


def _check_constraints(shape: Any, value: Any, size: float, path: str) -> None:
    """`size`: a number itself, or a length in characters, bytes or members."""
    metadata = shape.metadata
    if not metadata.get("min", size) <= size <= metadata.get("max", size):
        raise violation(path, f"Member must be between {metadata.get('min')} and {metadata.get('max')}")
    if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
        raise violation(path, f"Member must satisfy regular expression pattern: {metadata['pattern']}")
    if shape.type_name == "string" and shape.enum and value not in shape.enum:
        raise violation(path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")


def _object(body: bytes) -> dict[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise AgentError("serializationException", "The request body is not a JSON object.", 400)
    return members
