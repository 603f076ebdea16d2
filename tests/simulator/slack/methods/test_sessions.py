import pytest
from slack_sdk import WebClient

from simulator.slack import seed
from simulator.slack.methods.sessions import NO_STOP
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import Control
from tests.simulator.slack.refusal import refused


@pytest.fixture
def root(client: WebClient) -> str:
    return str(client.chat_postMessage(channel=seed.GENERAL, text="root")["ts"])


def test_a_session_has_the_status_that_the_app_gives_it(
    control: Control, client: WebClient, root: str
) -> None:
    for status in ("processing", "active"):
        client.agents_sessions_setStatus(channel_id=seed.GENERAL, thread_ts=root, status=status)
        assert control.get("thread", channel="general", ts=root)["session"] == status


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"status": "asleep"}, "invalid_arguments"),
        ({"thread_ts": ""}, "thread_ts_required"),
        ({"thread_ts": "1700000000.000001"}, "invalid_thread_ts"),
        ({"channel_id": "C0NOWHERE"}, "channel_not_found"),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: WebClient, root: str, changed: dict[str, str], error: str
) -> None:
    arguments = {"channel_id": seed.GENERAL, "thread_ts": root, "status": "processing"} | changed
    with refused(error):
        client.agents_sessions_setStatus(**arguments)


def test_an_app_that_is_no_agent_has_no_sessions(service: SlackService, client: WebClient, root: str) -> None:
    service.installation.is_agent = False
    with refused("not_authorized"):
        client.agents_sessions_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="processing")


def test_an_app_that_hears_of_no_stop_is_warned(service: SlackService, client: WebClient, root: str) -> None:
    service.installation.bot_events.discard("agent_session_stopped")
    answer = client.agents_sessions_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="processing")
    assert answer["warning"] == NO_STOP
