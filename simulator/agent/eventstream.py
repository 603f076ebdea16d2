"""The binary framing of AWS event streams (`application/vnd.amazon.eventstream`): encoding only.

Knows messages, headers and checksums; nothing of any service's events. The format is described in
https://smithy.io/2.0/aws/amazon-eventstream.html
"""

import json
import struct
from binascii import crc32
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_STRING = 7  # the header value type that AWS's services use for their own headers
_MAX_NAME = 255
_MAX_VALUE = 32_767
_MAX_HEADERS = 128 * 1024
_MAX_PAYLOAD = 24 * 1024 * 1024


def encode(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: prelude, headers (all of type string), payload, checksum.

    Raises ValueError when a part is longer than the format allows.
    """
    block = b"".join(_header(name, value) for name, value in headers.items())
    if len(block) > _MAX_HEADERS or len(payload) > _MAX_PAYLOAD:
        raise ValueError(f"too long for one message: headers {len(block)}, payload {len(payload)} bytes")
    lengths = struct.pack("!II", 12 + len(block) + len(payload) + 4, len(block))
    message = lengths + struct.pack("!I", crc32(lengths)) + block + payload
    return message + struct.pack("!I", crc32(message))


def event(event_type: str, body: Mapping[str, Any]) -> bytes:
    """A message that carries the stream's member `event_type`."""
    return encode(
        {":event-type": event_type, ":content-type": "application/json", ":message-type": "event"},
        json.dumps(body).encode(),
    )


def exception(exception_type: str, body: Mapping[str, Any]) -> bytes:
    """A message that ends the stream with an error that the service's model names."""
    return encode(
        {
            ":exception-type": exception_type,
            ":content-type": "application/json",
            ":message-type": "exception",
        },
        json.dumps(body).encode(),
    )


def error(code: str, message: str) -> bytes:
    """A message that ends the stream with an error that no model names."""
    return encode({":error-code": code, ":error-message": message, ":message-type": "error"}, b"")


def _header(name: str, value: str) -> bytes:
    encoded_name, encoded_value = name.encode(), value.encode()
    if not 1 <= len(encoded_name) <= _MAX_NAME or len(encoded_value) > _MAX_VALUE:
        raise ValueError(f"header {name[:40]!r}: name or value too short or too long")
    return (
        struct.pack("!B", len(encoded_name))
        + encoded_name
        + struct.pack("!BH", _STRING, len(encoded_value))
        + encoded_value
    )
