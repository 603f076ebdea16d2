"""An agent asks before it acts, while Slack streams: who may decide, and what nobody decides."""

from collections.abc import Iterator

import pytest

from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge
from tests.e2e.test_approvals import decisions, press, waiting

SECONDS = 20


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1, lease_seconds=3, approval_seconds=SECONDS, style="stream") as simulation:
        yield Bridge(simulation)


def test_only_the_asker_may_decide(bridge: Bridge) -> None:
    question = waiting(bridge)
    press(bridge, question, user="bob")
    bridge.until(lambda: bridge.told(question, "bob"))
    assert "you may not decide" in bridge.told(question, "bob")[0]
    press(bridge, question, user="alice")
    assert bridge.settled(question) == "answered"
    assert decisions(bridge, question) == [True]


def test_what_nobody_decides_is_denied(bridge: Bridge) -> None:
    question = waiting(bridge)
    assert bridge.settled(question) == "answered"
    assert ":hourglass: **Send email** expired" in bridge.said(question)
    assert "I did **not** send the e-mail" in bridge.said(question)
    assert decisions(bridge, question) == [False]
