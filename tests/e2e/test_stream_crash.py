"""Slack's own streams, when a worker dies in the middle of one: a crash is noticed after three seconds."""

import re

from simulator import wiring
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge


def test_a_crash_leaves_no_open_stream() -> None:
    with Simulation(time_scale=0.1, style="stream", lease_seconds=3) as simulation:
        bridge = Bridge(simulation)
        question = bridge.say("@agent fall silent: what's the weather in Chicago?")
        bridge.until(lambda: bridge.streams(question) == ["in_progress"] and bridge.said(question))
        simulation.lambdas.kill(wiring.WORKER.name)
        assert bridge.settled(question) == "interrupted"
        assert "in_progress" not in bridge.streams(question)
        assert re.search(r"was not asked again.*Reference: `[0-9a-f]{8}`", bridge.said(question))
        assert bridge.runs(question) == 1
