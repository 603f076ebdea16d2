"""What keeps a turn from going on for now."""


class PassingTrouble(Exception):
    """A call failed for now. The same call may succeed later, unless the one that failed had its effect.

    Attributes:
        retry_after: how many seconds the other side asked to wait; None where it asked for no wait.
    """

    retry_after: float | None = None


class ServiceUnavailable(PassingTrouble):
    """One of our own stores (ledger, queue, secrets) did not answer, or refused for now."""


class GiveBack(Exception):
    """What is owed cannot be written within this invocation. The message is to come again in `seconds`.

    Its text says why, for the operator.
    """

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds
