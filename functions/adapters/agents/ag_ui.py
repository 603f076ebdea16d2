"""Events of the Agent User Interaction protocol (AG-UI), translated into agent events: no I/O.

docs.ag-ui.com/concepts/events. Events that version 1.0 removed (THINKING_...) are still read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.adapters.agents.deltas import (
    ArgumentDigests,
    MessageJoiner,
    ReasoningBuffer,
    ToolCalls,
    ToolUses,
)
from functions.adapters.agents.error_texts import identifier
from functions.adapters.agents.interrupts import Interrupts, ag_ui_interrupt
from functions.adapters.agents.usage import usage_in
from functions.bridge.agents.events import AgentEvent, Failed, ToolKind
from functions.bridge.agents.failures import Failure, at_work

_REASONING = {"REASONING_MESSAGE_CONTENT", "REASONING_MESSAGE_CHUNK", "THINKING_TEXT_MESSAGE_CONTENT"}
# The types of AG-UI. Other frameworks' objects may have a "type" in capitals too.
_NAMES = ("RAW", "CUSTOM")
_PREFIXES = (
    *("RUN_", "STEP_", "TEXT_MESSAGE_", "TOOL_CALL_", "REASONING_", "THINKING_", "SUBAGENT_"),
    *("STATE_", "MESSAGES_", "ACTIVITY_"),
)
_OUTCOMES = {"interrupt": Failure.RETURN_OF_CONTROL, "cancelled": Failure.CUT_OFF}


def is_event(item: Mapping[str, Any]) -> bool:
    """Whether an object of a stream is an AG-UI event, judged by its type."""
    kind = item.get("type")
    return isinstance(kind, str) and (kind in _NAMES or kind.startswith(_PREFIXES))


class AgUiTranslator:
    """Translates the events of one run, in order, into agent events.

    Attributes:
        is_open: whether RUN_STARTED has come without RUN_FINISHED.
    """

    def __init__(self) -> None:
        self._messages = MessageJoiner()
        self._reasoning = ReasoningBuffer()
        self._tool_uses = ToolUses()
        self._calls = ToolCalls()
        self._digests = ArgumentDigests()
        self._call = ""  # the last one: a chunk without an id goes on with it
        self._message: object = None  # the last one: a chunk without an id goes on with it
        self._shown: object = None  # the last message of the agent
        self._roles: dict[object, object] = {}  # by message; without one it is the agent's
        self.is_open = False

    def __call__(self, event: Mapping[str, Any]) -> Iterator[AgentEvent]:
        kind = event["type"]
        if kind in _REASONING:
            self._reasoning.add(_string(event, "delta"))
            return
        yield from self._reasoning.end()
        match kind:
            case "RUN_STARTED":
                self.is_open = True
            case "TEXT_MESSAGE_START" | "TEXT_MESSAGE_CONTENT" | "TEXT_MESSAGE_CHUNK":
                yield from self._text(event)
            case "TOOL_CALL_START" | "TOOL_CALL_ARGS" | "TOOL_CALL_CHUNK":
                yield from self._tool_call(event)
            case "TOOL_CALL_END" | "TOOL_CALL_RESULT":
                yield from self._digests.end(_string(event, "toolCallId"))
            case "SUBAGENT_STARTED":
                yield from self._tool_uses.use(
                    event.get("subagentRunId"), event.get("name"), ToolKind.COLLABORATOR
                )
            case "RUN_FINISHED":
                self.is_open = False
                yield from self._digests.end_all()  # chunks have no end of their own
                yield from self._messages.end()
                yield from _usage(event)
                yield from self._outcome(event.get("outcome"))
            case "RUN_ERROR":
                yield from _usage(event)
                # Only the code is logged: the message may quote the user.
                failure = at_work(_string(event, "code"), message=_string(event, "message"))
                yield Failed(failure, f"RUN_ERROR ({identifier(event.get('code'))})")

    def _tool_call(self, event: Mapping[str, Any]) -> Iterator[AgentEvent]:
        self._call = _string(event, "toolCallId") or self._call
        if name := event.get("toolCallName"):
            yield from self._tool_uses.use(event.get("toolCallId"), name)
            self._calls.start(self._call, name)
            self._digests.start(self._call, name)
        self._calls.add(self._call, _string(event, "delta"))
        self._digests.add(self._call, _string(event, "delta"))

    def _outcome(self, outcome: object) -> Iterator[AgentEvent]:
        """The outcome of RUN_FINISHED: docs.ag-ui.com/concepts/interrupts"""
        reason = outcome.get("type") if isinstance(outcome, dict) else None
        failure = _OUTCOMES.get(str(reason))
        if not (failure and isinstance(outcome, dict)):
            return
        listed = outcome.get("interrupts")
        interrupts = Interrupts()
        try:
            for one in listed if isinstance(listed, list) else []:
                if isinstance(one, dict):
                    call = self._calls.call(_string(one, "toolCallId"))
                    interrupts.add(ag_ui_interrupt(one, call), under=_string(one, "id"))
        except ValueError as exc:
            yield Failed(Failure.RETURN_OF_CONTROL, str(exc))  # it waits for an answer all the same
            return
        yield from interrupts.requests()
        yield Failed(failure, f"RUN_FINISHED ({reason})")

    def _text(self, event: Mapping[str, Any]) -> Iterator[AgentEvent]:
        if event.get("subagentRunId"):  # addressed to the agent, not to the user
            return
        self._message = message = _string(event, "messageId") or self._message
        if role := _string(event, "role"):
            self._roles[message] = role
        if self._roles.get(message, "assistant") != "assistant":
            return
        if message != self._shown:
            self._shown = message
            self._messages.new_message()
        yield from self._messages.delta(_string(event, "delta"))


def _usage(event: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """The tokens of the run, in one entry for each model: docs.ag-ui.com/spec/1.0/events/lifecycle"""
    entries = event.get("usage")
    for entry in entries if isinstance(entries, list) else []:
        yield from usage_in(entry)


def _string(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""
