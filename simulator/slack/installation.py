"""The app as it is installed in the workspace: what its manifest grants, and its two secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.slack.workspace import User


@dataclass
class Installation:
    """The installed app.

    Attributes:
        scopes: what the bot token may do.
        bot_events: the event subscriptions, e.g. "app_mention" and "message.im".
        is_agent: whether the manifest declares it as an agent, which has sessions.
        messages_tab: whether people can write to the app, and the app to them, in direct messages.
        token_error: the error name that every call gets, e.g. "account_inactive" after an uninstallation.
    """

    bot: User
    bot_token: str
    signing_secret: str
    scopes: set[str]
    bot_events: set[str]
    messages_tab: bool
    is_agent: bool = True
    token_error: str | None = None

    @classmethod
    def of(
        cls, manifest: Mapping[str, Any], *, team_id: str, bot_token: str, signing_secret: str
    ) -> "Installation":
        """Installs the app of `manifest` (docs.slack.dev/reference/app-manifest)."""
        home = manifest["features"]["app_home"]
        bot_user = manifest["features"]["bot_user"]
        return cls(
            bot=User(
                id="U0AGENT01",
                team_id=team_id,
                name=bot_user["display_name"],
                real_name=manifest["display_information"]["name"],
                bot_id="B0AGENT01",
                app_id="A0AGENT01",
            ),
            bot_token=bot_token,
            signing_secret=signing_secret,
            scopes=set(manifest["oauth_config"]["scopes"]["bot"]),
            bot_events=set(manifest["settings"]["event_subscriptions"]["bot_events"]),
            is_agent="agent_view" in manifest["features"],
            messages_tab=home["messages_tab_enabled"] and not home["messages_tab_read_only_enabled"],
        )
