from collections.abc import Iterator

import pytest
from werkzeug.wrappers import Request, Response

from simulator.aws import FAKE_CREDENTIALS, REGION
from simulator.http import HttpServer


class ScriptedServer:
    """Answers every request with `answer`."""

    def __init__(self) -> None:
        self.answer = Response()
        self.requests = 0
        self._server = HttpServer(self._app)
        self.url = self._server.url
        self.start, self.stop = self._server.start, self._server.stop

    @property
    def _app(self) -> object:
        @Request.application
        def app(request: Request) -> Response:
            request.get_data()
            self.requests += 1
            return self.answer

        return app


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    server.start()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**FAKE_CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
            environment.setenv(name, value)
        environment.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME", server.url)
        yield server
    server.stop()


@pytest.fixture(scope="module", autouse=True)
def powertools() -> Iterator[None]:
    """The variables that Powertools reads, as the template sets them."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("POWERTOOLS_SERVICE_NAME", "agent-bridge")
        environment.setenv("POWERTOOLS_METRICS_NAMESPACE", "SlackAgentBridge")
        yield
