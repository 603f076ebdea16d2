"""api.test, auth.test, bots.info, users.info: docs.slack.dev/reference/methods."""

from simulator.slack.errors import SlackError
from simulator.slack.methods.call import Call, Method
from simulator.slack.workspace import Json


def api_test(call: Call) -> Json:
    if error := call.text("error"):
        raise SlackError(error, args=call.args)
    return {"args": call.args}


def auth_test(call: Call) -> Json:
    bot = call.installation.bot
    return {
        "url": "https://weather-company.slack.com/",
        "team": call.workspace.teams[bot.team_id].name,
        "user": bot.name,
        "team_id": bot.team_id,
        "user_id": bot.id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


def bots_info(call: Call) -> Json:
    bot = next((user for user in call.workspace.users.values() if user.bot_id == call.required("bot")), None)
    if bot is None:
        raise SlackError("bot_not_found")
    return {
        "bot": {
            "id": bot.bot_id,
            "deleted": False,
            "name": bot.name,
            "updated": 1,
            "app_id": bot.app_id,
            "user_id": bot.id,
            "icons": {},
        }
    }


def users_info(call: Call) -> Json:
    user = call.workspace.users.get(call.required("user"))
    if user is None:
        raise SlackError("user_not_found")
    profile = {"real_name": user.real_name, "display_name": user.name, "team": user.team_id}
    if user.bot_id:
        profile |= {"bot_id": user.bot_id, "api_app_id": str(user.app_id)}
    return {
        "user": {
            "id": user.id,
            "team_id": user.team_id,
            "name": user.name,
            "real_name": user.real_name,
            "deleted": user.is_deactivated,
            "is_bot": user.bot_id is not None,
            "is_restricted": user.is_restricted or user.is_ultra_restricted,
            "is_ultra_restricted": user.is_ultra_restricted,
            "is_stranger": user.team_id != call.installation.bot.team_id,
            "profile": profile,
        }
    }


METHODS = {
    "api.test": Method(api_test, 4, needs_token=False),
    "auth.test": Method(auth_test, 0),
    "bots.info": Method(bots_info, 3, ("users:read",)),
    "users.info": Method(users_info, 4, ("users:read",)),
}
