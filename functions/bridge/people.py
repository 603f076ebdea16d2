"""The bot and the people, as Slack describes them."""

from dataclasses import dataclass

# Seconds for which the bridge keeps what users.info said of a person.
KNOWN_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Identity:
    """The bot and its installation, as auth.test describes them for its token.

    Attributes:
        app: the app's id ("A…"), "" where Slack does not name it.
        bot_user: the bot's own user id.
        team: the workspace.
        organization: the Enterprise organization that the workspace belongs to, "" without one.
        is_org_wide: whether the bot is installed in the whole organization instead of one workspace.
    """

    app: str
    bot_user: str
    team: str
    organization: str = ""
    is_org_wide: bool = False


@dataclass(frozen=True)
class Home:
    """The workspace and the Enterprise organization of a person, each "" where Slack names none."""

    team: str
    organization: str = ""


@dataclass(frozen=True)
class Person:
    """A person, as users.info describes them.

    Attributes:
        name: the name that Slack displays.
        is_guest: whether they are a guest, of one channel or of several.
        is_deactivated: whether their account is closed.
        is_stranger: Slack's word for a person of another workspace in no shared channel that the bot sees.
    """

    home: Home
    name: str = ""
    is_guest: bool = False
    is_deactivated: bool = False
    is_stranger: bool = False
    is_bot: bool = False
