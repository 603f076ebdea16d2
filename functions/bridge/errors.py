"""What keeps a turn from going on for now: a store that does not answer, or time that is up."""


class ServiceUnavailable(Exception):
    """One of our own stores (ledger, queue) did not answer or refused for now."""


class GiveBack(Exception):
    """What is owed cannot be written within this invocation. Try again in `seconds`.

    Its text says why, for the operator.
    """

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds
