"""A turn as the response of an agent on AgentCore's runtime, in the format of the agent's framework.

The framing is that of the `bedrock-agentcore` SDK: an agent's stream is `data: <JSON>` and an empty line for
each item, and an exception in it one more item. What cannot be JSON becomes a string of Python's notation.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from simulator.agent.actions import Approval, Arguments, Guardrail, Rationale, Text
from simulator.agent.agentcore import Framework
from simulator.agent.wire import Decoder, Tool, Wire, token_usage, tool_call

EVENT_STREAM = "text/event-stream; charset=utf-8"
NO_CONSENT = "A person would have to agree to that, and I cannot ask one."
# The answer that an interrupt of AG-UI for a tool call wants: https://docs.ag-ui.com/concepts/interrupts
_YES_OR_NO = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}},
    "required": ["approved"],
}


class StrandsWire(Wire):
    """Strands' `stream_async`, each of its events handed on as it is. See `Wire`."""

    content_type = EVENT_STREAM

    def __init__(self) -> None:
        self._decode = Decoder()
        self._content: list[dict[str, Any]] = []  # of the message under way
        self._stop_reason = "end_turn"
        self._tool_use_id = ""

    def begin(self) -> Iterator[bytes]:
        yield _item({"init_event_loop": True})
        yield from self._start()

    def rationale(self, rationale: Rationale) -> Iterator[bytes]:
        text = {"reasoningContent": {"text": rationale.text}}
        yield _item({"event": {"contentBlockDelta": {"delta": text, "contentBlockIndex": 0}}})
        yield _item(str({"reasoningText": rationale.text, "delta": text, "reasoning": True}))
        yield _item({"event": {"contentBlockStop": {"contentBlockIndex": 0}}})

    def use(self, tool: Tool) -> Iterator[bytes]:
        name, arguments, _ = tool_call(tool)
        self._tool_use_id = f"tooluse_{uuid.uuid4().hex[:22]}"
        yield from self._call({"toolUseId": self._tool_use_id, "name": name}, arguments)
        yield from self._stop("tool_use")

    def _call(self, called: dict[str, str], arguments: Arguments) -> Iterator[bytes]:
        yield _item({"event": {"contentBlockStart": {"start": {"toolUse": called}, "contentBlockIndex": 0}}})
        fragment = {"toolUse": {"input": json.dumps(dict(arguments))}}
        yield _item({"event": {"contentBlockDelta": {"delta": fragment, "contentBlockIndex": 0}}})
        yield _item(str({"type": "tool_use_stream", "delta": fragment, "current_tool_use": called}))
        yield _item({"event": {"contentBlockStop": {"contentBlockIndex": 0}}})
        self._content.append({"toolUse": {**called, "input": dict(arguments)}})

    def used(self, tool: Tool) -> Iterator[bytes]:
        content = [{"text": tool_call(tool)[2]}]
        result = {"toolUseId": self._tool_use_id, "status": "success", "content": content}
        yield _item({"message": {"role": "user", "content": [{"toolResult": result}]}})
        yield from self._start()

    def say(self, text: Text) -> Iterator[bytes]:
        if words := self._decode(text):
            self._content.append({"text": words})
            told = {"contentBlockDelta": {"delta": {"text": words}, "contentBlockIndex": 0}}
            yield _item({"event": told}) + _item(str({"data": words, "delta": {"text": words}}))

    def guardrail(self, guardrail: Guardrail) -> Iterator[bytes]:
        if any(policy.action == "BLOCKED" for policy in guardrail.policies):
            self._stop_reason = "guardrail_intervened"
        yield from ()

    def stop_reason(self, reason: str) -> Iterator[bytes]:
        self._stop_reason = reason
        yield from ()

    def pause(self, approvals: Sequence[Approval]) -> Iterator[bytes]:
        # As `strands-agents` 1.62 ends with interrupts of a hook, and the SDK of the runtime writes it.
        yield _item({"event": {"contentBlockStop": {"contentBlockIndex": 0}}})
        for approval in approvals:
            yield from self._call({"toolUseId": approval.id, "name": approval.tool}, approval.parameters)
        yield from self._stop("tool_use")
        for approval in approvals:
            use = {"toolUseId": approval.id, "name": approval.tool, "input": dict(approval.parameters)}
            interrupt = {**_interrupt(approval), "response": None}
            yield _item({"tool_interrupt_event": {"tool_use": use, "interrupts": [interrupt]}})
        yield _item("{'result': AgentResult(stop_reason='interrupt', metrics=EventLoopMetrics())}")

    def fail(self, error: str, message: str) -> Iterator[bytes]:
        yield _broken(error, message)

    def fail_unmodelled(self, code: str, message: str) -> Iterator[bytes]:
        yield _broken(code, message)

    def half(self) -> bytes:
        return b'data: {"event": {"contentBlockDelta": {"delta": {"text": "This will never'

    def end(self) -> Iterator[bytes]:
        yield _item({"event": {"contentBlockStop": {"contentBlockIndex": 0}}})
        yield from self._stop(self._stop_reason)
        yield _item("{'result': AgentResult(stop_reason='end_turn', metrics=EventLoopMetrics())}")

    def _start(self) -> Iterator[bytes]:
        yield _item({"start": True})
        yield _item({"start_event_loop": True})
        yield _item({"event": {"messageStart": {"role": "assistant"}}})

    def _stop(self, reason: str) -> Iterator[bytes]:
        yield _item({"event": {"messageStop": {"stopReason": reason}}})
        yield _item({"event": {"metadata": {"usage": token_usage(), "metrics": {"latencyMs": 0}}}})
        yield _item({"message": {"role": "assistant", "content": self._content}})
        self._content = []


class AgUiWire(Wire):
    """The events of the AG-UI protocol, version 1.0: https://docs.ag-ui.com/concepts/events. See `Wire`.

    A run reports the tokens of its calls of models when it ends, also when it fails or waits for a person:
    https://docs.ag-ui.com/spec/1.0/events/lifecycle
    """

    content_type = EVENT_STREAM

    def __init__(self) -> None:
        self._decode = Decoder()
        self._run = {"threadId": str(uuid.uuid4()), "runId": str(uuid.uuid4())}
        self._message = ""
        self._tool_call = ""
        self._model_calls = 0  # that are over

    def begin(self) -> Iterator[bytes]:
        yield _item({"type": "RUN_STARTED", **self._run})

    def rationale(self, rationale: Rationale) -> Iterator[bytes]:
        thought = {"messageId": str(uuid.uuid4())}
        yield _item({"type": "REASONING_START", **thought})
        yield _item({"type": "REASONING_MESSAGE_START", "role": "reasoning", **thought})
        yield _item({"type": "REASONING_MESSAGE_CONTENT", "delta": rationale.text, **thought})
        yield _item({"type": "REASONING_MESSAGE_END", **thought})
        yield _item({"type": "REASONING_END", **thought})

    def use(self, tool: Tool) -> Iterator[bytes]:
        yield from self._end_message()
        self._model_calls += 1
        name, arguments, _ = tool_call(tool)
        yield from self._call(name, arguments)

    def used(self, tool: Tool) -> Iterator[bytes]:
        result = {"messageId": str(uuid.uuid4()), "toolCallId": self._tool_call}
        yield _item({"type": "TOOL_CALL_RESULT", "content": tool_call(tool)[2], "role": "tool", **result})

    def say(self, text: Text) -> Iterator[bytes]:
        if not (words := self._decode(text)):
            return
        start = b""
        if not self._message:
            self._message = str(uuid.uuid4())
            start = _item({"type": "TEXT_MESSAGE_START", "messageId": self._message, "role": "assistant"})
        yield start + _item({"type": "TEXT_MESSAGE_CONTENT", "messageId": self._message, "delta": words})

    def pause(self, approvals: Sequence[Approval]) -> Iterator[bytes]:
        yield from self._end_message()
        interrupts = []
        for approval in approvals:
            yield from self._call(approval.tool, approval.parameters)
            asked = {"id": approval.id, "reason": "tool_call", "toolCallId": self._tool_call}
            interrupts.append({**asked, "message": approval.message, "responseSchema": _YES_OR_NO})
        outcome = {"type": "interrupt", "interrupts": interrupts}
        self._model_calls += 1
        yield _item({"type": "RUN_FINISHED", **self._run, "outcome": outcome, **self._usage()})

    def fail(self, error: str, message: str) -> Iterator[bytes]:
        yield _item({"type": "RUN_ERROR", "message": message, "code": error, **self._usage()})

    def fail_unmodelled(self, code: str, message: str) -> Iterator[bytes]:
        yield from self.fail(code, message)

    def half(self) -> bytes:
        return b'data: {"type": "TEXT_MESSAGE_CONTENT", "delta": "This will never'

    def end(self) -> Iterator[bytes]:
        yield from self._end_message()
        self._model_calls += 1
        yield _item({"type": "RUN_FINISHED", **self._run, **self._usage()})

    def _usage(self) -> dict[str, Any]:
        return {"usage": [token_usage(self._model_calls)]} if self._model_calls else {}

    def _call(self, name: str, arguments: Arguments) -> Iterator[bytes]:
        self._tool_call = str(uuid.uuid4())
        call = {"toolCallId": self._tool_call}
        yield _item({"type": "TOOL_CALL_START", "toolCallName": name, **call})
        yield _item({"type": "TOOL_CALL_ARGS", "delta": json.dumps(dict(arguments)), **call})
        yield _item({"type": "TOOL_CALL_END", **call})

    def _end_message(self) -> Iterator[bytes]:
        if self._message:
            yield _item({"type": "TEXT_MESSAGE_END", "messageId": self._message})
            self._message = ""


class WeltWire(Wire):
    """What Welt's adapter makes of Strands' events: https://github.com/iwamot/welt/blob/main/docs/wire.md.

    See `Wire`.
    """

    content_type = EVENT_STREAM

    def __init__(self) -> None:
        self._decode = Decoder()
        self._tool_use_id = ""

    def use(self, tool: Tool) -> Iterator[bytes]:
        self._tool_use_id = f"tooluse_{uuid.uuid4().hex[:22]}"
        yield _item({"current_tool_use": {"name": tool_call(tool)[0], "toolUseId": self._tool_use_id}})

    def used(self, tool: Tool) -> Iterator[bytes]:  # noqa: ARG002
        yield _item({"tool_result": {"toolUseId": self._tool_use_id, "status": "success"}})

    def say(self, text: Text) -> Iterator[bytes]:
        if words := self._decode(text):
            yield _item({"data": words})

    def pause(self, approvals: Sequence[Approval]) -> Iterator[bytes]:
        for approval in approvals:
            yield _item({"current_tool_use": {"name": approval.tool, "toolUseId": approval.id}})
        for approval in approvals:
            yield _item({"interrupt": _interrupt(approval)})

    def fail(self, error: str, message: str) -> Iterator[bytes]:
        yield _broken(error, message)

    def fail_unmodelled(self, code: str, message: str) -> Iterator[bytes]:
        yield _broken(code, message)

    def half(self) -> bytes:
        return b'data: {"data": "This will never'


class WordsWire(Wire):
    """An agent whose generator yields the words alone. See `Wire`."""

    content_type = EVENT_STREAM

    def __init__(self) -> None:
        self._decode = Decoder()

    def say(self, text: Text) -> Iterator[bytes]:
        if words := self._decode(text):
            yield _item(words)

    def pause(self, approvals: Sequence[Approval]) -> Iterator[bytes]:  # noqa: ARG002
        yield from self.say(Text(NO_CONSENT.encode()))

    def fail(self, error: str, message: str) -> Iterator[bytes]:
        yield _broken(error, message)

    def fail_unmodelled(self, code: str, message: str) -> Iterator[bytes]:
        yield _broken(code, message)

    def half(self) -> bytes:
        return b'data: "This will never'


class WholeWire(WordsWire):
    """An agent that returns its answer when it is done. See `Wire`."""

    content_type = "application/json"
    streams = False

    def __init__(self) -> None:
        super().__init__()
        self._words: list[str] = []

    def say(self, text: Text) -> Iterator[bytes]:
        self._words.append(self._decode(text))
        return iter(())

    def pause(self, approvals: Sequence[Approval]) -> Iterator[bytes]:  # noqa: ARG002
        self._words.append(NO_CONSENT)
        yield from self.rest()

    def fail(self, error: str, message: str) -> Iterator[bytes]:
        yield _json({"error": message, "error_type": error})

    def fail_unmodelled(self, code: str, message: str) -> Iterator[bytes]:
        yield from self.fail(code, message)

    def half(self) -> bytes:
        return b'{"result": "This will never'

    def rest(self) -> Iterator[bytes]:
        content = [{"text": "".join(self._words)}]
        yield _json({"result": {"role": "assistant", "content": content}})


WIRES: dict[Framework, Callable[[], Wire]] = {
    Framework.STRANDS: StrandsWire,
    Framework.AG_UI: AgUiWire,
    Framework.WELT: WeltWire,
    Framework.WORDS: WordsWire,
    Framework.WHOLE: WholeWire,
}


def _interrupt(approval: Approval) -> dict[str, Any]:
    """An interrupt of Strands, with a name and a reason as its builder chose them."""
    reason = {"message": approval.message, **approval.parameters}
    return {"id": approval.id, "name": approval.tool, "reason": reason}


def _item(item: Any) -> bytes:
    return b"data: " + _json(item) + b"\n\n"


def _broken(error: str, message: str) -> bytes:
    return _item({"error": message, "error_type": error, "message": "An error occurred during streaming"})


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
