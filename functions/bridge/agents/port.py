"""The port to agents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from functions.bridge.agents.events import AgentEvent, File, ToolAnswer
from functions.bridge.clock import Clock


@dataclass(frozen=True)
class Asker:
    """Who asks and where. It comes from the signed event, never from text.

    Attributes:
        user, team, channel, thread_ts: Slack's ids.
        name: the name that Slack displays; "" when Slack does not give it.
    """

    user: str
    team: str
    channel: str
    thread_ts: str
    name: str = ""


@dataclass(frozen=True)
class Question:
    """What an agent is asked.

    Attributes:
        session_id: one for each thread. The agent remembers a session's conversation.
        text: the user's words, in plain text.
        files: at most five files with 10 MB (10,000,000 bytes) together, none of them empty.
    """

    session_id: str
    text: str
    asker: Asker
    files: tuple[File, ...] = ()


class AgentRun(Protocol):
    """One run of an agent. It goes on in the background while its events are read.

    Attributes:
        ends_session: whether `stop_session` does anything. Else the agent may go on after `cancel`.
    """

    ends_session: bool

    def next(self, timeout: float) -> AgentEvent | None:
        """The next event. None when `timeout` seconds pass without one, and when the run is over."""
        ...

    def gather(self, timeout: float) -> Sequence[AgentEvent]:
        """The events that come within `timeout` seconds, all at once.

        Returns earlier when the run is over, and with a hundred or so, so that the agent need not wait.
        """
        ...

    def cancel(self) -> None:
        """Stop listening and release the connection. Does nothing when the run is over.

        Any thread may do that. A call of `next` or `gather` that waits returns at once. What came before can
        still be read.
        """
        ...

    def stop_session(self) -> None:
        """Begin to end the agent's session, and return at once.

        Does nothing where the service has no call for that or no setting asks for it.
        """
        ...

    def session_trouble(self, timeout: float) -> str:
        """Wait up to `timeout` seconds for the end of the session, if `stop_session` was called.

        Returns why the session could not be ended, for the operator's log; "" otherwise.
        """
        ...


class Secret(Protocol):
    """A secret whose value may change while the function runs. It is never logged."""

    def value(self) -> str:
        """The value. Raises `ServiceUnavailable` where it cannot be read."""
        ...

    def refresh(self) -> bool:
        """Read it again after a service has refused it. Returns whether it has changed."""
        ...


@dataclass(frozen=True)
class AgentPorts:
    """What the adapter of any kind of agent needs from outside.

    Attributes:
        secret: returns the secret with a name or ARN, such as an API key. It is read when `value` is called.
        longest_silence: seconds without a byte from the agent after which the call fails. The default is
            Lambda's longest timeout, so that the worker's own deadline comes first.
    """

    clock: Clock
    secret: Callable[[str], Secret]
    longest_silence: float = 1800.0


class Agent(Protocol):
    """An agent. One object serves all turns of an execution environment."""

    def ask(self, question: Question) -> AgentRun:
        """Begin a run and return at once. Errors arrive as a `Failed` event."""
        ...

    def resume(self, question: Question, answers: Sequence[ToolAnswer]) -> AgentRun:
        """Go on with a run that ended with tool requests: tell the agent what became of each.

        Returns at once. Errors arrive as a `Failed` event.

        Args:
            question: the one that the agent was asked. Its files are not sent again.
            answers: one for each request of the run, in their order.
        """
        ...
