"""The events of an agent's run: the closed union `AgentEvent`. Adapters translate their protocols into it."""

from dataclasses import dataclass
from enum import StrEnum

from functions.bridge.agents.failures import Failure


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the answer, in Markdown. It may end anywhere except inside a character."""

    text: str


@dataclass(frozen=True)
class Rationale:
    """The agent's reasoning, in its own words. Shown only where the setting `show_rationale` is on."""

    text: str


class ToolKind(StrEnum):
    """What kind of tool an agent uses."""

    TOOL = "tool"
    KNOWLEDGE_BASE = "knowledge_base"
    COLLABORATOR = "collaborator"
    CODE_INTERPRETER = "code_interpreter"


@dataclass(frozen=True)
class ToolUse:
    """The agent uses a tool. From here on, a second run could repeat the tool's effect.

    Attributes:
        name: of the tool, knowledge base or collaborator; "" when the service does not name it.
    """

    name: str
    kind: ToolKind = ToolKind.TOOL


@dataclass(frozen=True)
class ToolArguments:
    """A digest of a tool's arguments. It comes after the tool's `ToolUse`, when all arguments are known.

    Attributes:
        name: of the tool, as in its `ToolUse`.
        digest: 16 hexadecimal characters, equal for equal arguments.
    """

    name: str
    digest: str


@dataclass(frozen=True)
class Source:
    """A document that the answer rests on.

    Attributes:
        title: a file name, or the address of a page.
        url: where people can open it; "" when they cannot (a document in a private bucket).
    """

    title: str
    url: str = ""


@dataclass(frozen=True)
class Citation:
    """The end of the text so far rests on these sources."""

    sources: tuple[Source, ...]


@dataclass(frozen=True)
class File:
    """A file, from the agent or for it.

    Attributes:
        media_type: such as "image/png".
        data: all of its bytes.
    """

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Guardrail:
    """A guardrail blocked or masked something in the question or the answer.

    Attributes:
        policies: their kinds and names, for the operator's log, never what was said: "topic Insider tips
            blocked". Empty when the service does not name them.
    """

    policies: tuple[str, ...]


@dataclass(frozen=True)
class CutShort:
    """The answer ends here because it reached the length that the agent's model may write."""


@dataclass(frozen=True)
class Usage:
    """Tokens that the agent's models have used, which no other `Usage` of the run counts.

    Attributes:
        input_tokens: what they read. Services differ in whether it has what came from a prompt cache.
        output_tokens: what they wrote.
    """

    input_tokens: int
    output_tokens: int


class Wanted(StrEnum):
    """What an agent asks for with a `ToolRequest`."""

    RESULT = "result"
    """To run the tool and return its result."""
    CONSENT = "consent"
    """To ask a person for consent; the agent then runs the tool itself."""
    BOTH = "both"
    """To ask a person for consent, then run the tool and return its result."""


@dataclass(frozen=True)
class ToolRequest:
    """The agent stops until somebody else has run a tool or consented to it.

    The run ends here: its requests come right before a `Failed` event (`Failure.RETURN_OF_CONTROL`).

    Attributes:
        call_id: the id under which the agent expects the answer. All requests of one run may share it.
        name: of the tool, as its builder wrote it.
        arguments: a JSON object as text. It may quote the user, so it is never logged.
        context: what else the adapter needs to answer, in its own format; "" for nothing.
        message: what is said about it besides, in plain text: by the agent itself, or which call of an API it
            is; "" for nothing.
    """

    call_id: str
    name: str
    arguments: str
    wanted: Wanted = Wanted.RESULT
    context: str = ""
    message: str = ""


@dataclass(frozen=True)
class ToolAnswer:
    """What an agent is told about one of its tool requests.

    Attributes:
        is_approved: whether the tool may run, or has run. A request that nobody decided in time is denied.
        reason: why it is denied, in plain text; "" where nobody gave a reason.
        result: what the tool returned, as text; None where the agent runs the tool itself, or it is denied.
        has_failed: whether the tool failed; `result` then says why.
    """

    request: ToolRequest
    is_approved: bool
    reason: str = ""
    result: str | None = None
    has_failed: bool = False


@dataclass(frozen=True)
class Finished:
    """The answer is complete. Always the last event."""


@dataclass(frozen=True)
class Failed:
    """The run failed. Always the last event.

    Attributes:
        failure: the kind, which decides what the user reads.
        detail: what the service said, for the operator's log only: it may name ARNs and accounts.
        begun: whether the agent had begun to work, so that it may have acted without an event.
    """

    failure: Failure
    detail: str
    begun: bool = False


AgentEvent = (
    TextDelta
    | Rationale
    | ToolUse
    | ToolArguments
    | Citation
    | File
    | Guardrail
    | CutShort
    | Usage
    | ToolRequest
    | Finished
    | Failed
)
