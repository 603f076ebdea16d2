"""The access rules of bridge.toml, and their decision about a question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from functions.bridge.channel_ids import channel_names, is_direct
from functions.bridge.people import Person
from functions.bridge.turn import Turn


class SharedChannels(StrEnum):
    """Whether the bot answers in channels that are shared with another organization (Slack Connect)."""

    REFUSE = "refuse"
    """It answers nobody there, because the other organization reads the answer."""
    ANSWER = "answer"
    """It answers people of our own organization there."""


@dataclass(frozen=True)
class AccessRules:
    """Who may ask where: the table `[access]` of bridge.toml, or that of one agent.

    Attributes:
        guests: whether guests may ask, of one channel or of several.
        channels: the only channels where people may ask: ids, and "dm" for direct messages; () means all.
        users: the ids of the only people who may ask; () means all.
        deny_users: the ids of people who may not ask.
        direct_messages: whether the bot answers direct messages.
    """

    guests: bool = False
    channels: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    deny_users: tuple[str, ...] = ()
    direct_messages: bool = True
    shared_channels: SharedChannels = SharedChannels.REFUSE


# The rules of an agent that sets none: everybody whom the bridge lets in may ask it.
OPEN = AccessRules(guests=True, shared_channels=SharedChannels.ANSWER)


@dataclass(frozen=True)
class Access:
    """The rules of the bridge, and those of each agent by its name. Both must allow a question."""

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
    """Slack does not say who asks."""
    TOO_MANY = "too_many"
    """The person has asked too many questions within a minute."""
    TOO_MANY_WAITING = "too_many_waiting"
    """Too many questions of the person wait."""


def refused_by_event(turn: Turn, rules: AccessRules) -> Reason | None:
    """Why the rules refuse a question, judged by the signed event; None where they do not."""
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
    """Whether the decision needs users.info."""
    return turn.sender_unknown or not rules.guests


def refused_for_person(turn: Turn, person: Person, rules: AccessRules, *, is_ours: bool) -> Reason | None:
    """Why the rules refuse a question, judged by users.info; None where they do not.

    `is_ours`: whether the person's home is the bot's workspace or organization.
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
