"""From a mention to the edited answer, through the processes that `make demo` starts."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Response

from simulator import wiring
from simulator.agent.wire import INPUT_TOKENS, OUTPUT_TOKENS
from simulator.journal import Entry
from simulator.simulation import AGENTS, Simulation
from simulator.slack.seed import ALICE
from simulator.tap import Call
from tests.e2e.bridge import Bridge
from tests.e2e.person import PATIENCE


@pytest.fixture(scope="module", params=AGENTS)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    """A bridge to each kind of agent: what users see is the same."""
    with Simulation(time_scale=0.1, agent=request.param, style="edit") as simulation:
        assert simulation.wait_warm() == []  # some tests look at what Slack gets, for which it waits 3 s
        yield Bridge(simulation)


def test_the_placeholder_in_the_thread_becomes_the_answer(bridge: Bridge) -> None:
    question = bridge.ask("@agent what's the weather in Chicago today?")
    [reply] = bridge.replies(question)
    assert reply["thread_ts"] == question["ts"]
    shown = [edit["blocks"][0]["text"] for edit in reply["edits"]]
    assert "In **Chicago** expect" in shown[-1]
    posted = [call for call in bridge.simulation.slack.web_api.calls if call.method == "chat.postMessage"][-1]
    assert posted.args["text"] == "Processing…"
    assert bridge.runs(question) == 1


def test_a_follow_up_in_the_thread_uses_its_context(bridge: Bridge) -> None:
    question = bridge.ask("@agent what's the weather in Lima today?")
    follow_up = bridge.ask("@agent and tomorrow?", thread_ts=question["ts"])
    assert "In **Lima**" in bridge.texts({**follow_up, "thread_ts": question["ts"]})[-1]
    assert len(bridge.replies(question)) == 2


def test_a_new_message_begins_a_new_session(bridge: Bridge) -> None:
    bridge.ask("@agent what's the weather in Lima today?")
    question = bridge.ask("@agent and tomorrow?")
    assert "For which city" in bridge.texts(question)[0]


def test_a_direct_message_is_answered_in_its_thread(bridge: Bridge) -> None:
    question = bridge.ask("what's the weather in Berlin today?", channel="dm")
    assert "In **Berlin**" in bridge.texts(question)[0]
    follow_up = bridge.ask("and tomorrow?", channel="dm", thread_ts=question["ts"])
    assert "In **Berlin**" in bridge.texts({**follow_up, "thread_ts": question["ts"]})[-1]


def test_the_bots_own_posts_and_edits_start_nothing(bridge: Bridge) -> None:
    before = len(bridge.simulation.agent.invocations)
    bridge.ask("what's the weather in Rome today?", channel="dm")

    def own() -> list[Entry]:
        delivered = bridge.simulation.journal.entries(source="slack", kind="event delivered")
        return [entry for entry in delivered if entry.detail["type"] == "message"]

    # Slack reported them: the posts and edits of the bot in a DM are message events too.
    bridge.until(lambda: len(own()) > 2)
    assert len(bridge.simulation.agent.invocations) == before + 1


def test_an_event_that_slack_delivers_five_times_is_answered_once(bridge: Bridge) -> None:
    # One after the other: a second process of the receiver might begin too late for Slack, which waits 3 s.
    question = bridge.delivered(bridge.say("@agent what's the weather in Paris today?"))
    [event_id] = question["event_ids"]
    answers = bridge.control("redeliver", event_id=event_id, times=4)
    assert answers["statuses"] == [200] * 4
    bridge.settled(question)
    # And long after the queue has forgotten it.
    bridge.simulation.aws.sqs.send_message(
        QueueUrl=_questions_url(bridge),
        MessageBody=_last_body(bridge),
        MessageGroupId="replayed",
        MessageDeduplicationId="replayed",
    )
    bridge.until(bridge.queues_are_empty)
    assert len(bridge.replies(question)) == 1
    assert bridge.runs(question) == 1


def _questions_url(bridge: Bridge) -> str:
    return bridge.simulation.aws.queue_url(wiring.QUESTIONS)


def _last_body(bridge: Bridge) -> str:
    body: str = bridge.simulation.journal.entries(source="queue", kind="message received")[-1].detail["body"]
    return body


def test_an_edited_mention_is_not_answered_again(bridge: Bridge) -> None:
    question = bridge.ask("@agent what's the weather in Cairo today?")
    bridge.control("edit", channel=question["channel"], ts=question["ts"], text="@agent and in Delhi?")
    deliveries = [d for d in bridge.simulation.slack.events.deliveries if "edited" in d.event]
    assert deliveries[-1].event["ts"] == question["ts"]
    assert deliveries[-1].done.wait(PATIENCE)  # before that, the queues are empty anyway
    bridge.until(bridge.queues_are_empty)
    assert len(bridge.replies(question)) == 1
    assert bridge.runs(question) == 1


@pytest.mark.parametrize("signed", ["none", "stale", "forged"])
def test_an_event_that_slack_did_not_sign_gets_401_and_nothing_happens(bridge: Bridge, signed: str) -> None:
    bridge.until(bridge.queues_are_empty)
    before = len(bridge.simulation.journal.entries(source="queue", kind="message received"))
    event = {
        "type": "app_mention",
        "channel": "C02WEATHER",
        "user": "U01ALICE",
        "text": "<@U0AGENT01> hello",
        "ts": "1700000000.000100",
    }
    assert bridge.control("events", event=event, signed=signed)["statuses"] == [401]
    assert len(bridge.simulation.journal.entries(source="queue", kind="message received")) == before


def test_a_sender_from_another_organisation_is_refused_without_an_agent(bridge: Bridge) -> None:
    question = bridge.ask("@agent what's the weather in Chicago?", channel="weather-partner", user="erin")
    assert bridge.replies(question) == []
    [told] = bridge.told(question, "erin")
    assert "only answer people of the organisation" in told
    assert bridge.runs(question) == 0
    colleague = bridge.ask("@agent what's the weather in Chicago?", channel="weather-partner", user="bob")
    assert bridge.runs(colleague) == 1


def test_a_mention_without_a_word_gets_help(bridge: Bridge) -> None:
    question = bridge.ask("@agent")
    assert "Write your question" in bridge.texts(question)[0]
    assert bridge.runs(question) == 0


def test_an_apostrophe_an_ampersand_and_an_emoji_reach_the_agent(bridge: Bridge) -> None:
    question = bridge.ask('@agent what\'s <up> & "down" in Chicago 🌦?')
    [run] = bridge.invocations(question)
    assert run.input_text == 'what\'s <up> & "down" in Chicago 🌦?'


def test_a_long_answer_arrives_complete_and_in_order(bridge: Bridge) -> None:
    question = bridge.ask("@agent long report for Chicago please")
    texts = bridge.texts(question)
    assert len(texts) >= 3
    assert sum(len(text) for text in texts) > 29_000


def test_agent_output_notifies_nobody(bridge: Bridge) -> None:
    question = bridge.ask("@agent mention everyone about Chicago")
    [reply] = bridge.replies(question)
    assert "channel" in reply["blocks"][0]["text"]
    assert reply["notifications"] == []


def test_exceptions_and_arns_never_reach_slack(bridge: Bridge) -> None:
    question = bridge.ask("@agent deny: what's the weather in Chicago?")
    [text] = bridge.texts(question)
    assert "not set up to reach its agent" in text
    assert not re.search(r"arn:|Exception|\d{12}", text)
    bridge.until(lambda: "arn:aws" in bridge.logs())  # the operator can read it
    reference = re.search(r"`([0-9a-f]{8})`", text)
    assert reference is not None
    assert reference[1] in bridge.logs()


def test_a_slow_answer_delays_only_its_own_thread(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()

    def slowly(call: Call, perform: Callable[[], Response]) -> Response:
        if call.operation.startswith("Invoke") and "Chicago" in json.dumps(call.arguments):
            goes_on.wait(PATIENCE)
        return perform()

    monkeypatch.setattr(bridge.simulation.tap, "interceptor", slowly)
    slow = bridge.say("@agent what's the weather in Chicago?")
    bridge.until(lambda: bridge.replies(slow) and bridge.state(slow) == "started")
    quick = bridge.ask_in_parallel("@agent what's the weather in Lima today?")
    assert "Lima" in bridge.texts(quick)[0]
    assert bridge.state(slow) == "started"
    goes_on.set()
    assert bridge.settled(slow) == "answered"


def test_a_refused_press_does_not_wait_for_the_answers_of_its_thread(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def slowly(call: Call, perform: Callable[[], Response]) -> Response:
        if call.operation.startswith("Invoke"):
            goes_on.wait(PATIENCE)
        return perform()

    bridge.simulation.agent.force("throttlingException in stream")
    question = bridge.ask("@agent what's the weather in Chicago?")
    [failed] = bridge.replies(question)
    monkeypatch.setattr(bridge.simulation.tap, "interceptor", slowly)
    slow = bridge.say("@agent what's the weather in Lima?", thread_ts=question["ts"])
    bridge.until(lambda: bridge.state(slow) == "started")
    bridge.control("press", channel=question["channel"], ts=failed["ts"], user="bob", action_id="retry")
    bridge.until(
        lambda: any(call.method == "chat.postEphemeral" for call in bridge.simulation.slack.web_api.calls)
    )
    assert bridge.state(slow) == "started"
    goes_on.set()
    assert bridge.settled(slow) == "answered"


def test_the_turns_of_a_thread_are_answered_in_order(bridge: Bridge) -> None:
    first = bridge.delivered(bridge.say("@agent slowly: what's the weather in Chicago?"))
    for day in ("tomorrow", "on Friday"):
        bridge.delivered(bridge.say(f"@agent and {day}?", thread_ts=first["ts"]))
    bridge.until(lambda: len(bridge.replies(first)) == 3)
    bridge.until(bridge.queues_are_empty)
    assert [run.input_text for run in bridge.invocations(first)] == [
        "slowly: what's the weather in Chicago?",
        "and tomorrow?",
        "and on Friday?",
    ]


def test_no_token_and_no_secret_is_seen_anywhere(bridge: Bridge) -> None:
    installation = bridge.simulation.slack.installation
    question = bridge.ask("@agent what's the weather in Chicago today? The password is swordfish.")
    ledger = json.dumps(bridge.record(question))
    queued = "".join(
        entry.detail["body"]
        for entry in bridge.simulation.journal.entries(source="queue", kind="message received")
    )
    audited = json.dumps(bridge.simulation.aws.audit_records())
    for secret in (installation.bot_token, installation.signing_secret):
        assert secret not in bridge.logs() + ledger + queued + audited
    assert "swordfish" not in bridge.logs() + ledger + audited
    # Nor a word of the answer.
    assert "Wind:" in bridge.texts(question)[0]
    assert "Wind:" not in bridge.logs() + audited


def test_who_asked_whom_and_what_for_is_in_the_audit_log(bridge: Bridge) -> None:
    question = bridge.ask("@agent slowly: what's the weather in Chicago today?")
    records = bridge.simulation.aws.audit_records()
    [record] = [one for one in records if question["ts"] in one.get("turn_id", "")]
    assert (record["person"], record["channel"]) == (ALICE.id, question["channel"])
    assert (record["agent"], record["verdict"]) == ("default", "answered")
    assert [tool["name"] for tool in record["tools"]] == [
        "obtain-latitude-longitude-from-place-name",
        "get-current-date-time-from-timezone",
        "obtain-weather-information-with-coordinates",
    ]
    assert all(tool["arguments_digest"] for tool in record["tools"])
    times = record["times"]
    assert times["sent"] <= times["claimed"] <= times["asked"] <= times["first_text"] <= times["ended"]


def test_every_turn_is_counted(bridge: Bridge) -> None:
    question = bridge.ask("@agent what's the weather in Chicago today?")

    def lines() -> list[Any]:
        return [json.loads(line) for line in bridge.logs().splitlines() if line.startswith("{")]

    def handled() -> bool:
        own = [line for line in lines() if question["ts"] in line.get("turn_id", "")]
        return any(line["message"] == "turn handled" and line["verdict"] == "answered" for line in own)

    bridge.until(handled)
    bridge.until(lambda: any("TimeToFirstText" in line for line in lines()))
    bridge.until(lambda: any("TimeToAnswer" in line for line in lines()))
    [line] = [line for line in lines() if question["ts"] in line.get("turn_id", "") and "verdict" in line]
    assert line["agent"] == "default"
    model_calls = 4  # three for the tools, one for the answer
    tokens = {"InputTokens": model_calls * INPUT_TOKENS, "OutputTokens": model_calls * OUTPUT_TOKENS}
    assert (line["input_tokens"], line["output_tokens"]) == tuple(tokens.values())
    timeline = [line[f"{name}_after"] for name in ("claimed", "asked", "ended")]
    assert timeline == sorted(timeline)
    metrics = [line for line in lines() if "_aws" in line]
    assert any(line.get("verdict") == "answered" and line.get("Turns") == 1 for line in metrics)
    assert any(line.get("agent") == "default" and tokens.items() <= line.items() for line in metrics)
