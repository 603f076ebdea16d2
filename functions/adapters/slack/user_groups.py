"""Asks Slack who is in a user group. See `functions.bridge.admission.approvers.UserGroups`."""

from functions.adapters.slack.chat import SlackChat
from functions.bridge.admission.approvers import GroupUnreadable
from functions.bridge.clock import Clock
from functions.bridge.replies.chat import ChatRefused

# Seconds for which an answer counts. Slack takes some twenty of these calls a minute (tier 2).
KNOWN_SECONDS = 300.0
SCOPE = "usergroups:read"
_INSTALL = f"give the app the scope {SCOPE} and install it again"
# docs.slack.dev/reference/methods/usergroups.users.list
_REMEDIES = {
    "missing_scope": _INSTALL,
    "no_permission": _INSTALL,
    "no_such_subteam": "there is none, or it is disabled: mend agents.NAME.approvers",
    "plan_upgrade_required": "this workspace's plan has no user groups: name people in agents.NAME.approvers",
}


class SlackUserGroups:
    """Asks with the token, the client and the errors of `chat`, once in five minutes for each group."""

    def __init__(self, chat: SlackChat, clock: Clock) -> None:
        self._chat = chat
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, frozenset[str]]] = {}  # with when it ends

    def members(self, group: str, *, team: str) -> frozenset[str]:
        until, members = self._known.get((team, group), (0.0, frozenset[str]()))
        if self._clock.now() < until:
            return members
        asked_at = self._clock.now()
        try:
            listed = self._chat.group_members(group, team=team)
        except ChatRefused as exc:
            remedy = _REMEDIES.get(exc.code)
            why = f"{exc.code}; {remedy}" if remedy else exc.code
            raise GroupUnreadable(f"Slack does not say who is in the user group {group}: {why}") from exc
        members = frozenset(one for one in listed if isinstance(one, str))
        self._known[team, group] = (asked_at + KNOWN_SECONDS, members)
        return members
