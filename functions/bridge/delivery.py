"""One delivery of a queue message: who works on it, until when, and when it comes again."""

from dataclasses import dataclass
from typing import Protocol

from functions.bridge.errors import ServiceUnavailable

# So long, in seconds, a claim may take: when the message shows up again, its lease has run out.
CLAIM_SECONDS = 1.0
# Seconds until a message that could not be worked on comes again, doubled with each receive up to a minute.
FIRST_BACK_OFF = 5.0
LONGEST_BACK_OFF = 60.0


class Message(Protocol):
    """The queue message that brought the turn."""

    def hide(self, seconds: float) -> None:
        """Nobody else receives it for so long from now. Raises `ServiceUnavailable`."""
        ...


@dataclass(frozen=True)
class Delivery:
    """One delivery of a turn to one invocation.

    Attributes:
        message: the queue message that brought it; kept hidden while the work goes on.
        owner: a name for this delivery that no other has.
        deadline: when essential writes must be given up, seconds since the epoch.
        receives: how often the message has been received from its queue by now.
    """

    message: Message
    owner: str
    deadline: float
    receives: int = 1

    def hide_for_claim(self, lease_seconds: float) -> bool:
        """Hide the message until a lease that begins now has run out; whether that could be done.

        The first call of all. Until then the message is hidden for as long as its queue says, longer than
        an invocation can take: a crash would go unnoticed for minutes, and so would a message that could
        not be given back.
        """
        try:
            self.message.hide(lease_seconds + CLAIM_SECONDS)
        except ServiceUnavailable:
            return False
        return True


def back_off(receives: int) -> float:
    """Seconds until a message that could not be worked on comes again; `receives` counts this time too."""
    return min(FIRST_BACK_OFF * 2.0 ** min(receives - 1, 10), LONGEST_BACK_OFF)
