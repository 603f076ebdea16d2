"""One delivery of a queue message: its owner, its deadline, and when the message is delivered again."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from functions.bridge import waits
from functions.bridge.errors import ServiceUnavailable

# Seconds that a claim may take. The message is hidden for the lease plus this, so the lease has expired when
# the message is delivered again.
CLAIM_SECONDS = 1.0
# Seconds until a failed message is delivered again. They double with each try, up to a minute.
FIRST_BACK_OFF = 5.0
LONGEST_BACK_OFF = 60.0
# Seconds until a turn that waits for other turns is delivered again. After 100 receives (about a quarter of
# an hour) the wait is four times as long, because the queue allows 1,000 receives.
SHORTEST_DEFERRAL, LONGEST_DEFERRAL = 5.0, 15.0
PATIENT_AFTER_RECEIVES = 100
PATIENT_TIMES = 4


class QueueMessage(Protocol):
    """The queue message that brought the turn."""

    @property
    def receipt(self) -> str:
        """By this receipt of the message, and no other, it can be woken (`KeptMessages`)."""
        ...

    def extend_visibility(self, seconds: float) -> None:
        """Hide the message for so many seconds from now. Raises `ServiceUnavailable`."""
        ...


class KeptMessages(Protocol):
    """The messages of the questions queue that are hidden while their turns wait for a person."""

    def wake(self, receipt: str) -> None:
        """Show the message of this receipt now, so that it is delivered.

        Does nothing when it shows already, or has been delivered again since: whoever has it then reads the
        record after this call. Raises `ServiceUnavailable`.
        """
        ...


@dataclass(frozen=True)
class Delivery:
    """One delivery of a turn to one invocation.

    Attributes:
        message: the queue message, hidden from other consumers while the work goes on.
        owner: a unique name for this delivery.
        deadline: seconds since the epoch. No write that must land begins after it.
        receive_count: how often the message has been received from its queue. Most receives are no tries: a
            message that has to wait is received again and again.
    """

    message: QueueMessage
    owner: str
    deadline: float
    receive_count: int = 1

    @property
    def receipt(self) -> str:
        return self.message.receipt

    @property
    def share(self) -> float:
        """From 0 to 1, different for each delivery: it spreads the waits of different deliveries."""
        return int(hashlib.sha256(self.owner.encode()).hexdigest()[:8], 16) / 16**8

    def back_off(self, tries: int, *, longest: float = LONGEST_BACK_OFF) -> float:
        """Seconds until a failed message is delivered again. `tries` includes this try."""
        return self.spread(waits.grown(FIRST_BACK_OFF, tries, longest=longest))

    @property
    def wait(self) -> float:
        """Seconds until a message that has to wait for other turns is delivered again."""
        seconds = SHORTEST_DEFERRAL + (LONGEST_DEFERRAL - SHORTEST_DEFERRAL) * self.share
        return seconds * (PATIENT_TIMES if self.receive_count > PATIENT_AFTER_RECEIVES else 1)

    def spread(self, seconds: float) -> float:
        """`seconds`, shortened by this delivery's share (see `waits.spread`)."""
        return waits.spread(seconds, self.share)

    def extend_for_claim(self, lease_seconds: float) -> bool:
        """Hide the message until a lease that begins now has expired. Returns whether SQS did so.

        This comes before any other call: until then the message is hidden for the queue's visibility timeout,
        and a crash would go unnoticed for minutes.
        """
        try:
            self.message.extend_visibility(lease_seconds + CLAIM_SECONDS)
        except ServiceUnavailable:
            return False
        return True
