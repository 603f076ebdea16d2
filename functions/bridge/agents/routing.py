"""Which agent answers a question."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions.bridge.agents.memory import USUAL, Memory
from functions.bridge.agents.port import Agent
from functions.bridge.channel_ids import DIRECT_MESSAGES, channel_names, is_direct

DEFAULT_AGENT = "default"
# An agent's name in front of a question: spaces, bold, quotation marks, and any dash or colon are allowed.
_MARKS = "*_~`\"'\u2018\u2019\u201c\u201d()\\[\\]@>"
_ADDRESS = re.compile(
    rf"(?P<opening>[{_MARKS}\s]*)(?P<name>[a-z][a-z0-9\u2010-\u2015\u2212-]*)(?P<closing>[{_MARKS}\s]*)[:\uff1a]",
    re.IGNORECASE,
)
_DASHES = re.compile("[\u2010-\u2015\u2212]")


@dataclass(frozen=True)
class ConfiguredAgent:
    """An agent and what bridge.toml says about it.

    Attributes:
        description: for the list of agents that people get; may be "".
        channels: where it may be asked: ids, and "dm" for direct messages; () means everywhere.
        memory: how long it remembers a thread.
    """

    agent: Agent
    description: str = ""
    channels: tuple[str, ...] = ()
    memory: Memory = USUAL


@dataclass(frozen=True)
class Choice:
    """The agent that answers, and the question without the agent's name in front.

    Attributes:
        is_named: whether the question began with that name.
    """

    name: str
    agent: Agent
    text: str
    memory: Memory = USUAL
    is_named: bool = False


class NoChoiceReason(StrEnum):
    """Why no agent is asked."""

    UNKNOWN = "unknown"
    """The named agent may not be asked in this channel or by this person, who is not told that it exists."""
    ANOTHER_THREAD = "another_thread"
    """The thread began with another agent than the named one."""
    GONE = "gone"
    """The thread's agent cannot be asked in this channel any more."""
    UNNAMED = "unnamed"
    """The channel has several agents and no default one: the question has to name one."""
    NOBODY = "nobody"
    """No agent may be asked in this channel."""


@dataclass(frozen=True)
class NoChoice:
    """No agent is asked. The bridge never asks another agent instead: questions may be confidential.

    Attributes:
        name: the thread's agent, where the reason is about it; otherwise "".
    """

    why: NoChoiceReason
    name: str = ""


class Agents:
    """All agents of a bridge. `routes`: the name of the agent by channel (an id, or "dm")."""

    def __init__(self, listed: Mapping[str, ConfiguredAgent], routes: Mapping[str, str]) -> None:
        self._listed = listed
        self._routes = routes

    def named(self, name: str) -> ConfiguredAgent | None:
        """The agent with this name; None where there is none."""
        return self._listed.get(name)

    def reachable(self, channel: str) -> dict[str, str]:
        """The descriptions of the agents that may be asked in a channel, by name."""
        return {
            name: listed.description
            for name, listed in self._listed.items()
            if not listed.channels or channel_names(channel) & {*listed.channels}
        }

    def are_several(self) -> bool:
        return len(self._listed) > 1

    def choose(self, channel: str, text: str, *, so_far: str | None) -> Choice | NoChoice:
        """Which agent answers `text`. The first of these decides: the thread's agent `so_far`, a name in
        front of the text ("finops: …"), the channel's route, the default agent, the channel's only agent.
        """
        reachable = self.reachable(channel)
        named, rest = self._addressed(text)
        if named and named not in reachable and named != so_far:
            return NoChoice(NoChoiceReason.UNKNOWN)
        if so_far and named and named != so_far:
            return NoChoice(NoChoiceReason.ANOTHER_THREAD, so_far)
        name = so_far or named or self._usual(channel)
        if name in reachable:
            return self._choice(name, rest, is_named=bool(named))
        if so_far:
            return NoChoice(NoChoiceReason.GONE, so_far)
        if len(reachable) == 1:
            [name] = reachable
            return self._choice(name, text, is_named=False)
        return NoChoice(NoChoiceReason.UNNAMED if reachable else NoChoiceReason.NOBODY)

    def _choice(self, name: str, text: str, *, is_named: bool) -> Choice:
        listed = self._listed[name]
        return Choice(name, listed.agent, text, listed.memory, is_named)

    def _addressed(self, text: str) -> tuple[str, str]:
        """The name of the agent that a text begins with, "" for none, and the rest of the text."""
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
