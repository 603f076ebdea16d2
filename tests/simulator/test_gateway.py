import base64
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simulator.gateway import MAX_BODY_BYTES, Gateway
from simulator.journal import Journal
from simulator.lambda_service.service import LambdaService
from simulator.wiring import ROUTES, Function

HANDLERS = "tests.simulator.lambda_service.handlers.http"


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def serve(journal: Journal) -> Iterator[Callable[..., "Client"]]:
    stops: list[Callable[[], None]] = []

    def serve(handler: str, **options: Any) -> "Client":
        lambdas = LambdaService(journal=journal, runtime="python", **options)
        lambdas.add(Function("receiver", f"{HANDLERS}.{handler}", 10, 256, frozenset()), {})
        gateway = Gateway(lambdas=lambdas, function="receiver", routes=ROUTES, journal=journal)
        gateway.start()
        stops.extend((gateway.stop, lambdas.stop))
        return Client(gateway, lambdas)

    yield serve
    for stop in stops:
        stop()


class Client:
    """Sends requests byte for byte."""

    def __init__(self, gateway: Gateway, lambdas: LambdaService) -> None:
        self._address = gateway.url.removeprefix("http://")
        self.lambdas = lambdas

    def request(
        self, method: str, path: str, body: bytes = b"", headers: list[tuple[str, str]] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self._address)
        connection.putrequest(method, path)
        for name, value in [*(headers or []), ("Content-Length", str(len(body)))]:
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        found = response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        connection.close()
        return found

    def event(self, body: bytes = b"", headers: list[tuple[str, str]] | None = None) -> dict[str, Any]:
        """The event that the function gets for a request on the route of events."""
        status, _, answer = self.request("POST", "/slack/events", body, headers)
        assert status == 200
        event: dict[str, Any] = json.loads(answer)
        return event


Serve = Callable[..., Client]


def test_json_arrives_byte_for_byte(serve: Serve) -> None:
    body = '{"text":  "Zürich\\n" }'.encode()
    event = serve("reflect").event(body, [("Content-Type", "application/json")])
    assert event["body"].encode() == body
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "application/octet-stream", ""]
)
def test_forms_and_other_types_arrive_in_base64(serve: Serve, content_type: str) -> None:
    event = serve("reflect").event(b"payload=%7B%7D", [("Content-Type", content_type)])
    assert base64.b64decode(event["body"]) == b"payload=%7B%7D"
    assert event["isBase64Encoded"] is True


def test_json_that_is_no_text_arrives_in_base64(serve: Serve) -> None:
    event = serve("reflect").event(b"\xff\xfe", [("Content-Type", "application/json")])
    assert base64.b64decode(event["body"]) == b"\xff\xfe"


def test_a_request_without_a_body_has_none(serve: Serve) -> None:
    event = serve("reflect").event()
    assert "body" not in event
    assert event["isBase64Encoded"] is False


def test_header_names_are_lower_case_and_several_values_are_joined(serve: Serve) -> None:
    headers = [("X-Slack-Signature", "v0=1"), ("X-Slack-Signature", "v0=2"), ("Cookie", "a=1; b=2")]
    event = serve("reflect").event(headers=headers)
    assert event["headers"]["x-slack-signature"] == "v0=1,v0=2"
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]


def test_the_event_describes_the_request(serve: Serve) -> None:
    client = serve("reflect")
    _, _, answer = client.request(
        "POST", "/slack/interactivity?a=1&a=2&b=%20", b"", [("User-Agent", "Slackbot 1.0")]
    )
    event = json.loads(answer)
    assert event["version"] == "2.0"
    assert event["rawPath"] == "/slack/interactivity"
    assert event["rawQueryString"] == "a=1&a=2&b=%20"
    assert event["queryStringParameters"] == {"a": "1,2", "b": " "}
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "POST /slack/interactivity"
    assert event["requestContext"]["stage"] == "$default"
    assert event["requestContext"]["http"] == {
        "method": "POST",
        "path": "/slack/interactivity",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "Slackbot 1.0",
    }


def test_the_functions_answer_reaches_the_client(serve: Serve) -> None:
    status, headers, body = serve("teapot").request("POST", "/slack/events")
    assert (status, headers["x-answer"], body) == (418, "yes", b"short and stout")
    assert headers["content-type"] == "text/plain; charset=utf-8"


def test_an_answer_in_base64_is_decoded(serve: Serve) -> None:
    assert serve("encoded").request("POST", "/slack/events")[2] == b"\x00\xff"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/slack/events"), ("POST", "/"), ("POST", "/slack/events/")]
)
def test_other_routes_are_not_found(serve: Serve, method: str, path: str) -> None:
    client = serve("reflect")
    status, headers, body = client.request(method, path)
    assert (status, body) == (404, b'{"message": "Not Found"}')
    assert headers["content-type"] == "application/json"
    assert client.lambdas.environments("receiver") == []


def test_a_body_over_ten_megabytes_is_too_large(serve: Serve) -> None:
    client = serve("reflect")
    assert client.request("POST", "/slack/events", b"x" * (MAX_BODY_BYTES + 1))[0] == 413
    assert client.lambdas.environments("receiver") == []


def test_a_function_that_fails_is_an_internal_server_error(serve: Serve) -> None:
    status, _, body = serve("fail").request("POST", "/slack/events")
    assert (status, body) == (500, b'{"message": "Internal Server Error"}')


def test_a_function_that_is_throttled_is_unavailable(serve: Serve) -> None:
    started = threading.Event()
    client = serve("hang", concurrency=1, on_log=lambda *_: started.set())
    with ThreadPoolExecutor() as pool:
        first = pool.submit(client.request, "POST", "/slack/events")
        assert started.wait(30)
        assert client.request("POST", "/slack/events")[0] == 503
        client.lambdas.kill("receiver")
        assert first.result()[0] == 500


def test_the_journal_tells_of_requests_without_their_bodies(serve: Serve, journal: Journal) -> None:
    serve("teapot").request("POST", "/slack/events", b"secret")
    [entry] = journal.entries(source="gateway")
    assert entry.kind == "request"
    assert entry.detail.pop("milliseconds") >= 0
    assert entry.detail.pop("request_id")
    assert entry.detail == {"method": "POST", "path": "/slack/events", "status": 418}
