"""Whatever answers under Slack's address, the adapter says what is known of it, and nothing else escapes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from functions.adapters.slack.chat import SlackChat
from functions.bridge.replies.chat import ChatError, Message
from tests.functions.adapters.scripted_server import ScriptedServer
from tests.functions.fakes import TURN
from tests.fuzz.test_receiver import Secret

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ok", "error", "ts", "messages", "metadata", "text"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)
bodies = (
    st.binary(max_size=60)
    | json_values.map(json.dumps).map(str.encode)
    | st.builds(
        lambda ok, more: json.dumps({"ok": ok, **more}).encode(),
        st.booleans(),
        st.dictionaries(
            st.sampled_from(["error", "ts", "messages", "response_metadata"]), json_values, max_size=3
        ),
    )
)
statuses = st.sampled_from([200, 302, 400, 403, 404, 429, 500, 502, 503])
retry_after = st.sampled_from(["", "0", "1", "30", "-1", "1.5", "soon", "9" * 400])


@pytest.fixture(scope="module")
def chat(server: ScriptedServer) -> SlackChat:
    return SlackChat(Secret(), api_url=f"{server.url}/api/")  # type: ignore[arg-type]


@given(status=statuses, body=bodies, wait=retry_after)
def test_any_answer_is_a_result_or_an_error_of_the_port(
    server: ScriptedServer, chat: SlackChat, status: int, body: bytes, wait: str
) -> None:
    headers = {"Retry-After": wait, "Content-Type": "application/json"}
    try:
        server.answer = Response(body, status, headers)
        ts = chat.post(Message(TURN, 0, "hello"))
        assert isinstance(ts, str)
    except ChatError:
        pass
    try:
        server.answer = Response(body, status, headers)
        chat.edit("1.1", Message(TURN, 0, "hello"))
    except ChatError:
        pass


@given(body=bodies)
def test_any_thread_is_searched_to_an_end(server: ScriptedServer, chat: SlackChat, body: bytes) -> None:
    server.answer = Response(body, content_type="application/json")
    try:
        found = chat.find(TURN)
    except ChatError:
        return
    assert all(isinstance(number, int) and isinstance(ts, str) for number, ts in found.messages.items())
    assert all(isinstance(ts, str) for ts in found.streams)
