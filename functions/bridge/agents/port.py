"""The port through which an agent is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.bridge.agents.events import AgentEvent, File
from functions.bridge.clock import Clock


@dataclass(frozen=True)
class Asker:
    """Who asks and where, from the signed event and never from text.

    Attributes:
        user, team, channel, thread_ts: Slack's ids.
        name: what people call the user; "" when Slack does not tell.
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
        session_id: one per thread; the agent remembers what was said under it.
        text: the user's words, in plain text.
        files: what the user attached: five files and 10 MB together at most, none of them empty.
    """

    session_id: str
    text: str
    asker: Asker
    files: tuple[File, ...] = ()


class AgentRun(Protocol):
    """One run of an agent, which goes on by itself while events are taken from it."""

    def next(self, timeout: float) -> AgentEvent | None:
        """The next event, or None when `timeout` seconds pass without one."""
        ...

    def cancel(self) -> None:
        """Stop listening and free what the run holds. Harmless when the run is over."""
        ...

    def stop_session(self) -> None:
        """Begin to end the session in which the agent works, and return at once.

        Nothing happens where the service has no call for that, or no setting asks for it.
        """
        ...

    def session_trouble(self, timeout: float) -> str:
        """Why the session could not be ended, for the operator's log; "" if it was, or nobody asked for it.

        Waits for that, `timeout` seconds at most.
        """
        ...


class Secret(Protocol):
    """The text of a secret, which may be replaced while the function runs. It is never logged."""

    def value(self) -> str:
        """The secret. Raises `ServiceUnavailable` where it cannot be read."""
        ...

    def refresh(self) -> bool:
        """Read it again, because somebody has refused it. Returns whether it has changed."""
        ...


@dataclass(frozen=True)
class AgentPorts:
    """What an agent's adapter needs from outside, whatever its kind.

    Attributes:
        clock: the time.
        secret: gives the secret with a name or ARN, such as the key of an agent's API. It is read when its
            value is asked for.
        longest_silence: how long an agent may say nothing, in seconds. No invocation of a Lambda function
            lasts longer than the default, so that the worker's own deadline comes first.
    """

    clock: Clock
    secret: Callable[[str], Secret]
    longest_silence: float = 1800.0


class Agent(Protocol):
    """Whoever answers questions. One object serves all turns of an execution environment."""

    def ask(self, question: Question) -> AgentRun:
        """Begin a run and return at once. Trouble arrives as a `Failed` event."""
        ...
