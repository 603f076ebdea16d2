"""Who may decide on what an agent asks for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from functions.bridge.turn import Turn


class ApproverRule(StrEnum):
    """Which people may decide."""

    ASKER = "asker"
    """Whoever asked the question."""
    ANYONE = "anyone"
    """Everybody who may ask there."""
    NOT_ASKER = "not_asker"
    """Everybody who may ask there but whoever asked: four eyes."""
    LISTED = "listed"
    """The people and groups that are listed."""


@dataclass(frozen=True)
class Approvers:
    """Who may decide on the requests of an agent. Guests and people from outside never may.

    `users`, `groups`: ids of people ("U…", "W…") and of user groups ("S…"), which count only where `rule` is
    LISTED.
    """

    rule: ApproverRule = ApproverRule.ASKER
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


# Where bridge.toml says nothing.
ASKER = Approvers()


class GroupUnreadable(Exception):
    """Slack does not say who is in a user group. The text says why and what to do, for the operator's log."""


class UserGroups(Protocol):
    """The user groups of the workspace."""

    def members(self, group: str, *, team: str) -> frozenset[str]:
        """The ids of a group's people, as they were five minutes ago or later. `team`: the bot's workspace.

        Raises `GroupUnreadable`, and what every call of Slack may raise (`functions.bridge.replies.chat`).
        """
        ...


def may_decide(approvers: Approvers, user: str, *, turn: Turn, groups: UserGroups) -> bool:
    """Whether this person is one of the approvers of what an agent asks for in `turn`.

    That guests and people from outside are none is for the caller to see to. Raises what
    `UserGroups.members` raises: then nobody knows, and the person may not decide.
    """
    match approvers.rule:
        case ApproverRule.ASKER:
            return user == turn.user
        case ApproverRule.ANYONE:
            return True
        case ApproverRule.NOT_ASKER:
            return user != turn.user
        case ApproverRule.LISTED:
            return user in approvers.users or _is_in_one(approvers.groups, user, turn.team, groups)


def _is_in_one(listed: tuple[str, ...], user: str, team: str, groups: UserGroups) -> bool:
    """Whether the person is in one of the groups. One that cannot be read keeps nobody of another one out."""
    trouble: GroupUnreadable | None = None
    for group in listed:
        try:
            if user in groups.members(group, team=team):
                return True
        except GroupUnreadable as exc:
            trouble = exc
    if trouble is not None:
        raise trouble
    return False
