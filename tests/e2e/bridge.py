"""A person's and an operator's view of a running simulation."""

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from functions.bridge.ledger import SETTLED
from simulator import wiring
from simulator.agent.service import Invocation
from simulator.aws import TABLE
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM

PATIENCE = 90.0  # seconds until a test is given up


class Bridge:
    """Speaks, looks and waits. Waiting looks again whenever the simulation's journal grows."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    # --- what a person does ---

    def say(
        self, text: str, *, channel: str = "weather-demo", user: str = "alice", **more: object
    ) -> dict[str, Any]:
        """Post a message; "@agent" becomes a mention. Returns its channel, ts and event_ids."""
        return self.control("messages", channel=channel, user=user, text=text, **more)

    def ask(self, text: str, **more: Any) -> dict[str, Any]:
        """Post a question and wait until it is settled."""
        question = self.say(text, **more)
        self.settled(question)
        return question

    def ask_in_parallel(self, text: str, **more: Any) -> dict[str, Any]:
        """Like `ask`, while other questions may still be on the queue."""
        question = self.say(text, **more)
        self.until(lambda: self.state(question) in SETTLED)
        return question

    def delivered(self, question: dict[str, Any]) -> dict[str, Any]:
        """Wait until Slack has delivered the question, or has given up; Slack promises no order."""
        for event_id in question["event_ids"]:
            delivery = self.simulation.slack.events.delivery(event_id)
            assert delivery is not None
            delivery.done.wait(PATIENCE)
        return question

    def replies(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        """The bot's messages in the thread that the question opened or belongs to."""
        return [message for message in self.thread(question) if message["user"] == "U0AGENT01"]

    def texts(self, question: dict[str, Any]) -> list[str]:
        return [reply["blocks"][0]["text"] for reply in self.replies(question)]

    def streams(self, question: dict[str, Any]) -> list[str]:
        """The states of the streams in the question's thread."""
        return [reply["streaming_state"] for reply in self.replies(question) if "streaming_state" in reply]

    def said(self, question: dict[str, Any]) -> str:
        """The Markdown of the bot's messages in the question's thread."""
        blocks = [block for reply in self.replies(question) for block in reply["blocks"]]
        return "\n\n".join(block["text"] for block in blocks if block["type"] == "markdown")

    def thread(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        query = urlencode({"channel": question["channel"], "ts": question.get("thread_ts") or question["ts"]})
        with urlopen(f"{self.simulation.url}/control/thread?{query}") as answer:
            messages: list[dict[str, Any]] = json.load(answer)["messages"]
        return messages[1:]

    # --- what an operator knows ---

    def record(self, question: dict[str, Any]) -> dict[str, Any]:
        key = {"turn_id": {"S": f"{TEAM.id}:{question['channel']}:{question['ts']}"}, "item": {"S": "record"}}
        answer = self.simulation.aws.dynamodb.get_item(TableName=TABLE, Key=key)
        return dict(answer.get("Item", {}))

    def state(self, question: dict[str, Any]) -> str:
        return str(self.record(question).get("state", {}).get("S", ""))

    def queues_are_empty(self) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        for queue in (wiring.QUESTIONS, wiring.DEAD_LETTER_QUEUE):
            url = self.simulation.aws.queue_url(queue)
            counts = self.simulation.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)  # type: ignore[arg-type]
            if any(int(count) for count in counts["Attributes"].values()):
                return False
        return True

    def settled(self, question: dict[str, Any]) -> str:
        """Wait until the turn is over and its message off the queue; its state."""
        self.until(lambda: self.state(question) in SETTLED)
        self.until(self.queues_are_empty)
        return self.state(question)

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until `condition` holds; what it says then."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            seen = len(self.simulation.journal.entries())
            if result := condition():
                return result
            self.simulation.journal.wait(after=seen, timeout=0.1)
        raise AssertionError(f"in vain after {PATIENCE:g} s; the last that happened: {self._last_words()}")

    def control(self, path: str, **body: object) -> dict[str, Any]:
        request = Request(f"{self.simulation.url}/control/{path}", data=json.dumps(body).encode())
        with urlopen(request) as answer:
            result: dict[str, Any] = json.load(answer)
        return result

    def runs(self, question: dict[str, Any]) -> int:
        """How often the agent was started in the question's thread."""
        return len(self.invocations(question))

    def invocations(self, question: dict[str, Any]) -> list[Invocation]:
        """The agent's runs in the question's thread. AgentCore knows a thread by a hash of its id."""
        thread = f"{TEAM.id}:{question['channel']}:{question.get('thread_ts') or question['ts']}"
        sessions = {thread, hashlib.sha256(thread.encode()).hexdigest()}
        return [run for run in self.simulation.agent.invocations if run.session_id in sessions]

    def logs(self) -> str:
        return "\n".join(
            line for function in wiring.FUNCTIONS for line in self.simulation.lambdas.logs(function.name)
        )

    def _last_words(self) -> str:
        entries = [f"{entry.source} {entry.kind}" for entry in self.simulation.journal.entries()[-8:]]
        return f"{entries}; logs: {self.logs()[-2000:]}"
