import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from simulator.handler_server import SESSION_HEADER, Server

Ask = Callable[..., tuple[int, str, str]]
SESSION = {SESSION_HEADER: "s" * 33}


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Serves a function and asks it once: status, media type and body of the answer."""
    servers = []

    def ask(
        function: Any,
        body: bytes = b'{"prompt": "hello"}',
        path: str = "/invocations",
        headers: Mapping[str, str] = SESSION,
    ) -> tuple[int, str, str]:
        server = Server(function)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        request = Request(
            f"http://127.0.0.1:{server.server_port}{path}", data=body or None, headers={**headers}
        )
        try:
            with urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, str(error.headers["Content-Type"]), error.read().decode()

    yield ask
    for server in servers:
        server.shutdown()
        server.server_close()


def test_what_a_function_returns_is_json(ask: Ask) -> None:
    assert ask(lambda payload: payload["prompt"]) == (200, "application/json", '"hello"')


def test_what_it_yields_are_events(ask: Ask) -> None:
    answer = ask(lambda payload: iter([payload["prompt"], {"result": 1}]))
    assert answer == (200, "text/event-stream", 'data: "hello"\n\ndata: {"result": 1}\n\n')


def test_it_may_be_a_coroutine_or_yield_as_one(ask: Ask) -> None:
    async def returns(payload: dict[str, str]) -> str:
        return payload["prompt"]

    async def yields(payload: dict[str, str]) -> AsyncIterator[str]:
        yield payload["prompt"]

    assert ask(returns)[2] == '"hello"'
    assert ask(yields)[2] == 'data: "hello"\n\n'


def test_what_breaks_at_once_is_an_http_error(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, body = ask(lambda payload: payload["nothing"])
    assert (status, json.loads(body)) == (500, {"error": "KeyError"})
    assert "KeyError: 'nothing'" in capsys.readouterr().err


def test_what_breaks_in_between_is_an_event(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(_: Any) -> Iterator[str]:
        yield "so far"
        raise RuntimeError("boom")

    status, _, body = ask(breaks)
    assert status == 200
    assert json.loads(body.split("data: ")[2]) == {"error": "boom", "error_type": "RuntimeError"}
    assert "boom" in capsys.readouterr().err


def test_a_payload_that_is_no_json_and_another_path_are_refused(ask: Ask) -> None:
    assert ask(print, body=b"hello")[0] == 400
    assert ask(print, path="/")[0] == 404
    assert ask(print, body=b"", path="/")[0] == 404


def test_a_request_as_a_page_in_a_browser_can_send_it_is_refused(ask: Ask) -> None:
    status, _, body = ask(print, headers={"Content-Type": "text/plain"})
    assert status == 400
    assert SESSION_HEADER in body


def test_it_says_that_it_is_well(ask: Ask) -> None:
    assert ask(print, body=b"", path="/ping") == (200, "application/json", '{"status": "Healthy"}')
