import json
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest

from simulator.journal import Journal
from simulator.page.page import Page
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import BOT_TOKEN, MANIFEST, SIGNING_SECRET, Control


class Events:
    """Reads the page's feed as a browser does."""

    def __init__(self, url: str) -> None:
        self._response = urlopen(url + "/page/events", timeout=10)

    def next(self, wanted: str) -> Any:
        """The data of the next event of that name; others are passed over."""
        name = ""
        for line in self._response:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data" and name == wanted:
                return json.loads(value)
        raise AssertionError("the feed has ended")

    def close(self) -> None:
        self._response.close()


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def service(journal: Journal) -> Iterator[SlackService]:
    service = SlackService(
        journal=journal, manifest=MANIFEST, signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN
    )
    service.app.register_blueprint(Page(service.workspace, service.installation, journal).blueprint)
    service.start()
    yield service
    service.stop()


@pytest.fixture
def control(service: SlackService) -> Control:
    return Control(service.url)


@pytest.fixture
def events(service: SlackService) -> Iterator[Events]:
    events = Events(service.url)
    yield events
    events.close()
