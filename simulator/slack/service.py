"""The fake Slack: Web API, Events API and control API in one server, files in another, as in Slack."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from simulator.http import HttpServer
from simulator.journal import Journal
from simulator.slack import files_origin, seed
from simulator.slack.control import Control
from simulator.slack.events import EventsApi
from simulator.slack.faults import Faults
from simulator.slack.installation import Installation
from simulator.slack.tiers import Tiers
from simulator.slack.web_api import WebApi, call_of
from simulator.tap import Tap


class SlackService:
    """A workspace with one app in it, the one of `manifest`.

    Args:
        time_scale: Slack's waits between retries of an event are multiplied by it.
        latency_seconds: added to every answer of the Web API.
        port: 0 picks a free one.
        tap: sees every call of the Web API.
        server: what serves both.

    Attributes:
        url, api_url: where the service listens; `api_url` is a base URL for Slack's SDKs.
        files_origin: where files are uploaded to and downloaded from, as "https://files.slack.com" in Slack.
        request_url, interactivity_url: where the app's events and clicks go; "" means nowhere.
        app: the Flask application, to which the page can be added before `start`.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        manifest: Mapping[str, Any],
        signing_secret: str,
        bot_token: str,
        time_scale: float = 1.0,
        latency_seconds: float = 0.0,
        port: int = 0,
        tap: Tap | None = None,
        server: type[HttpServer] = HttpServer,
    ) -> None:
        self.installation = Installation.of(
            manifest, team_id=seed.TEAM.id, bot_token=bot_token, signing_secret=signing_secret
        )
        self.workspace = seed.seeded(self.installation.bot)
        self.events = EventsApi(
            workspace=self.workspace, installation=self.installation, journal=journal, time_scale=time_scale
        )
        self.faults = Faults()
        self.tiers = Tiers()
        self.web_api = WebApi(
            workspace=self.workspace,
            installation=self.installation,
            journal=journal,
            faults=self.faults,
            tiers=self.tiers,
            latency_seconds=latency_seconds,
        )
        self.control = Control(
            workspace=self.workspace,
            installation=self.installation,
            events=self.events,
            faults=self.faults,
            tiers=self.tiers,
            web_api=self.web_api,
            journal=journal,
        )
        self.app = Flask("simulator.slack")
        self.app.register_blueprint(self.web_api.blueprint)
        self.app.register_blueprint(self.control.blueprint)
        tap = tap or Tap()
        self._server = server(tap.on(self.app, call_of), port)
        files = files_origin.files_app(self.workspace.files, self.installation, self.faults, journal)
        self._files_server = server(tap.on(files, files_origin.call_of))
        self.files_origin = self.workspace.files.origin = self._files_server.url
        self.url = self._server.url
        self.api_url = self.url + "/api/"

    @property
    def request_url(self) -> str:
        return self.events.request_url

    @request_url.setter
    def request_url(self, url: str) -> None:
        self.events.request_url = url

    @property
    def interactivity_url(self) -> str:
        return self.events.interactivity_url

    @interactivity_url.setter
    def interactivity_url(self, url: str) -> None:
        self.events.interactivity_url = url

    def start(self) -> None:
        self._files_server.start()
        self._server.start()

    def stop(self) -> None:
        """Ends the servers and gives up undelivered events."""
        self.events.stop()
        self.web_api.stop()
        self._server.stop()
        self._files_server.stop()
