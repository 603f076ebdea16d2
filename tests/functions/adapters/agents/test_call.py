from collections.abc import Iterator
from io import BytesIO

import pytest
from botocore.exceptions import ClientError
from urllib3 import HTTPResponse

from functions.adapters.agents.call import AgentCall
from functions.adapters.agents.connection import Connection
from functions.bridge.agents.events import AgentEvent, Failed, Finished, TextDelta
from functions.bridge.agents.failures import Failure

THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "InvokeAgent")


class Saying:
    """A translation that says something, then fails or ends; it notes the response that it held."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self._trouble = trouble
        self.response = HTTPResponse(body=BytesIO(b"unread"), preload_content=False)

    def __call__(self, connection: Connection) -> Iterator[AgentEvent]:
        connection.hold(self.response)
        yield TextDelta("It is ")
        if self._trouble is not None:
            raise self._trouble
        yield Finished()


def call(saying: Saying) -> AgentCall:
    return AgentCall(saying, refused={"throttlingException": Failure.THROTTLED}, broken_off={})


def test_translated_events_are_passed_on() -> None:
    assert list(call(Saying()).events()) == [TextDelta("It is "), Finished()]


def test_an_exception_of_boto3_becomes_the_last_event() -> None:
    *_, last = call(Saying(THROTTLED)).events()
    assert isinstance(last, Failed)
    assert last.failure is Failure.THROTTLED


def test_a_defect_of_the_adapter_is_no_failure_of_the_agent() -> None:
    with pytest.raises(KeyError):
        list(call(Saying(KeyError("a defect"))).events())


@pytest.mark.parametrize("trouble", [None, THROTTLED], ids=["ended", "failed"])
def test_the_response_is_closed_at_the_end(trouble: Exception | None) -> None:
    saying = Saying(trouble)
    list(call(saying).events())
    assert saying.response.closed


def test_the_response_is_closed_when_the_reader_stops_early() -> None:
    saying = Saying()
    events = call(saying).events()
    next(events)
    assert not saying.response.closed
    events.close()  # type: ignore[attr-defined]
    assert saying.response.closed
