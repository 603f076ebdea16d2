import http.server
import threading
from collections.abc import Iterator

import pytest
from slack_sdk.errors import SlackApiError
from urllib3.exceptions import HTTPError

from functions.adapters.slack.web_client import Connections, KeptWebClient


class Slack:
    """Answers over connections that it keeps, or ends them without an answer while it `hangs_up`.

    Attributes:
        calls: the path of each request.
        connections: how many were opened.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.connections = 0
        self.hangs_up = False
        self.status = 200
        slack = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                slack.connections += 1

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                slack.calls.append(self.path)
                if slack.hangs_up:
                    self.close_connection = True
                    return
                content = b'{"ok": true, "ts": "1.2"}' if slack.status == 200 else b'{"ok": false}'
                self.send_response(slack.status)
                self.send_header("retry-after", "7")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.client = KeptWebClient(
            Connections(), base_url=f"http://127.0.0.1:{self._server.server_port}/api/", timeout=5
        )
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def slack() -> Iterator[Slack]:
    server = Slack()
    yield server
    server.stop()


def test_calls_share_a_connection(slack: Slack) -> None:
    for _ in range(3):
        assert slack.client.chat_postMessage(token="xoxb-1", channel="C1", text="é")["ts"] == "1.2"
    assert slack.connections == 1
    assert slack.calls == ["/api/chat.postMessage"] * 3


def test_after_a_pause_a_call_has_a_new_connection(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    slack.client.auth_test(token="xoxb-1")
    monkeypatch.setattr("functions.adapters.slack.web_client.IDLE_SECONDS", 0.0)
    slack.client.auth_test(token="xoxb-1")
    assert slack.connections == 2


def test_a_request_whose_answer_is_lost_is_not_sent_again(slack: Slack) -> None:
    slack.client.auth_test(token="xoxb-1")
    slack.hangs_up = True
    with pytest.raises(HTTPError):
        slack.client.chat_postMessage(token="xoxb-1", channel="C1", text="hello")
    assert slack.calls == ["/api/auth.test", "/api/chat.postMessage"]


def test_a_refusal_keeps_its_status_and_its_headers(slack: Slack) -> None:
    slack.status = 429
    with pytest.raises(SlackApiError) as caught:
        slack.client.auth_test(token="xoxb-1")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["retry-after"] == "7"


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    client = KeptWebClient(Connections(), base_url="https://slack.test/api/", timeout=1)
    with pytest.raises(OSError, match="refused"):
        client.auth_test(token="xoxb-1")
