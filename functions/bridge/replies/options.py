"""How replies are made: what the operator may choose."""

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """How an answer grows before the user's eyes."""

    AUTO = "auto"
    """Slack streams it in direct messages; elsewhere a placeholder is edited into it."""
    EDIT = "edit"
    """A placeholder is edited into it."""
    STREAM = "stream"
    """Slack streams it."""


@dataclass(frozen=True)
class ReplyOptions:
    """How replies are made: the table `[reply]` of bridge.toml.

    Attributes:
        style: as the operator chose it; see `style_in`.
        show_rationale: whether the agent's rationale is part of the reply (the debug switch).
        notify_after_seconds: an edited reply that took longer ends with a mention of the asker.
        link_hosts: the only hosts that links may lead to, with what is below them; () for all.
        max_messages: how many messages an answer has at most. The rest becomes a file.
    """

    style: Style = Style.AUTO
    show_rationale: bool = False
    notify_after_seconds: int = 60
    max_messages: int = 10
    link_hosts: tuple[str, ...] = ()

    def style_in(self, channel: str) -> Style:
        """`EDIT` or `STREAM`, for a channel by its id; those of direct messages begin with D.

        In a channel only the asker sees a stream grow. Everybody else sees its first text, and then nothing
        before its end.
        """
        if self.style is not Style.AUTO:
            return self.style
        return Style.STREAM if channel.startswith("D") else Style.EDIT
