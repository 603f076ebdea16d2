import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.queue_commands import (
    Ask,
    Command,
    Decide,
    EditQuestion,
    MalformedCommand,
    Ping,
    RefusePress,
    Retry,
    ShowWaiting,
    StopThread,
    StopTurn,
    TakeBack,
    from_json,
    lost_question,
    to_json,
)
from functions.bridge.turn import Attachment, Notice
from tests.functions.fakes import TURN

ASK = Ask(replace(TURN, files=(Attachment("a.png", "image/png", 3, "https://x"),), mentioned=("U2",)))
RETRY = Retry("T1", "C1", TURN.ts, TURN.thread_ts, "U1", "UBOT", attempt=2)
REFUSAL = RefusePress("T1", "C1", TURN.thread_ts, "U2", "1700000020.000100")
STOP_THREAD = StopThread("T1", "C1", TURN.thread_ts, "U2", "1700000020.000100", ("1700000001.000100",))
STOP_TURN = StopTurn(
    "T1", "C1", TURN.ts, TURN.thread_ts, "1700000001.000100", "U2", attempt=1, action_ts="1700000020.000100"
)
DECIDE = Decide(
    *("T1", "C1", TURN.ts, TURN.thread_ts, "1700000001.000100", "U2", 1, "0123456789abcdef" * 2, False),
    action_ts="1700000020.000100",
    reason="Not today",
)
SHOW_WAITING = ShowWaiting("T1", "C1", TURN.ts)
EDIT = EditQuestion(
    "T1", "C1", TURN.ts, TURN.thread_ts, "U1", "1700000020.000100", "and in Lima?", ("U2",), is_follow_up=True
)
TAKE_BACK = TakeBack("T1", "C1", TURN.ts, TURN.thread_ts, "U1", "1700000020.000100")
PING = Ping("1700000020.000000")
COMMANDS: list[Command | Ping] = [
    *(ASK, RETRY, REFUSAL, STOP_THREAD, STOP_TURN, DECIDE, SHOW_WAITING, EDIT, TAKE_BACK, PING)
]

each = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@each
def test_a_command_survives_the_queue(command: Command | Ping) -> None:
    assert from_json(to_json(command)) == command


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_question_survives_the_queue_as_ascii(text: str) -> None:
    body = to_json(Ask(replace(TURN, text=text)))
    assert body.isascii()
    assert from_json(body) == Ask(replace(TURN, text=text))


@each
def test_a_message_says_which_command_it_is_in_which_version(command: Command | Ping) -> None:
    assert json.loads(to_json(command)).items() >= {"command": command.name, "version": 1}.items()


@each
def test_a_field_of_a_newer_version_is_passed_over(command: Command | Ping) -> None:
    newer = {**json.loads(to_json(command)), "version": 2, "extra": [1]}
    assert from_json(json.dumps(newer)) == command


@each
def test_sqs_takes_the_ids_of_a_command_at_their_longest(command: Command | Ping) -> None:
    longest = {
        name: ("C" * 31 if name in ("team", "channel", "user") else f"{'9' * 12}.{'9' * 9}")
        for name in json.loads(to_json(command))
        if name in ("team", "channel", "user", "ts", "thread_ts", "action_ts", "event_ts")
    }
    longer = from_json(json.dumps({**json.loads(to_json(command)), **longest}))
    # docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    assert len(longer.deduplication_id) <= 128
    assert len(longer.group_id) <= 128


def test_questions_and_retries_wait_in_the_group_of_their_thread() -> None:
    assert ASK.group_id == RETRY.group_id == TURN.thread_id


def test_no_press_of_stop_waits_behind_a_question_that_waits() -> None:
    assert SHOW_WAITING.group_id not in (STOP_THREAD.group_id, STOP_TURN.group_id)


def test_a_retry_is_another_message_than_the_question_and_than_another_persons() -> None:
    commands: list[Command] = [ASK, RETRY, replace(RETRY, user="U2"), replace(RETRY, attempt=3)]
    assert len({command.deduplication_id for command in commands}) == 4


def test_each_press_that_is_refused_is_told() -> None:
    again = replace(REFUSAL, action_ts="1700000021.000100")
    somebody_else = replace(REFUSAL, user="U3")
    assert len({one.deduplication_id for one in (REFUSAL, again, somebody_else)}) == 3


def test_two_people_who_decide_at_once_have_two_ids() -> None:
    assert DECIDE.deduplication_id != replace(DECIDE, user="U3").deduplication_id


BROKEN: list[dict[str, Any]] = [
    {"command": "ask", "attempt": 2},
    {"command": "retry", "attempt": 1},
    {"command": "retry", "attempt": int("9" * 41)},
    {"command": "retry", "attempt": None},
    {"command": "retry", "user": None},
    {"command": "refuse_press", "action_ts": None},
    {"command": "refuse_press", "thread_ts": "\ud800"},
    {"command": "decide", "pause": "guessed"},
    {"command": "decide", "is_approved": 1},
    {"command": "decide", "reason": None},
    {"command": "dance"},
    {"command": 7},
    {"command": "ask", "text": None},
    {"command": "ask", "text": "\ud800"},
]


@pytest.mark.parametrize("change", BROKEN, ids=str)
def test_a_command_with_a_wrong_field_is_malformed(change: dict[str, Any]) -> None:
    by_name = {command.name: command for command in COMMANDS}
    whole = json.loads(to_json(by_name.get(change["command"], ASK)))
    with pytest.raises(MalformedCommand):
        from_json(json.dumps({**whole, **change}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    command=st.sampled_from(COMMANDS),
    changes=st.dictionaries(
        st.sampled_from(["command", "version", "notice", *vars(TURN), "action_ts", "event_ts", "streams"]),
        json_values,
        max_size=4,
    ),
)
def test_whatever_is_on_a_queue_is_read_or_malformed_and_its_loss_can_be_told(
    command: Command, changes: dict[str, Any]
) -> None:
    body = json.dumps({**json.loads(to_json(command)), **changes})
    try:
        read: Command | Ping | None = from_json(body)
    except MalformedCommand:
        read = lost_question(body, "4a6a0a0e-1b9b-4f0e-9d5c-0d1e0c3a1f11")
    if read is not None:
        assert to_json(read).isascii()


# --- messages that cannot be read ---------------------------------------------------------------------------


def lost(**changes: Any) -> Ask | None:
    body = {**json.loads(to_json(ASK)), **changes}
    return lost_question(json.dumps({k: v for k, v in body.items() if v != "left out"}), "message-1")


@pytest.mark.parametrize("changes", [{"text": None}, {"files": 7}, {"user": None}, {"bot_user": "left out"}])
def test_a_question_that_cannot_be_read_keeps_its_turn(changes: dict[str, Any]) -> None:
    found = lost(**changes)
    assert found is not None
    assert (found.turn.turn_id, found.turn.thread_id) == (TURN.turn_id, TURN.thread_id)
    assert (found.turn.notice, found.turn.text, found.turn.files) == (Notice.UNREADABLE, "", ())


@pytest.mark.parametrize(
    "changes", [{"team": None}, {"ts": "left out"}, {"command": "retry", "attempt": "2"}]
)
def test_a_message_without_a_turn_id_goes_by_its_own_id(changes: dict[str, Any]) -> None:
    found = lost(**changes)
    assert found is not None
    assert found.turn.turn_id.startswith("message-1:C1:")
    assert found.turn.thread_ts == TURN.thread_ts


@pytest.mark.parametrize(
    "changes",
    [{"channel": None}, {"ts": None, "thread_ts": None}, {"command": "refuse_press"}, {"command": 7}],
)
def test_a_loss_without_a_thread_or_a_question_is_told_to_nobody(changes: dict[str, Any]) -> None:
    assert lost(**changes) is None


@pytest.mark.parametrize("body", ["", "[]", "null", "[" * 100_000])
def test_a_message_that_is_no_object_names_no_thread(body: str) -> None:
    assert lost_question(body, "message-1") is None
