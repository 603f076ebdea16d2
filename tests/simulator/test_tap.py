"""What the interceptor of a simulation's calls sees and can do."""

import json
import socket
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from werkzeug.wrappers import Response

from simulator.http import HttpServer
from simulator.tap import Call, Environ, NoAnswer, Tap, sender

Ask = Callable[..., bytes]


def read(environ: Environ, body: bytes) -> Call | None:
    if environ["PATH_INFO"] != "/api":
        return None
    return Call("Service", "Operation", json.loads(body), sender(environ))


@pytest.fixture
def bodies() -> list[bytes]:
    """What the application has performed."""
    return []


@pytest.fixture
def tap() -> Tap:
    return Tap()


@pytest.fixture
def server(tap: Tap, bodies: list[bytes]) -> Iterator[HttpServer]:
    def application(environ: Environ, start_response: Any) -> Iterable[bytes]:
        bodies.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        return Response(["piece ", "by piece"])(environ, start_response)

    server = HttpServer(tap.on(application, read))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def ask(server: HttpServer) -> Ask:
    def ask(path: str = "/api", **headers: str) -> bytes:
        with urlopen(Request(server.url + path, data=b'{"a": 1}', headers=headers), timeout=5) as answer:
            return bytes(answer.read())

    return ask


def test_without_an_interceptor_calls_pass(ask: Ask, bodies: list[bytes]) -> None:
    assert ask() == b"piece by piece"
    assert bodies == [b'{"a": 1}']


def test_the_interceptor_sees_the_call_and_its_sender(tap: Tap, ask: Ask) -> None:
    seen = []

    def interceptor(call: Call, perform: Callable[[], Response]) -> Response:
        seen.append(call)
        return perform()

    tap.interceptor = interceptor
    assert ask(**{"User-Agent": "Boto3/1.44 md/x app/f00 cfg/y"}) == b"piece by piece"
    assert seen == [Call("Service", "Operation", {"a": 1}, "f00")]


def test_a_call_can_have_its_effect_twice(tap: Tap, ask: Ask, bodies: list[bytes]) -> None:
    def interceptor(_: Call, perform: Callable[[], Response]) -> Response:
        perform()
        return perform()

    tap.interceptor = interceptor
    assert ask() == b"piece by piece"
    assert bodies == [b'{"a": 1}'] * 2


def test_a_call_can_be_answered_without_an_effect(tap: Tap, ask: Ask, bodies: list[bytes]) -> None:
    tap.interceptor = lambda _call, _perform: Response("no", 503)
    with pytest.raises(HTTPError) as error:
        ask()
    assert error.value.code == 503
    assert bodies == []


def test_a_call_can_have_its_effect_and_no_answer(tap: Tap, ask: Ask, bodies: list[bytes]) -> None:
    def interceptor(_: Call, perform: Callable[[], Response]) -> Response:
        perform()
        raise NoAnswer

    tap.interceptor = interceptor
    with pytest.raises((HTTPException, OSError)):
        ask()
    assert bodies == [b'{"a": 1}']


def test_requests_that_are_no_calls_pass(tap: Tap, ask: Ask) -> None:
    tap.interceptor = lambda _call, _perform: Response("no", 503)
    assert ask("/page") == b"piece by piece"


def test_a_request_whose_sender_was_killed_while_it_wrote_has_no_effect(
    tap: Tap, server: HttpServer, bodies: list[bytes]
) -> None:
    def intercept(call: Call, perform: Callable[[], Response]) -> Response:
        raise AssertionError(f"{call} was never sent, so there is no {perform}")

    tap.interceptor = intercept
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(b'POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n{"a"')
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.makefile("rb").readline()
    assert bodies == []
