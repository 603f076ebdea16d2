"""The members of InvokeHarness' event stream, translated into agent events: no I/O.

Names are those of the service model of `bedrock-agentcore`. Documentation:
docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeHarnessStreamOutput.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.adapters.agents.deltas import (
    ArgumentDigests,
    MessageJoiner,
    ReasoningBuffer,
    ToolCalls,
    ToolUses,
    encodable,
)
from functions.adapters.agents.usage import usage_in
from functions.bridge.agents.events import AgentEvent, CutShort, Failed, Finished, Guardrail
from functions.bridge.agents.failures import Failure

# The meaning of the last `stopReason`. Reasons that are not listed mean success.
_CUT_SHORT = {"max_tokens", "max_output_tokens_exceeded", "model_context_window_exceeded"}
_FAILED = {
    "timeout_exceeded": Failure.LIMIT,
    "max_iterations_exceeded": Failure.LIMIT,
    "malformed_model_output": Failure.INTERNAL,
    "malformed_tool_use": Failure.INTERNAL,
    "tool_use": Failure.RETURN_OF_CONTROL,  # an inline function: the harness runs all other tools itself
    "interrupted": Failure.CUT_OFF,
    "partial_turn": Failure.CUT_OFF,
    "tool_result": Failure.CUT_OFF,
}
_RUN_ELSEWHERE = {"server_tool_use", "mcp_tool_use"}


class HarnessTranslator:
    """Translates the members of one answer, in order, into agent events.

    An answer has one message for each call of the model and one for each tool result.
    """

    def __init__(self) -> None:
        self._messages = MessageJoiner()
        self._reasoning = ReasoningBuffer()
        self._tool_uses = ToolUses()
        self._calls = ToolCalls()  # of the current message
        self._digests = ArgumentDigests()  # by the block's index
        self._call_in_block: dict[int, str] = {}  # ids by the block's index; a later block may reuse an index
        self._from_agent = True
        self._stop_reason = ""  # of the last message; "" while it goes on
        self._denying_hook = ""

    def __call__(self, member: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if "messageStart" in member:
            self._messages.new_message()
            self._from_agent = member["messageStart"].get("role") == "assistant"
            self._stop_reason = ""
            self._calls.clear()
            self._call_in_block.clear()
        elif "contentBlockStart" in member:
            yield from self._reasoning.end()
            yield from self._begin_block(member["contentBlockStart"])
        elif "contentBlockDelta" in member:
            yield from self._delta(member["contentBlockDelta"])
        elif "contentBlockStop" in member:
            yield from self._reasoning.end()
            yield from self._digests.end(member["contentBlockStop"].get("contentBlockIndex", 0))
        elif "messageStop" in member:
            yield from self._reasoning.end()
            self._stop_reason = member["messageStop"].get("stopReason", "")
        elif "metadata" in member:  # after each call of the model
            yield from usage_in(member["metadata"].get("usage"))
        elif member.get("hookEvent", {}).get("decision") == "deny":
            self._denying_hook = encodable(member["hookEvent"].get("name", ""))

    def end(self) -> Iterator[AgentEvent]:
        """The last events, from the `stopReason` of the last message. Call it at the end of the stream."""
        yield from self._messages.end()
        reason = self._stop_reason
        failure = Failure.CUT_OFF if not reason else _FAILED.get(reason)
        if reason in _CUT_SHORT and not self._messages.has_text:
            failure = Failure.LIMIT
        if failure is Failure.RETURN_OF_CONTROL:
            try:
                # Of several inline functions in a message, one is handed over after the other:
                # docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html
                yield from self._calls.requests()[:1]
            except ValueError as exc:
                yield Failed(Failure.RETURN_OF_CONTROL, str(exc))  # it waits for an answer all the same
                return
        if failure is not None:
            yield Failed(failure, f"the stream ended with {reason or 'no stopReason'}")
            return
        if reason in _CUT_SHORT:
            yield CutShort()
        elif reason == "content_filtered":
            yield Guardrail(("content filtered",))
        elif reason == "hook_stopped":
            yield Guardrail((f"hook {self._denying_hook}".rstrip(),))
        yield Finished()

    def _begin_block(self, block: Mapping[str, Any]) -> Iterator[AgentEvent]:
        index, use = block.get("contentBlockIndex", 0), block.get("start", {}).get("toolUse")
        self._call_in_block.pop(index, None)
        if use:
            yield from self._tool_uses.use(use.get("toolUseId"), use.get("name"))
            self._digests.start(index, use.get("name"))
            if use.get("type") not in _RUN_ELSEWHERE:
                self._call_in_block[index] = call_id = use.get("toolUseId", "")
                self._calls.start(call_id, use.get("name"))

    def _delta(self, block: Mapping[str, Any]) -> Iterator[AgentEvent]:
        delta = block.get("delta", {})
        if piece := delta.get("toolUse", {}).get("input"):
            index = block.get("contentBlockIndex", 0)
            self._digests.add(index, piece)
            self._calls.add(self._call_in_block.get(index, ""), piece)
        elif text := delta.get("reasoningContent", {}).get("text"):
            self._reasoning.add(text)
        elif self._from_agent and (text := delta.get("text")):
            yield from self._reasoning.end()
            yield from self._messages.delta(text)
