"""Who may ask where: the rules of bridge.toml, and what they say of a question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from functions.bridge.channels import channel_names, is_direct
from functions.bridge.people import Person
from functions.bridge.turn import Turn


class SharedChannels(StrEnum):
    """What becomes of questions in channels that are shared with another organization."""

    REFUSE = "refuse"
    """Nobody is answered there, as the partners read the answer."""
    ANSWER = "answer"
    """Our own people are answered there."""


@dataclass(frozen=True)
class AccessRules:
    """Who may ask where: the table `[access]` of bridge.toml, or that of one agent.

    Attributes:
        guests: whether guests may ask, those of one channel and those of many.
        channels: the only ones where anybody may ask: ids, and "dm" for direct messages; () means all.
        users: the only people who may ask; () means all.
        deny_users: people who may not.
        direct_messages: whether the bot answers there.
    """

    guests: bool = False
    channels: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    deny_users: tuple[str, ...] = ()
    direct_messages: bool = True
    shared_channels: SharedChannels = SharedChannels.REFUSE


# An agent without rules of its own: whoever may ask the bridge may ask it.
OPEN = AccessRules(guests=True, shared_channels=SharedChannels.ANSWER)


@dataclass(frozen=True)
class Access:
    """The rules of a bridge, and by its name those of each agent. Both must let a question in."""

    bridge: AccessRules = AccessRules()
    agents: Mapping[str, AccessRules] = field(default_factory=dict)

    def of(self, agent: str) -> AccessRules:
        return self.agents.get(agent, OPEN)


class Reason(StrEnum):
    """Why a question is refused. The value is the word in logs and metrics."""

    CHANNEL = "channel"
    DIRECT_MESSAGE = "direct_message"
    SHARED_CHANNEL = "shared_channel"
    NOT_LISTED = "not_listed"
    DENIED = "denied"
    FOREIGN = "foreign"
    """Of another organization."""
    GUEST = "guest"
    DEACTIVATED = "deactivated"
    BOT = "bot"
    UNKNOWN = "unknown"
    """Slack does not say who it is."""
    TOO_MANY = "too_many"
    """They have asked too many questions within a minute."""


def refused_by_event(turn: Turn, rules: AccessRules) -> Reason | None:
    """Why the rules refuse a question, by what Slack has signed alone."""
    if is_direct(turn.channel) and not rules.direct_messages:
        return Reason.DIRECT_MESSAGE
    if rules.channels and not channel_names(turn.channel) & {*rules.channels}:
        return Reason.CHANNEL
    if turn.in_shared_channel and rules.shared_channels is SharedChannels.REFUSE:
        return Reason.SHARED_CHANNEL
    if turn.user in rules.deny_users:
        return Reason.DENIED
    if rules.users and turn.user not in rules.users:
        return Reason.NOT_LISTED
    return None


def asks_who(turn: Turn, rules: AccessRules) -> bool:
    """Whether it matters what users.info says of who asks."""
    return turn.sender_unknown or not rules.guests


def refused_for_person(turn: Turn, person: Person, rules: AccessRules, *, is_ours: bool) -> Reason | None:
    """Why the rules refuse a question, by what users.info says of who asks.

    `is_ours` is whether their home is the bot's workspace or organization.
    """
    if (turn.sender_unknown or person.is_stranger) and not is_ours:
        return Reason.FOREIGN
    if person.is_deactivated:
        return Reason.DEACTIVATED
    if person.is_bot:
        return Reason.BOT
    if person.is_guest and not rules.guests:
        return Reason.GUEST
    return None
