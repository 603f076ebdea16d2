"""usergroups.users.list: docs.slack.dev/reference/methods/usergroups.users.list."""

from simulator.slack.errors import SlackError
from simulator.slack.methods.call import Call, Method
from simulator.slack.workspace import Json


def users_list(call: Call) -> Json:
    group = call.workspace.groups.get(call.required("usergroup"))
    if group is None or group.team_id != call.installation.bot.team_id:
        raise SlackError("no_such_subteam")
    if group.is_disabled and not call.flag("include_disabled"):
        raise SlackError("no_such_subteam")
    return {"users": sorted(group.members)}


METHODS = {"usergroups.users.list": Method(users_list, 2, ("usergroups:read",))}
