import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.events import Ignored
from functions.bridge.interactions import parse
from functions.bridge.turn import Notice, Turn, next_attempt, to_json
from tests.functions.fakes import TURN

ACTION: dict[str, Any] = {
    "type": "button",
    "action_id": "retry",
    "value": to_json(next_attempt(TURN)),
    "action_ts": "1700000020.000100",
}


def pressed(action: Any = ACTION, *, user: Any = "U1", kind: str = "block_actions") -> Turn | Ignored:
    payload = {"type": kind, "user": {"id": user}, "actions": [action]}
    return parse(urlencode({"payload": json.dumps(payload)}).encode())


def test_the_askers_press_is_the_next_attempt() -> None:
    assert pressed() == replace(TURN, text="", attempt=2)


def test_anybody_elses_press_is_answered_to_them_and_does_not_block_the_askers() -> None:
    turn = pressed(user="U2")
    assert isinstance(turn, Turn)
    assert (turn.notice, turn.user, turn.thread_ts) == (Notice.NOT_YOURS, "U2", TURN.thread_ts)
    assert turn.deduplication_id != next_attempt(TURN).deduplication_id
    assert turn.group_id == f"control:{turn.turn_id}"  # it need not wait for the turns of the thread


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({**ACTION, "action_id": "something-else"}, "other_interaction"),
        ({**ACTION, "value": "not ours"}, "malformed"),
        ({**ACTION, "value": None}, "malformed"),
        ({}, "malformed"),
        (None, "malformed"),
    ],
)
def test_what_is_no_retry_is_ignored(action: Any, reason: str) -> None:
    assert pressed(action) == Ignored(reason)


def test_interactions_of_other_kinds_are_ignored() -> None:
    assert pressed(kind="view_submission") == Ignored("other_interaction")


@pytest.mark.parametrize(
    "body", [b"", b"ssl_check=1", b"payload=", b"payload=[]", b"payload={", b"\xff", b"payload=%ff", b"a;b=%"]
)
def test_other_forms_are_ignored(body: bytes) -> None:
    assert isinstance(parse(body), Ignored)


@given(st.binary() | st.text().map(lambda text: urlencode({"payload": text}).encode()))
def test_arbitrary_forms_are_never_an_error(body: bytes) -> None:
    assert isinstance(parse(body), Ignored)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(action=st.dictionaries(st.sampled_from(list(ACTION)), json_values), user=json_values)
def test_arbitrary_actions_are_never_an_error(action: dict[str, Any], user: Any) -> None:
    assert isinstance(pressed({**ACTION, **action}, user=user), Turn | Ignored)
