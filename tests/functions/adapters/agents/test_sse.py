import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.agents.sse import Event, EventParser


def parsed(*pieces: bytes) -> list[str]:
    parser = EventParser()
    found = [*(event for piece in pieces for event in parser.feed(piece)), *parser.end()]
    return [event.data for event in found]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: one\n\ndata: two\n\n", ["one", "two"]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
        (b"data: one\r\rdata: two\r\r", ["one", "two"]),
        (b"data: one\ndata: two\n\n", ["one\ntwo"]),
        (b"data:one\n\ndata:  two\n\n", ["one", " two"]),
        (b"data\n\n", [""]),
        (b"data\ndata\n\n", ["\n"]),
        (b": nothing\nevent: x\nid: 1\nretry: 2\n\ndata: one\n\n", ["one"]),
        (b"\xef\xbb\xbfdata: one\n\n", ["one"]),
        ("data: a\u2028b\x0bc\u0085d\n\n".encode(), ["a\u2028b\x0bc\u0085d"]),
        (b"data: \xff\n\n", ["\ufffd"]),
        (b"data: unfinished", ["unfinished"]),
        (b"data: unfinished\n", ["unfinished"]),
        (b"", []),
        (b"\n\n\n", []),
    ],
)
def test_events_are_parsed(stream: bytes, expected: list[str]) -> None:
    assert parsed(stream) == expected


def test_an_event_is_told_as_soon_as_its_empty_line_is_there() -> None:
    parser = EventParser()
    assert list(parser.feed(b"data: one\n")) == []
    assert list(parser.feed(b"\n")) == [Event("one")]
    assert list(parser.feed(b"data: two\r\n\r")) == [Event("two")]
    assert list(parser.feed(b"\ndata: three\n\n")) == [Event("three")]


def test_each_event_has_its_own_name() -> None:
    named = b"event: error\ndata: one\n\ndata: two\n\nevent:x\n\ndata: three\n\n"
    assert list(EventParser().feed(named)) == [Event("one", "error"), Event("two"), Event("three")]


@given(
    stream=st.text(alphabet="da:t \r\n☀\u2028e", max_size=60).map(str.encode),
    sizes=st.lists(st.integers(1, 5), max_size=60),
)
def test_events_are_the_same_wherever_chunks_end(stream: bytes, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(stream[at : at + size])
        at += size
    assert parsed(*pieces, stream[at:]) == parsed(stream)
