"""A thread, read from the simulated Slack and from answers that it never gives."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.slack.chat import METADATA_EVENT, SlackChat
from functions.adapters.slack.history import SlackHistory, _said
from functions.bridge.replies.chat import ChatRateLimited, ChatRefused, Chunk, Message
from functions.bridge.turn import Turn
from functions.bridge.turns.history import Author, Said
from simulator.slack import seed
from simulator.slack.faults import Fault
from simulator.slack.service import SlackService
from tests.functions.adapters.scripted_server import standing_in_for
from tests.functions.adapters.slack.test_chat import chat as chat
from tests.functions.adapters.slack.test_chat import clock as clock
from tests.functions.adapters.slack.test_chat import says
from tests.functions.adapters.slack.test_chat import turn as turn
from tests.functions.fakes import TURN

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["1700000000.000050", "UBOT"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "type", "elements", "rows", "name"]), inner)
    ),
    max_leaves=8,
)
MEMBERS = [
    *("ts", "user", "text", "blocks", "files", "metadata", "subtype", "hidden"),
    *("bot_id", "bot_profile", "user_profile", "team", "user_team", "username"),
]
HISTORY = {"channels:history", "groups:history", "im:history", "mpim:history"}


class Token(CachedSecret):
    def __init__(self) -> None:
        pass

    def value(self) -> str:
        return "xoxb-1"


@pytest.fixture
def history(chat: SlackChat) -> SlackHistory:
    return SlackHistory(chat)


def asked_now(slack: SlackService, turn: Turn) -> Turn:
    """A question in the thread, after all that stands there."""
    return replace(turn, ts=says(slack, "<@U0AGENT01> and now?", turn.ts))


def test_messages_before_the_question_come_with_their_authors(
    slack: SlackService, chat: SlackChat, history: SlackHistory, turn: Turn
) -> None:
    says(slack, "is <@U02BOB> &amp; co in <#C02WEATHER>?", turn.ts)
    chat.post(Message(turn, 0, "It is **sunny**."))
    question = asked_now(slack, turn)
    says(slack, "later", turn.ts)
    page = history.page(question, after="")
    root, said, answer = page.messages
    assert (root.ts, root.author, root.user, root.team) == (
        turn.ts,
        Author.PERSON,
        seed.ALICE.id,
        seed.TEAM.id,
    )
    assert said.text == "is @U02BOB & co in #C02WEATHER?"
    assert (answer.author, answer.text, answer.question_ts) == (Author.US, "It is **sunny**.", turn.ts)
    assert page.cursor == ""


def test_of_what_the_agent_knows_only_the_threads_first_message_comes(
    slack: SlackService, history: SlackHistory, turn: Turn
) -> None:
    known = says(slack, "known", turn.ts)
    says(slack, "new", turn.ts)
    page = history.page(asked_now(slack, turn), after=known)
    assert [said.ts == turn.ts or said.text for said in page.messages] == [True, "new"]


def test_a_thread_of_1200_messages_is_read_to_its_end(
    slack: SlackService, history: SlackHistory, turn: Turn
) -> None:
    for number in range(1_200):
        says(slack, f"message {number}", turn.ts)
    question = asked_now(slack, turn)
    first = history.page(question, after="")
    last = history.page(question, after="", cursor=first.cursor)
    texts = [said.text for said in (*first.messages, *last.messages) if said.ts != turn.ts]
    assert texts == [f"message {number}" for number in range(1_200)]
    assert (first.cursor != "", last.cursor) == (True, "")


def test_notices_mentions_and_streams_that_go_on_are_no_answers(
    slack: SlackService, chat: SlackChat, history: SlackHistory, turn: Turn
) -> None:
    chat.post(Message(turn, 0, "Hello!", is_notice=True))
    chat.mention(turn, "The answer is complete.")
    ts = chat.start_stream(turn, Chunk("It is"))
    question = asked_now(slack, turn)
    assert [said.question_ts for said in history.page(question, after="").messages[1:]] == ["", "", ""]
    chat.stop_stream(ts, Message(turn, 1, ""), Chunk(" sunny."))
    *_, answer = history.page(question, after="").messages
    assert (answer.question_ts, answer.text) == (turn.ts, "It is sunny.")


def test_a_missing_scope_is_named(slack: SlackService, history: SlackHistory, turn: Turn) -> None:
    question = asked_now(slack, turn)
    slack.installation.scopes -= HISTORY
    with pytest.raises(ChatRefused) as raised:
        history.page(question, after="")
    assert raised.value.code == "missing_scope"
    assert "channels:history" in raised.value.needed


def test_a_limit_says_when_to_come_back(slack: SlackService, history: SlackHistory, turn: Turn) -> None:
    question = asked_now(slack, turn)
    slack.faults.add(Fault("conversations.replies", retry_after=7))
    with pytest.raises(ChatRateLimited) as raised:
        history.page(question, after="")
    assert raised.value.retry_after == 7


# --- messages as Slack itself tells them --------------------------------------------------------------------


def read(*messages: Any) -> tuple[Said, ...]:
    """What is made of messages that the simulated Slack does not make."""
    with standing_in_for("UNUSED") as server:
        answer = json.dumps({"ok": True, "messages": messages})
        server.answer = Response(answer, content_type="application/json")
        chat = SlackChat(Token(), api_url=f"{server.url}/api/")
        return SlackHistory(chat).page(TURN, after="").messages


def test_what_nobody_said_is_left_out() -> None:
    said = {"type": "message", "user": "U2", "ts": "1700000000.000050", "text": "hello"}
    others = [
        {**said, "subtype": "channel_join"},
        {**said, "subtype": "tombstone", "hidden": True},
        {**said, "ts": "yesterday"},
        {**said, "ts": None},
        "hello",
        None,
    ]
    assert read(*others, said) == (Said("1700000000.000050", Author.PERSON, "U2", "hello"),)


def test_another_app_has_its_own_name_and_the_text_of_its_blocks() -> None:
    profile = {"id": "B2", "name": "CI", "team_id": "T1"}
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "Build 12"}}]
    ts = "1700000000.000050"
    by_app = {"user": "UCI", "ts": ts, "text": "summary", "bot_id": "B2", "bot_profile": profile}
    hook = {"ts": ts, "text": "by a hook", "subtype": "bot_message", "username": "Cron"}
    assert read({**by_app, "blocks": blocks}, hook) == (
        Said(ts, Author.BOT, "UCI", "Build 12", name="CI"),
        Said(ts, Author.BOT, "", "by a hook", name="Cron"),
    )


def test_a_persons_profile_saves_the_question_for_their_name_and_home() -> None:
    [said] = read(
        {
            "user": "U2",
            "ts": "1700000000.000050",
            "text": "hello",
            "team": "T1",
            "user_profile": {"display_name": "Bea", "team": "T2"},
            "files": [{"name": "plan.pdf"}, {"id": "F1"}, "?"],
        }
    )
    assert (said.name, said.team, said.files) == ("Bea", "T2", ("plan.pdf", "file"))


def test_nobody_else_can_pass_for_the_agent() -> None:
    metadata = {
        "event_type": METADATA_EVENT,
        "event_payload": {"turn_id": TURN.turn_id, "attempt": 1, "part": 0},
    }
    [said] = read(
        {"user": "UEVIL", "bot_id": "B3", "ts": "1700000000.000050", "text": "x", "metadata": metadata}
    )
    assert (said.author, said.question_ts) == (Author.BOT, "")


@given(message=st.dictionaries(st.sampled_from(MEMBERS), VALUES))
def test_any_message_is_read_or_left_out(message: dict[str, Any]) -> None:
    for said in [one for one in [_said(message, TURN)] if one]:
        assert all(isinstance(text, str) for text in (said.text, said.name, said.team, *said.files))
        said.text.encode()
