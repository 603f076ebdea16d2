"""One question on the command line: posts it as a person would, and prints the thread while it changes."""

import json
import sys
import time
import urllib.parse
import urllib.request
from typing import Any, TextIO

from config import deployment
from simulator.aws import TABLE
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM

CHANNEL = "weather-demo"
USER = "alice"
# States of a turn from which it does not move by itself: functions/bridge/ledger/record.py. Nobody at the
# command line can press the buttons of a card.
WAITING = "waiting"
AT_REST = ("answered", "interrupted", "failed", "stopped", WAITING)

# A developer's HTTP_PROXY must not be asked for an address of this machine.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class TimeLimitError(Exception):
    """The question was not settled in time."""


def ask(
    simulation: Simulation, text: str, *, time_limit: float, width: int = 100, out: TextIO = sys.stdout
) -> str:
    """Mentions the agent in a channel and prints what becomes of it; the state in which the turn ends.

    Args:
        time_limit: in seconds.
        width: of the lines that show a reply that is still growing.

    Raises:
        TimeLimitError: the turn did not end within `time_limit`.
    """
    slack = _Slack(simulation.url)
    question = slack.call("messages", body={"channel": CHANNEL, "user": USER, "text": f"@agent {text}"})
    thread = _Thread(out, width)
    thread.print(f"#{CHANNEL}\n{USER}: @agent {text}\n")
    deadline = time.monotonic() + time_limit
    while time.monotonic() < deadline:
        # First the version, then the rest: what changes in between is seen in the next round.
        version = slack.call("state")["version"]
        state = _state(simulation, question["channel"], question["ts"])
        replies = slack.call("thread", channel=question["channel"], ts=question["ts"])["messages"][1:]
        thread.show(replies)
        if state in AT_REST:
            thread.show_whole(replies)
            return state
        slack.call("wait", version=version, timeout=0.25)
    raise TimeLimitError(f"The question was not answered within {time_limit:g} seconds.")


class _Slack:
    """The control API of the fake Slack."""

    def __init__(self, url: str) -> None:
        self._url = url

    def call(self, path: str, body: dict[str, Any] | None = None, **query: object) -> dict[str, Any]:
        url = f"{self._url}/control/{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        with _open(url, data) as response:
            found: dict[str, Any] = json.load(response)
        return found


class _Thread:
    """Prints one line for each new state of each message, and in the end the messages whole."""

    def __init__(self, out: TextIO, width: int) -> None:
        self._out = out
        self._width = width
        self._shown: dict[str, str] = {}

    def print(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def show(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            ts, text = message["ts"], message_text(message)
            if self._shown.get(ts) == text:
                continue
            verb = "edits" if ts in self._shown else "posts"
            self._shown[ts] = text
            self.print(shortened(f"{message['user_name']} {verb}: {' '.join(text.split())}", self._width))

    def show_whole(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            self.print(f"\n{message['user_name']}:\n{message_text(message)}")


def message_text(message: dict[str, Any]) -> str:
    """What people see: tasks, Markdown and files, or the plain text of a message without blocks."""
    texts = [text for block in message.get("blocks") or [] for text in _block_texts(block)]
    texts += [f"[file: {file['name']}]" for file in message.get("files") or []]
    return "\n".join(texts) or str(message.get("text", ""))


def _block_texts(block: dict[str, Any]) -> list[str]:
    match block["type"]:
        case "markdown":
            return [block["text"]]
        case "section":
            return [block["text"]["text"]]
        case "plan":
            return [f"[{task['status']}] {task['title']}" for task in block["tasks"]]
    return []


def shortened(line: str, width: int) -> str:
    """The line's beginning and, as replies grow at their end, its end."""
    if len(line) <= width:
        return line
    head = width // 3
    return f"{line[:head]} … {line[len(line) - (width - head - 3) :]}"


def _state(simulation: Simulation, channel: str, ts: str) -> str | None:
    """How far the turn is, as the bridge's ledger says; None when it has not begun."""
    partition, sort = deployment.TABLE_KEYS
    key = {partition: {"S": f"{TEAM.id}:{channel}:{ts}"}, sort: {"S": "record"}}
    answer = simulation.aws.dynamodb.get_item(TableName=TABLE, Key=key)
    return answer["Item"]["state"]["S"] if "Item" in answer else None
