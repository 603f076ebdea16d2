"""Whether a turn is for this app, and whether a person belongs to our organization."""

from functions.bridge.people import Home, Identity
from functions.bridge.turn import Turn


class NotForUs(Exception):
    """The turn is for another app or installation. The text names both, for the log."""


def check_meant(turn: Turn, us: Identity) -> None:
    """Raise `NotForUs` unless the turn is for the app and the installation of our token (`us`)."""
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
    """Compares the app's id, or the bot user where the turn or Slack does not give the id."""
    if turn.app and us.app:
        return turn.app == us.app
    return turn.bot_user in ("", us.bot_user)
