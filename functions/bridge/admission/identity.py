"""Whether a turn is for this bot, and its sender one of our people: before anything of it shows in Slack."""

from functions.bridge.people import Home, Identity
from functions.bridge.turn import Turn


class NotForUs(Exception):
    """A turn of another app or another installation. Says whose it is and who we are, for the log."""


def check_meant(turn: Turn, us: Identity) -> None:
    """Make sure that the turn is of the app and the installation that the token is of. Raises `NotForUs`."""
    if not (_is_here(turn, us) and _is_this_app(turn, us)):
        theirs = f"app {turn.app or '-'}, bot {turn.bot_user or '-'}, team {turn.team}"
        ours = f"app {us.app or '-'}, bot {us.bot_user}, team {us.team}"
        raise NotForUs(f"the event is for {theirs}; the token is of {ours}")


def belongs_to_us(home: Home, us: Identity) -> bool:
    """Whether a person's home is the bot's workspace, or another one of its organization."""
    return home.team == us.team or (us.organization != "" and home.organization == us.organization)


def _is_here(turn: Turn, us: Identity) -> bool:
    if us.is_org_wide:
        return turn.organization in ("", us.organization)
    return turn.team == us.team


def _is_this_app(turn: Turn, us: Identity) -> bool:
    """By the app's id, or by its bot user where the turn or Slack does not tell the id."""
    if turn.app and us.app:
        return turn.app == us.app
    return turn.bot_user in ("", us.bot_user)
