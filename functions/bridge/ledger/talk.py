"""Who talks with the bot in a thread: their next messages there are for it, though they do not mention it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# After so much silence somebody takes part no longer, in seconds.
SILENCE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Talk:
    """The people of a thread.

    Attributes:
        asked: the ts of each person's last question, by their ids.
        is_muted: whether the bot was told to answer in this thread only who mentions it.
    """

    asked: Mapping[str, str] = field(default_factory=dict)
    is_muted: bool = False

    def expects(self, user: str, ts: str) -> bool:
        """Whether a message of this person, which mentions nobody, is for the bot.

        It may be older than their last question: Slack promises no order.
        """
        last = self.asked.get(user)
        return last is not None and not self.is_muted and abs(float(ts) - float(last)) < SILENCE_SECONDS
