"""The Slack app's manifest, as the settings of bridge.toml need it: docs.slack.dev/reference/app-manifest.

`slack-app-manifest.json` is that of the default settings, for an address that stands for the deployed one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from config.bridge_toml import Config
from config.deployment import EVENTS, INTERACTIVITY
from functions.bridge.channel_ids import DIRECT_MESSAGES

# Stands for the address of a bridge that is not deployed yet.
PLACEHOLDER = "https://REPLACE-ME"
# Of the app that `bridge dev` runs: Slack shows both apps side by side.
DEV_SUFFIX = " (dev)"


def _always(_: Config) -> bool:
    return True


def _direct_messages(config: Config) -> bool:
    return config.settings.access.direct_messages


def _approving_groups(config: Config) -> bool:
    return any(agent.approvers.groups for agent in config.settings.agents.values())


def _channel_follow_ups(config: Config) -> bool:
    return any(channel != DIRECT_MESSAGES for channel in config.settings.conversation.follow_ups)


def _group_follow_ups(config: Config) -> bool:
    return DIRECT_MESSAGES in config.settings.conversation.follow_ups


# With these Slack tells the app of every message in the places where it is.
_EVERY_MESSAGE = ("message.channels", "message.groups", "message.mpim")


@dataclass(frozen=True)
class Feature:
    """Something that the bridge does, and what the app needs for it.

    Attributes:
        scopes: of the bot token.
        events: the subscriptions.
        is_on: whether the settings ask for it.
    """

    name: str
    scopes: tuple[str, ...]
    events: tuple[str, ...] = ()
    is_on: Callable[[Config], bool] = _always


FEATURES = (
    Feature("questions in channels", ("app_mentions:read",), ("app_mention",)),
    Feature("questions in direct messages", ("im:history",), ("message.im",), _direct_messages),
    Feature("answers", ("chat:write",)),
    Feature("agent sessions, with Slack's own Stop", ("assistant:write",), ("agent_session_stopped",)),
    Feature("files of questions and answers", ("files:read", "files:write")),
    # What a thread said, and a message again whose confirmation got lost.
    Feature("threads", ("channels:history", "groups:history", "mpim:history")),
    # The names of people, and whether they are guests.
    Feature("people", ("users:read",)),
    Feature("an hourglass under a question that waits", ("reactions:write",)),
    # An id does not tell whether its channel is private. Their scopes are those of threads.
    Feature("follow-ups in channels", (), ("message.channels", "message.groups"), _channel_follow_ups),
    Feature("follow-ups in groups", (), ("message.mpim",), _group_follow_ups),
    Feature("approvals by a user group", ("usergroups:read",), is_on=_approving_groups),
)


def scopes(config: Config) -> list[str]:
    """The scopes of the bot token, sorted."""
    return sorted({scope for feature in FEATURES if feature.is_on(config) for scope in feature.scopes})


def events(config: Config) -> list[str]:
    """The event subscriptions, sorted."""
    return sorted({event for feature in FEATURES if feature.is_on(config) for event in feature.events})


def every_message_events(config: Config) -> list[str]:
    """Those of the subscriptions by which Slack tells of every message in channels."""
    return [event for event in events(config) if event in _EVERY_MESSAGE]


def manifest(config: Config, *, address: str = PLACEHOLDER) -> dict[str, Any]:
    """The manifest of the bridge at `address`, "https://HOST" without a path."""
    return _manifest(
        config,
        event_subscriptions={"request_url": f"{address}{EVENTS}", "bot_events": events(config)},
        interactivity={"is_enabled": True, "request_url": f"{address}{INTERACTIVITY}"},
        socket_mode_enabled=False,
    )


def manifest_without_address(config: Config) -> dict[str, Any]:
    """The manifest of an app that gets no events yet.

    Slack asks a request URL while it saves the manifest, signed with the secret of the app. Nobody knows the
    secret of an app that is just being made, so an app is made without a URL first.
    """
    return _manifest(config, socket_mode_enabled=False)


def dev_manifest(config: Config) -> dict[str, Any]:
    """The manifest of a second app, to which Slack sends its events over Socket Mode only."""
    made = _manifest(
        config,
        event_subscriptions={"bot_events": events(config)},
        interactivity={"is_enabled": True},
        socket_mode_enabled=True,
    )
    made["display_information"]["name"] += DEV_SUFFIX
    made["features"]["bot_user"]["display_name"] += "-dev"
    return made


def _manifest(config: Config, *, socket_mode_enabled: bool, **delivery: dict[str, Any]) -> dict[str, Any]:
    where = "channels and direct messages" if _direct_messages(config) else "channels"
    return {
        "_metadata": {"major_version": 2},
        "display_information": {"name": config.app.name, "description": config.app.description},
        "features": {
            "agent_view": {"agent_description": f"Answers questions in {where}."},
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": not _direct_messages(config),
            },
            "bot_user": {"display_name": _mention(config.app.name), "always_online": True},
        },
        "oauth_config": {"scopes": {"bot": scopes(config)}},
        "settings": {
            **delivery,
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode_enabled,
            "token_rotation_enabled": False,
        },
    }


def _mention(name: str) -> str:
    """What people write behind the @: the name in small letters, with hyphens for spaces."""
    return re.sub(r"[^\w.-]+", "-", name.lower()).strip("-") or "agent"
