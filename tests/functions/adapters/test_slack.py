from collections.abc import Iterator
from dataclasses import replace

import pytest
from werkzeug.wrappers import Request, Response

from functions.adapters import aws as clients
from functions.adapters.secrets import CachedSecret
from functions.adapters.slack import SlackChat
from functions.bridge.chat import ChatRateLimited, ChatRefused, ChatUnavailable, Part
from functions.bridge.turn import Turn, from_json, next_attempt
from simulator.aws import Aws
from simulator.http import HttpServer
from simulator.slack import seed
from simulator.slack.faults import Fault
from simulator.slack.service import SlackService
from tests.functions.fakes import TURN, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def chat(slack: SlackService, bot_token: str, clock: FakeClock) -> SlackChat:
    return SlackChat(CachedSecret(clients.secrets_manager(), bot_token, clock), api_url=slack.api_url)


@pytest.fixture
def turn(slack: SlackService) -> Turn:
    """A question that stands in the fake workspace."""
    ts = says(slack, "<@U0AGENT01> hi")
    return replace(
        TURN,
        team=seed.TEAM.id,
        channel=seed.WEATHER,
        user=seed.ALICE.id,
        bot_user=slack.installation.bot.id,
        ts=ts,
        thread_ts=ts,
    )


def says(slack: SlackService, text: str, thread_ts: str | None = None) -> str:
    channel = slack.workspace.channel(seed.WEATHER)
    assert channel is not None
    return slack.workspace.post(channel, seed.ALICE, text, thread_ts=thread_ts).ts


def test_a_reply_stands_in_the_thread_as_markdown(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    ts = chat.post(Part(turn, 0, "It is **sunny** & <b>"))
    message = slack.workspace.message(seed.WEATHER, ts)
    assert message is not None
    assert message.thread_ts == turn.ts
    [block] = message.blocks
    assert (block["type"], block["text"]) == ("markdown", "It is **sunny** & <b>")
    assert message.text == "It is **sunny** &amp; &lt;b&gt;"


def test_a_post_unfurls_nothing(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    chat.post(Part(turn, 0, "https://example.com/?q=everything+that+was+said"))
    [call] = [call for call in slack.web_api.calls if call.method == "chat.postMessage"]
    assert (call.args["unfurl_links"], call.args["unfurl_media"]) == (False, False)


def test_an_edit_replaces_the_whole_message(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    ts = chat.post(Part(turn, 0, "Processing…"))
    chat.edit(ts, Part(turn, 0, "x" * 11_990))
    message = slack.workspace.message(seed.WEATHER, ts)
    assert message is not None
    assert message.blocks[0]["text"] == "x" * 11_990


def test_the_messages_of_a_turn_are_found_by_their_metadata(chat: SlackChat, turn: Turn) -> None:
    first = chat.post(Part(turn, 0, "one"))
    chat.post(Part(replace(turn, ts="1700000000.999999"), 0, "another turn's"))
    second = chat.post(Part(turn, 1, "two"))
    chat.edit(first, Part(turn, 0, "one, edited"))
    assert chat.find(turn) == {0: first, 1: second}


def test_messages_are_found_in_a_thread_of_many_pages(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    for number in range(250):
        says(slack, str(number), turn.ts)
    ts = chat.post(Part(turn, 0, "at the end"))
    assert chat.find(turn) == {0: ts}


def test_a_button_carries_the_next_attempt_without_the_question(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    ts = chat.post(Part(turn, 0, "It failed.", offers_retry=True))
    message = slack.workspace.message(seed.WEATHER, ts)
    assert message is not None
    [button] = message.blocks[1]["elements"]
    assert (button["action_id"], button["text"]["text"]) == ("retry", "Retry")
    assert from_json(button["value"]) == next_attempt(turn)
    assert turn.text not in button["value"]
    chat.edit(ts, Part(turn, 0, "It worked."))
    assert len(message.blocks) == 1


def test_a_message_can_be_taken_back(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    ts = chat.post(Part(turn, 0, "too much"))
    chat.delete(turn, ts)
    assert slack.workspace.message(seed.WEATHER, ts) is None


def test_a_whisper_is_for_one_person(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    chat.whisper(turn, "only you")
    [call] = slack.web_api.calls
    assert (call.method, call.args["user"], call.args["text"]) == (
        "chat.postEphemeral",
        seed.ALICE.id,
        "only you",
    )
    assert chat.find(turn) == {}


def test_without_the_history_scope_the_search_is_refused(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    slack.installation.scopes.discard("channels:history")
    with pytest.raises(ChatRefused, match="missing_scope"):
        chat.find(turn)


def test_a_rate_limit_says_how_long_to_wait(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    slack.faults.add(Fault("chat.postMessage", retry_after=30))
    with pytest.raises(ChatRateLimited) as caught:
        chat.post(Part(turn, 0, "hello"))
    assert caught.value.retry_after == 30


@pytest.mark.parametrize(
    "fault",
    [
        Fault("chat.postMessage", status=503),
        Fault("chat.postMessage", status=200),  # with a body that is not JSON
        Fault("chat.postMessage", error="internal_error"),
        Fault("chat.postMessage", drop="before"),
        Fault("chat.postMessage", drop="after"),
    ],
    ids=str,
)
def test_what_may_have_happened_is_not_repeated_by_the_adapter(
    slack: SlackService, chat: SlackChat, turn: Turn, fault: Fault
) -> None:
    slack.faults.add(replace(fault))
    with pytest.raises(ChatUnavailable):
        chat.post(Part(turn, 0, "hello"))
    assert len(slack.web_api.calls) == 1


def test_a_slack_that_is_not_there_is_unavailable(bot_token: str, turn: Turn, clock: FakeClock) -> None:
    token = CachedSecret(clients.secrets_manager(), bot_token, clock)
    with pytest.raises(ChatUnavailable):
        SlackChat(token, api_url="http://127.0.0.1:9/api/").post(Part(turn, 0, "hello"))


@pytest.mark.parametrize("code", ["channel_not_found", "is_archived", "not_in_channel", "thread_not_found"])
def test_a_refusal_keeps_slacks_name(slack: SlackService, chat: SlackChat, turn: Turn, code: str) -> None:
    slack.faults.add(Fault("chat.postMessage", error=code))
    with pytest.raises(ChatRefused) as caught:
        chat.post(Part(turn, 0, "hello"))
    assert caught.value.code == code


def test_a_replaced_token_is_read_again_at_once(
    aws: Aws, slack: SlackService, chat: SlackChat, bot_token: str, turn: Turn, clock: FakeClock
) -> None:
    chat.post(Part(turn, 0, "with the old token"))
    aws.secrets.put_secret_value(SecretId=bot_token, SecretString="xoxb-new")
    slack.installation.bot_token = "xoxb-new"
    clock.sleep(60)
    assert chat.post(Part(turn, 1, "with the new one"))


def test_a_refused_token_that_was_just_read_may_be_a_new_one_soon(
    aws: Aws, slack: SlackService, chat: SlackChat, bot_token: str, turn: Turn, clock: FakeClock
) -> None:
    chat.post(Part(turn, 0, "with the old token"))
    aws.secrets.put_secret_value(SecretId=bot_token, SecretString="xoxb-new")
    slack.installation.bot_token = "xoxb-new"
    with pytest.raises(ChatUnavailable):
        chat.post(Part(turn, 1, "too early to read the secret again"))
    clock.sleep(60)
    assert chat.post(Part(turn, 1, "with the new one"))


@pytest.mark.usefixtures("aws")
def test_a_token_that_cannot_be_read_is_slack_being_unavailable(slack: SlackService, turn: Turn) -> None:
    token = CachedSecret(clients.secrets_manager(), "no-such-secret", FakeClock())
    with pytest.raises(ChatUnavailable):
        SlackChat(token, api_url=slack.api_url).post(Part(turn, 0, "hello"))


def test_a_message_of_somebody_else_with_our_metadata_is_not_ours(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    channel = slack.workspace.channel(seed.WEATHER)
    assert channel is not None
    payload = {"turn_id": turn.turn_id, "attempt": 1, "part": 0}
    metadata = {"event_type": "agent_bridge_reply", "event_payload": payload}
    slack.workspace.post(channel, seed.BOB, "me too", thread_ts=turn.ts, metadata=metadata)
    assert chat.find(turn) == {}


def test_a_revoked_token_is_a_refusal(
    slack: SlackService, chat: SlackChat, turn: Turn, clock: FakeClock
) -> None:
    chat.post(Part(turn, 0, "with the right one"))
    slack.installation.bot_token = "xoxb-somebody-elses"
    clock.sleep(60)
    with pytest.raises(ChatRefused, match="invalid_auth"):
        chat.post(Part(turn, 0, "hello"))


@pytest.fixture
def strange_slack() -> Iterator[tuple[HttpServer, list[Response]]]:
    """A server that answers what a test scripts."""
    answers: list[Response] = []

    @Request.application
    def app(_: Request) -> Response:
        return answers.pop(0)

    server = HttpServer(app)
    server.start()
    yield server, answers
    server.stop()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response('{"ok": false, "error": "ratelimited"}', 429), ChatRateLimited),
        (Response("<html>", 429, headers={"Retry-After": "3"}), ChatRateLimited),
        (
            Response('{"ok": false, "error": "ratelimited"}', 429, headers={"Retry-After": "soon"}),
            ChatRateLimited,
        ),
        (Response("[]"), ChatUnavailable),
        (Response("null"), ChatUnavailable),
        (Response("{}"), ChatUnavailable),
        (Response('{"ok": true}'), ChatUnavailable),
        (Response("", 502), ChatUnavailable),
        (Response("\xff", content_type="application/json"), ChatUnavailable),
    ],
    ids=lambda value: value.get_data(as_text=True) if isinstance(value, Response) else value.__name__,
)
def test_answers_that_slack_never_gives_are_no_crash(
    strange_slack: tuple[HttpServer, list[Response]],
    bot_token: str,
    turn: Turn,
    clock: FakeClock,
    answer: Response,
    expected: type[Exception],
) -> None:
    server, answers = strange_slack
    answers.append(answer)
    chat = SlackChat(CachedSecret(clients.secrets_manager(), bot_token, clock), api_url=f"{server.url}/api/")
    with pytest.raises(expected):
        chat.post(Part(turn, 0, "hello"))
