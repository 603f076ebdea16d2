"""A server that answers what a test wants, where the adapters take a service to be."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from werkzeug.wrappers import Request, Response

from simulator.aws import FAKE_CREDENTIALS, REGION
from simulator.http import HttpServer


class ScriptedServer:
    """Answers every request with `answer`. `body` is that of the last request."""

    def __init__(self) -> None:
        self.answer = Response()
        self.requests = 0
        self.body = b""
        self._server = HttpServer(self._app)
        self.url = self._server.url
        self.start, self.stop = self._server.start, self._server.stop

    @property
    def _app(self) -> object:
        @Request.application
        def app(request: Request) -> Response:
            self.body = request.get_data()
            self.requests += 1
            return self.answer

        return app


@contextmanager
def standing_in_for(*services: str) -> Iterator[ScriptedServer]:
    """A server that boto3 takes for these services, named as in AWS_ENDPOINT_URL_NAME."""
    server = ScriptedServer()
    server.start()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**FAKE_CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
            environment.setenv(name, value)
        for service in services:
            environment.setenv(f"AWS_ENDPOINT_URL_{service}", server.url)
        yield server
    server.stop()
