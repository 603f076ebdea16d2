"""What the runtime's adapter does not bring about; `tests/e2e/test_own_agent.py` has the rest."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulator.aws import FAKE_CREDENTIALS
from simulator.journal import Journal
from simulator.local_runtime import LocalRuntime
from simulator.own_agent import LOCAL_ARN

SESSION = "s" * 33
Invoke = Callable[..., Any]


class App(BaseHTTPRequestHandler):
    """Answers with the headers that it got; "/broken" in the payload is an HTTP error."""

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(payload.get("status", 200))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) + payload.get("missing", 0)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def invoke(journal: Journal) -> Iterator[Invoke]:
    app = ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=app.serve_forever, args=(0.01,), daemon=True).start()
    runtime = LocalRuntime(f"http://127.0.0.1:{app.server_port}", journal=journal)
    runtime.start()
    client = boto3.client(
        "bedrock-agentcore",
        region_name="us-east-1",
        endpoint_url=runtime.url,
        aws_access_key_id=FAKE_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=FAKE_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )

    def invoke(payload: dict[str, Any], **more: Any) -> Any:
        arguments = {"agentRuntimeArn": LOCAL_ARN, "runtimeSessionId": SESSION, **more}
        return client.invoke_agent_runtime(payload=json.dumps(payload).encode(), **arguments)

    yield invoke
    client.close()
    runtime.stop()
    app.shutdown()
    app.server_close()


def test_the_app_gets_the_headers_of_the_contract_and_no_credentials(invoke: Invoke) -> None:
    answer = invoke({}, runtimeUserId="U01ALICE", contentType="application/json", accept="text/event-stream")
    headers = json.loads(answer["response"].read())
    assert headers["x-amzn-bedrock-agentcore-runtime-session-id"] == SESSION
    assert headers["x-amzn-bedrock-agentcore-runtime-user-id"] == "U01ALICE"
    assert headers["accept"] == "text/event-stream"
    assert not any("authorization" in name or "amz-" in name for name in headers)
    assert answer["runtimeSessionId"] == SESSION


def test_an_http_error_of_the_app_is_a_runtime_client_error(invoke: Invoke, journal: Journal) -> None:
    with pytest.raises(ClientError) as error:
        invoke({"status": 503})
    assert error.value.response["Error"]["Code"] == "RuntimeClientError"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    [refused] = journal.entries(kind="invocation refused")
    assert "503" in refused.detail["message"]


def test_an_answer_that_is_cut_short_is_cut_short_for_the_client(invoke: Invoke, journal: Journal) -> None:
    answer = invoke({"missing": 10})
    with pytest.raises(Exception, match=r"IncompleteRead|broken|closed"):
        answer["response"].read()
    [ended] = journal.wait(after=1, timeout=10)
    assert ended.detail["ended"] == "cut"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"agentRuntimeArn": LOCAL_ARN.replace("your", "no")}, "ResourceNotFoundException"),
        ({"runtimeSessionId": "s" * 257}, "ValidationException"),
    ],
)
def test_what_the_service_refuses_is_refused(invoke: Invoke, arguments: dict[str, str], code: str) -> None:
    with pytest.raises(Exception, match=code):
        invoke({}, **arguments)
