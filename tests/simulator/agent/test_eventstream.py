import struct
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from simulator.agent import eventstream

NAMES = st.text(min_size=1, max_size=60).filter(lambda name: len(name.encode()) <= 255)
HEADERS = st.dictionaries(NAMES, st.text(max_size=200), max_size=8)


def decoded(data: bytes) -> list[Any]:
    """What botocore's own parser makes of `data`."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


@given(headers=HEADERS, payload=st.binary(max_size=2000))
def test_botocore_reads_what_was_encoded(headers: dict[str, str], payload: bytes) -> None:
    [message] = decoded(eventstream.encode(headers, payload))
    assert (message.headers, message.payload) == (headers, payload)


@given(payloads=st.lists(st.binary(max_size=100), max_size=5), data=st.data())
def test_messages_may_arrive_cut_anywhere(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(eventstream.encode({"n": str(n)}, payload) for n, payload in enumerate(payloads))
    cut = data.draw(st.integers(0, len(stream)))
    buffer = EventStreamBuffer()
    messages = []
    for part in (stream[:cut], stream[cut:]):
        buffer.add_data(part)
        messages += list(buffer)
    assert [message.payload for message in messages] == payloads


@given(position=st.integers(0, 60), flip=st.integers(1, 255))
def test_a_damaged_message_never_reads_as_another(position: int, flip: int) -> None:
    message = bytearray(eventstream.event("chunk", {"bytes": "SGVsbG8="}))
    message[8 + position] ^= flip  # past the lengths, which say how much to wait for
    with pytest.raises(ChecksumMismatch):
        decoded(bytes(message))


def test_an_event_carries_its_type_and_json() -> None:
    [message] = decoded(eventstream.event("chunk", {"bytes": "é"}))
    assert message.headers == {
        ":event-type": "chunk",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    assert message.payload == b'{"bytes": "\\u00e9"}'
    assert message.to_response_dict()["status_code"] == 200


def test_an_exception_and_an_error_read_as_errors() -> None:
    [exception] = decoded(eventstream.exception("throttlingException", {"message": "slow down"}))
    [error] = decoded(eventstream.error("InternalFailure", "broken"))
    assert exception.headers[":exception-type"] == "throttlingException"
    assert (error.headers[":error-code"], error.headers[":error-message"]) == ("InternalFailure", "broken")
    assert {m.to_response_dict()["status_code"] for m in (exception, error)} == {400}


def test_the_lengths_count_the_whole_message() -> None:
    message = eventstream.encode({"a": "b"}, b"payload")
    assert struct.unpack("!II", message[:8]) == (len(message), 1 + 1 + 1 + 2 + 1)


@pytest.mark.parametrize("headers", [{"": "x"}, {"n" * 256: "x"}, {"n": "x" * 32_768}])
def test_a_header_over_the_format_s_limits_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="header"):
        eventstream.encode(headers, b"")


def test_a_payload_over_the_format_s_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        eventstream.encode({}, bytes(24 * 1024 * 1024 + 1))
