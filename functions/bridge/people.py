"""Who the bot is, and who a person is, as Slack says."""

from dataclasses import dataclass

# So long, in seconds, what Slack said of a person is believed.
KNOWN_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Identity:
    """Who the bot is and where it is installed, as its token says.

    Attributes:
        app: the app's id ("A…"), "" where Slack does not tell.
        bot_user: the bot's own user id.
        team: the workspace.
        organization: the Enterprise organization that the workspace belongs to, "" without one.
        is_org_wide: whether the bot is installed in all of the organization, in whichever workspace.
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
    """Somebody, as users.info tells.

    Attributes:
        name: what people call them.
        is_guest: in the workspace, in many of its channels or in one only.
        is_deactivated: their account is closed.
        is_stranger: of another workspace, in none of the shared channels that the bot sees.
    """

    home: Home
    name: str = ""
    is_guest: bool = False
    is_deactivated: bool = False
    is_stranger: bool = False
    is_bot: bool = False
