import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.incoming.events import Challenge, Ignored, parse
from functions.bridge.queue_commands import Ask, EditQuestion, StopThread, TakeBack, from_json, to_json
from functions.bridge.turn import LARGEST_FILE, Attachment, Notice, Turn
from tests.functions.fakes import START

Parsed = Challenge | Ask | StopThread | EditQuestion | TakeBack | Ignored
MENTION: dict[str, Any] = {
    "type": "app_mention",
    "user": "U1",
    "text": "<@UBOT> what's the weather in Chicago?",
    "ts": "1700000000.000100",
    "channel": "C1",
    "team": "T1",
    "event_ts": "1700000000.000100",
}
DIRECT: dict[str, Any] = {
    "type": "message",
    "channel_type": "im",
    "user": "U1",
    "text": "and tomorrow?",
    "ts": "1700000001.000100",
    "thread_ts": "1700000000.000100",
    "channel": "D1",
    "team": "T1",
}


def envelope(event: dict[str, Any], **changes: Any) -> dict[str, Any]:
    authorization = {"enterprise_id": None, "team_id": "T1", "user_id": "UBOT", "is_bot": True}
    return {
        "token": "unused",
        "team_id": "T1",
        "api_app_id": "A1",
        "type": "event_callback",
        "event_id": "Ev1",
        "event": event,
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        **changes,
    }


def received(event: dict[str, Any], **changes: Any) -> Parsed:
    return parse(json.dumps(envelope(event, **changes)).encode(), now=START)


def turn_of(event: dict[str, Any], **changes: Any) -> Turn:
    command = received(event, **changes)
    assert isinstance(command, Ask)
    return command.turn


def test_a_mention_becomes_a_turn_in_its_own_thread() -> None:
    assert turn_of(MENTION) == Turn(
        team="T1",
        channel="C1",
        ts="1700000000.000100",
        thread_ts="1700000000.000100",
        user="U1",
        bot_user="UBOT",
        text="what's the weather in Chicago?",
        app="A1",
    )


def test_a_direct_message_in_a_thread_stays_there() -> None:
    turn = turn_of(DIRECT)
    assert (turn.thread_ts, turn.text) == ("1700000000.000100", "and tomorrow?")


def test_an_edited_mention_is_the_same_turn() -> None:
    edited = {**MENTION, "edited": {"user": "U1", "ts": "1700000050.000000"}, "text": "<@UBOT> in Lima?"}
    assert turn_of(edited).turn_id == turn_of(MENTION).turn_id


def test_the_team_is_that_of_the_installation() -> None:
    shared = envelope(MENTION, team_id="T9")
    command = parse(json.dumps(shared).encode(), now=START)
    assert isinstance(command, Ask)
    assert command.turn.team == "T1"


def test_an_organisation_wide_installation_falls_back_to_the_envelopes_team() -> None:
    authorization = {"enterprise_id": "E1", "team_id": None, "user_id": "UBOT", "is_bot": True}
    assert turn_of(MENTION, authorizations=[authorization]).team == "T1"


@pytest.mark.parametrize("authorizations", [None, []])
def test_without_authorizations_the_bot_is_the_first_who_is_mentioned(authorizations: Any) -> None:
    event = {**MENTION, "text": "<@UBOT|agent> ask <@U2> about it"}
    turn = turn_of(event, authorizations=authorizations)
    assert (turn.team, turn.bot_user, turn.text) == ("T1", "UBOT", "ask @U2 about it")
    assert turn.mentioned == ("U2",)
    old_shape = {key: value for key, value in envelope(MENTION).items() if key != "authorizations"}
    assert parse(json.dumps(old_shape).encode(), now=START) == received(MENTION)


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        (DIRECT, {}),  # mentions nobody
        ({**MENTION, "text": "what's the weather?"}, {}),
        ({**MENTION, "text": "&lt;@UBOT&gt; typed by hand"}, {}),
        (MENTION, {"authorizations": "none"}),
        (MENTION, {"authorizations": ["none"]}),
        # The envelope's team is the sender's there, so that nobody could say who belongs to us.
        (MENTION, {"is_ext_shared_channel": True}),
    ],
)
def test_without_authorizations_nothing_is_guessed(event: dict[str, Any], changes: dict[str, Any]) -> None:
    assert received(event, **{"authorizations": None, **changes}) == Ignored("malformed")


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_every_form_of_a_persons_message_is_a_question(subtype: str) -> None:
    assert turn_of({**DIRECT, "subtype": subtype}).text == "and tomorrow?"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({**DIRECT, "bot_id": "B1"}, "from_a_bot"),
        ({**DIRECT, "user": "UBOT"}, "from_a_bot"),
        ({key: value for key, value in DIRECT.items() if key != "user"}, "from_a_bot"),
        ({**DIRECT, "subtype": "message_changed", "message": {"bot_id": "B1"}}, "not_spoken"),
        (
            {**DIRECT, "subtype": "message_changed", "previous_message": {"bot_id": "B1", "user": "U1"}},
            "not_spoken",
        ),
        ({**DIRECT, "subtype": "message_deleted"}, "not_spoken"),
        ({**DIRECT, "subtype": "message_replied"}, "not_spoken"),
        ({**DIRECT, "subtype": "channel_join"}, "not_spoken"),
        ({**DIRECT, "subtype": "channel_topic"}, "not_spoken"),
        ({**DIRECT, "subtype": "bot_message"}, "not_spoken"),
        ({**DIRECT, "subtype": ["unhashable"]}, "not_spoken"),
        ({**DIRECT, "hidden": True}, "not_spoken"),
        ({**DIRECT, "channel_type": "channel"}, "not_addressed"),
        ({**DIRECT, "channel_type": "group"}, "not_addressed"),
        ({"type": "app_home_opened", "user": "U1", "tab": "messages"}, "other_event"),
        ({"type": "agent_session_stopped"}, "malformed"),
        ({**MENTION, "channel": None}, "malformed"),
        ({**MENTION, "channel": "not an id"}, "malformed"),
        ({**MENTION, "ts": "now"}, "malformed"),
        ({**MENTION, "thread_ts": "../.."}, "malformed"),
        ({**MENTION, "user": {"id": "U1"}}, "malformed"),
    ],
)
def test_events_that_are_no_question_are_ignored(event: dict[str, Any], reason: str) -> None:
    assert received(event) == Ignored(reason)


def test_url_verification_is_answered_with_its_challenge() -> None:
    assert parse(b'{"type": "url_verification", "challenge": "abc"}', now=START) == Challenge("abc")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[" * 200_000, "not_json"),
        (b'{"a":' * 200_000, "not_json"),
        (b"1" * 10_000, "not_json"),
        ('{"type": "event_callback"}'.encode("utf-16"), "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "unknown_type"),
        (b'{"type": "event_callback", "event": 1}', "unknown_type"),
        (b'{"type": "event_callback", "event": {"type": "app_mention"}}', "malformed"),
        (b'{"type": "url_verification"}', "malformed"),
        (b'{"type": "app_rate_limited", "minute_rate_limited": 1}', "app_rate_limited"),
    ],
)
def test_signed_bodies_of_other_shapes_are_ignored(body: bytes, reason: str) -> None:
    assert parse(body, now=START) == Ignored(reason)


def test_a_mention_without_a_word_gets_help() -> None:
    assert turn_of({**MENTION, "text": "<@UBOT>  "}).notice is Notice.EMPTY


def test_a_message_brings_its_files() -> None:
    file = {
        "id": "F1",
        "name": "report.pdf",
        "mimetype": "application/pdf",
        "size": 1234,
        "url_private": "https://files.slack.com/files-pri/T1-F1/report.pdf",
        "url_private_download": "https://files.slack.com/files-pri/T1-F1/download/report.pdf",
    }
    turn = turn_of({**MENTION, "files": [file]})
    address = "https://files.slack.com/files-pri/T1-F1/download/report.pdf"
    assert turn.files == (Attachment("report.pdf", "application/pdf", 1234, address),)


def test_a_file_that_slack_does_not_describe_has_no_address() -> None:
    turn = turn_of({**MENTION, "files": [{"id": "F1", "file_access": "check_file_info"}]})
    assert turn.files == (Attachment("F1", "", 0, ""),)


def test_files_alone_are_a_question() -> None:
    turn = turn_of({**MENTION, "text": "<@UBOT>", "files": [{"id": "F1"}]})
    assert (turn.notice, len(turn.files)) == (None, 1)


def test_the_people_whom_a_question_mentions_are_noted() -> None:
    turn = turn_of({**MENTION, "text": "<@UBOT> ask <@U2> and <@W3> and <@U2>, not <@U4|anna>"})
    assert turn.mentioned == ("U2", "W3")


def test_half_a_surrogate_pair_does_not_stop_the_question() -> None:
    assert turn_of({**MENTION, "text": "<@UBOT> odd \ud800 text"}).text == "odd \ufffd text"


def test_an_odd_description_of_a_file_survives_the_queue() -> None:
    """Half a character in a file's media type kept a question on "Processing…" for ever."""
    odd = {"name": "a\ud800", "mimetype": "image/\udfff", "size": 10**400, "url_private": "https://\ud800"}
    wrong: dict[str, Any] = {"name": None, "mimetype": ["x"], "size": -1, "url_private": {}}
    turn = turn_of({**MENTION, "files": [odd, wrong]})
    assert [file.media_type for file in turn.files] == ["image/\ufffd", ""]
    assert [file.size for file in turn.files] == [LARGEST_FILE, 0]
    assert from_json(to_json(Ask(turn))) == Ask(turn)


def test_a_mention_of_somebody_with_an_endless_id_is_only_text() -> None:
    turn = turn_of({**MENTION, "text": f"<@UBOT> ask <@U{'1' * 100}>"})
    assert turn.mentioned == ()
    assert from_json(to_json(Ask(turn))) == Ask(turn)


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ({**MENTION, "team": "T2"}, {"is_ext_shared_channel": True}),
        ({**MENTION, "team": "T1", "user_team": "T2", "source_team": "T2"}, {"is_ext_shared_channel": True}),
        ({**MENTION, "user_team": "E2"}, {"is_ext_shared_channel": True}),
        ({**DIRECT, "team": "T2"}, {"is_ext_shared_channel": True}),
        ({**MENTION, "team": "T2"}, {}),
    ],
)
def test_a_sender_from_another_organisation_is_refused(
    event: dict[str, Any], changes: dict[str, Any]
) -> None:
    turn = turn_of(event, **changes)
    assert (turn.notice, turn.text) == (Notice.EXTERNAL, "")


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        (MENTION, {"is_ext_shared_channel": True}),
        ({**MENTION, "user_team": "T1", "team": "T2"}, {"is_ext_shared_channel": True}),
        # An own channel of an organisation: a colleague from another of its workspaces.
        (
            {**MENTION, "team": "T2"},
            {"authorizations": [{"enterprise_id": "E1", "team_id": "T1", "user_id": "UBOT"}]},
        ),
        # The organisation itself is named as the sender's home.
        (
            {**MENTION, "user_team": "E1"},
            {
                "is_ext_shared_channel": True,
                "authorizations": [{"enterprise_id": "E1", "team_id": "T1", "user_id": "UBOT"}],
            },
        ),
        ({key: value for key, value in MENTION.items() if key != "team"}, {}),
    ],
)
def test_our_own_people_are_answered(event: dict[str, Any], changes: dict[str, Any]) -> None:
    assert turn_of(event, **changes).notice is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary())
def test_arbitrary_bytes_are_never_an_error(body: bytes) -> None:
    assert isinstance(parse(body, now=START), Ignored)


@given(
    changes=st.dictionaries(
        st.sampled_from([*MENTION, "thread_ts", "files", "subtype", "user_team"]), json_values
    ),
    around=st.dictionaries(
        st.sampled_from(["authorizations", "team_id", "is_ext_shared_channel"]), json_values
    ),
)
def test_an_event_with_arbitrary_fields_is_never_an_error(
    changes: dict[str, Any], around: dict[str, Any]
) -> None:
    command = received({**MENTION, **changes}, **around)
    assert isinstance(command, Ask | Ignored)
    if isinstance(command, Ask):
        assert from_json(to_json(command)) == command


# --- Slack's own Stop --------------------------------------------------------------------------------------

STOPPED = {
    "type": "agent_session_stopped",
    "channel": "C1",
    "thread_ts": "1700000000.000100",
    "user": "U2",
    "event_ts": "1700000000.000300",
    "streaming_message_ts": ["1700000000.000200"],
}


def test_slacks_stop_becomes_a_command_of_the_thread() -> None:
    command = received(STOPPED)
    assert command == StopThread(
        "T1",
        "C1",
        "1700000000.000100",
        "U2",
        "1700000000.000300",
        ("1700000000.000200",),
        sender_unknown=False,
        in_shared_channel=False,
    )


def test_who_presses_stop_in_a_shared_channel_is_not_known_to_be_ours() -> None:
    command = received(STOPPED, is_ext_shared_channel=True, team_id="T2")
    assert isinstance(command, StopThread)
    assert (command.team, command.sender_unknown, command.in_shared_channel) == ("T1", True, True)


@pytest.mark.parametrize(
    "change",
    [
        {"user": None},
        {"channel": "general"},
        {"thread_ts": None, "streaming_message_ts": []},
        {"event_ts": "now"},
        {"streaming_message_ts": ["../.."]},
    ],
    ids=str,
)
def test_a_stop_of_another_shape_is_ignored(change: dict[str, Any]) -> None:
    assert received({**STOPPED, **change}) == Ignored("malformed")


def test_a_stop_that_slack_delivers_days_later_is_ignored() -> None:
    assert received({**STOPPED, "event_ts": "1699000000.000300"}) == Ignored("too_old")


# --- follow-ups ---------------------------------------------------------------------------------------------

FOLLOW_UP: dict[str, Any] = {**DIRECT, "channel_type": "channel", "channel": "C1"}


def follow_up(event: dict[str, Any], *follow_ups: str) -> Parsed:
    return parse(json.dumps(envelope(event)).encode(), now=START, follow_ups=follow_ups or ("C1",))


def test_a_reply_in_a_thread_may_be_for_the_bot_where_the_operator_wants_that() -> None:
    command = follow_up(FOLLOW_UP)
    assert isinstance(command, Ask)
    assert (command.turn.text, command.turn.is_follow_up) == ("and tomorrow?", True)
    assert from_json(to_json(command)) == command
    assert received(FOLLOW_UP) == follow_up(FOLLOW_UP, "C2") == Ignored("not_addressed")


def test_a_group_direct_message_has_follow_ups_where_direct_messages_have() -> None:
    group = {**FOLLOW_UP, "channel_type": "mpim"}
    assert isinstance(follow_up(group, "dm"), Ask)
    assert follow_up(group, "C1") == Ignored("not_addressed")
    assert follow_up(FOLLOW_UP, "dm") == Ignored("not_addressed")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"text": "<@UBOT> and tomorrow?"}, "not_addressed"),  # app_mention brings it
        ({"text": "<@UBOT|agent> and tomorrow?"}, "not_addressed"),
        ({"text": "<@U2> what do you think?"}, "not_addressed"),
        ({"text": "<!here> lunch?"}, "not_addressed"),
        ({"text": "<!subteam^S1|@ops> look"}, "not_addressed"),
        ({"text": ""}, "not_addressed"),
        ({"thread_ts": DIRECT["ts"]}, "not_addressed"),
        ({"thread_ts": None}, "not_addressed"),
        ({"team": "T9"}, "not_addressed"),
        ({"bot_id": "B1"}, "from_a_bot"),
        ({"user": "UBOT"}, "from_a_bot"),
        ({"subtype": "channel_join"}, "not_spoken"),
        ({"hidden": True}, "not_spoken"),
    ],
)
def test_what_is_no_follow_up_is_left_out(changes: dict[str, Any], reason: str) -> None:
    assert follow_up({**FOLLOW_UP, **changes}) == Ignored(reason)


def test_a_question_that_mentions_the_bot_is_no_follow_up() -> None:
    command = follow_up({**MENTION, "thread_ts": "1699999999.000100"})
    assert isinstance(command, Ask)
    assert not command.turn.is_follow_up
    direct = follow_up(DIRECT)
    assert isinstance(direct, Ask)
    assert not direct.turn.is_follow_up


# --- edits and deletions ------------------------------------------------------------------------------------

BEFORE: dict[str, Any] = {
    "type": "message",
    "user": "U1",
    "text": "<@UBOT> and tomorrow?",
    "ts": "1700000001.000100",
    "thread_ts": "1700000000.000100",
}
AFTER = {
    **BEFORE,
    "text": "<@UBOT> and in &lt;Lima&gt; for <@U2>?",
    "edited": {"user": "U1", "ts": "1700000009.000100"},
}
CHANGED: dict[str, Any] = {
    "type": "message",
    "subtype": "message_changed",
    "hidden": True,
    "channel": "C1",
    "channel_type": "channel",
    "ts": "1700000009.000100",
    "event_ts": "1700000009.000100",
    "message": AFTER,
    "previous_message": BEFORE,
}
DELETED = {
    **{name: value for name, value in CHANGED.items() if name != "message"},
    "subtype": "message_deleted",
    "deleted_ts": BEFORE["ts"],
}
WHERE = ("T1", "C1", BEFORE["ts"], BEFORE["thread_ts"], "U1", "1700000009.000100")


def with_text(event: dict[str, Any], text: str) -> dict[str, Any]:
    """The message said this before."""
    return {**event, "previous_message": {**BEFORE, "text": text}}


def test_a_question_that_was_edited_says_something_else() -> None:
    command = received(CHANGED)
    assert command == EditQuestion(*WHERE, text="and in <Lima> for @U2?", mentioned=("U2",))
    assert isinstance(command, EditQuestion)
    assert from_json(to_json(command)) == command


def test_a_question_that_was_deleted_is_taken_back() -> None:
    command = received(DELETED)
    assert command == TakeBack(*WHERE)
    assert isinstance(command, TakeBack)
    assert from_json(to_json(command)) == command


def test_the_first_message_of_a_thread_leaves_a_tombstone() -> None:
    tombstone = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "ts": BEFORE["ts"]}
    assert received({**CHANGED, "message": tombstone}) == TakeBack(*WHERE)


def test_in_a_direct_message_everything_is_a_question() -> None:
    direct = {**with_text(CHANGED, "and tomorrow?"), "channel": "D1", "channel_type": "im"}
    command = received(direct)
    assert isinstance(command, EditQuestion)
    assert not command.is_follow_up


@pytest.mark.parametrize("event", [CHANGED, DELETED])
def test_a_message_that_mentions_nobody_may_be_a_question_where_there_are_follow_ups(
    event: dict[str, Any],
) -> None:
    command = follow_up(with_text(event, "and tomorrow?"))
    assert isinstance(command, EditQuestion | TakeBack)
    assert command.is_follow_up
    assert received(with_text(event, "and tomorrow?")) == Ignored("not_spoken")
    assert follow_up(with_text(event, "<@U2> look")) == Ignored("not_spoken")


@pytest.mark.parametrize(
    "event",
    [
        {**CHANGED, "message": {**AFTER, "text": BEFORE["text"]}},  # a preview was added
        {**CHANGED, "message": {**AFTER, "text": "x" * 40_001}},
        {**CHANGED, "message": {**AFTER, "subtype": "channel_join"}},
        {**CHANGED, "message": None},
        {**CHANGED, "previous_message": None},
        {**CHANGED, "previous_message": {**BEFORE, "bot_id": "B1"}},
        {**CHANGED, "previous_message": {**BEFORE, "user": "UBOT"}},
        {**CHANGED, "previous_message": {**BEFORE, "subtype": "bot_message"}},
        {**DELETED, "previous_message": {**BEFORE, "app_id": "A1"}},
    ],
)
def test_a_change_of_anything_else_is_left_out(event: dict[str, Any]) -> None:
    assert follow_up(event) == Ignored("not_spoken")


def test_a_change_of_a_message_that_was_answered_long_ago_is_left_out() -> None:
    old = {**BEFORE, "ts": "1699000000.000100"}
    assert received({**CHANGED, "previous_message": old}) == Ignored("too_old")


def test_a_change_without_a_place_is_left_out() -> None:
    assert received({**CHANGED, "channel": "nowhere"}) == Ignored("malformed")
