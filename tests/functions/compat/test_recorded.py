"""What an earlier release has left on a queue, in the ledger or under a message is read by today's code.

`record.py` made the recordings: a folder for each release, named after its last commit.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.ledger import DynamoLedger
from functions.bridge.incoming.interactions import parse
from functions.bridge.ledger.record import AlreadySettled, Claim, Held, Record, State
from functions.bridge.queue_commands import Ask, RefusePress, Retry, from_json, to_json
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.turn import Notice, Turn
from functions.bridge.turns.handle import handle
from functions.bridge.turns.outcome import Verdict
from simulator.aws import TABLE, Aws
from tests.functions.bridge.asking import SUNNY, answering
from tests.functions.fakes import FakeClock, ScriptedAgent, Stage

RELEASES = sorted(
    folder for folder in Path(__file__).parent.iterdir() if (folder / "messages.json").is_file()
)


@pytest.fixture(params=RELEASES, ids=lambda folder: folder.name)
def release(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


def recorded(release: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release / f"{name}.json").read_text("utf-8"))
    return found


def test_there_is_a_recorded_release() -> None:
    assert RELEASES


# --- messages -----------------------------------------------------------------------------------------------

QUESTIONS = {
    "a question": ("what's the weather in Chicago today?", None),
    "a question in a thread": ("and tomorrow? Tell @U02BOB.", None),
    "a direct message": ("hello", None),
    "a question with a file": ("what's the weather in Chicago today?", None),
    "a mention without a word": ("", Notice.EMPTY),
    "a question of somebody from outside": ("", Notice.EXTERNAL),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_on_the_queue_is_asked(release: Path, name: str) -> None:
    message = recorded(release, "messages")[name]
    command = from_json(message["body"])
    assert isinstance(command, Ask)
    assert (command.turn.text, command.turn.notice) == QUESTIONS[name]
    # The same ids: what Slack delivers to both versions is one message.
    assert (command.group_id, command.deduplication_id) == (message["group_id"], message["deduplication_id"])


def test_a_question_keeps_everything_that_its_answer_needs(release: Path) -> None:
    messages = recorded(release, "messages")
    with_file, in_thread, root = (
        from_json(messages[name]["body"])
        for name in ("a question with a file", "a question in a thread", "a question")
    )
    assert isinstance(with_file, Ask)
    [file] = with_file.turn.files
    assert (file.name, file.media_type, file.size) == ("notes.txt", "text/plain", 5)
    assert file.url.endswith("/download/notes.txt")
    assert isinstance(in_thread, Ask)
    assert in_thread.turn.mentioned == ("U02BOB",)
    assert in_thread.group_id == root.group_id


def test_a_worker_of_that_release_can_read_a_new_question_and_a_new_retry(release: Path) -> None:
    """Lambda updates the receiver and the worker one after the other. Its fields stay, with their types."""
    for name in (*QUESTIONS, "the asker's press"):
        old = json.loads(recorded(release, "messages")[name]["body"])
        new = json.loads(to_json(from_json(json.dumps(old))))
        assert {field: new[field] for field in old} == old


def test_a_retry_on_the_queue_is_a_retry(release: Path) -> None:
    command = from_json(recorded(release, "messages")["the asker's press"]["body"])
    assert isinstance(command, Retry)
    assert (command.user, command.bot_user, command.attempt) == ("U01ALICE", "U0AGENT01", 2)


def test_a_strangers_press_on_the_queue_is_refused(release: Path) -> None:
    stage = Stage()
    command = from_json(recorded(release, "messages")["a stranger's press"]["body"])
    assert isinstance(command, RefusePress)
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = handle(command, stage.delivery(), stage.ports, answering(stage, agent, ReplyOptions()))
    assert (outcome.verdict, agent.questions) == (Verdict.PRESS_REFUSED, [])
    [told] = stage.chat.history("post_ephemeral")
    assert told.startswith(f"{command.channel}:{command.thread_ts} U02BOB ")


# --- buttons ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "attempt"), [("retry", 2), ("second retry", 3)])
@pytest.mark.parametrize("user", ["U01ALICE", "U02BOB"])
def test_a_button_under_an_old_message_works(release: Path, name: str, attempt: int, user: str) -> None:
    button = recorded(release, "buttons")[name]
    turn = json.loads(button["value"])
    payload = {
        "type": "block_actions",
        "user": {"id": user},
        "team": {"id": "T01WEATHER"},
        "channel": {"id": turn["channel"]},
        "message": {"user": "U0AGENT01", "thread_ts": turn["ts"]},
        "actions": [{**button, "action_ts": "1795877000.000100"}],
    }
    command = parse(urlencode({"payload": json.dumps(payload)}).encode())
    if user == "U01ALICE":
        place = ("T01WEATHER", turn["channel"], turn["ts"], turn["ts"])
        assert command == Retry(*place, user, "U0AGENT01", attempt)
    else:
        assert isinstance(command, RefusePress)


# --- the ledger ---------------------------------------------------------------------------------------------


class Shelf:
    """A ledger with what a release has left of one turn, an hour after that."""

    def __init__(self, aws: Aws, items: list[dict[str, Any]]) -> None:
        self._aws = aws
        self.clock = FakeClock()
        for item in items:
            aws.dynamodb.put_item(TableName=TABLE, Item=item)
        [self._record] = [item for item in items if item["item"]["S"] == "record"]
        self.clock.time = int(self._record["lease_until"]["N"]) / 1000 + 3600
        self.ledger = DynamoLedger(JsonClient("dynamodb"), TABLE, self.clock)

    def turn(self, *, attempt: int = 1) -> Turn:
        team, channel, ts = self._record["turn_id"]["S"].split(":")
        return Turn(team, channel, ts, ts, "U01ALICE", "U0AGENT01", "what's the weather?", attempt=attempt)

    def claim(self, *, attempt: int = 1, seconds_ago: float = 0.0) -> Claim:
        now = self.clock.now() - seconds_ago
        return self.ledger.claim(self.turn(attempt=attempt), owner="me", now=now, lease_seconds=60)

    def change(self, name: str, value: str) -> None:
        self._aws.dynamodb.put_item(TableName=TABLE, Item={**self._record, name: {"S": value}})


@pytest.mark.parametrize("name", ["received", "started"])
def test_a_turn_that_was_left_behind_is_taken_over_as_it_was(aws: Aws, release: Path, name: str) -> None:
    found = Shelf(aws, recorded(release, "records")[name]).claim()
    assert isinstance(found, Record)
    assert (found.state, found.owed, found.ending) == (State(name), (), None)


@pytest.mark.parametrize(
    ("name", "ending"), [("replying", State.ANSWERED), ("owed an explanation", State.INTERRUPTED)]
)
def test_a_text_that_was_owed_still_is(aws: Aws, release: Path, name: str, ending: State) -> None:
    found = Shelf(aws, recorded(release, "records")[name]).claim()
    assert isinstance(found, Record)
    assert (found.state, found.ending) == (State.REPLYING, ending)
    assert found.owed
    assert found.reply


@pytest.mark.parametrize("name", ["answered", "failed", "interrupted"])
def test_a_turn_that_was_settled_stays_settled(aws: Aws, release: Path, name: str) -> None:
    claim = Shelf(aws, recorded(release, "records")[name]).claim()
    assert isinstance(claim, AlreadySettled)
    assert claim.state is State(name)


@pytest.mark.parametrize(("name", "attempt"), [("failed", 2), ("failed twice", 3), ("interrupted", 2)])
def test_a_question_that_was_kept_is_asked_again_in_its_messages(
    aws: Aws, release: Path, name: str, attempt: int
) -> None:
    shelf = Shelf(aws, recorded(release, "records")[name])
    kept = shelf.ledger.question(shelf.turn(attempt=attempt))
    assert kept is not None
    assert kept.text.endswith("what's the weather in Chicago?")
    assert (kept.turn_id, kept.user) == (shelf.turn().turn_id, "U01ALICE")
    record = shelf.claim(attempt=attempt)
    assert isinstance(record, Record)
    assert (record.state, record.owed, record.failure) == (State.RECEIVED, (), None)
    assert record.reply


def test_a_thread_stays_with_its_agent(aws: Aws, release: Path) -> None:
    shelf = Shelf(aws, recorded(release, "records")["answered"])
    assert shelf.ledger.agent_of(shelf.turn().thread_id) == "default"


# --- a newer version, taken back ----------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_turn_in_a_state_that_is_not_known_may_have_run_its_agent(
    aws: Aws, release: Path, attempt: int
) -> None:
    shelf = Shelf(aws, recorded(release, "records")["received"])
    shelf.change("state", "of a newer version")
    assert isinstance(shelf.claim(attempt=attempt, seconds_ago=3630), Held)
    record = shelf.claim(attempt=attempt)
    assert isinstance(record, Record)
    assert (record.state, record.attempt) == (State.STARTED, attempt)


def test_an_ending_that_is_not_known_is_an_interruption(aws: Aws, release: Path) -> None:
    shelf = Shelf(aws, recorded(release, "records")["replying"])
    shelf.change("ending", "expired")
    record = shelf.claim()
    assert isinstance(record, Record)
    assert (record.state, record.ending) == (State.REPLYING, State.INTERRUPTED)


def test_a_failure_that_is_not_known_stops_nobody(aws: Aws, release: Path) -> None:
    shelf = Shelf(aws, recorded(release, "records")["owed an explanation"])
    shelf.change("failure", "out_of_budget")
    record = shelf.claim()
    assert isinstance(record, Record)
    assert record.failure is None
    assert record.owed


def test_a_kept_question_that_cannot_be_read_is_too_old(aws: Aws, release: Path) -> None:
    items = recorded(release, "records")["failed"]
    [question] = [item for item in items if item["item"]["S"] == "question"]
    others = [item for item in items if item is not question]
    shelf = Shelf(aws, [*others, {**question, "turn": {"S": '{"form": 2}'}}])
    assert shelf.ledger.question(shelf.turn(attempt=2)) is None
