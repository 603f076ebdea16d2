"""What an agent says while it works, and the port through which it is asked.

An agent event is one of `AgentEvent`; each kind of agent has an adapter that translates into it.
"""

from dataclasses import dataclass
from typing import Protocol

from functions.bridge.failures import Failure


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the answer, in Markdown. Pieces may end anywhere, but never inside a character."""

    text: str


@dataclass(frozen=True)
class Rationale:
    """Why the agent does what it does next, in its own words. Shown only with the debug switch on."""

    text: str


@dataclass(frozen=True)
class ToolUse:
    """The agent uses a tool: from here on a second run could repeat what the tool did."""

    name: str


@dataclass(frozen=True)
class Finished:
    """The answer is complete. Always the last event."""


@dataclass(frozen=True)
class Failed:
    """There will be no more. Always the last event.

    Attributes:
        failure: what kind of trouble; decides the words for the user.
        detail: what the service said, for the operator's log only: it may name ARNs and accounts.
    """

    failure: Failure
    detail: str


AgentEvent = TextDelta | Rationale | ToolUse | Finished | Failed


@dataclass(frozen=True)
class Question:
    """What an agent is asked.

    Attributes:
        session_id: one per thread; the agent remembers what was said under it.
        text: the user's words, in plain text.
    """

    session_id: str
    text: str


class AgentRun(Protocol):
    """One run of an agent, which goes on by itself while events are taken from it."""

    def next(self, timeout: float) -> AgentEvent | None:
        """The next event, or None when `timeout` seconds pass without one."""
        ...

    def cancel(self) -> None:
        """Stop listening and free what the run holds. Harmless when the run is over."""
        ...


class Agent(Protocol):
    def ask(self, question: Question) -> AgentRun:
        """Begin a run and return at once. Trouble arrives as a `Failed` event."""
        ...
