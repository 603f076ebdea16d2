"""Which agent answers a question."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from functions.bridge.agent import Agent

DEFAULT_AGENT = "default"
# Slack's ids of direct messages with the bot begin with this letter.
_DIRECT = "D"
_DIRECT_MESSAGES = "dm"
_FIRST_WORD = re.compile(r"([a-z][a-z0-9-]*):\s+(?=\S)", re.IGNORECASE)


@dataclass(frozen=True)
class Listed:
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


class Agents:
    """All agents of a bridge. `routes` says which one answers in which channel (an id, or "dm")."""

    def __init__(self, listed: Mapping[str, Listed], routes: Mapping[str, str]) -> None:
        self._listed = listed
        self._routes = routes

    def reachable(self, channel: str) -> dict[str, str]:
        """The agents that may be asked in a channel: their names and descriptions."""
        places = {channel, *([_DIRECT_MESSAGES] if channel.startswith(_DIRECT) else [])}
        return {
            name: listed.description
            for name, listed in self._listed.items()
            if not listed.channels or places & {*listed.channels}
        }

    def are_several(self) -> bool:
        return len(self._listed) > 1

    def choose(self, channel: str, text: str, *, so_far: str | None) -> Choice | None:
        """Who answers `text`: the agent that the thread has had `so_far`, the one that the text begins
        with ("finops: …"), the channel's, the default one. None: nobody does in this channel.
        """
        reachable = self.reachable(channel)
        match = _FIRST_WORD.match(text) if self.are_several() else None
        asked = match[1].lower() if match else None
        name = next((name for name in (so_far, asked, self._usual(channel)) if name in reachable), None)
        if name is None:
            return None
        rest = text[match.end() :] if match and asked == name else text
        return Choice(name, self._listed[name].agent, rest)

    def _usual(self, channel: str) -> str:
        elsewhere = self._routes.get(_DIRECT_MESSAGES) if channel.startswith(_DIRECT) else None
        return self._routes.get(channel) or elsewhere or DEFAULT_AGENT
