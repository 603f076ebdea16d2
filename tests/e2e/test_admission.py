"""Who may ask and how much, through the whole path."""

from collections.abc import Iterator

import pytest

from functions.bridge import wording
from functions.bridge.admission.access import Reason
from functions.bridge.admission.slots import Full, Limit
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge

ONE_AT_A_TIME = {"running_per_user": 1, "questions_per_minute": 3}
SLOW = "@agent for a minute: what's the weather in Lima this week?"
QUICK = "@agent what's the weather in Lima today?"


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1, fairness=ONE_AT_A_TIME) as simulation:
        assert simulation.wait_warm() == []
        yield Bridge(simulation)


def test_a_guest_is_refused_in_private_and_no_agent_is_asked(bridge: Bridge) -> None:
    question = bridge.ask(QUICK, user="gwen")
    assert bridge.told(question, "gwen") == [wording.refusal(Reason.GUEST)]
    assert (bridge.replies(question), bridge.runs(question)) == ([], 0)
    assert '"refusal": "guest"' in bridge.logs()
    assert '"Refusals"' in bridge.logs()


def test_a_second_question_waits_and_becomes_its_answer_in_one_message(bridge: Bridge) -> None:
    waits = wording.waits(Full(Limit.PERSON, 1))
    slow = bridge.say(SLOW)
    bridge.until(lambda: bridge.runs(slow))
    second = bridge.say(QUICK, channel="general")
    other = bridge.ask_in_parallel(QUICK, user="bob")
    assert bridge.state(other) == "answered"
    bridge.until(lambda: bridge.texts(second) == [waits])
    assert bridge.runs(second) == 0
    assert bridge.settled(second) == bridge.state(slow) == "answered"
    assert len(bridge.replies(second)) == 1
    assert "In **Lima**" in bridge.texts(second)[0]


def test_users_info_is_called_once_for_a_person_whichever_worker_asks(bridge: Bridge) -> None:
    def look_ups() -> int:
        return [call.method for call in bridge.simulation.slack.web_api.calls].count("users.info")

    bridge.ask(QUICK)
    bridge.simulation.lambdas.retire("worker")
    bridge.ask(QUICK)
    assert look_ups() == 1


def test_more_questions_than_a_minute_takes_are_refused(bridge: Bridge) -> None:
    for _ in range(3):
        assert bridge.state(bridge.ask(QUICK)) == "answered"
    question = bridge.ask(QUICK)
    assert bridge.replies(question) == []
    [told] = bridge.told(question, "alice")
    assert "3 questions within a minute" in told
