"""What an agent says while it works: the closed union `AgentEvent`. An adapter translates into it."""

from dataclasses import dataclass
from enum import StrEnum

from functions.bridge.agents.failures import Failure


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the answer, in Markdown. Pieces may end anywhere, but never inside a character."""

    text: str


@dataclass(frozen=True)
class Rationale:
    """Why the agent does what it does next, in its own words. Shown only with the debug switch on."""

    text: str


class ToolKind(StrEnum):
    """What kind of tool an agent uses."""

    TOOL = "tool"
    KNOWLEDGE_BASE = "knowledge_base"
    COLLABORATOR = "collaborator"
    CODE_INTERPRETER = "code_interpreter"


@dataclass(frozen=True)
class ToolUse:
    """The agent uses a tool: from here on a second run could repeat what the tool did.

    Attributes:
        name: of the tool, knowledge base or collaborator; "" when the service does not tell.
    """

    name: str
    kind: ToolKind = ToolKind.TOOL


@dataclass(frozen=True)
class ToolArguments:
    """What a tool was given is known: it comes after the tool's `ToolUse`, as agents tell of arguments later.

    Attributes:
        name: of the tool, as in its `ToolUse`.
        digest: 16 hexadecimal characters, the same for the same arguments; never the arguments themselves.
    """

    name: str
    digest: str


@dataclass(frozen=True)
class Source:
    """Where something that the agent says comes from.

    Attributes:
        title: for people: a document's file name, a page's address.
        url: where they can open it; "" when they cannot (a document in a private bucket).
    """

    title: str
    url: str = ""


@dataclass(frozen=True)
class Citation:
    """What the text so far ends with rests on these sources."""

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
        policies: which, for the operator's log: kinds and names, never what was said. Such as "topic
            Insider tips blocked". Empty when the service does not tell.
    """

    policies: tuple[str, ...]


@dataclass(frozen=True)
class CutShort:
    """The answer ends here because it reached the length that the agent's model may write."""


class Wanted(StrEnum):
    """What an agent asks for with a `ToolRequest`."""

    RESULT = "result"
    """That the tool is run, and what it gives."""
    CONSENT = "consent"
    """That a person agrees: the agent then runs the tool itself."""
    BOTH = "both"
    """That a person agrees, that the tool is run then, and what it gives."""


@dataclass(frozen=True)
class ToolRequest:
    """The agent cannot go on before somebody else has run a tool, or agreed to it.

    The turn ends here: its requests come right before a `Failed` event (`Failure.RETURN_OF_CONTROL`).

    Attributes:
        call_id: under which the agent is to be answered. All requests of one turn may have the same.
        name: of the tool, as its builder wrote it.
        arguments: JSON text of an object. They may say what the user said: not for the log.
        context: what else the agent's adapter needs for an answer, as it wrote it down; "" for nothing.
    """

    call_id: str
    name: str
    arguments: str
    wanted: Wanted = Wanted.RESULT
    context: str = ""


@dataclass(frozen=True)
class Finished:
    """The answer is complete. Always the last event."""


@dataclass(frozen=True)
class Failed:
    """There will be no more. Always the last event.

    Attributes:
        failure: what kind of trouble; decides the words for the user.
        detail: what the service said, for the operator's log only: it may name ARNs and accounts.
        begun: whether the agent was at work already, so that it may have acted before it told of anything.
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
    | ToolRequest
    | Finished
    | Failed
)
