import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from simulator.slack import seed
from tests.simulator.slack.conftest import Control


def posted(control: Control) -> list[str]:
    return [message["text"] for message in control.get("state")["messages"]]


def test_an_error_is_answered_as_often_as_asked(client: WebClient, control: Control) -> None:
    control.post("faults", method="chat.postMessage", error="internal_error", times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError, match="internal_error"):
            client.chat_postMessage(channel=seed.GENERAL, text="refused")
    client.chat_postMessage(channel=seed.GENERAL, text="said")
    assert posted(control) == ["said"]


def test_a_status_comes_with_a_body_that_is_not_json(client: WebClient, control: Control) -> None:
    control.post("faults", method="*", status=503)
    with pytest.raises(SlackApiError) as error:
        client.auth_test()
    assert error.value.response.status_code == 503


def test_retry_after_is_a_429(client: WebClient, control: Control) -> None:
    control.post("faults", method="chat.postMessage", retry_after=30)
    with pytest.raises(SlackApiError) as error:
        client.chat_postMessage(channel=seed.GENERAL, text="refused")
    assert error.value.response.status_code == 429
    assert error.value.response.headers["Retry-After"] == "30"
    assert posted(control) == []


@pytest.mark.parametrize(("when", "stands"), [("before", []), ("after", ["said"])])
def test_a_dropped_connection_has_no_answer(
    client: WebClient, control: Control, when: str, stands: list[str]
) -> None:
    control.post("faults", method="chat.postMessage", drop=when)
    with pytest.raises(ConnectionError):
        client.chat_postMessage(channel=seed.GENERAL, text="said")
    assert posted(control) == stands
    assert client.api_test()["ok"]


def test_a_delayed_answer_comes_after_the_effect(control: Control, client: WebClient) -> None:
    control.post("faults", method="chat.postMessage", delay_seconds=30)
    client.timeout = 1
    with pytest.raises(TimeoutError):
        client.chat_postMessage(channel=seed.GENERAL, text="said")
    assert posted(control) == ["said"]


def test_skipped_calls_go_well(client: WebClient, control: Control) -> None:
    control.post("faults", method="chat.postMessage", error="fatal_error", skip=1)
    client.chat_postMessage(channel=seed.GENERAL, text="first")
    with pytest.raises(SlackApiError, match="fatal_error"):
        client.chat_postMessage(channel=seed.GENERAL, text="second")
    client.chat_postMessage(channel=seed.GENERAL, text="third")
    assert posted(control) == ["first", "third"]


def test_faults_can_be_taken_back(client: WebClient, control: Control) -> None:
    control.post("faults", method="auth.test", error="fatal_error", times=5)
    control.delete("faults")
    assert client.auth_test()["ok"]


@pytest.mark.parametrize(
    "fault", [{"method": "auth.test"}, {"method": "auth.test", "drop": "during"}, {"methods": "auth.test"}]
)
def test_a_fault_that_makes_no_sense_is_refused(control: Control, fault: dict[str, str]) -> None:
    assert not control.post("faults", **fault)["ok"]
