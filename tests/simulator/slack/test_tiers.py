import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from simulator.slack import seed
from simulator.slack.tiers import Tiers
from tests.simulator.slack.conftest import Control


def test_a_tier_allows_its_calls_in_every_window_of_a_minute() -> None:
    tiers = Tiers()
    tiers.switch(True)
    assert [tiers.retry_after("chat.update", 3, "C1", now=float(n)) for n in range(50)] == [None] * 50
    assert tiers.retry_after("chat.update", 3, "C2", now=50.0) == 10
    assert tiers.retry_after("reactions.add", 3, "C1", now=50.0) is None
    assert tiers.retry_after("chat.update", 3, "C1", now=60.0) is None


def test_the_window_is_scaled_and_retry_after_is_at_least_a_second() -> None:
    tiers = Tiers()
    tiers.switch(True, scale=0.01)
    for _ in range(20):
        assert tiers.retry_after("chat.startStream", 2, "C1", now=0.0) is None
    assert tiers.retry_after("chat.startStream", 2, "C1", now=0.1) == 1
    assert tiers.retry_after("chat.startStream", 2, "C1", now=0.7) is None


def test_posts_are_limited_in_each_channel() -> None:
    tiers = Tiers()
    tiers.switch(True)
    for _ in range(60):
        assert tiers.retry_after("chat.postMessage", None, "C1", now=0.0) is None
    assert tiers.retry_after("chat.postMessage", None, "C1", now=0.0) == 60
    assert tiers.retry_after("chat.postMessage", None, "C2", now=0.0) is None


def test_a_call_over_the_tier_gets_429_with_retry_after(client: WebClient, control: Control) -> None:
    control.post("tiers", enabled=True)
    ts = str(client.chat_postMessage(channel=seed.GENERAL, text="x")["ts"])
    for _ in range(50):
        client.chat_update(channel=seed.GENERAL, ts=ts, text="y")
    with pytest.raises(SlackApiError) as error:
        client.chat_update(channel=seed.GENERAL, ts=ts, text="y")
    assert error.value.response.status_code == 429
    assert error.value.response["error"] == "ratelimited"
    assert 0 < int(error.value.response.headers["Retry-After"]) <= 60
    assert len(control.message(seed.GENERAL, ts)["edits"]) == 50
    control.post("tiers", enabled=False)
    assert client.chat_update(channel=seed.GENERAL, ts=ts, text="z")["ok"]
