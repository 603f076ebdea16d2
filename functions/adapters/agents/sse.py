"""Server-sent events: bytes in, events out. No I/O.

html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

# Only these end a line: JSON strings may hold the other separators that str.splitlines knows.
_LINE_END = re.compile(r"\r\n|\n|\r")


class Event(NamedTuple):
    """One event.

    Attributes:
        name: of its kind; "" where the stream gives none.
    """

    data: str
    name: str = ""


class EventParser:
    """Takes a stream in pieces that may end anywhere, even inside a character."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._line: list[str] = []  # the pieces of the line under way
        self._data: list[str] = []  # the lines of the event under way
        self._name = ""
        self._after_return = False

    def feed(self, piece: bytes) -> Iterator[Event]:
        yield from self._take(self._decoder.decode(piece))

    def end(self) -> Iterator[Event]:
        """What the last event holds, although the empty line that ends it may be missing."""
        yield from self._take(self._decoder.decode(b"", final=True) + "\n\n")

    def _take(self, text: str) -> Iterator[Event]:
        if not text:
            return
        if self._after_return:  # "\r\n" that came in two pieces ends one line
            text = text.removeprefix("\n")
        self._after_return = text.endswith("\r")
        *ended, rest = _LINE_END.split(text)
        for line in ended:
            yield from self._take_line("".join([*self._line, line]))
            self._line.clear()
        self._line.append(rest)

    def _take_line(self, line: str) -> Iterator[Event]:
        if not line:
            if self._data:
                yield Event("\n".join(self._data), self._name)
            self._data.clear()
            self._name = ""
            return
        field, _, value = line.partition(":")
        if field == "data":
            self._data.append(value.removeprefix(" "))
        elif field == "event":
            self._name = value.removeprefix(" ")
