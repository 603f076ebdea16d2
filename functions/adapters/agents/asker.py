"""Who asks, under the same names for every kind of agent."""

from functions.bridge.agents.port import Asker


def asker_attributes(asker: Asker) -> dict[str, str]:
    """Slack's ids as "user", "team", "channel" and "thread", and the user's "name" where it is known."""
    named = {"name": asker.name} if asker.name else {}
    return {
        "user": asker.user,
        "team": asker.team,
        "channel": asker.channel,
        "thread": asker.thread_ts,
        **named,
    }
