"""Server-sent events: bytes in, events out. No I/O.

html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

# The only line ends. JSON strings may hold the other separators of str.splitlines.
_LINE_END = re.compile(r"\r\n|\n|\r")


class Event(NamedTuple):
    """One event.

    Attributes:
        name: the field `event`; "" where there is none.
    """

    data: str
    name: str = ""


class EventParser:
    """Parses a stream of byte chunks that may end anywhere, even inside a character."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._line: list[str] = []  # the beginning of the current line
        self._data: list[str] = []  # the data lines of the current event
        self._name = ""
        self._after_return = False

    def feed(self, piece: bytes) -> Iterator[Event]:
        yield from self._take(self._decoder.decode(piece))

    def end(self) -> Iterator[Event]:
        """The last event, even if the empty line after it is missing."""
        yield from self._take(self._decoder.decode(b"", final=True) + "\n\n")

    def _take(self, text: str) -> Iterator[Event]:
        if not text:
            return
        if self._after_return:  # "\r\n" in two chunks is one line end
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
