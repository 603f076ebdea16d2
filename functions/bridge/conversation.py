"""How conversations in a thread are held: what the operator may choose."""

from dataclasses import dataclass

from functions.bridge.channel_ids import DIRECT_MESSAGES, is_direct


@dataclass(frozen=True)
class ConversationOptions:
    """The table `[conversation]` of bridge.toml.

    Attributes:
        thread_context: whether an agent is told what was said in its thread since it last saw it.
        context_characters: how long that may be, at most. The newest messages are told.
        follow_ups: the channels where people who talk with the bot in a thread need not mention it there;
            "dm" for group direct messages. In direct messages nobody has to mention it.
    """

    thread_context: bool = True
    context_characters: int = 12_000
    follow_ups: tuple[str, ...] = ()

    def has_follow_ups_in(self, channel: str) -> bool:
        """Whether there may be follow-ups in a channel: an id does not tell a group's direct messages."""
        return not is_direct(channel) and bool({channel, DIRECT_MESSAGES} & {*self.follow_ups})
