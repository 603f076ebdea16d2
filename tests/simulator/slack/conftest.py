import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient

from simulator.journal import Journal
from simulator.slack.service import SlackService
from tests.simulator.slack.receiver import Receiver

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BOT_TOKEN = "xoxb-0-fake"
MANIFEST = json.loads(Path("slack-app-manifest.json").read_text())


class Control:
    """A client of the control API. It returns the error's body too, when the service refuses."""

    def __init__(self, url: str) -> None:
        self._url = url + "/control/"

    def post(self, path: str, /, **body: object) -> dict[str, Any]:
        return self._send(Request(self._url + path, data=json.dumps(body).encode()))

    def get(self, path: str, /, **query: object) -> dict[str, Any]:
        return self._send(Request(f"{self._url}{path}?{urlencode(query)}"))

    def delete(self, path: str, /) -> dict[str, Any]:
        return self._send(Request(self._url + path, method="DELETE"))

    def say(self, channel: str, text: str, user: str = "alice", **more: object) -> dict[str, Any]:
        return self.post("messages", channel=channel, user=user, text=text, **more)

    def message(self, channel: str, ts: str) -> dict[str, Any]:
        return dict(self.get("thread", channel=channel, ts=ts)["messages"][0])

    def _send(self, request: Request) -> dict[str, Any]:
        try:
            with urlopen(request, timeout=10) as answer:
                return dict(json.load(answer))
        except HTTPError as error:
            with error:
                return dict(json.load(error))


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def service(journal: Journal) -> Iterator[SlackService]:
    service = SlackService(
        journal=journal,
        manifest=MANIFEST,
        signing_secret=SIGNING_SECRET,
        bot_token=BOT_TOKEN,
        time_scale=0.0001,
    )
    service.start()
    yield service
    service.stop()


@pytest.fixture
def client(service: SlackService) -> WebClient:
    return WebClient(BOT_TOKEN, base_url=service.api_url, retry_handlers=[])


@pytest.fixture
def control(service: SlackService) -> Control:
    return Control(service.url)


@pytest.fixture
def receiver(service: SlackService) -> Iterator[Receiver]:
    receiver = Receiver()
    service.request_url = receiver.url
    yield receiver
    receiver.stop()
