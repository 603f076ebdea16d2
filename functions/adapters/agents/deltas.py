"""Puts together what agents stream in deltas: text, reasoning, tool calls."""

import hashlib
import json
from collections.abc import Hashable, Iterator

from functions.bridge.agents.events import (
    Rationale,
    TextDelta,
    ToolArguments,
    ToolKind,
    ToolRequest,
    ToolUse,
)

_THOUGHT, _END_OF_THOUGHT = "<thinking>", "</thinking>"


def encodable(text: str) -> str:
    """The text without lone surrogates, which JSON may hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


class ModelText:
    """Separates the reasoning at the beginning of a model's message from its text.

    Amazon Nova reasons in `<thinking>…</thinking>` before it calls a tool or answers. Later in the text these
    tags are part of the answer, in code for example.
    docs.aws.amazon.com/nova/latest/userguide/tool-use-invocation.html
    """

    def __init__(self) -> None:
        self._held: list[str] = []  # pieces of text that is, or may become, the beginning of reasoning
        self._tail = ""  # the last characters of it, with which the closing tag may begin
        self._may_think = True
        self._thinks = False  # whether the opening tag has been read
        self._thought = False  # whether there was any reasoning

    def delta(self, text: str) -> Iterator[TextDelta | Rationale]:
        """Take the next delta, which may end anywhere. Takes no longer when much reasoning is held."""
        while text and self._may_think:
            if self._thinks:
                thought, text = self._think(text)
                if thought:
                    yield Rationale(thought)
            else:
                text = self._begin(text)
                if not self._thinks:
                    break
        if text:
            yield TextDelta(text)

    def end(self) -> Iterator[TextDelta]:
        """The held text: without a closing tag it is part of the answer."""
        if held := "".join(self._held):
            yield TextDelta(held)
        self._held, self._may_think = [], False

    def _begin(self, text: str) -> str:
        """Look for the opening tag. Returns what can be told: text, or the beginning of reasoning."""
        held = "".join(self._held)  # less than a tag
        held += text.lstrip() if self._thought and not held else text
        begun = held.lstrip()
        self._held = []
        if begun.startswith(_THOUGHT):
            self._thinks = True
        elif begun and _THOUGHT.startswith(begun):
            self._held = [held]
            return ""
        else:
            self._may_think = not begun
        return held

    def _think(self, text: str) -> tuple[str, str]:
        """Look for the closing tag. Returns the reasoning, once it is complete, and the text behind it."""
        self._held.append(text)
        searched = self._tail + text
        end = searched.find(_END_OF_THOUGHT)
        if end < 0:
            self._tail = searched[1 - len(_END_OF_THOUGHT) :]
            return "", ""
        rest = searched[end + len(_END_OF_THOUGHT) :]
        thought = "".join(self._held).removesuffix(_END_OF_THOUGHT + rest)
        self._held, self._tail, self._thinks, self._thought = [], "", False, True
        return thought.lstrip().removeprefix(_THOUGHT).strip(), rest


class MessageJoiner:
    """Joins the messages of one answer. Each message begins a new paragraph.

    A model ends its message when it calls a tool, mostly without a line break.

    Attributes:
        has_text: whether there was any text yet.
    """

    def __init__(self) -> None:
        self.has_text = False
        self._ends_line = True
        self._new_message = False
        self._text = ModelText()

    def new_message(self) -> None:
        """Begin the next message. Reasoning that the last one left open is dropped."""
        self._new_message = True
        self._text = ModelText()

    def delta(self, text: str) -> Iterator[TextDelta | Rationale]:
        """Take the next delta of the current message."""
        yield from map(self._separated, self._text.delta(encodable(text)))

    def end(self) -> Iterator[TextDelta | Rationale]:
        """The rest, at the end of the answer."""
        yield from map(self._separated, self._text.end())

    def _separated(self, event: TextDelta | Rationale) -> TextDelta | Rationale:
        """`event`, with a paragraph break in front if it begins a message."""
        if isinstance(event, Rationale):
            return event
        apart = self._new_message and self.has_text and not self._ends_line
        self._new_message = False
        self.has_text, self._ends_line = True, event.text.endswith("\n")
        return TextDelta(f"\n\n{event.text}") if apart else event


class ReasoningBuffer:
    """Joins deltas of reasoning into one `Rationale`."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, text: str) -> None:
        self._pieces.append(text)

    def end(self) -> Iterator[Rationale]:
        """The reasoning so far, if there is any. The next delta begins another."""
        thought = encodable("".join(self._pieces)).strip()
        self._pieces.clear()
        if thought:
            yield Rationale(thought)


class ToolUses:
    """Yields each tool call once, however often its id appears."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def use(self, call_id: object, name: object, kind: ToolKind = ToolKind.TOOL) -> Iterator[ToolUse]:
        """The `ToolUse` of a call whose id is new. A call without an id counts as new."""
        if isinstance(call_id, str) and call_id:
            if call_id in self._ids:
                return
            self._ids.add(call_id)
        yield ToolUse(tool_name(name), kind)


class ToolCalls:
    """Keeps the calls of one message, whose arguments come in deltas of JSON text."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # by call id, as the model wrote them
        self._pieces: dict[str, list[str]] = {}

    def start(self, call_id: str, name: object) -> None:
        self._names[call_id] = encodable(name) if isinstance(name, str) else ""
        self._pieces[call_id] = []

    def add(self, call_id: str, piece: str) -> None:
        """Take the next delta of a call's arguments. Unknown calls are ignored."""
        if call_id in self._pieces:
            self._pieces[call_id].append(piece)

    def clear(self) -> None:
        self._names.clear()
        self._pieces.clear()

    def requests(self) -> list[ToolRequest]:
        """All calls, in order, each with its name as the model wrote it in its context.

        Raises ValueError where arguments are no JSON object.
        """
        return [
            ToolRequest(call_id, tool_name(name), self._arguments(call_id), context=name)
            for call_id, name in self._names.items()
        ]

    def call(self, call_id: str) -> tuple[str, str] | None:
        """The whole name of the tool, and the arguments of a call; None for an unknown call.

        Raises ValueError where the arguments are no JSON object.
        """
        if call_id not in self._names:
            return None
        return self._names[call_id], self._arguments(call_id)

    def _arguments(self, call_id: str) -> str:
        text = encodable("".join(self._pieces[call_id])).strip() or "{}"  # a tool that takes none
        try:
            arguments = json.loads(text)
            if isinstance(arguments, dict):
                # Each argument once, as people are shown it: of two with a name, others may read the first.
                # A number that is too large for a double would be written as Infinity, which is no JSON.
                return json.dumps(arguments, allow_nan=False)
        except (ValueError, RecursionError):
            pass
        raise ValueError("the arguments of a tool are no JSON object")


class ArgumentDigests:
    """Makes a digest of each call's arguments, which come in deltas of JSON text and are not kept."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, tuple[str, list[str]]] = {}

    def start(self, call: Hashable, name: object) -> None:
        """Begin a call. `call` identifies it among the running ones: an id or a block index."""
        self._calls[call] = (tool_name(name), [])

    def add(self, call: Hashable, piece: str) -> None:
        if piece and call in self._calls:
            self._calls[call][1].append(piece)

    def end(self, call: Hashable) -> Iterator[ToolArguments]:
        """The digest of a call whose arguments are complete."""
        if call in self._calls:
            name, pieces = self._calls.pop(call)
            text = "".join(pieces)
            try:
                yield tool_arguments(name, json.loads(text) if text.strip() else {})
            except (ValueError, RecursionError):
                yield tool_arguments(name, text)

    def end_all(self) -> Iterator[ToolArguments]:
        """The digests of all running calls, except those that got no arguments."""
        for call in [call for call, (_, pieces) in self._calls.items() if pieces]:
            yield from self.end(call)


def tool_arguments(name: str, value: object) -> ToolArguments:
    """The digest of `value`: SHA-256 of its JSON with sorted keys and no spaces, 16 hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return ToolArguments(name, hashlib.sha256(text.encode()).hexdigest()[:16])


def tool_name(name: object) -> str:
    """The tool's name without its gateway target; "" where `name` is no text."""
    # A gateway puts the target's name in front: "weather___get-forecast".
    return encodable(name).rpartition("___")[2] if isinstance(name, str) else ""
