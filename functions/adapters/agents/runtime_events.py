"""Responses of agents on AgentCore's runtime, translated into agent events: no I/O.

The runtime passes on what the agent's own code writes, so there is no single format. These are understood, as
items of an event stream or as a whole JSON response:

    {"event": {"contentBlockDelta": …}}     Strands' stream, as the model's own events: text, tools,
                                            reasoning, tokens
    {"data": "…"}                           a piece of text in Strands' words
    {"type": "TEXT_MESSAGE_CONTENT", …}     AG-UI's events: text, tools, reasoning, and tokens in RUN_FINISHED
                                            and RUN_ERROR
    {"result": …}, {"response": …},         the text itself, a number, or a message with `content` in it
    {"output": …}, {"message": …}
    {"role": "assistant", "content": …}     a message by itself
    "…", or anything that is not JSON      text
    {"tool_interrupt_event": …},            Strands waits for a person; the same in the words of Welt
    {"interrupt": …}                        (`functions.adapters.agents.interrupts`)
    {"error": …}, {"status": "error"},      the agent broke down, although the HTTP status says 200
    `event: error`, or text that begins
    like an error of AWS or of Python

Other objects (Strands' lifecycle) are ignored. A response may hold its text twice, in deltas and as a whole:
only the format of its first text counts.

strandsagents.com/latest/documentation/docs/user-guide/concepts/streaming
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from functions.adapters.agents import ag_ui
from functions.adapters.agents.deltas import (
    ArgumentDigests,
    MessageJoiner,
    ReasoningBuffer,
    ToolUses,
    tool_arguments,
    tool_name,
)
from functions.adapters.agents.error_texts import error_in, identifier
from functions.adapters.agents.interrupts import Interrupts, interrupts_in
from functions.adapters.agents.sse import Event
from functions.adapters.agents.usage import usage_in
from functions.bridge.agents.events import AgentEvent, CutShort, Failed, Finished, Guardrail, TextDelta
from functions.bridge.agents.failures import Failure, at_work

# Stands for an item that the end of the stream cut off.
HALF = object()

_DONE = (
    "[DONE]"  # how streams in the manner of OpenAI's end: platform.openai.com/docs/api-reference/streaming
)
_ANSWERS = ("result", "response", "output", "message")
_WHOLE = {*_ANSWERS, "data", "content"}
_TEXTS = ("content", "text", *_ANSWERS)
_OTHER_BLOCKS = {"role", "toolUse", "toolResult", "reasoningContent"}
_CUT_SHORT = {"max_tokens", "model_context_window_exceeded"}
_TOO_LONG = "MaxTokensReachedException"  # Strands' own, after a message that stopped with max_tokens
_FILTERED = {"content_filtered", "guardrail_intervened"}
# How Strands' last object begins when it is printed by Python, if the run waits for a person.
_INTERRUPTED = "{'result': AgentResult(stop_reason='interrupt'"
# How the objects that Strands yields begin when they are printed by Python.
_PRINTED = re.compile(
    r"\{'(?:init_event_loop|start|start_event_loop|event|data|delta|current_tool_use|type|message|result"
    r"|reasoning|reasoningText|reasoning_signature|event_loop_\w+|force_stop|tool_\w+)': "
)


def item_of(event: Event) -> Any:
    """The item in an event of a stream. Text that is not JSON stays text, and so do numbers."""
    if event.data == _DONE:
        return None
    item = _parsed(event.data)
    if event.name == "error":
        return {**(item if isinstance(item, dict) else {}), "error": True}
    return item


def last_item_of(event: Event) -> Any:
    """The item in the last event, which may be cut off; `HALF` for the beginning of a JSON value."""
    item = item_of(event)
    return HALF if item == event.data and event.data.startswith(("{", "[", '"')) else item


def _parsed(data: str) -> Any:
    try:
        item = json.loads(data)
    except (ValueError, RecursionError):
        return data
    return item if item is None or isinstance(item, dict | list | str) else data


class RuntimeTranslator:
    """Translates the items of one response, in order, into agent events.

    Attributes:
        failed: whether the last event was `Failed`; then the caller stops.
    """

    def __init__(self) -> None:
        self._messages = MessageJoiner()
        self._reasoning = ReasoningBuffer()
        self._tool_uses = ToolUses()
        self._digests = ArgumentDigests()  # by the block's index
        self._ag_ui = ag_ui.AgUiTranslator()
        self._shape = ""  # the format of the text, set by its first delta
        self._has_text = False
        self._unreadable = False  # there was a response of unknown format
        self._is_strands = False
        self._has_model_events = False
        self._printed = False  # an object came in Python's notation instead of JSON
        self._in_message = False
        self._stop_reason = ""  # of the last message; "" while it goes on
        self._has_result = False  # Strands' last item came
        self._interrupts = Interrupts()
        self._is_interrupted = False
        self.failed = False

    def __call__(self, item: Any) -> Iterator[AgentEvent]:
        for event in self._events(item):
            self.failed = isinstance(event, Failed)
            self._has_text = self._has_text or isinstance(event, TextDelta)
            yield event
            if self.failed:
                return

    def whole(self, item: Any) -> Iterator[AgentEvent]:
        """The only item of a response that is not a stream."""
        item = str(item) if _is_number(item) else item
        yield from self(item)
        known = isinstance(item, str) or (isinstance(item, dict) and not item.keys().isdisjoint(_WHOLE))
        self._unreadable = self._unreadable or not known

    def end(self) -> Iterator[AgentEvent]:
        yield from self._reasoning.end()
        for event in self._messages.end():
            self._has_text = True
            yield event
        if self._interrupts or self._is_interrupted:
            yield from self._interrupts.requests()
            yield Failed(Failure.RETURN_OF_CONTROL, "the agent waits for a person")
            return
        if failed := self._what_is_missing():
            yield failed
            return
        if self._stop_reason in _CUT_SHORT:
            yield CutShort()
        elif self._stop_reason in _FILTERED:
            yield Guardrail((self._stop_reason.replace("_", " "),))
        yield Finished()

    def _what_is_missing(self) -> Failed | None:
        """The failure, if the response is incomplete or has no readable text."""
        if self._ag_ui.is_open:
            return Failed(Failure.CUT_OFF, "the stream ended without RUN_FINISHED")
        if not self._has_result and (self._in_message or self._stop_reason == "tool_use"):
            return Failed(Failure.CUT_OFF, f"the stream ended with {self._stop_reason or 'no messageStop'}")
        if self._has_text:
            return None
        if self._unreadable or (self._printed and not self._has_model_events):
            return Failed(Failure.NOT_SHOWABLE, "a JSON answer of no known shape")
        if self._stop_reason in _CUT_SHORT:
            return Failed(Failure.LIMIT, f"the stream ended with {self._stop_reason}")
        return None

    def _events(self, item: Any) -> Iterator[AgentEvent]:
        if isinstance(item, str):
            yield from self._string(item)
        elif isinstance(item, dict):
            yield from self._object(item)
        elif item is HALF:
            yield Failed(Failure.CUT_OFF, "the stream ended within an item")

    def _string(self, text: str) -> Iterator[AgentEvent]:
        # Strands prints objects that JSON cannot hold in Python's notation.
        if _PRINTED.match(text) or (self._is_strands and text.startswith("{'")):
            self._is_strands = self._printed = True
            if text.startswith("{'result'"):
                self._has_result = True
                self._end_with_interrupts(text.startswith(_INTERRUPTED))
        else:
            yield from self._text("string", text)

    def _end_with_interrupts(self, is_interrupted: bool) -> None:
        self._is_interrupted = is_interrupted
        if not is_interrupted:  # the agent has answered them itself
            self._interrupts.clear()

    def _object(self, item: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if _is_error(item):
            yield from self._error(item)
        elif ag_ui.is_event(item):
            yield from self._ag_ui(item)
        elif isinstance(item.get("event"), dict):
            self._is_strands = self._has_model_events = True
            yield from self._model_event(item["event"])
        else:
            self._is_strands = self._is_strands or "init_event_loop" in item
            yield from self._strands_or_answer(item)

    def _strands_or_answer(self, item: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if isinstance(tool := item.get("current_tool_use"), dict):
            yield from self._tool_uses.use(tool.get("toolUseId"), tool.get("name"))
        if isinstance(item.get("data"), str):
            yield from self._text("data", item["data"])
        for under, request in interrupts_in(item):
            self._interrupts.add(request, under=under)
        self._has_result = self._has_result or "result" in item
        answers = {name: item[name] for name in _ANSWERS if item.get(name) not in (None, "")}
        if isinstance(item.get("role"), str):
            answers = {"message": item}
        # A number beside text is a status code, not the answer.
        words = [name for name, value in answers.items() if isinstance(value, str | dict | list)]
        for name in words or answers:
            yield from self._answer(name, answers[name])

    def _error(self, item: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if "original_type" in item:  # one item could not be serialised; the agent goes on
            return
        if item.get("error_type") == _TOO_LONG or (self._stop_reason in _CUT_SHORT and not self._in_message):
            self._stop_reason, self._in_message = self._stop_reason or "max_tokens", False
            return
        name, said = identifier(item.get("error_type")), item.get("error")
        failure = at_work(name, message=said if isinstance(said, str) else "")
        yield Failed(failure, f"an error in the answer ({name})")

    def _answer(self, name: str, value: Any) -> Iterator[AgentEvent]:
        """A whole message. A turn may have several: the model's text, tool results, more text."""
        if isinstance(value, dict) and value.get("role", "assistant") != "assistant":
            return
        if isinstance(value, dict) and _is_error(value):
            yield from self._error(value)
            return
        content = value.get("content") if isinstance(value, dict) else None
        for block in content if isinstance(content, list) else []:
            if isinstance(block, dict) and isinstance(use := block.get("toolUse"), dict):
                for new in self._tool_uses.use(use.get("toolUseId"), use.get("name")):
                    yield new
                    yield tool_arguments(tool_name(use.get("name")), use.get("input", {}))
        if isinstance(value, dict):
            self._messages.new_message()
        self._unreadable = self._unreadable or not _has_known_shape(value)
        yield from self._text(name, _text_in(value))

    def _model_event(self, event: Mapping[str, Any]) -> Iterator[AgentEvent]:
        """One of ConverseStream's events, which Strands passes on.

        docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
        """
        if "messageStart" in event:
            self._messages.new_message()
            self._in_message, self._stop_reason = True, ""
            self._interrupts.clear()  # the agent has answered them itself and goes on
        elif delta := _inner(event, "contentBlockDelta", "delta"):
            if isinstance(piece := _inner(delta, "toolUse").get("input"), str):
                self._digests.add(_block(event, "contentBlockDelta"), piece)
            elif isinstance(text := _inner(delta, "reasoningContent").get("text"), str):
                self._reasoning.add(text)
            elif isinstance(text := delta.get("text"), str):
                yield from self._reasoning.end()
                yield from self._text("event", text)
        else:
            yield from self._reasoning.end()
            if use := _inner(event, "contentBlockStart", "start", "toolUse"):
                yield from self._tool_uses.use(use.get("toolUseId"), use.get("name"))
                self._digests.start(_block(event, "contentBlockStart"), use.get("name"))
            elif "contentBlockStop" in event:
                yield from self._digests.end(_block(event, "contentBlockStop"))
            elif "messageStop" in event:
                self._in_message = False
                self._stop_reason = identifier(_inner(event, "messageStop").get("stopReason"))
            else:
                yield from usage_in(_inner(event, "metadata").get("usage"))

    def _text(self, shape: str, text: str) -> Iterator[AgentEvent]:
        if text and self._shape in ("", shape):
            self._shape = shape
            # Text in the format "event" is the model's own and never an error.
            if shape != "event" and (name := error_in(text)):
                yield Failed(at_work(name), f"the answer is an error ({name})")
                return
            yield from self._messages.delta(text)


def _text_in(value: Any) -> str:
    """The text in a string, in a list of content blocks, or in an object around one of them; or a number."""
    if isinstance(value, list):
        return "".join(_text_in(block) for block in value if isinstance(block, str | dict))
    if isinstance(value, dict):
        return next((_text_in(value[name]) for name in _TEXTS if name in value), "")
    return str(value) if isinstance(value, str) or _is_number(value) else ""


def _has_known_shape(value: Any) -> bool:
    """Whether `_text_in` knows the format of the value, even if it holds no text."""
    if isinstance(value, list):
        return not value or any(isinstance(block, str | dict) and _has_known_shape(block) for block in value)
    if isinstance(value, dict):
        empty = not value or not value.keys().isdisjoint(_OTHER_BLOCKS)
        return next((_has_known_shape(value[name]) for name in _TEXTS if name in value), empty)
    return value is None or isinstance(value, str) or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_error(item: Mapping[str, Any]) -> bool:
    return bool(item.get("error")) or item.get("status") == "error"


def _block(event: Mapping[str, Any], name: str) -> str:
    """The index of an event's block; "None" where a framework leaves it out."""
    return str(_inner(event, name).get("contentBlockIndex"))


def _inner(value: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The object at the end of a path of objects; {} where there is none."""
    for name in names:
        found = value.get(name)
        value = found if isinstance(found, dict) else {}
    return value
