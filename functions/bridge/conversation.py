"""How conversations in a thread are held: what the operator may choose."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ConversationOptions:
    """The table `[conversation]` of bridge.toml.

    Attributes:
        thread_context: whether an agent is told what was said in its thread since it last saw it.
        context_characters: how long that may be, at most. The newest messages are told.
    """

    thread_context: bool = True
    context_characters: int = 12_000
