"""What channels are called, by Slack and by the operator."""

# Slack's ids of direct messages with the bot begin with this letter.
DIRECT_PREFIX = "D"
DIRECT_MESSAGES = "dm"


def is_direct(channel: str) -> bool:
    """Whether a channel, by its id, is a direct message with the bot."""
    return channel.startswith(DIRECT_PREFIX)


def channel_names(channel: str) -> set[str]:
    """What the operator may call a channel: its id, and "dm" for every direct message."""
    return {channel, *([DIRECT_MESSAGES] if is_direct(channel) else [])}
