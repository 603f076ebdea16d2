"""Which agent answers a question."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions.bridge.agents.port import Agent
from functions.bridge.channels import DIRECT_MESSAGES, channel_names, is_direct

DEFAULT_AGENT = "default"
# A name as people write it in front of a question: with spaces, bold, quoted, with any dash or colon.
_MARKS = "*_~`\"'\u2018\u2019\u201c\u201d()\\[\\]@>"
_ADDRESS = re.compile(
    rf"(?P<opening>[{_MARKS}\s]*)(?P<name>[a-z][a-z0-9\u2010-\u2015\u2212-]*)(?P<closing>[{_MARKS}\s]*)[:\uff1a]",
    re.IGNORECASE,
)
_DASHES = re.compile("[\u2010-\u2015\u2212]")


@dataclass(frozen=True)
class ConfiguredAgent:
    """An agent as the operator has configured it.

    Attributes:
        description: for people who ask which agents there are; may be "".
        channels: where it may be asked: ids, and "dm" for direct messages; () means everywhere.
    """

    agent: Agent
    description: str = ""
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """The agent that answers, and what it is asked: the text without the agent's name in front."""

    name: str
    agent: Agent
    text: str


class NoChoiceReason(StrEnum):
    """Why no agent is asked."""

    UNKNOWN = "unknown"
    """The agent that was asked by name may not be asked in this channel; whether there is one is not told."""
    ANOTHER_THREAD = "another_thread"
    """The thread began with another agent than the one that was asked by name."""
    GONE = "gone"
    """The agent that the thread began with cannot be asked here any more."""
    UNNAMED = "unnamed"
    """The channel has several agents and no usual one: a name has to be said."""
    NOBODY = "nobody"
    """No agent may be asked in this channel."""


@dataclass(frozen=True)
class NoChoice:
    """No agent is asked, rather than another one than was meant: questions may be confidential.

    Attributes:
        name: of the agent that it is about; "" when it is about none.
    """

    why: NoChoiceReason
    name: str = ""


class Agents:
    """All agents of a bridge. `routes` says which one answers in which channel (an id, or "dm")."""

    def __init__(self, listed: Mapping[str, ConfiguredAgent], routes: Mapping[str, str]) -> None:
        self._listed = listed
        self._routes = routes

    def reachable(self, channel: str) -> dict[str, str]:
        """The agents that may be asked in a channel: their names and descriptions."""
        return {
            name: listed.description
            for name, listed in self._listed.items()
            if not listed.channels or channel_names(channel) & {*listed.channels}
        }

    def are_several(self) -> bool:
        return len(self._listed) > 1

    def choose(self, channel: str, text: str, *, so_far: str | None) -> Choice | NoChoice:
        """Who answers `text`: the agent that the thread has had `so_far`, the one that the text begins
        with ("finops: …"), the channel's, the default one, the only one there is.
        """
        reachable = self.reachable(channel)
        named, rest = self._addressed(text)
        if named and named not in reachable and named != so_far:
            return NoChoice(NoChoiceReason.UNKNOWN)
        if so_far and named and named != so_far:
            return NoChoice(NoChoiceReason.ANOTHER_THREAD, so_far)
        name = so_far or named or self._usual(channel)
        if name in reachable:
            return Choice(name, self._listed[name].agent, rest)
        if so_far:
            return NoChoice(NoChoiceReason.GONE, so_far)
        if len(reachable) == 1:
            [name] = reachable
            return Choice(name, self._listed[name].agent, text)
        return NoChoice(NoChoiceReason.UNNAMED if reachable else NoChoiceReason.NOBODY)

    def _addressed(self, text: str) -> tuple[str, str]:
        """The agent whose name a text begins with, "" for none, and the rest of the text."""
        match = _ADDRESS.match(text) if self.are_several() else None
        if match is None or (name := _DASHES.sub("-", match["name"].lower())) not in self._listed:
            return "", text
        rest = text[match.end() :]
        if not match["closing"].strip():  # as in "*name:* a question"
            rest = rest.removeprefix(match["opening"].strip()[::-1])
        return name, rest.strip()

    def _usual(self, channel: str) -> str:
        elsewhere = self._routes.get(DIRECT_MESSAGES) if is_direct(channel) else None
        return self._routes.get(channel) or elsewhere or DEFAULT_AGENT
