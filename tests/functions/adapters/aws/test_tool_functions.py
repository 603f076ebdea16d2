"""Tools that are Lambda functions: called over HTTP with boto3, and run in processes of their own."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from werkzeug.wrappers import Request, Response

from functions.adapters.aws.tool_functions import TRIES, LambdaToolFunctions
from functions.bridge import wording
from functions.bridge.agents.tools import LONGEST_RESULT, ToolCall, ToolResult
from simulator import wiring
from simulator.aws import FAKE_CREDENTIALS, REGION
from simulator.http import HttpServer
from simulator.journal import Journal
from simulator.lambda_service.invoke_api import InvokeApi
from simulator.lambda_service.service import LambdaService
from tests.functions.fakes import TURN, FakeClock

# In another region than the bridge.
FUNCTION = "arn:aws:lambda:eu-west-1:210987654321:function:send-email:live"
CALL = ToolCall(FUNCTION, "send_email", '{"to": "ann@example.com"}', TURN, approved_by="U2")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**FAKE_CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tools(clock: FakeClock) -> LambdaToolFunctions:
    return LambdaToolFunctions(clock)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[InvokeApi]:
    """The demo's tool under `FUNCTION`."""
    lambdas = LambdaService(journal=Journal(), runtime="python")
    lambdas.add(wiring.SEND_EMAIL, {})
    api = InvokeApi({FUNCTION: wiring.SEND_EMAIL})
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", api.url)
    api.start(lambdas)
    yield api
    api.stop()
    lambdas.stop()


Answer = Callable[[Request], Response]


class Lambda:
    """Answers with `answers`, the last of them again and again."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[Request] = []
        self._server = HttpServer(self._app)
        self.url = self._server.url
        self.start, self.stop = self._server.start, self._server.stop

    @property
    def _app(self) -> object:
        @Request.application
        def app(request: Request) -> Response:
            request.get_data()
            self.requests.append(request)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return answer(request)

        return app


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    server = Lambda()
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", server.url)
    yield server
    server.stop()


def returned(payload: object) -> Answer:
    body = json.dumps(payload, ensure_ascii=False)
    return lambda _: Response(body, 200, content_type="application/json")


def refused(name: str, status: int, **headers: str) -> Answer:
    body = json.dumps({"Type": "User", "Message": "no, ann@example.com"})
    named = {"x-amzn-ErrorType": name, **headers}
    return lambda _: Response(body, status, named, content_type="application/json")


def test_a_tool_gets_the_arguments_as_its_event_and_its_result_comes_back(
    deployed: InvokeApi, tools: LambdaToolFunctions
) -> None:
    result = tools.call(CALL, timeout=60)
    assert result == ToolResult('{"sent": true, "to": "ann@example.com", "approved_by": "U2"}')
    [invocation] = deployed.invocations
    assert invocation.function == FUNCTION
    assert invocation.event == {"to": "ann@example.com"}


def test_a_tool_learns_who_asked_and_who_approved_as_from_an_agentcore_gateway(
    deployed: InvokeApi, tools: LambdaToolFunctions
) -> None:
    tools.call(CALL, timeout=60)
    [invocation] = deployed.invocations
    assert invocation.custom == {
        "bedrockAgentCoreToolName": "slack-agent-bridge___send_email",
        "slackTeam": TURN.team,
        "slackChannel": TURN.channel,
        "slackThread": TURN.thread_ts,
        "slackUser": TURN.user,
        "approvedBy": "U2",
        "turnId": TURN.turn_id,
    }


def test_the_longest_name_of_a_tool_fits(deployed: InvokeApi, tools: LambdaToolFunctions) -> None:
    assert not tools.call(replace(CALL, name="🌦" * 100), timeout=60).has_failed
    assert deployed.invocations[0].custom["bedrockAgentCoreToolName"].endswith("🌦")


def test_a_tool_that_raises_has_failed_and_its_message_goes_nowhere(
    deployed: InvokeApi, tools: LambdaToolFunctions
) -> None:
    result = tools.call(replace(CALL, arguments="{}"), timeout=60)
    assert result == ToolResult(wording.TOOL_FAILED, has_failed=True, detail="ValueError")
    assert len(deployed.invocations) == 1


def test_a_function_that_is_not_there_was_not_started(
    deployed: InvokeApi, tools: LambdaToolFunctions
) -> None:
    result = tools.call(replace(CALL, function=FUNCTION.replace("live", "dead")), timeout=60)
    assert result == ToolResult(wording.TOOL_NOT_STARTED, has_failed=True, detail="ResourceNotFoundException")
    assert deployed.invocations == []


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ("Sent, with “love”.", "Sent, with “love”."),
        ({"wind": "stürmisch"}, '{"wind": "stürmisch"}'),
        ([1, 2], "[1, 2]"),
        (None, "null"),
        ("", ""),
    ],
)
def test_a_string_comes_back_as_it_is_and_anything_else_as_json(
    scripted: Lambda, tools: LambdaToolFunctions, payload: object, text: str
) -> None:
    scripted.answers = [returned(payload)]
    assert tools.call(CALL, timeout=60) == ToolResult(text)


@pytest.mark.parametrize(
    ("body", "text"), [(b"not JSON", "not JSON"), (b"\xff", "\ufffd"), (b'"a\\ud800"', "a?")]
)
def test_bytes_that_are_no_text_are_replaced(
    scripted: Lambda, tools: LambdaToolFunctions, body: bytes, text: str
) -> None:
    scripted.answers = [lambda _: Response(body, 200)]
    assert tools.call(CALL, timeout=60) == ToolResult(text)


@pytest.mark.parametrize("error", ["", "Unhandled"])
def test_a_result_that_is_nested_too_deeply_is_no_defect(
    scripted: Lambda, tools: LambdaToolFunctions, error: str
) -> None:
    headers = {"X-Amz-Function-Error": error} if error else {}
    scripted.answers = [lambda _: Response(b"[" * 200_000, 200, headers)]
    result = tools.call(CALL, timeout=60)
    assert result.has_failed == bool(error)
    assert error or result.text.startswith("[[[")


def test_a_long_result_is_cut_and_says_so(scripted: Lambda, tools: LambdaToolFunctions) -> None:
    scripted.answers = [returned("x" * LONGEST_RESULT)]
    assert tools.call(CALL, timeout=60).text == "x" * LONGEST_RESULT
    scripted.answers = [returned("x" * 50_000)]
    text = tools.call(CALL, timeout=60).text
    assert text == "x" * LONGEST_RESULT + "\n[The result has 50000 characters. The rest is left out.]"


def test_a_throttled_call_is_made_again(
    scripted: Lambda, tools: LambdaToolFunctions, clock: FakeClock
) -> None:
    scripted.answers = [refused("TooManyRequestsException", 429), returned("done")]
    before = clock.now()
    assert tools.call(CALL, timeout=60) == ToolResult("done")
    assert len(scripted.requests) == 2
    assert clock.now() > before


def test_a_call_that_stays_throttled_was_not_started(scripted: Lambda, tools: LambdaToolFunctions) -> None:
    scripted.answers = [refused("TooManyRequestsException", 429)]
    assert tools.call(CALL, timeout=60) == ToolResult(
        wording.TOOL_NOT_STARTED, has_failed=True, detail="TooManyRequestsException"
    )
    assert len(scripted.requests) == TRIES


def test_no_wait_goes_beyond_the_time_of_the_call(
    scripted: Lambda, tools: LambdaToolFunctions, clock: FakeClock
) -> None:
    scripted.answers = [refused("TooManyRequestsException", 429)]
    before = clock.now()
    tools.call(CALL, timeout=0.3)
    assert len(scripted.requests) == 1
    assert clock.now() == before


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("AccessDeniedException", 403),
        ("InvalidRequestContentException", 400),
        ("ResourceConflictException", 409),
    ],
)
def test_what_lambda_refuses_was_not_started_and_is_not_tried_again(
    scripted: Lambda, tools: LambdaToolFunctions, name: str, status: int
) -> None:
    scripted.answers = [refused(name, status)]
    assert tools.call(CALL, timeout=60) == ToolResult(wording.TOOL_NOT_STARTED, has_failed=True, detail=name)
    assert len(scripted.requests) == 1


def test_after_an_error_of_lambda_nobody_knows_and_nothing_is_tried_again(
    scripted: Lambda, tools: LambdaToolFunctions
) -> None:
    scripted.answers = [refused("ServiceException", 500)]
    assert tools.call(CALL, timeout=60) == ToolResult(
        wording.TOOL_UNANSWERED, has_failed=True, detail="ServiceException"
    )
    assert len(scripted.requests) == 1


def test_a_tool_that_does_not_answer_in_time_may_have_run(
    scripted: Lambda, tools: LambdaToolFunctions
) -> None:
    over = threading.Event()

    def late(_: Request) -> Response:
        over.wait(30)
        return Response("{}")

    scripted.answers = [late]
    result = tools.call(CALL, timeout=0.1)
    over.set()
    assert result == ToolResult(wording.TOOL_UNANSWERED, has_failed=True, detail="ReadTimeoutError")
    assert len(scripted.requests) == 1


def test_a_connection_that_breaks_off_says_nothing_about_the_tool(
    scripted: Lambda, tools: LambdaToolFunctions
) -> None:
    def hang_up(request: Request) -> Response:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return Response()

    scripted.answers = [hang_up]
    assert tools.call(CALL, timeout=60).text == wording.TOOL_UNANSWERED
    assert len(scripted.requests) == 1


def test_without_a_connection_nothing_was_started(
    monkeypatch: pytest.MonkeyPatch, tools: LambdaToolFunctions
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    assert tools.call(CALL, timeout=60) == ToolResult(
        wording.TOOL_NOT_STARTED, has_failed=True, detail="EndpointConnectionError"
    )


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        ({"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out"}, "Sandbox.Timedout"),
        ({"errorType": "to ann@example.com"}, "an error without a name"),
        ({"errorMessage": "no"}, "an error without a name"),
        (["no"], "an error without a name"),
    ],
)
def test_only_the_name_of_a_functions_error_is_logged(
    scripted: Lambda, tools: LambdaToolFunctions, payload: object, detail: str
) -> None:
    failed = {"X-Amz-Function-Error": "Unhandled"}
    scripted.answers = [lambda _: Response(json.dumps(payload), 200, failed)]
    assert tools.call(CALL, timeout=60) == ToolResult(wording.TOOL_FAILED, has_failed=True, detail=detail)
