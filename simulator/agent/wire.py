"""The base class of the protocols in which an agent's actions are sent."""
# ruff: noqa: ARG002 - a wire that says nothing needs to know nothing

import codecs
from collections.abc import Iterator, Sequence

from simulator.agent.actions import (
    Approval,
    Arguments,
    Collaborate,
    Files,
    Guardrail,
    Lookup,
    Rationale,
    RunCode,
    Text,
    ToolUse,
)

Tool = ToolUse | Lookup | RunCode | Collaborate

# The tokens of each call of the model here.
INPUT_TOKENS, OUTPUT_TOKENS = 1200, 60


class Wire:
    """Encodes one turn as bytes. Each method sends nothing here, as in a protocol without such an event.

    Attributes:
        content_type: of the answer.
        streams: whether the HTTP headers are sent before the first event.
    """

    content_type = ""
    streams = True

    def begin(self) -> Iterator[bytes]:
        yield from ()

    def rationale(self, rationale: Rationale) -> Iterator[bytes]:
        yield from ()

    def use(self, tool: Tool) -> Iterator[bytes]:
        """The agent calls a tool."""
        yield from ()

    def used(self, tool: Tool) -> Iterator[bytes]:
        """The tool has given its result."""
        yield from ()

    def say(self, text: Text) -> Iterator[bytes]:
        """A piece of the answer, in one message; nothing if the protocol keeps it for `rest`."""
        yield from ()

    def files(self, made: Files) -> Iterator[bytes]:
        yield from ()

    def guardrail(self, guardrail: Guardrail) -> Iterator[bytes]:
        yield from ()

    def stop_reason(self, reason: str) -> Iterator[bytes]:
        """The turn will end for this reason (see `StopReason`)."""
        yield from ()

    def pause(self, approvals: Sequence[Approval]) -> Iterator[bytes]:
        """The turn ends with questions to a person."""
        yield from ()

    def fail(self, error: str, message: str) -> Iterator[bytes]:
        """The turn ends with an error, a key of `invoke_agent.ERRORS`."""
        yield from ()

    def fail_unmodelled(self, code: str, message: str) -> Iterator[bytes]:
        """The turn ends with an error that the service's model does not name."""
        yield from ()

    def half(self) -> bytes:
        """The beginning of a message."""
        return b""

    def rest(self) -> Iterator[bytes]:
        """The text that was kept back."""
        yield from ()

    def end(self) -> Iterator[bytes]:
        """The turn ends well."""
        yield from ()


class Decoder:
    """Decodes pieces of UTF-8 that may end inside a character, as JSON strings hold whole characters only."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __call__(self, text: Text) -> str:
        return self._decoder.decode(text.data)


def token_usage(calls: int = 1) -> dict[str, int]:
    """The tokens of so many calls of the model, in the words of ConverseStream, InvokeHarness and AG-UI.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
    https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_HarnessTokenUsage.html
    """
    read, written = calls * INPUT_TOKENS, calls * OUTPUT_TOKENS
    return {"inputTokens": read, "outputTokens": written, "totalTokens": read + written}


def tool_call(tool: Tool) -> tuple[str, Arguments, str]:
    """The name, arguments and result of a call of any kind of tool."""
    match tool:
        case ToolUse(name, parameters, output):
            return name, parameters, output
        case Lookup(question, references):
            return "search-handbook", {"query": question}, "\n".join(found.text for found in references)
        case RunCode(code, output, _):
            return "code_interpreter", {"code": code}, output or "done"
        case Collaborate(name, task, _, output):
            return name, {"task": task}, output
