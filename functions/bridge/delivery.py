"""One delivery of a queue message: who works on it, until when, and when it comes again."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from functions.bridge import waits
from functions.bridge.errors import ServiceUnavailable

# How long a claim may take, in seconds. The message is hidden for the lease and this, so that the lease has
# expired when it shows up again.
CLAIM_SECONDS = 1.0
# Seconds until a message that could not be worked on comes again, doubled with each try up to a minute.
FIRST_BACK_OFF = 5.0
LONGEST_BACK_OFF = 60.0
# Seconds until a turn comes again that waits for others to be over; longer after a quarter of an hour or so,
# as a queue counts 1,000 receives.
SHORTEST_DEFERRAL, LONGEST_DEFERRAL = 5.0, 15.0
PATIENT_AFTER_RECEIVES = 100
PATIENT_TIMES = 4


class QueueMessage(Protocol):
    """The queue message that brought the turn."""

    def extend_visibility(self, seconds: float) -> None:
        """Let nobody else receive it for so many seconds from now. Raises `ServiceUnavailable`."""
        ...


@dataclass(frozen=True)
class Delivery:
    """One delivery of a turn to one invocation.

    Attributes:
        message: the queue message that brought it; kept hidden while the work goes on.
        owner: a name for this delivery that no other has.
        deadline: no write that must land begins after this, seconds since the epoch.
        receive_count: how often the message has been received from its queue by now. Most of these may
            have been no tries: a message that has to wait is received again and again.
    """

    message: QueueMessage
    owner: str
    deadline: float
    receive_count: int = 1

    @property
    def share(self) -> float:
        """From 0 to 1, different for each delivery, so that its waits differ from those of others."""
        return int(hashlib.sha256(self.owner.encode()).hexdigest()[:8], 16) / 16**8

    def back_off(self, tries: int, *, longest: float = LONGEST_BACK_OFF) -> float:
        """Seconds until a message comes again that could not be worked on. `tries` counts this try too."""
        return self.spread(waits.grown(FIRST_BACK_OFF, tries, longest=longest))

    @property
    def wait(self) -> float:
        """Seconds until the message comes again that has to wait for others."""
        seconds = SHORTEST_DEFERRAL + (LONGEST_DEFERRAL - SHORTEST_DEFERRAL) * self.share
        return seconds * (PATIENT_TIMES if self.receive_count > PATIENT_AFTER_RECEIVES else 1)

    def spread(self, seconds: float) -> float:
        """A wait, as long as this delivery makes it."""
        return waits.spread(seconds, self.share)

    def extend_for_claim(self, lease_seconds: float) -> bool:
        """Hide the message until a lease that begins now has expired. Returns whether that could be done.

        This is the first call of all. Until then the message is hidden for its queue's visibility timeout,
        which is longer than an invocation: a crash, or a message that could not be given back, would go
        unnoticed for minutes.
        """
        try:
            self.message.extend_visibility(lease_seconds + CLAIM_SECONDS)
        except ServiceUnavailable:
            return False
        return True
