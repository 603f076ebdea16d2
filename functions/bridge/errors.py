"""Temporary failures."""


class PassingTrouble(Exception):
    """A call failed, and may succeed when it is made again. It may have had its effect all the same.

    Attributes:
        retry_after: seconds that the service asked to wait; None where it asked for none.
    """

    retry_after: float | None = None


class ServiceUnavailable(PassingTrouble):
    """One of the bridge's own stores (ledger, queue, secrets) did not answer, or refused for now."""


class GiveBack(Exception):
    """This invocation cannot finish the turn. The queue is to deliver the message again in `seconds`.

    The text says why, for the operator.
    """

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds
