"""A turn as InvokeHarness' event stream.

Source: the service model of `bedrock-agentcore`. One turn consists of several messages: the model's, which
end with a call of a tool or with the answer, and the tools' results.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from simulator.agent import eventstream
from simulator.agent.actions import Approval, Arguments, Guardrail, Rationale, Text
from simulator.agent.tools import gateway_name
from simulator.agent.wire import Decoder, Tool, Wire, token_usage, tool_call

_VALIDATION = {"conflictException", "resourceNotFoundException", "validationException"}
_INTERNAL = {"internalServerException", "badGatewayException"}


class HarnessWire(Wire):
    """See `Wire`."""

    content_type = eventstream.CONTENT_TYPE

    def __init__(self) -> None:
        self._decode = Decoder()
        self._block = 0
        self._in_text = False
        self._tool_use_id = ""
        self._stop_reason = "end_turn"

    def begin(self) -> Iterator[bytes]:
        yield from self._start_message("assistant")

    def rationale(self, rationale: Rationale) -> Iterator[bytes]:
        yield from self._end_text()
        half = len(rationale.text) // 2
        for text in (rationale.text[:half], rationale.text[half:]):
            yield self._delta(reasoningContent={"text": text})
        yield self._delta(reasoningContent={"signature": "c2lnbmF0dXJl"})
        yield self._end_block()

    def use(self, tool: Tool) -> Iterator[bytes]:
        name, arguments, _ = tool_call(tool)
        self._tool_use_id = f"tooluse_{uuid.uuid4().hex[:22]}"
        yield from self._call(gateway_name(name), arguments, self._tool_use_id)
        yield from self._end_model_message("tool_use")

    def used(self, tool: Tool) -> Iterator[bytes]:
        yield from self._start_message("user")
        yield self._event(
            "contentBlockStart", start={"toolResult": {"toolUseId": self._tool_use_id, "status": "success"}}
        )
        yield self._delta(toolResult=[{"text": tool_call(tool)[2]}])
        yield self._end_block()
        yield _message_stop("tool_result")
        yield from self._start_message("assistant")

    def say(self, text: Text) -> Iterator[bytes]:
        if words := self._decode(text):
            self._in_text = True
            yield self._delta(text=words)

    def guardrail(self, guardrail: Guardrail) -> Iterator[bytes]:
        if any(policy.action == "BLOCKED" for policy in guardrail.policies):
            self._stop_reason = "content_filtered"
        yield from ()

    def stop_reason(self, reason: str) -> Iterator[bytes]:
        self._stop_reason = reason
        if reason == "hook_stopped":
            yield _hook("before_tool_call", name="office-hours", decision="deny", reason="Closed.")

    def pause(self, approvals: Sequence[Approval]) -> Iterator[bytes]:
        # All calls of the model's message are seen, but only the first is handed over.
        for approval in approvals:
            yield from self._call(approval.tool, approval.parameters, approval.id)
        yield from self._end_model_message("tool_use")

    def fail(self, error: str, message: str) -> Iterator[bytes]:
        if error in _VALIDATION:
            body = {"message": message, "reason": "FieldValidationFailed"}
            yield eventstream.exception("validationException", body)
        elif error in _INTERNAL:
            yield eventstream.exception("internalServerException", {"message": message})
        else:  # what the agent's own code got: its model's error, as botocore words it
            said = (
                f"An error occurred ({error[:1].upper()}{error[1:]}) when calling ConverseStream: {message}"
            )
            yield eventstream.exception("runtimeClientError", {"message": said})

    def fail_unmodelled(self, code: str, message: str) -> Iterator[bytes]:
        yield eventstream.error(code, message)

    def half(self) -> bytes:
        return self._delta(text="This will never arrive in whole.")[:60]

    def end(self) -> Iterator[bytes]:
        yield from self._end_text()
        yield from self._end_model_message(self._stop_reason)
        yield _hook("after_invocation", name="audit")

    def _call(self, name: str, arguments: Arguments, tool_use_id: str) -> Iterator[bytes]:
        yield from self._end_text()
        use = {"toolUseId": tool_use_id, "name": name, "type": "tool_use"}
        yield self._event("contentBlockStart", start={"toolUse": use})
        written = json.dumps(dict(arguments))
        half = len(written) // 2
        for fragment in (written[:half], written[half:]):
            yield self._delta(toolUse={"input": fragment})
        yield self._end_block()

    def _start_message(self, role: str) -> Iterator[bytes]:
        self._block = 0
        yield eventstream.event("messageStart", {"role": role})

    def _end_model_message(self, stop_reason: str) -> Iterator[bytes]:
        yield _message_stop(stop_reason)
        yield eventstream.event("metadata", {"usage": token_usage(), "metrics": {"latencyMs": 0}})

    def _end_text(self) -> Iterator[bytes]:
        if self._in_text:
            self._in_text = False
            yield self._end_block()

    def _end_block(self) -> bytes:
        stop = self._event("contentBlockStop")
        self._block += 1
        return stop

    def _delta(self, **delta: Any) -> bytes:
        return self._event("contentBlockDelta", delta=delta)

    def _event(self, event_type: str, **body: Any) -> bytes:
        return eventstream.event(event_type, {"contentBlockIndex": self._block, **body})


def _message_stop(reason: str) -> bytes:
    return eventstream.event("messageStop", {"stopReason": reason})


def _hook(kind: str, **more: str) -> bytes:
    return eventstream.event("hookEvent", {"hookEventId": str(uuid.uuid4()), "type": kind, **more})
