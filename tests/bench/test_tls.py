import select
import ssl
from collections.abc import Iterable, Iterator
from contextlib import closing
from http.client import HTTPSConnection, RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench import tls
from bench.conversation import conversation
from bench.worker import QUESTION


@pytest.fixture(autouse=True)
def _trust_of_this_process_ends_with_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, file in tls.variables().items():
        monkeypatch.setenv(name, file)


@pytest.fixture
def server() -> Iterator[tls.TlsServer]:
    server = tls.TlsServer(_echo)
    server.start()
    yield server
    server.stop()


def _echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    # Leaves the body unread when it is asked to.
    said = b"" if environ["PATH_INFO"] == "/unread" else environ["wsgi.input"].read()
    start_response("200 OK", [])
    yield said
    yield b"!"


@pytest.fixture
def client(server: tls.TlsServer) -> Iterator[HTTPSConnection]:
    context = ssl.create_default_context(cafile=tls.variables()["SSL_CERT_FILE"])
    with closing(HTTPSConnection(urlsplit(server.url).netloc, context=context)) as client:
        yield client


def _post(client: HTTPSConnection, path: str, body: bytes) -> bytes:
    client.request("POST", path, body)
    return client.getresponse().read()


def test_many_requests_go_over_one_connection(server: tls.TlsServer, client: HTTPSConnection) -> None:
    answers = [_post(client, path, b"said") for path in ("/", "/unread", "/")]

    assert answers == [b"said!", b"!", b"said!"]
    assert tls.opened(server.url) == 1


def test_a_client_can_have_its_connection_closed_after_the_answer(client: HTTPSConnection) -> None:
    client.request("POST", "/", b"said", {"Connection": "close"})
    answer = client.getresponse()

    assert answer.read() == b"said!"
    assert answer.headers["Connection"] == "close"


def test_a_connection_that_is_dropped_takes_no_further_request(client: HTTPSConnection) -> None:
    client.auto_open = 0
    client.connect()
    _post(client, "/", b"said")

    for _ in range(100):  # the server knows a moment after its answer that nothing is under way
        tls.drop_connections()
        if select.select([client.sock], [], [], 0.1)[0]:  # the end has arrived
            break

    with pytest.raises((RemoteDisconnected, BrokenPipeError, ConnectionResetError, ssl.SSLError)):
        _post(client, "/", b"said")


def test_the_bridge_answers_over_tls_with_lambdas_share_of_a_processor() -> None:
    with conversation() as talk:
        turn = talk.ask(QUESTION)

    assert "Chicago" in turn.text
    assert turn.asked_at < turn.taken_at < turn.agent_asked_at < turn.agent_text_at < turn.done_at
    assert {"SQS", "DynamoDB"} <= {call.service for call in talk.calls}
