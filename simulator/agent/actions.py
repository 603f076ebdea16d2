"""What an agent does in a turn, as values: the scripts make them, the player performs them."""

from dataclasses import dataclass


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
    """One call of a tool and what it gave: `parameters` by name, `output` as JSON text."""

    tool: str
    parameters: dict[str, str]
    output: str


@dataclass(frozen=True)
class Citation:
    """A part of the answer (characters `start` to `end`, both included) and where it comes from."""

    text: str
    start: int
    end: int
    source_uri: str


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
class Guardrail:
    """A guardrail intervened; its trace names the denied topic."""

    topic: str


@dataclass(frozen=True)
class Approval:
    """The agent wants a person's consent before it uses `tool`. The turn ends here."""

    tool: str
    parameters: dict[str, str]


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
    | Text
    | File
    | Guardrail
    | Approval
    | Refuse
    | Fail
    | UnmodelledError
    | Cut
    | Reset
)
