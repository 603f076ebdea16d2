"""What the bridge knows of an agent's memory: no service tells whether a session still remembers."""

from dataclasses import dataclass

# Seconds by which a session counts as over before its idle time is: a question takes a while to arrive.
MARGIN_SECONDS = 30.0


@dataclass(frozen=True)
class Memory:
    """How long an agent remembers what was said in a session.

    Attributes:
        idle_seconds: the session ends after so many seconds without a question.
        outlives_session: whether the agent keeps a memory of its own, from which it knows the thread then.
        is_personal: whether each person of a thread has a session of their own.
    """

    idle_seconds: float = 900.0
    outlives_session: bool = False
    is_personal: bool = False

    def is_over(self, idle: float) -> bool:
        """Whether a session that was used `idle` seconds ago may have ended."""
        return idle >= self.idle_seconds - MARGIN_SECONDS


USUAL = Memory()
