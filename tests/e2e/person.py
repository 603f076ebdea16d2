"""What a person does in the simulated Slack, and what they see there."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from simulator.journal import Journal
from simulator.slack.seed import TEAM

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PATIENCE = 90.0  # seconds until a test is given up


class Person:
    """Speaks, looks and waits. Waiting looks again whenever the journal grows.

    `url` is the simulated Slack's.
    """

    def __init__(self, url: str, journal: Journal) -> None:
        self.url = url
        self.journal = journal

    def say(
        self, text: str, *, channel: str = "weather-demo", user: str = "alice", **more: object
    ) -> dict[str, Any]:
        """Post a message; "@agent" becomes a mention. Returns its channel, ts and event_ids."""
        return self.control("messages", channel=channel, user=user, text=text, **more)

    def replies(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        """The bot's messages in the thread that the question opened or belongs to."""
        return [message for message in self.thread(question) if message["user"] == "U0AGENT01"]

    def texts(self, question: dict[str, Any]) -> list[str]:
        return [reply["blocks"][0]["text"] for reply in self.replies(question)]

    def said(self, question: dict[str, Any]) -> str:
        """The Markdown of the bot's messages in the question's thread."""
        blocks = [block for reply in self.replies(question) for block in reply["blocks"]]
        return "\n\n".join(block["text"] for block in blocks if block["type"] == "markdown")

    def thread(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        query = urlencode({"channel": question["channel"], "ts": question.get("thread_ts") or question["ts"]})
        with urlopen(f"{self.url}/control/thread?{query}") as answer:
            messages: list[dict[str, Any]] = json.load(answer)["messages"]
        return messages[1:]

    def until(self, condition: Callable[[], Any], *, patience: float = PATIENCE) -> Any:
        """Wait until `condition` holds, for `patience` seconds at most; what it says then."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            seen = len(self.journal.entries())
            if result := condition():
                return result
            self.journal.wait(after=seen, timeout=0.1)
        raise AssertionError(f"in vain after {patience:g} s; the last that happened: {self.last_words()}")

    def control(self, path: str, **body: object) -> dict[str, Any]:
        request = Request(f"{self.url}/control/{path}", data=json.dumps(body).encode())
        with urlopen(request) as answer:
            result: dict[str, Any] = json.load(answer)
        return result

    def last_words(self) -> str:
        """What a failed wait says of what happened last."""
        return str([f"{entry.source} {entry.kind}" for entry in self.journal.entries()[-8:]])


class Operator(Person):
    """A person who may also look into the ledger, which is `table`."""

    def __init__(self, url: str, journal: Journal, *, dynamodb: "DynamoDBClient", table: str) -> None:
        super().__init__(url, journal)
        self._dynamodb = dynamodb
        self._table = table

    def record(self, question: dict[str, Any]) -> dict[str, Any]:
        """What the ledger has of the question's turn; {} if it has nothing."""
        key = {"turn_id": {"S": f"{TEAM.id}:{question['channel']}:{question['ts']}"}, "item": {"S": "record"}}
        answer = self._dynamodb.get_item(TableName=self._table, Key=key)
        return dict(answer.get("Item", {}))

    def state(self, question: dict[str, Any]) -> str:
        return str(self.record(question).get("state", {}).get("S", ""))
