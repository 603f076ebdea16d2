"""What an agent does in a turn, as values: the scripts make them, the player performs them."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from simulator.agent.request import Decision

Arguments = Mapping[str, str | int | float]  # of a tool, by name


@dataclass(frozen=True)
class Wait:
    """Does nothing for `seconds`, times the service's time scale."""

    seconds: float


@dataclass(frozen=True)
class Rationale:
    """What the agent says that it is going to do; seen only in traces."""

    text: str


@dataclass(frozen=True)
class ToolUse:
    """One call of a tool and what it gave; `output` is JSON text."""

    tool: str
    parameters: Arguments
    output: str


@dataclass(frozen=True)
class ToolCall:
    """The agent calls a tool that takes the time it takes: a `ToolResult` is the next action."""

    tool: str
    parameters: Arguments


@dataclass(frozen=True)
class ToolResult:
    """The tool that was called before has given its result."""

    use: ToolUse


@dataclass(frozen=True)
class Reference:
    """A passage that a knowledge base holds.

    Attributes:
        kind: of its location: "S3", "WEB", "CONFLUENCE" or "CUSTOM".
        address: a URI or URL; an id for "CUSTOM".
    """

    kind: str
    address: str
    text: str


@dataclass(frozen=True)
class Lookup:
    """A search in a knowledge base, and what it found."""

    question: str
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class RunCode:
    """Python that the agent wrote and ran: what the code printed, and the names of the files it made."""

    code: str
    output: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Collaborate:
    """The agent hands `task` to another agent, which takes steps of its own and answers `output`."""

    name: str
    task: str
    steps: tuple[Rationale | ToolUse | Lookup, ...]
    output: str


@dataclass(frozen=True)
class Citation:
    """A part of the answer (characters `start` to `end`, both included) and what it rests on."""

    text: str
    start: int
    end: int
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class Text:
    """A piece of the answer in UTF-8. A piece may end within a character, as the service's chunks may."""

    data: bytes
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True)
class File:
    """A file that the agent made."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Files:
    """Files that the agent made; at most five together."""

    files: tuple[File, ...]


@dataclass(frozen=True)
class Policy:
    """One of a guardrail's policies that fired.

    Attributes:
        kind: "topic", "content", "custom word", "word list", "pii" or "regex".
        name: of the topic or the pattern, type of the others; a custom word itself.
        action: "BLOCKED" or, for "pii" and "regex", "ANONYMIZED".
        match: what was found, where the trace tells.
    """

    kind: str
    name: str
    action: str = "BLOCKED"
    match: str = ""


@dataclass(frozen=True)
class Guardrail:
    """A guardrail looked at the question, or at the answer; it intervened if any of its policies fired."""

    policies: tuple[Policy, ...]
    of_answer: bool = False


@dataclass(frozen=True)
class StopReason:
    """The turn will end for another reason than that all is said, where a protocol tells of reasons.

    Attributes:
        reason: a HarnessStopReason of the service model of `bedrock-agentcore`.
    """

    reason: str


def _approval_id() -> str:
    return f"tooluse_{uuid.uuid4().hex[:22]}"


@dataclass(frozen=True)
class Approval:
    """The agent wants a person's consent before it uses `tool`.

    Attributes:
        message: what it says about that, where a protocol can tell.
        id: under which it is told the decision, in most protocols.
    """

    tool: str
    parameters: Arguments
    message: str = ""
    id: str = field(default_factory=_approval_id)


@dataclass(frozen=True)
class Pause:
    """The turn ends here until a person has decided.

    Attributes:
        approvals: what the agent wants; at least one.
        then: what the agent does once it is told the decision on each of them, in order.
    """

    approvals: tuple[Approval, ...]
    then: "Callable[[Sequence[Decision]], Iterable[Action]]"


@dataclass(frozen=True)
class Refuse:
    """The request gets an HTTP error and no stream: only as the first action. `error` is a key of ERRORS."""

    error: str
    message: str


@dataclass(frozen=True)
class Fail:
    """The stream ends with an exception. `error` is a key of ERRORS."""

    error: str
    message: str


@dataclass(frozen=True)
class UnmodelledError:
    """The stream ends with an error message that the service's model does not name."""

    code: str
    message: str


@dataclass(frozen=True)
class Cut:
    """The connection ends without the end of the stream, in the middle of a message if `mid_message`."""

    mid_message: bool = False


@dataclass(frozen=True)
class Reset:
    """The connection is reset (TCP RST). As the first action: before any HTTP header."""


Action = (
    Wait
    | Rationale
    | ToolUse
    | ToolCall
    | ToolResult
    | Lookup
    | RunCode
    | Collaborate
    | Text
    | Files
    | Guardrail
    | StopReason
    | Pause
    | Refuse
    | Fail
    | UnmodelledError
    | Cut
    | Reset
)
