"""A request to the fake agent, independent of its protocol."""

from dataclasses import dataclass, field


class AgentError(Exception):
    """An HTTP error answer.

    `error` begins with a small letter, as in `invoke_agent.ERRORS`; `status` is the HTTP status, None for the
    one that the protocol gives to that error.
    """

    def __init__(self, error: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.status = status


@dataclass(frozen=True)
class InputFile:
    """A file for the agent. `media_type` is "" and `size` (bytes) 0 for one that lies in S3."""

    name: str
    media_type: str
    size: int


@dataclass(frozen=True)
class Decision:
    """What the agent is told about one thing that it had asked a person for.

    Attributes:
        approval: the id under which it had asked.
        tool: that it had asked for; "" where the protocol does not repeat it.
        said: the result of the tool, or why it is denied; "" where the request does not say.
    """

    approval: str
    is_approved: bool
    tool: str = ""
    said: str = ""


@dataclass(frozen=True)
class AgentRequest:
    """One request.

    Attributes:
        operation: "InvokeAgent", "InvokeHarness" or "InvokeAgentRuntime".
        agent: the id of the agent, to which the session belongs.
        attributes: what the request says about who asks.
        limits: the limits of this answer, by their names in the request.
        trace, streaming: whether the request asks for traces, and for text in deltas.
        decisions: on what the agent had asked for; () in a request that asks the agent something.
    """

    operation: str
    agent: str
    session_id: str
    input_text: str
    attributes: dict[str, str]
    files: tuple[InputFile, ...] = ()
    limits: dict[str, int] = field(default_factory=dict)
    trace: bool = True
    streaming: bool = True
    end_session: bool = False
    decisions: tuple[Decision, ...] = ()
