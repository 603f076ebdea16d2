"""Records what a release leaves on queues, in the ledger and under messages, for the tests of later ones.

    python -m tests.functions.compat.record FOLDER

It only uses what people and services see of a running simulation, so that it also runs in the checkout of an
older release: copy this file there. It writes into FOLDER:

    messages.json   each kind of queue message: its body, group and deduplication id
    records.json    each state of a turn: its items in the table, as DynamoDB's API has them
    buttons.json    each button: its action id and value
"""

import json
import sys
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from simulator.aws import TABLE
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM
from simulator.tap import Call
from tests.e2e.bridge import Bridge

QUESTION = "@agent what's the weather in Chicago today?"


class Recorder:
    """A running simulation, and what was recorded in it so far."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._bridge = Bridge(simulation)
        self._items: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.messages: dict[str, dict[str, str]] = {}
        self.records: dict[str, list[dict[str, Any]]] = {}
        self.buttons: dict[str, dict[str, str]] = {}
        simulation.tap.interceptor = self._note_states

    def record(self) -> None:
        bridge = self._bridge
        answered = bridge.ask(QUESTION)
        self._note_message("a question", answered)
        self._note_record("answered", answered)
        self._note_record("received", answered, state="received")
        self._note_record("started", answered, state="started")
        self._note_record("replying", answered, state="replying")
        reply = bridge.ask("@agent and tomorrow? Tell @bob.", thread_ts=answered["ts"])
        self._note_message("a question in a thread", reply)
        self._note_message("a direct message", bridge.ask("hello", channel="dm"))
        file = {"name": "notes.txt", "mimetype": "text/plain", "bytes": "aGVsbG8="}
        self._note_message("a question with a file", bridge.ask(QUESTION, files=[file]))
        self._note_message("a mention without a word", bridge.ask("@agent"))
        outsider = bridge.ask(QUESTION, channel="weather-partner", user="erin")
        self._note_message("a question of somebody from outside", outsider)
        self._record_retries()

    def _record_retries(self) -> None:
        bridge = self._bridge
        failed = bridge.ask("@agent throttle: what's the weather in Chicago?")
        self._note_record("failed", failed)
        self._note_button("retry", failed)
        interrupted = bridge.ask("@agent cut the stream: what's the weather in Chicago?")
        self._note_record("interrupted", interrupted)
        self._note_record("owed an explanation", interrupted, state="replying")
        [message] = bridge.replies(failed)
        press = {"channel": failed["channel"], "ts": message["ts"], "action_id": "retry"}
        bridge.control("press", user="bob", **press)
        bridge.until(lambda: len(self._received()) > len(self.messages) + 2)
        bridge.until(bridge.queues_are_empty)
        self.messages["a stranger's press"] = self._received()[-1]
        bridge.control("press", user="alice", **press)
        bridge.until(lambda: self._attempt(failed) == "2")
        bridge.settled(failed)
        self.messages["the asker's press"] = self._received()[-1]
        self._note_button("second retry", failed)
        self._note_record("failed twice", failed)

    def _attempt(self, question: dict[str, Any]) -> str:
        return str(self._bridge.record(question)["attempt"]["N"])

    def _note_message(self, name: str, question: dict[str, Any]) -> None:
        [self.messages[name]] = [one for one in self._received() if question["ts"] in one["body"]]

    def _note_record(self, name: str, question: dict[str, Any], *, state: str = "") -> None:
        turn_id = f"{TEAM.id}:{question['channel']}:{question['ts']}"
        self.records[name] = self._items[turn_id, state] if state else self._standing(turn_id)

    def _note_button(self, name: str, question: dict[str, Any]) -> None:
        blocks = self._bridge.replies(question)[-1]["blocks"]
        [button] = [element for block in blocks for element in block.get("elements", [])]
        self.buttons[name] = {"action_id": button["action_id"], "value": button["value"]}

    def _received(self) -> list[dict[str, str]]:
        """All messages so far, each as often as it was received."""
        entries = self._simulation.journal.entries(source="queue", kind="message received")
        names = ("body", "group_id", "deduplication_id")
        return [{name: entry.detail[name] for name in names} for entry in entries]

    def _standing(self, turn_id: str) -> list[dict[str, Any]]:
        answer = self._simulation.aws.dynamodb.query(
            TableName=TABLE,
            KeyConditionExpression="turn_id = :turn_id",
            ExpressionAttributeValues={":turn_id": {"S": turn_id}},
        )
        return answer["Items"]

    def _note_states(self, call: Call, perform: Any) -> Response:
        """After each write: the turn's items as they stand now, for the last write of each state."""
        response: Response = perform()
        if call.operation in ("PutItem", "UpdateItem"):
            turn_id = (call.arguments.get("Key") or call.arguments["Item"])["turn_id"]["S"]
            items = self._standing(turn_id)
            for item in items:
                if "state" in item:
                    self._items[turn_id, item["state"]["S"]] = items
        return response


def main(folder: Path) -> None:
    with Simulation(time_scale=0.1) as simulation:
        recorder = Recorder(simulation)
        recorder.record()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("messages", "records", "buttons"):
        text = json.dumps(getattr(recorder, name), indent=1, sort_keys=True)
        (folder / f"{name}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
