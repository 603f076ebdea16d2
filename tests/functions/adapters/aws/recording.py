"""A client of AWS that notes what is asked for, and in which a test can interfere."""

from collections.abc import Callable
from typing import Any

from functions.adapters.aws.json_client import AwsError, JsonClient

Answer = dict[str, Any]
# Gets an operation and what calls it for real.
Interference = Callable[[str, Callable[[], Answer]], Answer]


class RecordingClient(JsonClient):
    """A real client, which fails as without a network while it `is_down`.

    Attributes:
        calls: the operations that were asked for, in order.
        arguments: theirs.
        interfere: stands between a call and the service, where a test wants that.
    """

    def __init__(self, service: str, calls: list[str] | None = None) -> None:
        super().__init__(service)
        self.calls = [] if calls is None else calls
        self.arguments: list[dict[str, Any]] = []
        self.is_down = False
        self.interfere: Interference | None = None

    def call(self, operation: str, **arguments: Any) -> Answer:
        self.calls.append(operation)
        self.arguments.append(arguments)
        if self.is_down:
            raise AwsError(operation, "ConnectionRefusedError")

        def proceed() -> Answer:
            return super(RecordingClient, self).call(operation, **arguments)

        return self.interfere(operation, proceed) if self.interfere else proceed()
