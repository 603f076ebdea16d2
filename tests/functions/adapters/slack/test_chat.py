import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import pytest
from werkzeug.wrappers import Request, Response

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.slack.chat import SlackChat
from functions.bridge.admission.approvers import ASKER
from functions.bridge.agents.events import File, ToolRequest, Wanted
from functions.bridge.ledger.pauses import Decided, Decision, Pause
from functions.bridge.ledger.record import Record, State
from functions.bridge.replies import card
from functions.bridge.replies.buttons import Button
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
    Chunk,
    Found,
    Message,
    SessionStatus,
    Task,
    TaskStatus,
)
from functions.bridge.replies.refusals import NO_SESSIONS, REFUSES_APP, UNREADABLE
from functions.bridge.turn import Turn
from functions.bridge.turns.answer import give_up
from functions.bridge.turns.hourglass import HOURGLASS
from functions.bridge.turns.outcome import Verdict
from simulator.aws import Aws
from simulator.http import HttpServer
from simulator.slack import seed
from simulator.slack.faults import Fault
from simulator.slack.methods.sessions import NO_STOP
from simulator.slack.service import SlackService
from simulator.slack.streams import Stream
from simulator.slack.web_api import CallRecord
from simulator.slack.workspace import Message as SlackMessage
from tests.functions.adapters.aws.recording import RecordingClient
from tests.functions.fakes import TURN, FakeClock, Stage


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def chat(slack: SlackService, bot_token: str, clock: FakeClock) -> SlackChat:
    return SlackChat(CachedSecret(JsonClient("secretsmanager"), bot_token, clock), api_url=slack.api_url)


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
    ts = chat.post(Message(turn, 0, "It is **sunny** & <b>"))
    message = slack.workspace.message(seed.WEATHER, ts)
    assert message is not None
    assert message.thread_ts == turn.ts
    [block] = message.blocks
    assert (block["type"], block["text"]) == ("markdown", "It is **sunny** & <b>")
    assert message.text == "It is **sunny** &amp; &lt;b&gt;"


def test_a_large_table_becomes_a_data_table_between_what_is_said_around_it(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    rows = "\n".join(f"| {number} | **day** {number} |" for number in range(150))
    ts = chat.post(Message(turn, 0, f"Look:\n\n| n | |\n|---|---|\n{rows}\n\n_Working…_"))
    message = slack.workspace.message(seed.WEATHER, ts)
    assert message is not None
    before, table, after = message.blocks
    assert [before["text"], after["text"]] == ["Look:", "_Working…_"]
    assert (table["type"], table["caption"], table["page_size"]) == ("data_table", "Table of 150 rows", 20)
    head, first, *others = table["rows"]
    assert head == [{"type": "raw_text", "text": "n"}, {"type": "raw_text", "text": "\N{NO-BREAK SPACE}"}]
    assert first == [
        {"type": "raw_number", "value": 0, "text": "0"},
        {"type": "raw_text", "text": "day 0"},
    ]
    assert len(others) == 149


def test_a_post_unfurls_nothing(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    chat.post(Message(turn, 0, "https://example.com/?q=everything+that+was+said"))
    [call] = [call for call in slack.web_api.calls if call.method == "chat.postMessage"]
    assert (call.args["unfurl_links"], call.args["unfurl_media"]) == (False, False)


def test_an_edit_replaces_the_whole_message(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    ts = chat.post(Message(turn, 0, "Processing…"))
    chat.edit(ts, Message(turn, 0, "x" * 11_990))
    message = slack.workspace.message(seed.WEATHER, ts)
    assert message is not None
    assert message.blocks[0]["text"] == "x" * 11_990


def test_the_messages_of_a_turn_are_found_by_their_metadata(chat: SlackChat, turn: Turn) -> None:
    first = chat.post(Message(turn, 0, "one"))
    chat.post(Message(replace(turn, ts="1700000000.999999"), 0, "another turn's"))
    second = chat.post(Message(turn, 1, "two"))
    chat.edit(first, Message(turn, 0, "one, edited"))
    assert chat.find(turn) == Found({0: first, 1: second})


def test_messages_are_found_in_a_thread_of_many_pages(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    for number in range(250):
        says(slack, str(number), turn.ts)
    ts = chat.post(Message(turn, 0, "at the end"))
    assert chat.find(turn) == Found({0: ts})


def test_buttons_stand_under_a_message_until_an_edit_takes_them_away(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    buttons = (Button("Stop", "stop", "this turn"), Button("Louder", "louder", "2"))
    ts = chat.post(Message(turn, 0, "Processing…", buttons))
    message = slack.workspace.message(seed.WEATHER, ts)
    assert message is not None
    shown = [(one["text"]["text"], one["action_id"], one["value"]) for one in message.blocks[1]["elements"]]
    assert shown == [("Stop", "stop", "this turn"), ("Louder", "louder", "2")]
    chat.edit(ts, Message(turn, 0, "It is", buttons[:1]))
    assert len(message.blocks[1]["elements"]) == 1
    chat.edit(ts, Message(turn, 0, "It is sunny."))
    assert len(message.blocks) == 1


def test_a_card_shows_its_details_an_input_and_buttons_until_it_is_decided(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    arguments = {"to": "ann@example.com", "password": "s3cret", "body": "word " * 1000}
    requests = (ToolRequest("1", "send_email", json.dumps(arguments), Wanted.CONSENT, message="May I?"),)
    pause = Pause("0" * 32, "default", "s", "", "U1", requests, ASKER, 1_700_000_000.0, 1_700_000_900.0)
    ts = chat.post(card.asking(turn, 1, pause))
    message = slack.workspace.message(seed.WEATHER, ts)
    assert message is not None
    kinds = [block["type"] for block in message.blocks]
    assert kinds == ["markdown", "section", "section", "input", "actions"]
    shown = "".join(block["text"]["text"] for block in message.blocks[1:3]).replace("| ", "")
    assert shown == f"to: ann@example.com\npassword: ••••••\nbody: {'word ' * 1000}"
    assert [one["text"]["text"] for one in message.blocks[4]["elements"]] == ["Approve", "Deny", "Stop"]
    decision = Decision(Decided.DENIED, "U2", 1_700_000_010.0, "Not *today*")
    chat.edit(ts, card.decided(turn, 1, pause, decision))
    [line] = message.blocks
    assert line["text"].startswith(":no_entry_sign: **Send email** was denied by <@U2> at 22:13 UTC: “Not ")


def test_a_message_can_be_taken_back(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    ts = chat.post(Message(turn, 0, "too much"))
    chat.delete(turn, ts)
    assert slack.workspace.message(seed.WEATHER, ts) is None


def test_an_ephemeral_message_is_for_one_person(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    chat.post_ephemeral(turn.channel, turn.thread_ts, seed.ALICE.id, "only you")
    [call] = slack.web_api.calls
    assert (call.method, call.args["user"], call.args["text"]) == (
        "chat.postEphemeral",
        seed.ALICE.id,
        "only you",
    )
    assert chat.find(turn) == Found({})


def test_an_ephemeral_message_shows_people_by_their_names(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    chat.post_ephemeral(turn.channel, turn.thread_ts, seed.ALICE.id, "<@U02BOB> was faster")
    [call] = slack.web_api.calls
    assert call.args["blocks"] == [{"type": "markdown", "text": "<@U02BOB> was faster"}]


def test_an_emoji_is_put_under_a_message_and_taken_away(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    message = slack.workspace.message(turn.channel, turn.ts)
    assert message is not None
    for _ in range(2):  # a second time changes nothing
        chat.add_reaction(turn.channel, turn.ts, HOURGLASS)
        assert message.reactions == {HOURGLASS: [turn.bot_user]}
    for _ in range(2):
        chat.remove_reaction(turn.channel, turn.ts, HOURGLASS)
        assert message.reactions == {}


def test_an_emoji_under_a_message_that_is_gone_is_gone(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    message = slack.workspace.message(turn.channel, turn.ts)
    assert message is not None
    slack.workspace.delete(message)
    chat.remove_reaction(turn.channel, turn.ts, HOURGLASS)
    with pytest.raises(ChatRefused, match="message_not_found"):
        chat.add_reaction(turn.channel, turn.ts, HOURGLASS)


def test_without_the_history_scope_the_search_is_refused(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    slack.installation.scopes.discard("channels:history")
    with pytest.raises(ChatRefused, match="missing_scope"):
        chat.find(turn)


def test_a_rate_limit_says_how_long_to_wait(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    slack.faults.add(Fault("chat.postMessage", retry_after=30))
    with pytest.raises(ChatRateLimited) as caught:
        chat.post(Message(turn, 0, "hello"))
    assert caught.value.retry_after == 30
    assert chat.rate_limits == 1


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
        chat.post(Message(turn, 0, "hello"))
    assert len(slack.web_api.calls) == 1


def test_a_slack_that_is_not_there_is_unavailable(bot_token: str, turn: Turn, clock: FakeClock) -> None:
    token = CachedSecret(JsonClient("secretsmanager"), bot_token, clock)
    with pytest.raises(ChatUnavailable):
        SlackChat(token, api_url="http://127.0.0.1:9/api/").post(Message(turn, 0, "hello"))


@pytest.mark.parametrize("code", ["channel_not_found", "is_archived", "not_in_channel", "thread_not_found"])
def test_a_refusal_keeps_slacks_name(slack: SlackService, chat: SlackChat, turn: Turn, code: str) -> None:
    slack.faults.add(Fault("chat.postMessage", error=code))
    with pytest.raises(ChatRefused) as caught:
        chat.post(Message(turn, 0, "hello"))
    assert caught.value.code == code


def test_a_replaced_token_is_read_again_at_once(
    aws: Aws, slack: SlackService, chat: SlackChat, bot_token: str, turn: Turn, clock: FakeClock
) -> None:
    chat.post(Message(turn, 0, "with the old token"))
    aws.secrets.put_secret_value(SecretId=bot_token, SecretString="xoxb-new")
    slack.installation.bot_token = "xoxb-new"
    clock.sleep(60)
    assert chat.post(Message(turn, 1, "with the new one"))


def test_a_refused_token_that_was_just_read_is_read_again_soon(
    aws: Aws, slack: SlackService, chat: SlackChat, bot_token: str, turn: Turn, clock: FakeClock
) -> None:
    chat.post(Message(turn, 0, "with the old token"))
    aws.secrets.put_secret_value(SecretId=bot_token, SecretString="xoxb-new")
    slack.installation.bot_token = "xoxb-new"
    with pytest.raises(ChatAppRefused):
        chat.post(Message(turn, 1, "too early to read the secret again"))
    clock.sleep(60)
    assert chat.post(Message(turn, 1, "with the new one"))


def test_a_refused_token_may_be_a_new_one_while_the_secret_cannot_be_read(
    aws: Aws, slack: SlackService, bot_token: str, turn: Turn, clock: FakeClock
) -> None:
    client = RecordingClient("secretsmanager")
    chat = SlackChat(CachedSecret(client, bot_token, clock), api_url=slack.api_url)
    chat.post(Message(turn, 0, "with the old token"))
    aws.secrets.put_secret_value(SecretId=bot_token, SecretString="xoxb-new")
    slack.installation.bot_token = "xoxb-new"
    clock.sleep(60)
    client.is_down = True
    with pytest.raises(ChatAppRefused):
        chat.post(Message(turn, 1, "the secret cannot be read"))
    client.is_down = False
    clock.sleep(60)
    assert chat.post(Message(turn, 1, "with the new one"))


@pytest.mark.usefixtures("aws")
def test_without_a_token_the_app_is_refused(slack: SlackService, turn: Turn) -> None:
    token = CachedSecret(JsonClient("secretsmanager"), "no-such-secret", FakeClock())
    with pytest.raises(ChatAppRefused, match="token_unreadable") as caught:
        SlackChat(token, api_url=slack.api_url).post(Message(turn, 0, "hello"))
    assert "secret no-such-secret cannot be read: ResourceNotFoundException" in caught.value.remedy


def test_a_message_of_somebody_else_with_our_metadata_is_not_ours(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    channel = slack.workspace.channel(seed.WEATHER)
    assert channel is not None
    payload = {"turn_id": turn.turn_id, "attempt": 1, "part": 0}
    metadata = {"event_type": "agent_bridge_reply", "event_payload": payload}
    slack.workspace.post(channel, seed.BOB, "me too", thread_ts=turn.ts, metadata=metadata)
    assert chat.find(turn) == Found({})


@pytest.mark.parametrize("code", sorted({*REFUSES_APP} - {UNREADABLE}))
def test_a_refusal_of_the_app_says_what_the_operator_has_to_do_and_no_token(
    slack: SlackService, chat: SlackChat, turn: Turn, code: str
) -> None:
    slack.faults.add(Fault("chat.postMessage", error=code))
    with pytest.raises(ChatAppRefused) as caught:
        chat.post(Message(turn, 0, "hello"))
    assert caught.value.code == code
    assert len(caught.value.remedy) > 20
    assert slack.installation.bot_token not in f"{caught.value} {caught.value.remedy}"


def test_the_remedy_names_the_secret_of_a_token_that_is_refused(
    slack: SlackService, chat: SlackChat, bot_token: str, turn: Turn
) -> None:
    slack.installation.bot_token = "xoxb-somebody-elses"
    with pytest.raises(ChatAppRefused, match="invalid_auth") as caught:
        chat.post(Message(turn, 0, "hello"))
    assert f"in the secret {bot_token}" in caught.value.remedy


def test_the_remedy_names_the_scope_that_is_missing(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    slack.installation.scopes.discard("chat:write")
    with pytest.raises(ChatAppRefused, match="missing_scope") as caught:
        chat.post(Message(turn, 0, "hello"))
    assert "chat:write" in caught.value.remedy


def test_a_scope_that_the_reply_can_do_without_refuses_one_call_only(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    slack.installation.scopes -= {"users:read", "files:write", "channels:history", "reactions:write"}
    optional: list[Callable[[], object]] = [
        lambda: chat.name_of(turn.user),
        lambda: chat.upload(turn, File("a.png", "image/png", b"png")),
        lambda: chat.find(turn),
        lambda: chat.add_reaction(turn.channel, turn.ts, HOURGLASS),
        lambda: chat.remove_reaction(turn.channel, turn.ts, HOURGLASS),
    ]
    for call in optional:
        with pytest.raises(ChatRefused, match="missing_scope"):
            call()
    chat.post(Message(turn, 0, "hello"))


def test_a_refused_token_is_noticed_by_the_calls_that_the_reply_can_do_without(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    chat.name_of(turn.user)
    slack.installation.token_error = "token_revoked"
    with pytest.raises(ChatAppRefused):
        chat.post(Message(turn, 0, "hello"))
    with pytest.raises(ChatAppRefused):  # so that the next agent is not asked
        chat.name_of(turn.user)
    with pytest.raises(ChatAppRefused):
        chat.find(turn)


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
    token = CachedSecret(JsonClient("secretsmanager"), bot_token, clock)
    chat = SlackChat(token, api_url=f"{server.url}/api/")
    with pytest.raises(expected):
        chat.post(Message(turn, 0, "hello"))


# --- streams -----------------------------------------------------------------------------------------------


def message_of(slack: SlackService, ts: str) -> SlackMessage:
    message = slack.workspace.message(seed.WEATHER, ts)
    assert message is not None
    return message


def last_call(slack: SlackService) -> CallRecord:
    return slack.web_api.calls[-1]


TASK = Task("step-0", "Get weather…", TaskStatus.IN_PROGRESS)


def test_a_stream_grows_and_becomes_a_part_of_the_reply(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    ts = chat.start_stream(turn, Chunk("It ", (TASK,)))
    chat.append_stream(turn, ts, Chunk("is "))
    chat.append_stream(turn, ts, Chunk("", (replace(TASK, status=TaskStatus.COMPLETE),)))
    chat.stop_stream(ts, Message(turn, 0, "It is sunny.", (Button("Retry", "retry", "x"),)), Chunk("sunny."))
    message = message_of(slack, ts)
    assert message.thread_ts == turn.ts
    assert [block["type"] for block in message.blocks] == ["plan", "markdown", "actions"]
    [task] = message.blocks[0]["tasks"]
    assert (task["title"], task["status"]) == ("Get weather…", "complete")
    assert message.blocks[1]["text"] == "It is sunny."
    assert slack.workspace.streaming_state(message) == "completed"
    assert chat.find(turn) == Found({0: ts})


def test_a_stream_is_for_the_one_who_asks(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    chat.start_stream(turn, Chunk("It "))
    args = last_call(slack).args
    assert (args["recipient_user_id"], args["recipient_team_id"]) == (turn.user, turn.team)


def test_everything_goes_into_a_stream_as_chunks(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    # The first payload decides for all of them, and a mixture is refused.
    ts = chat.start_stream(turn, Chunk("It "))
    chat.append_stream(turn, ts, Chunk("is "))
    chat.stop_stream(ts, Message(turn, 0, "It is sunny."), Chunk("sunny."))
    assert not [call.method for call in slack.web_api.calls if "markdown_text" in call.args]


def test_a_stream_can_end_with_nothing_more_to_say(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    ts = chat.start_stream(turn, Chunk("It is sunny."))
    chat.stop_stream(ts, Message(turn, 0, "It is sunny."), Chunk(""))
    assert message_of(slack, ts).blocks == [{"type": "markdown", "text": "It is sunny."}]
    tasks_only = chat.start_stream(turn, Chunk("", (TASK,)))
    chat.stop_stream(tasks_only, Message(turn, 1, ""), Chunk(""))
    assert chat.find(turn) == Found({0: ts, 1: tasks_only})


def test_a_title_of_a_task_is_cut_to_what_slack_takes(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    chat.start_stream(turn, Chunk("", (replace(TASK, title="x" * 300),)))
    assert last_call(slack).result["ok"]


def test_a_stream_that_nobody_stopped_is_found_and_can_be_ended(chat: SlackChat, turn: Turn) -> None:
    first = chat.post(Message(turn, 0, "one"))
    ts = chat.start_stream(turn, Chunk("It "))
    assert chat.find(turn) == Found({0: first}, (ts,))
    with pytest.raises(ChatRefused, match="streaming_state_conflict"):
        chat.edit(ts, Message(turn, 1, "It is sunny."))
    with pytest.raises(ChatRefused, match="cant_delete_message"):
        chat.delete(turn, ts)
    chat.stop_stream(ts, Message(turn, 1, ""), Chunk(""))
    chat.edit(ts, Message(turn, 1, "It is sunny."))
    assert chat.find(turn) == Found({0: first, 1: ts})
    chat.delete(turn, ts)
    assert chat.find(turn) == Found({0: first})


def test_a_stream_that_expired_is_found_and_can_be_edited(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    ts = chat.start_stream(turn, Chunk("It "))
    slack.workspace.stream_lifetime_seconds = 0
    with pytest.raises(ChatRefused, match="message_not_in_streaming_state"):
        chat.append_stream(turn, ts, Chunk("is "))
    assert chat.find(turn) == Found({}, (ts,))
    chat.edit(ts, Message(turn, 0, "It is sunny."))
    assert chat.find(turn) == Found({0: ts})


def test_the_stream_of_another_turn_is_not_taken_for_ours(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    channel = slack.workspace.channel(seed.WEATHER)
    assert channel is not None
    slack.workspace.post(channel, seed.BOB, "mine", thread_ts=turn.ts, stream=Stream("plan"))
    payload = {"turn_id": "T1:C1:1700000000.999999", "attempt": 1, "part": 0}
    slack.workspace.post(
        channel,
        slack.installation.bot,
        "expired, and put right by an edit",
        thread_ts=turn.ts,
        metadata={"event_type": "agent_bridge_reply", "event_payload": payload},
        stream=Stream("plan"),
    )
    assert chat.find(turn) == Found({})


def test_a_person_who_stops_a_stream_is_told_from_other_refusals(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    ts = chat.start_stream(turn, Chunk("It "))
    message = message_of(slack, ts)
    assert message.stream is not None
    slack.workspace.stop_stream(message, message.stream, seed.ALICE)
    with pytest.raises(ChatStopped):
        chat.append_stream(turn, ts, Chunk("is "))
    with pytest.raises(ChatStopped):
        chat.stop_stream(ts, Message(turn, 0, ""), Chunk("sunny."))


def test_a_stream_that_is_too_long_is_refused_by_slacks_name(chat: SlackChat, turn: Turn) -> None:
    ts = chat.start_stream(turn, Chunk("é" * 5_000))
    with pytest.raises(ChatRefused, match="msg_too_long"):
        chat.append_stream(turn, ts, Chunk("é" * 5_000))


@pytest.mark.parametrize("drop", ["before", "after"])
def test_an_append_that_may_have_happened_is_not_repeated_by_the_adapter(
    slack: SlackService, chat: SlackChat, turn: Turn, drop: Literal["before", "after"]
) -> None:
    ts = chat.start_stream(turn, Chunk("It "))
    slack.faults.add(Fault("chat.appendStream", drop=drop))
    with pytest.raises(ChatUnavailable):
        chat.append_stream(turn, ts, Chunk("is "))
    assert message_of(slack, ts).blocks[0]["text"] == ("It " if drop == "before" else "It is ")


def test_a_stream_that_its_writer_left_open_is_put_right_by_another(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    ts = chat.start_stream(turn, Chunk("", (TASK,)))  # nothing but tasks: a stop must not leave it empty
    stage = Stage()
    ports = replace(stage.ports, chat=chat)
    stage.ledger.records[turn.turn_id] = Record(turn.turn_id, 1, State.STARTED, "dead", (), 1)
    stage.ledger.leases[turn.turn_id] = 0.0
    assert give_up(turn, stage.delivery(), ports).verdict is Verdict.INTERRUPTED
    assert slack.workspace.streaming_state(message_of(slack, ts)) in (None, "completed")
    assert message_of(slack, ts).blocks[0]["text"].startswith(":warning:")
    assert chat.find(turn) == Found({0: ts})


def test_a_stream_leaves_the_session_processing_only_where_the_answer_goes_on(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    for goes_on, session in ((True, "processing"), (False, "active")):
        ts = chat.start_stream(turn, Chunk("It "))
        chat.stop_stream(ts, Message(turn, 0, "It is"), Chunk("is"), goes_on=goes_on)
        assert slack.workspace.session_status(turn.channel, turn.thread_ts) == session


# --- status, mentions, names, files ------------------------------------------------------------------------


def test_a_status_stands_under_the_thread_until_the_app_posts(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    chat.set_status(turn, "Processing…")
    [(place, status)] = slack.workspace.statuses().items()
    assert (place, status.text) == ((turn.channel, turn.thread_ts), "Processing…")
    chat.post(Message(turn, 0, "Sunny."))
    assert slack.workspace.statuses() == {}


def test_a_mention_notifies_the_one_who_asked_and_nobody_else(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    chat.mention(turn, "Done, <!channel> & <@U02BOB>.")
    message = message_of(slack, last_call(slack).result["ts"])
    assert message.notifications == [f"@{turn.user}"] or message.notifications == [f"<@{turn.user}>"]
    assert message.thread_ts == turn.ts
    assert chat.find(turn) == Found({})  # no part of the reply


def test_a_name_is_what_people_call_a_user_and_is_asked_for_once(
    slack: SlackService, chat: SlackChat
) -> None:
    assert [chat.name_of(seed.BOB.id), chat.name_of(seed.BOB.id)] == [seed.BOB.name] * 2
    assert len(slack.web_api.calls) == 1


def test_a_name_that_slack_does_not_tell_is_asked_for_again(slack: SlackService, chat: SlackChat) -> None:
    slack.faults.add(Fault("users.info", error="internal_error"))
    with pytest.raises(ChatUnavailable):
        chat.name_of(seed.BOB.id)
    assert chat.name_of(seed.BOB.id) == seed.BOB.name
    with pytest.raises(ChatRefused, match="user_not_found"):
        chat.name_of("U0NOBODY")


def test_a_file_is_shared_in_the_thread(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    chat.upload(turn, File("chart é.png", "image/png", b"\x89PNG\x00"))
    [message] = [reply for reply in slack.workspace.replies(seed.WEATHER, turn.ts) if reply.files]
    [shown] = message.files
    stored = slack.workspace.files.get(shown["id"])
    assert stored is not None
    assert (shown["title"], stored.content) == ("chart é.png", b"\x89PNG\x00")
    assert chat.find(turn) == Found({})


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (Fault("files.getUploadURLExternal", error="missing_scope"), ChatRefused),
        (Fault("files.getUploadURLExternal", retry_after=9), ChatRateLimited),
        (Fault("files.upload", status=500), ChatUnavailable),
        (Fault("files.upload", drop="before"), ChatUnavailable),
        (Fault("files.completeUploadExternal", error="channel_not_found"), ChatRefused),
        (Fault("files.completeUploadExternal", retry_after=9), ChatRateLimited),
    ],
    ids=str,
)
def test_a_file_that_slack_does_not_take_is_not_shared(
    slack: SlackService, chat: SlackChat, turn: Turn, fault: Fault, trouble: type[Exception]
) -> None:
    slack.faults.add(replace(fault))
    with pytest.raises(trouble):
        chat.upload(turn, File("chart.png", "image/png", b"png"))
    assert not [reply for reply in slack.workspace.replies(seed.WEATHER, turn.ts) if reply.files]


def test_an_empty_file_is_refused(chat: SlackChat, turn: Turn) -> None:
    with pytest.raises(ChatRefused):
        chat.upload(turn, File("empty.csv", "text/csv", b""))


def test_the_token_does_not_go_where_a_file_is_uploaded_to(
    slack: SlackService, chat: SlackChat, turn: Turn, strange_slack: tuple[HttpServer, list[Response]]
) -> None:
    seen: list[str | None] = []

    @Request.application
    def app(request: Request) -> Response:
        seen.append(request.headers.get("Authorization"))
        return Response("", 302, headers={"Location": f"{strange_slack[0].url}/elsewhere"})

    server = HttpServer(app)
    server.start()
    slack.workspace.files.origin = server.url
    try:
        with pytest.raises(ChatUnavailable, match="302"):
            chat.upload(turn, File("chart.png", "image/png", b"png"))
    finally:
        server.stop()
    assert seen == [None]


# --- where this process has written -------------------------------------------------------------------------


def test_a_channel_is_known_once_something_was_written_there(chat: SlackChat, turn: Turn) -> None:
    assert not chat.has_written_in(turn.channel)
    chat.post(Message(turn, 0, "Processing…"))
    assert chat.has_written_in(turn.channel)
    assert not chat.has_written_in(seed.GENERAL)


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_status_and_a_stream_are_first_words_too(chat: SlackChat, turn: Turn, *, is_stream: bool) -> None:
    if is_stream:
        chat.start_stream(turn, Chunk("It is"))
    else:
        chat.set_status(turn, "Processing…")
    assert chat.has_written_in(turn.channel)


def test_a_channel_that_is_closed_to_the_bot_is_not_known_any_more(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    chat.post(Message(turn, 0, "Processing…"))
    slack.faults.add(Fault("chat.postMessage", error="is_archived"))
    with pytest.raises(ChatRefused, match="is_archived"):
        chat.post(Message(turn, 1, "more"))
    assert not chat.has_written_in(turn.channel)


# --- sessions ----------------------------------------------------------------------------------------------


def test_a_session_is_processing_until_it_is_active(slack: SlackService, chat: SlackChat, turn: Turn) -> None:
    for status in (SessionStatus.PROCESSING, SessionStatus.SUSPENDED, SessionStatus.ACTIVE):
        chat.set_session(turn, status)
        assert slack.workspace.session_status(turn.channel, turn.thread_ts) == status
    assert chat.has_sessions()


@pytest.mark.parametrize("code", sorted(NO_SESSIONS - {NO_STOP}))
def test_a_slack_without_sessions_is_remembered(
    slack: SlackService, chat: SlackChat, turn: Turn, code: str
) -> None:
    slack.faults.add(Fault("agents.sessions.setStatus", error=code))
    with pytest.raises(ChatRefused, match=code):
        chat.set_session(turn, SessionStatus.PROCESSING)
    assert not chat.has_sessions()


def test_an_app_that_hears_of_no_stop_has_no_sessions(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    slack.installation.bot_events.discard("agent_session_stopped")
    with pytest.raises(ChatRefused, match=NO_STOP):
        chat.set_session(turn, SessionStatus.PROCESSING)
    assert not chat.has_sessions()


def test_what_slack_refuses_in_one_thread_is_asked_again_in_the_next(
    slack: SlackService, chat: SlackChat, turn: Turn
) -> None:
    slack.faults.add(Fault("agents.sessions.setStatus", error="method_not_supported_for_channel_type"))
    with pytest.raises(ChatRefused):
        chat.set_session(turn, SessionStatus.PROCESSING)
    assert chat.has_sessions()
