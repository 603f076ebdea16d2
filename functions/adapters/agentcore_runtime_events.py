"""What agents on AgentCore's runtime answer, translated into agent events: no I/O.

The runtime hands on what the agent's own code writes, so that there is no one shape. These are understood, as
the items of an event stream or as a whole JSON answer:

    {"event": {"contentBlockDelta": …}}     Strands' stream, as the model's own events: text, tools, reasoning
    {"data": "…"}                           a piece of text in Strands' words
    {"type": "TEXT_MESSAGE_CONTENT", …}     AG-UI's events: text, tools, reasoning, RUN_FINISHED, RUN_ERROR
    {"result": …}, {"response": …},         the text itself, or a message with `content` in it
    {"output": …}, {"message": …}
    "…", or what is no JSON at all          text
    {"error": …}                            the agent broke down, although the HTTP status says 200

Other objects (Strands' lifecycle) are passed over. One answer may be told twice, as pieces and as a whole:
the shape in which its first text comes is the one that is believed.

strandsagents.com/latest/documentation/docs/user-guide/concepts/streaming
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from functions.adapters import ag_ui
from functions.adapters.pieces import Said, Thought, ToolsSeen
from functions.bridge.agent import AgentEvent, CutShort, Failed, Finished, Guardrail
from functions.bridge.failures import Failure

_ANSWERS = ("result", "response", "output", "message")
_WHOLE = {*_ANSWERS, "data"}
_CUT_SHORT = {"max_tokens", "model_context_window_exceeded"}
_FILTERED = {"content_filtered", "guardrail_intervened"}


def item_of(data: str) -> Any:
    """What the data of one event hold. Frameworks that know no JSON send words as they are."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data


class Translation:
    """Turns the items of one answer, in order, into agent events.

    Attributes:
        failed: whether the last event was `Failed`: then nothing more is wanted.
    """

    def __init__(self) -> None:
        self._said = Said()
        self._thought = Thought()
        self._tools = ToolsSeen()
        self._ag_ui = ag_ui.Translation()
        self._shape = ""  # the one in which the text comes
        self._is_strands = False
        self._stop_reason = ""
        self.failed = False

    def __call__(self, item: Any) -> Iterator[AgentEvent]:
        for event in self._events(item):
            self.failed = isinstance(event, Failed)
            yield event
            if self.failed:
                return

    def whole(self, item: Any) -> Iterator[AgentEvent]:
        """The only item of an answer that does not stream, which had better be understood."""
        yield from self(item)
        known = isinstance(item, str) or (isinstance(item, dict) and not item.keys().isdisjoint(_WHOLE))
        if not (self.failed or known or self._said.anything):
            self.failed = True
            yield Failed(Failure.NOT_SHOWABLE, "a JSON answer of no known shape")

    def end(self) -> Iterator[AgentEvent]:
        yield from self._thought.end()
        if self._ag_ui.is_open:
            yield Failed(Failure.CUT_OFF, "the stream ended without RUN_FINISHED")
            return
        if self._stop_reason in _CUT_SHORT and not self._said.anything:
            yield Failed(Failure.LIMIT, f"the stream ended with {self._stop_reason}")
            return
        if self._stop_reason in _CUT_SHORT:
            yield CutShort()
        elif self._stop_reason in _FILTERED:
            yield Guardrail((self._stop_reason.replace("_", " "),))
        yield Finished()

    def _events(self, item: Any) -> Iterator[AgentEvent]:
        if isinstance(item, str):
            yield from self._string(item)
        elif isinstance(item, dict):
            yield from self._object(item)

    def _string(self, text: str) -> Iterator[AgentEvent]:
        # What Strands yields and JSON cannot hold comes as Python would print it.
        if not (self._is_strands and text.startswith("{'")):
            yield from self._text("string", text)

    def _object(self, item: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if item.get("error"):
            if "original_type" not in item:  # an item that could not be written, while the agent goes on
                yield Failed(Failure.INTERNAL, f"an error in the answer ({_name(item.get('error_type'))})")
        elif ag_ui.is_event(item):
            yield from self._ag_ui(item)
        elif isinstance(item.get("event"), dict):
            self._is_strands = True
            yield from self._model_event(item["event"])
        else:
            self._is_strands = self._is_strands or "init_event_loop" in item
            yield from self._strands_or_answer(item)

    def _strands_or_answer(self, item: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if isinstance(tool := item.get("current_tool_use"), dict):
            yield from self._tools.use(tool.get("toolUseId"), tool.get("name"))
        if isinstance(item.get("data"), str):
            yield from self._text("data", item["data"])
        for name in _ANSWERS:
            if value := item.get(name):
                yield from self._answer(name, value)

    def _answer(self, name: str, value: Any) -> Iterator[AgentEvent]:
        """A whole message. A model's turn has several: what it says, what tools gave, what it says then."""
        if isinstance(value, dict) and value.get("role", "assistant") != "assistant":
            return
        content = value.get("content") if isinstance(value, dict) else None
        for block in content if isinstance(content, list) else []:
            if isinstance(block, dict) and isinstance(use := block.get("toolUse"), dict):
                yield from self._tools.use(use.get("toolUseId"), use.get("name"))
        if isinstance(value, dict):
            self._said.new_message()
        yield from self._text(name, _text_in(value))

    def _model_event(self, event: Mapping[str, Any]) -> Iterator[AgentEvent]:
        """One of ConverseStream's events, which Strands hands on.

        docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
        """
        if "messageStart" in event:
            self._said.new_message()
        elif delta := _inner(event, "contentBlockDelta", "delta"):
            if isinstance(text := _inner(delta, "reasoningContent").get("text"), str):
                self._thought.add(text)
            elif isinstance(text := delta.get("text"), str):
                yield from self._thought.end()
                yield from self._text("event", text)
        else:
            yield from self._thought.end()
            if use := _inner(event, "contentBlockStart", "start", "toolUse"):
                yield from self._tools.use(use.get("toolUseId"), use.get("name"))
            elif stop := _inner(event, "messageStop"):
                self._stop_reason = str(stop.get("stopReason"))

    def _text(self, shape: str, text: str) -> Iterator[AgentEvent]:
        if text and self._shape in ("", shape):
            self._shape = shape
            yield from self._said.piece(text)


def _text_in(value: Any) -> str:
    """The text in a string, in a list of content blocks, or in an object around one of them."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_text_in, value))
    if isinstance(value, dict):
        return next((_text_in(value[name]) for name in ("content", "text", *_ANSWERS) if name in value), "")
    return ""


def _inner(value: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The object at the end of a path of objects; {} where there is none."""
    for name in names:
        found = value.get(name)
        value = found if isinstance(found, dict) else {}
    return value


def _name(value: Any) -> str:
    """The name of an error's class, if it is one: anything else may quote what was said."""
    return value if isinstance(value, str) and value.isidentifier() else "no name"
