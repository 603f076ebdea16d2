import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.turn import Attachment, MalformedTurn, Notice, from_json, to_fields, to_json
from tests.functions.fakes import TURN

FIELDS = to_fields(
    replace(TURN, files=(Attachment("a.png", "image/png", 3, "https://x"),), mentioned=("U2",))
)


def test_a_turn_is_named_after_the_users_message() -> None:
    assert TURN.turn_id == "T1:C1:1700000000.000100"


def test_a_follow_up_belongs_to_the_thread_and_is_a_turn_of_its_own() -> None:
    follow_up = replace(TURN, ts="1700000099.000200")
    assert follow_up.thread_id == TURN.thread_id
    assert follow_up.turn_id != TURN.turn_id


def test_the_thread_is_a_legal_bedrock_session_id() -> None:
    # API_agent-runtime_InvokeAgent: Pattern [0-9a-zA-Z._:-]+, 2 to 100 characters.
    assert re.fullmatch(r"[0-9a-zA-Z._:-]{2,100}", TURN.thread_id)


def test_the_reference_is_short_and_differs_between_attempts() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}", TURN.reference)
    assert TURN.reference != replace(TURN, attempt=2).reference


@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    notice=st.sampled_from([None, *Notice]),
    attempt=st.integers(1, 9_999),
)
def test_a_turn_survives_the_ledger(text: str, notice: Notice | None, attempt: int) -> None:
    turn = replace(TURN, text=text, notice=notice, attempt=attempt)
    assert from_json(to_json(turn)) == turn


def test_fields_that_an_older_version_lacks_have_defaults() -> None:
    oldest = {name: FIELDS[name] for name in ("team", "channel", "ts", "user", "bot_user", "text")}
    assert from_json(json.dumps(oldest)) == TURN


def test_a_field_of_a_newer_version_is_no_mistake() -> None:
    assert from_json(json.dumps({**to_fields(TURN), "extra": 1})) == TURN


def test_a_notice_of_a_newer_version_asks_the_user_to_write_again() -> None:
    read = from_json(json.dumps({**to_fields(TURN), "text": "", "notice": "over_budget"}))
    assert read.notice is Notice.UNREADABLE


@pytest.mark.parametrize("body", ["", "nothing", "[]", "{}", '"text"', "1", "null", "[" * 100_000])
def test_json_that_is_no_turn_is_malformed(body: str) -> None:
    with pytest.raises(MalformedTurn):
        from_json(body)


@pytest.mark.parametrize(
    "change",
    [
        {"team": None},
        {"team": "t1"},
        {"channel": "C1:1"},
        {"channel": "C" + "1" * 40},
        {"user": ""},
        {"bot_user": 7},
        {"ts": "soon"},
        {"ts": 1700000000.0001},
        {"thread_ts": None},
        {"text": None},
        {"text": "half \ud800"},
        {"attempt": "1"},
        {"attempt": 0},
        {"attempt": True},
        {"attempt": None},
        {"attempt": 10**40},
        {"files": None},
        {"files": {}},
        {"files": [None]},
        {"files": [FIELDS["files"][0]] * 21},
        {"files": [{**FIELDS["files"][0], "media_type": "image/\udfff"}]},
        {"files": [{**FIELDS["files"][0], "size": 10**400}]},
        {"mentioned": ["U2 "]},
        {"mentioned": ["U2"] * 11},
        {"mentioned": "U2"},
    ],
    ids=lambda change: str(change)[:40].encode("unicode_escape").decode(),
)
def test_a_field_of_another_type_shape_or_size_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedTurn):
        from_json(json.dumps({**FIELDS, **change}))


@pytest.mark.parametrize("name", ["team", "channel", "ts", "user", "bot_user", "text"])
def test_a_turn_without_a_required_field_is_malformed(name: str) -> None:
    with pytest.raises(MalformedTurn):
        from_json(json.dumps({key: value for key, value in FIELDS.items() if key != name}))


def test_an_error_never_quotes_the_message() -> None:
    with pytest.raises(MalformedTurn) as caught:
        from_json('{"team": "a secret plan"}')
    assert "secret" not in str(caught.value)
