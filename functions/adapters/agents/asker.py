"""Who asks, for an agent: the same names whatever the agent's kind."""

from functions.bridge.agents.port import Asker


def asker_attributes(asker: Asker) -> dict[str, str]:
    """Slack's ids under "user", "team", "channel" and "thread"; "name" where it is known."""
    named = {"name": asker.name} if asker.name else {}
    return {
        "user": asker.user,
        "team": asker.team,
        "channel": asker.channel,
        "thread": asker.thread_ts,
        **named,
    }
