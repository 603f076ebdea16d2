"""One call of an agent through boto3: its events, and its errors as events."""

from collections.abc import Callable, Iterator, Mapping

from functions.adapters.agents.connection import Connection
from functions.adapters.agents.errors import errors_as_events
from functions.bridge.agents.events import AgentEvent
from functions.bridge.agents.failures import Failure


class AgentCall:
    """The answer to one question. See `functions.adapters.agents.run.Stream`.

    Args:
        translated: sends the request, gives the response to the connection, and yields the translated events.
            What boto3 raises in it becomes the last event.
        refused, broken_off: the failure for each error, see `functions.adapters.agents.errors`.
    """

    def __init__(
        self,
        translated: Callable[[Connection], Iterator[AgentEvent]],
        *,
        refused: Mapping[str, Failure],
        broken_off: Mapping[str, Failure],
    ) -> None:
        self._translated = translated
        self._refused = refused
        self._broken_off = broken_off
        self._connection = Connection()
        self.shutdown = self._connection.shutdown

    def events(self) -> Iterator[AgentEvent]:
        self._connection.of_this_thread()
        translated = self._translated(self._connection)
        try:
            yield from errors_as_events(translated, refused=self._refused, broken_off=self._broken_off)
        finally:
            self._connection.close()
