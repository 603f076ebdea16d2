import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.incoming.events import Ignored
from functions.bridge.incoming.interactions import Press, parse
from functions.bridge.queue_commands import LONGEST_REASON, Decide, RefusePress, Retry, StopTurn
from functions.bridge.replies.buttons import RetryValue, decide_value, retry_value, stop_value
from functions.bridge.turn import to_fields
from tests.functions.fakes import TURN, next_attempt

ACTION: dict[str, Any] = {
    "type": "button",
    "action_id": "retry",
    "value": retry_value(TURN),
    "action_ts": "1700000020.000100",
}
PAYLOAD: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "team": {"id": "T1", "domain": "example"},
    "enterprise": None,
    "channel": {"id": "C1", "name": "general"},
    "message": {"user": "UBOT", "ts": "1700000001.000100", "thread_ts": TURN.thread_ts},
    "actions": [ACTION],
}
FIRST_RETRY = Retry("T1", "C1", TURN.ts, TURN.thread_ts, "U1", "UBOT", attempt=2)


def form(payload: Any) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def pressed(action: Any = ACTION, **changes: Any) -> Press | Ignored:
    return parse(form({**PAYLOAD, "actions": [action], **changes}))


def test_the_askers_press_is_the_next_attempt() -> None:
    assert pressed() == FIRST_RETRY


def test_another_persons_press_is_refused() -> None:
    refusal = pressed(user={"id": "U2"})
    assert refusal == RefusePress("T1", "C1", TURN.thread_ts, "U2", "1700000020.000100")


def test_only_the_ids_of_an_older_button_with_a_whole_turn_are_read() -> None:
    old = {**to_fields(next_attempt(TURN)), "text": "what I never asked", "bot_user": "UEVIL"}
    old |= {"thread_ts": "1600000000.000100", "files": [{"url": "https://evil"}]}
    assert pressed({**ACTION, "value": json.dumps(old)}) == FIRST_RETRY


def test_the_thread_is_the_one_of_the_message_with_the_button() -> None:
    elsewhere = {**PAYLOAD["message"], "thread_ts": "1600000000.000100"}
    assert pressed(message=elsewhere) == replace(FIRST_RETRY, thread_ts="1600000000.000100")


def test_a_press_without_the_bots_id_is_accepted() -> None:
    assert pressed(message={"thread_ts": TURN.thread_ts}) == replace(FIRST_RETRY, bot_user="")


@pytest.mark.parametrize(
    "changes",
    [{"team": {"id": "T2"}, "enterprise": {"id": "E1"}}, {"team": None, "enterprise": {"id": "E1"}}],
    ids=["another-workspace", "no-workspace"],
)
def test_in_an_organisation_the_press_may_come_from_any_of_its_workspaces(changes: dict[str, Any]) -> None:
    assert pressed(**changes) == FIRST_RETRY


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({**ACTION, "action_id": "something-else"}, "other_interaction"),
        ({**ACTION, "action_id": None}, "other_interaction"),
        ({**ACTION, "value": "not ours"}, "malformed"),
        ({**ACTION, "value": None}, "malformed"),
        ({key: value for key, value in ACTION.items() if key != "value"}, "malformed"),
        ({}, "other_interaction"),
        (None, "malformed"),
        ("retry", "malformed"),
    ],
)
def test_a_press_that_is_no_retry_is_ignored(action: Any, reason: str) -> None:
    assert pressed(action) == Ignored(reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"team": {"id": "T2"}},
        {"channel": {"id": "C2"}},
        {"channel": None},
        {"user": None},
        {"user": {"id": "U1\ud800"}},
        {"user": {"id": ["U1"]}},
        {"message": None},
        {"message": {"ts": "1700000001.000100"}},
        {"actions": []},
        {"actions": {}},
    ],
)
def test_a_press_that_does_not_fit_its_button_is_ignored(changes: dict[str, Any]) -> None:
    assert parse(form({**PAYLOAD, **changes})) == Ignored("malformed")


def test_an_attempt_of_many_digits_is_ignored() -> None:
    forged = RetryValue("T1", "C1", TURN.ts, "U1", int("9" * 41)).to_json()
    assert pressed({**ACTION, "value": forged}) == Ignored("malformed")


def test_interactions_of_other_kinds_are_ignored() -> None:
    assert pressed(type="view_submission") == Ignored("other_interaction")


@pytest.mark.parametrize(
    "body", [b"", b"ssl_check=1", b"payload=", b"payload=[]", b"payload={", b"\xff", b"payload=%ff", b"a;b=%"]
)
def test_other_forms_are_ignored(body: bytes) -> None:
    assert isinstance(parse(body), Ignored)


@given(st.binary() | st.text().map(lambda text: urlencode({"payload": text}).encode()))
def test_arbitrary_forms_are_never_an_error(body: bytes) -> None:
    assert isinstance(parse(body), Ignored)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    action=st.dictionaries(st.sampled_from(list(ACTION)), json_values),
    changes=st.dictionaries(
        st.sampled_from(["user", "team", "channel", "message", "enterprise"]), json_values
    ),
)
def test_arbitrary_presses_are_never_an_error(action: dict[str, Any], changes: dict[str, Any]) -> None:
    assert isinstance(pressed({**ACTION, **action}, **changes), Retry | RefusePress | Ignored)


# --- our Stop button ---------------------------------------------------------------------------------------

STOP = {"action_id": "stop", "value": stop_value(TURN), "action_ts": "1700000020.000100"}


def test_a_press_of_stop_names_its_turn_and_the_message_it_stood_under() -> None:
    message = {**PAYLOAD["message"], "ts": "1700000005.000100"}
    assert pressed(STOP, user={"id": "U2", "team_id": "T1"}, message=message) == StopTurn(
        "T1",
        "C1",
        TURN.ts,
        TURN.thread_ts,
        "1700000005.000100",
        "U2",
        attempt=1,
        action_ts="1700000020.000100",
        sender_unknown=False,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"channel": {"id": "C2"}},
        {"team": {"id": "T2"}},
        {"message": {"thread_ts": TURN.thread_ts}},
        {"actions": [{**STOP, "value": "x"}]},
        {"actions": [{**STOP, "value": json.dumps({"team": "T1", "channel": "C1", "ts": TURN.ts})}]},
    ],
    ids=str,
)
def test_a_press_of_stop_that_does_not_fit_its_button_is_ignored(change: dict[str, Any]) -> None:
    message = {**PAYLOAD["message"], "ts": "1700000005.000100"}
    body = form({**PAYLOAD, "actions": [STOP], "message": message, **change})
    assert parse(body) == Ignored("malformed")


# --- Approve and Deny ---------------------------------------------------------------------------------------

PAUSE = "0123456789abcdef0123456789abcdef"
APPROVE = {"action_id": "approve", "value": decide_value(TURN, PAUSE), "action_ts": "1700000020.000100"}
DENY = {**APPROVE, "action_id": "deny"}
DECISION = Decide(
    "T1",
    "C1",
    TURN.ts,
    TURN.thread_ts,
    "1700000001.000100",
    "U2",
    attempt=1,
    pause=PAUSE,
    is_approved=True,
    action_ts="1700000020.000100",
    sender_unknown=False,
)


def reason(text: Any) -> dict[str, Any]:
    return {"values": {"reason": {"reason": {"type": "plain_text_input", "value": text}}}}


def decided(action: Any, **changes: Any) -> Press | Ignored:
    return pressed(action, user={"id": "U2", "team_id": "T1"}, **changes)


def test_a_decision_names_its_turn_its_request_and_its_card() -> None:
    assert decided(APPROVE) == DECISION


def test_a_denial_brings_the_reason_that_stands_in_the_card() -> None:
    assert decided(DENY, state=reason(" Not today ")) == replace(
        DECISION, is_approved=False, reason="Not today"
    )


def test_an_approval_brings_no_reason() -> None:
    assert decided(APPROVE, state=reason("Not today")) == DECISION


@pytest.mark.parametrize("state", [None, [], {}, {"values": {"reason": 1}}, reason(None), reason(7)], ids=str)
def test_a_denial_without_a_reason_is_one(state: Any) -> None:
    assert decided(DENY, state=state) == replace(DECISION, is_approved=False)


def test_a_reason_has_an_end() -> None:
    denial = decided(DENY, state=reason("no " * 1000))
    assert isinstance(denial, Decide)
    assert len(denial.reason) == LONGEST_REASON


def test_somebody_of_another_workspace_is_not_known() -> None:
    assert pressed(APPROVE, user={"id": "U2", "team_id": "T2"}) == replace(DECISION, sender_unknown=True)


@pytest.mark.parametrize(
    "change",
    [
        {"channel": {"id": "C2"}},
        {"team": {"id": "T2"}},
        {"message": {"thread_ts": TURN.thread_ts}},
        {"actions": [{**APPROVE, "value": "x"}]},
        {"actions": [{**APPROVE, "value": decide_value(TURN, "guessed")}]},
    ],
    ids=str,
)
def test_a_decision_that_does_not_fit_its_button_is_ignored(change: dict[str, Any]) -> None:
    assert parse(form({**PAYLOAD, "actions": [APPROVE], **change})) == Ignored("malformed")
