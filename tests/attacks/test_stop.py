"""Stop in the wrong hands: pressed by a stranger, by a forged button, or too late."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.bridge import wording
from functions.bridge.admission.access import Access, AccessRules
from functions.bridge.agents.events import Finished, TextDelta
from functions.bridge.incoming import interactions
from functions.bridge.incoming.events import Ignored
from functions.bridge.ledger.stops import Press
from functions.bridge.people import Home, Person
from functions.bridge.queue_commands import StopThread, StopTurn, from_json
from functions.bridge.replies.buttons import stop_value
from functions.bridge.turns.handle import control
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.bridge.asking import take
from tests.functions.bridge.incoming.test_events import STOPPED, received
from tests.functions.bridge.incoming.test_interactions import PAYLOAD, STOP, form
from tests.functions.fakes import TURN, Stage

PARTNER = Person(Home("T2"), is_stranger=True)
GUEST = Person(Home("T1"), is_guest=True)


def press(stage: Stage, command: StopThread | StopTurn, access: Access | None = None) -> Outcome:
    return control(command, stage.delivery(50.0), stage.ports, access or Access())


def slacks_stop(stage: Stage, **changes: Any) -> StopThread:
    event = {**STOPPED, "thread_ts": TURN.thread_ts, "event_ts": f"{stage.clock.now() + 0.001:.6f}"}
    command = received(event, **changes)
    assert isinstance(command, StopThread)
    return command


@pytest.mark.parametrize("person", [PARTNER, GUEST], ids=["a partner", "a guest"])
def test_who_may_not_ask_cannot_stop_a_colleagues_answer(stage: Stage, person: Person) -> None:
    stage.chat.people["U2"] = person

    def stop() -> None:
        press(stage, slacks_stop(stage, is_ext_shared_channel=True, team_id="T2"))

    outcome = take(stage, TextDelta("It is "), 3.0, stop, 3.0, TextDelta("sunny."), Finished())
    assert outcome.verdict is Verdict.ANSWERED
    assert wording.MAY_NOT_STOP in stage.chat.history("post_ephemeral")[0]


def test_a_button_whose_value_names_another_channel_is_no_button() -> None:
    elsewhere = replace(TURN, channel="C2")
    forged = {**STOP, "value": stop_value(elsewhere)}
    message = {**PAYLOAD["message"], "ts": "1700000005.000100"}
    assert interactions.parse(form({**PAYLOAD, "actions": [forged], "message": message})) == Ignored(
        "malformed"
    )


def test_a_button_under_another_message_stops_nothing(stage: Stage) -> None:
    message = {**PAYLOAD["message"], "ts": "1700000005.000100"}  # none of the turn that the value names

    def stop() -> None:
        command = interactions.parse(form({**PAYLOAD, "actions": [STOP], "message": message}))
        assert isinstance(command, StopTurn)
        press(stage, replace(command, sender_unknown=False))

    outcome = take(stage, TextDelta("It is "), 3.0, stop, 3.0, TextDelta("sunny."), Finished())
    assert outcome.verdict is Verdict.ANSWERED
    assert wording.PRESSES_OF_STOP[Press.ELSEWHERE] in stage.chat.history("post_ephemeral")[0]


def test_a_mark_that_was_left_before_a_question_does_not_keep_it_from_its_answer(stage: Stage) -> None:
    press(stage, slacks_stop(stage))
    stage.clock.sleep(1)
    assert take(stage, 3.0, TextDelta("It is sunny."), Finished()).verdict is Verdict.ANSWERED


def test_who_may_not_ask_is_stopped_by_the_rules_of_the_channel_too(stage: Stage) -> None:
    access = Access(AccessRules(channels=("C9",)))
    assert press(stage, slacks_stop(stage), access).verdict is Verdict.PRESS_REFUSED


@pytest.mark.parametrize("field", ["sender_unknown", "in_shared_channel"])
def test_a_message_that_says_odd_things_of_who_pressed_does_not_make_them_one_of_ours(field: str) -> None:
    message = json.dumps(
        {
            "command": "stop_thread",
            "team": "T1",
            "channel": "C1",
            "thread_ts": TURN.thread_ts,
            "user": "U2",
            "event_ts": "1700000010.000100",
            field: "no",
        }
    )
    command = from_json(message)
    assert isinstance(command, StopThread)
    assert command.sender_unknown
