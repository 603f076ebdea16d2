"""What agents tell in many small pieces, put together: text, thoughts, calls of tools."""

from collections.abc import Iterator

from functions.bridge.agent import Rationale, TextDelta, ToolKind, ToolUse


def clean(text: str) -> str:
    """JSON may hold halves of surrogate pairs, which can be sent nowhere."""
    return text.encode("utf-8", "replace").decode()


class Said:
    """Joins the messages of which one answer consists: each begins a paragraph of its own.

    A model that calls a tool ends its message there, mostly without a line break.

    Attributes:
        anything: whether there was any text yet.
    """

    def __init__(self) -> None:
        self.anything = False
        self._ends_line = True
        self._new_message = False

    def new_message(self) -> None:
        self._new_message = True

    def piece(self, text: str) -> Iterator[TextDelta]:
        """The next piece of the message under way."""
        if not text:
            return
        apart = self._new_message and self.anything and not self._ends_line
        self._new_message = False
        self.anything, self._ends_line = True, text.endswith("\n")
        yield TextDelta(f"\n\n{clean(text)}" if apart else clean(text))


class Thought:
    """Reasoning that comes in pieces of a few characters, made one thought."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, text: str) -> None:
        self._pieces.append(text)

    def end(self) -> Iterator[Rationale]:
        """The thought, if there was one. The next piece begins another."""
        thought = clean("".join(self._pieces)).strip()
        self._pieces.clear()
        if thought:
            yield Rationale(thought)


class ToolsSeen:
    """Tells of each call of a tool once, however often its id comes up."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def use(self, call_id: object, name: object, kind: ToolKind = ToolKind.TOOL) -> Iterator[ToolUse]:
        """A call by its id; one without an id counts as new."""
        if isinstance(call_id, str) and call_id:
            if call_id in self._ids:
                return
            self._ids.add(call_id)
        # A gateway's tools are named after their target too: "weather___get-forecast".
        yield ToolUse(clean(name).rpartition("___")[2] if isinstance(name, str) else "", kind)
