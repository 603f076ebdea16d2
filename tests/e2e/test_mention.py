"""Who waited long for an answer is told that it has come."""

from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge


def test_who_waited_long_is_mentioned_though_slack_asked_to_wait() -> None:
    with Simulation(time_scale=0.1, notify_after_seconds=4) as simulation:
        bridge = Bridge(simulation)
        # Of the posts of such a turn the second is the mention.
        bridge.control("faults", method="chat.postMessage", skip=1, retry_after=1)
        question = bridge.ask("@agent for a minute: what's the weather in Lima?")
        assert bridge.state(question) == "answered"
        bridge.until(lambda: len(bridge.replies(question)) == 2)
        assert bridge.replies(question)[-1]["text"].startswith("<@U01ALICE>")
