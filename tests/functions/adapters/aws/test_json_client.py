import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from config.arns import REGIONS
from functions.adapters.aws.json_client import TRIES, AwsError, JsonClient
from simulator.aws import FAKE_CREDENTIALS, TABLE, Aws

ANSWER = (200, b'{"MessageId": "m1"}')
CUT = (0, b"")


class Wire:
    """A server that answers as scripted, one answer a request. CUT ends the connection without one.

    Attributes:
        requests: headers and body of each request.
        connections: how many were opened.
    """

    def __init__(self) -> None:
        self.script: list[tuple[int, bytes]] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.connections = 0
        wire = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                wire.connections += 1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                wire.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, content = wire.script.pop(0)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def client(self, **environment: str) -> JsonClient:
        return JsonClient("sqs", environment_of(AWS_ENDPOINT_URL_SQS=self.url, **environment))

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    server = Wire()
    yield server
    server.stop()


def environment_of(**more: str) -> dict[str, str]:
    return {**FAKE_CREDENTIALS, "AWS_REGION": "us-east-1", **more}


def refusal(code: str) -> bytes:
    return json.dumps({"__type": code, "message": "as it was sent: a secret"}).encode()


def test_an_item_is_written_and_read_back(aws: Aws) -> None:
    client = JsonClient("dynamodb", environment_of(**aws.endpoints))
    key = {"turn_id": {"S": "a turn"}, "item": {"S": "record"}}
    client.call("PutItem", TableName=TABLE, Item={**key, "tries": {"N": "3"}})
    assert client.call("GetItem", TableName=TABLE, Key=key)["Item"] == {**key, "tries": {"N": "3"}}


def test_a_condition_that_fails_is_an_error_with_its_code_and_the_item(aws: Aws) -> None:
    client = JsonClient("dynamodb", environment_of(**aws.endpoints))
    put: dict[str, Any] = {
        "TableName": TABLE,
        "Item": {"turn_id": {"S": "another"}, "item": {"S": "record"}},
        "ConditionExpression": "attribute_not_exists(turn_id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    client.call("PutItem", **put)
    with pytest.raises(AwsError) as caught:
        client.call("PutItem", **put)
    assert caught.value.code == "ConditionalCheckFailedException"
    assert caught.value.answer["Item"]["turn_id"] == {"S": "another"}


def test_a_request_says_what_is_asked_and_is_signed(wire: Wire) -> None:
    wire.script = [ANSWER]
    more = {"_X_AMZN_TRACE_ID": "Root=1-a", "AWS_SDK_UA_APP_ID": "ours"}
    assert wire.client(**more).call("SendMessage", QueueUrl="u") == {"MessageId": "m1"}
    [(headers, body)] = wire.requests
    assert json.loads(body) == {"QueueUrl": "u"}
    assert headers["x-amz-target"] == "AmazonSQS.SendMessage"
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["x-amzn-trace-id"] == "Root=1-a"
    assert headers["user-agent"].endswith(" app/ours")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIASIMULATOR0000000/")
    assert headers["x-amz-security-token"] == "simulator"


def test_calls_share_a_connection(wire: Wire) -> None:
    wire.script = [ANSWER] * 3
    client = wire.client()
    client.connect()
    for _ in range(3):
        client.call("SendMessage")
    assert wire.connections == 1


def test_a_connection_that_died_idle_costs_a_new_one_and_no_try(wire: Wire) -> None:
    wire.script = [ANSWER, CUT, *[(500, b"")] * (TRIES - 1), ANSWER]
    client = wire.client()
    client.call("SendMessage")
    assert client.call("SendMessage") == {"MessageId": "m1"}
    assert wire.connections == 2


def test_a_connection_that_was_idle_for_a_minute_is_not_used_again(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.script = [ANSWER] * 2
    client = wire.client()
    client.call("SendMessage")
    monkeypatch.setattr("functions.adapters.aws.json_client.IDLE_SECONDS", 0.0)
    client.call("SendMessage")
    assert wire.connections == 2


@pytest.mark.parametrize(
    ("status", "content"),
    [(500, b""), (503, b"<html>"), (429, b"{}"), (400, refusal("com.amazonaws.sqs#RequestThrottled")), CUT],
)
def test_what_may_pass_is_tried_three_times(wire: Wire, status: int, content: bytes) -> None:
    wire.script = [(status, content)] * TRIES
    with pytest.raises(AwsError) as caught:
        wire.client().call("SendMessage")
    assert caught.value.may_pass
    assert len(wire.requests) == TRIES


def test_a_refusal_is_not_repeated_and_its_words_stay_out_of_the_error(wire: Wire) -> None:
    wire.script = [(400, refusal("com.amazonaws.sqs#QueueDoesNotExist"))]
    with pytest.raises(AwsError) as caught:
        wire.client().call("SendMessage", MessageBody="a secret")
    assert str(caught.value) == "sqs SendMessage: QueueDoesNotExist"
    assert not caught.value.may_pass
    assert len(wire.requests) == 1


def test_a_code_may_have_no_prefix_and_an_address_behind_it(wire: Wire) -> None:
    wire.script = [(400, refusal("ValidationException:http://internal.amazon.com/"))]
    with pytest.raises(AwsError) as caught:
        wire.client().call("SendMessage")
    assert caught.value.code == "ValidationException"


def test_nobody_there_is_an_error_that_may_pass() -> None:
    client = JsonClient("sqs", environment_of(AWS_ENDPOINT_URL_SQS="http://127.0.0.1:1"))
    client.connect()
    with pytest.raises(AwsError) as caught:
        client.call("SendMessage")
    assert caught.value.may_pass


@pytest.mark.parametrize("service", ["sqs", "dynamodb", "secretsmanager", "logs"])
def test_in_every_region_a_service_is_where_botocore_finds_it(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    session = botocore.session.get_session()
    for partition in REGIONS:
        for region in session.get_available_regions(service, partition):
            found = session.create_client(
                service, region_name=region, aws_access_key_id="a", aws_secret_access_key="b"
            ).meta.endpoint_url
            assert f"https://{JsonClient(service, environment_of(AWS_REGION=region)).host}" == found
