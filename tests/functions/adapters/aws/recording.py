"""A client of AWS that notes what is asked for."""

from typing import Any

from functions.adapters.aws.json_client import AwsError, JsonClient


class RecordingClient(JsonClient):
    """A real client, which fails as without a network while it `is_down`.

    Attributes:
        calls: the operations that were asked for, in order.
        arguments: theirs.
    """

    def __init__(self, service: str, calls: list[str] | None = None) -> None:
        super().__init__(service)
        self.calls = [] if calls is None else calls
        self.arguments: list[dict[str, Any]] = []
        self.is_down = False

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        self.calls.append(operation)
        self.arguments.append(arguments)
        if self.is_down:
            raise AwsError(operation, "ConnectionRefusedError")
        return super().call(operation, **arguments)
