import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.turn import MalformedTurn, Notice, Turn, from_json, to_json
from tests.functions.fakes import TURN


def test_a_turn_is_named_after_the_users_message() -> None:
    assert TURN.turn_id == "T1:C1:1700000000.000100"


def test_a_follow_up_belongs_to_the_thread_and_is_a_turn_of_its_own() -> None:
    follow_up = replace(TURN, ts="1700000099.000200")
    assert follow_up.thread_id == TURN.thread_id
    assert follow_up.turn_id != TURN.turn_id


def test_a_retry_gets_past_the_queues_deduplication() -> None:
    assert TURN.deduplication_id == "T1:C1:1700000000.000100#1"
    assert replace(TURN, attempt=2).deduplication_id == "T1:C1:1700000000.000100#2"


def test_the_thread_is_a_legal_bedrock_session_id() -> None:
    # API_agent-runtime_InvokeAgent: Pattern [0-9a-zA-Z._:-]+, 2 to 100 characters.
    assert re.fullmatch(r"[0-9a-zA-Z._:-]{2,100}", TURN.thread_id)


def test_the_reference_is_short_and_differs_between_attempts() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}", TURN.reference)
    assert TURN.reference != replace(TURN, attempt=2).reference


@given(text=st.text(), notice=st.sampled_from([None, *Notice]), attempt=st.integers(1, 9))
def test_a_turn_survives_the_queue(text: str, notice: Notice | None, attempt: int) -> None:
    turn = replace(TURN, text=text, notice=notice, attempt=attempt)
    body = to_json(turn)
    assert body.isascii()
    assert from_json(body) == turn


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nothing",
        "[]",
        "{}",
        '"text"',
        "[" * 100_000,
        json.dumps({**json.loads(to_json(TURN)), "team": None}),
        json.dumps({**json.loads(to_json(TURN)), "attempt": "1"}),
        json.dumps({**json.loads(to_json(TURN)), "notice": "unheard of"}),
    ],
)
def test_anything_else_is_malformed(body: str) -> None:
    with pytest.raises(MalformedTurn):
        from_json(body)


def test_a_field_of_a_newer_version_is_no_mistake() -> None:
    assert from_json(json.dumps({**json.loads(to_json(TURN)), "extra": 1})) == TURN


def test_an_error_never_quotes_the_message() -> None:
    with pytest.raises(MalformedTurn) as caught:
        from_json('{"team": "a secret plan"}')
    assert "secret" not in str(caught.value)


def test_a_turn_has_the_fields_that_the_queue_contract_names() -> None:
    assert set(json.loads(to_json(TURN))) == set(Turn.__dataclass_fields__)
