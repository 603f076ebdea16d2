"""Channels: their ids in Slack, and their names in bridge.toml."""

# The first letter of the id of a direct message with the bot.
DIRECT_PREFIX = "D"
DIRECT_MESSAGES = "dm"


def is_direct(channel: str) -> bool:
    """Whether the channel with this id is a direct message with the bot."""
    return channel.startswith(DIRECT_PREFIX)


def channel_names(channel: str) -> set[str]:
    """The names that bridge.toml may use for a channel: its id, and "dm" for every direct message."""
    return {channel, *([DIRECT_MESSAGES] if is_direct(channel) else [])}
