"""Calls of Slack that are no part of the reply's text fail: the answer lands all the same."""

from collections.abc import Iterator

import pytest

from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge

TROUBLES = {
    "503": {"status": 503},
    "429": {"retry_after": 1},
    "request lost": {"drop": "before"},
    "answer lost": {"drop": "after"},
}


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    """Nobody is mentioned, however long it takes: a mention is one more reply."""
    with Simulation(time_scale=0.1, notify_after_seconds=900, access={"guests": True}) as simulation:
        yield Bridge(simulation)


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_an_agent_answers_though_nobody_knows_how_the_asker_is_called(
    bridge: Bridge, trouble: dict[str, object]
) -> None:
    bridge.simulation.lambdas.retire("worker")  # names that are known are not looked up again
    calls = bridge.simulation.slack.web_api.calls
    before = len(calls)
    bridge.control("faults", method="users.info", times=2, **trouble)
    question = bridge.ask("@agent what's the weather in Lima today?", user="bob")
    bridge.simulation.slack.faults.clear()
    assert bridge.state(question) == "answered"
    assert "In **Lima**" in bridge.texts(question)[0]
    statuses = [call.status for call in calls[before:] if call.method == "users.info"]
    assert statuses
    assert 200 not in statuses


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_the_agents_files_are_in_the_thread_once_or_their_absence_is_told(
    bridge: Bridge, method: str, trouble: dict[str, object]
) -> None:
    bridge.control("faults", method=method, **trouble)
    question = bridge.ask("@agent the weather in Lima with a chart")
    assert bridge.state(question) == "answered"
    replies = bridge.replies(question)
    files = [file for reply in replies for file in reply.get("files", [])]
    text = "\n".join(block["text"] for reply in replies for block in reply.get("blocks", []))
    assert "Here is the chart for **Lima**" in text
    assert len(files) == 2 or "may be missing here" in text
    if method == "files.getUploadURLExternal":  # nothing shows yet, so that it can be made again
        assert len(files) == 2
        assert ":warning:" not in text
