import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simulator.journal import Journal
from simulator.lambda_service.environment import REPOSITORY, Runtime, available_runtime
from simulator.lambda_service.service import LambdaService, RequestTooLargeError, TooManyRequestsError
from simulator.wiring import Function
from tests.simulator.lambda_service.conftest import Log

HANDLERS = "tests.simulator.lambda_service.handlers"


def function(handler: str, *, timeout: int = 30, environment: frozenset[str] = frozenset()) -> Function:
    return Function("f", f"{HANDLERS}.{handler}", timeout, 256, environment)


@pytest.fixture(params=["awslambdaric", "python"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    if request.param == "awslambdaric" and available_runtime() != "awslambdaric":
        pytest.skip("awslambdaric has wheels for Linux on x86-64 only")
    chosen: Runtime = request.param
    return chosen


@pytest.fixture
def serve(runtime: Runtime, log: Log, journal: Journal) -> Iterator[Callable[..., LambdaService]]:
    services = []

    def serve(handler: str, *, timeout: int = 30, **options: Any) -> LambdaService:
        service = LambdaService(journal=journal, runtime=runtime, on_log=log.add, **options)
        services.append(service)
        service.add(function(handler, timeout=timeout), {})
        return service

    yield serve
    for service in services:
        service.stop()


Serve = Callable[..., LambdaService]


def test_a_handler_gets_the_event_and_its_return_value_comes_back(serve: Serve) -> None:
    result = serve("sample.echo").invoke("f", {"question": "Zürich?"})
    assert result.error is None
    assert result.payload["event"] == {"question": "Zürich?"}


def test_an_environment_is_used_again_by_the_next_invocation(serve: Serve) -> None:
    service = serve("sample.echo")
    first, second = service.invoke("f", 1).payload, service.invoke("f", 2).payload
    assert first["pid"] == second["pid"]
    assert first["request_id"] != second["request_id"]


def test_the_context_says_what_lambda_says(serve: Serve) -> None:
    context = serve("sample.describe").invoke("f", {}, client_context={"custom": {"tool": "weather"}}).payload
    assert 0 < context["remaining"] <= 30_000
    assert context["function_name"] == "f"
    assert context["memory"] == "256"
    assert context["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert context["log_group"] == "/aws/lambda/f"
    assert context["version"] == "$LATEST"
    assert context["custom"] == {"tool": "weather"}
    assert context["directory"] == str(REPOSITORY)


def test_the_process_sees_lambdas_variables_and_none_of_ours(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com")
    environ = serve("sample.describe", variables={"EXTRA": "1"}).invoke("f", {}).payload["environ"]
    assert environ["EXTRA"] == "1"
    assert environ["AWS_REGION"] == "us-east-1"
    assert environ["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert environ["_HANDLER"] == f"{HANDLERS}.sample.describe"
    assert environ["AWS_SECRET_ACCESS_KEY"] != "real"
    assert not {"AWS_PROFILE", "HTTP_PROXY", "HOME"} & set(environ)


def test_decimals_become_numbers(serve: Serve) -> None:
    assert serve("sample.number").invoke("f", {}).payload == {"whole": 3, "part": 0.5, "text": "Zürich"}


def test_an_exception_is_reported_with_its_stack_and_the_environment_lives_on(serve: Serve, log: Log) -> None:
    service = serve("sample.fail")
    error = service.invoke("f", 7).error
    assert error is not None
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no good: 7")
    assert len(error["stackTrace"]) == 1
    assert "in fail" in error["stackTrace"][0]
    [environment] = service.environments("f")
    service.invoke("f", 8)
    assert [e.pid for e in service.environments("f")] == [environment.pid]
    log.wait_for('"errorType": "ValueError"')


def test_a_return_value_that_is_not_json_is_a_marshal_error(serve: Serve) -> None:
    error = serve("sample.unmarshallable").invoke("f", {}).error
    assert error is not None
    assert error["errorType"] == "Runtime.MarshalError"


def test_a_module_that_cannot_be_imported_is_an_init_error(serve: Serve) -> None:
    service = serve("missing_import.handler")
    for _ in range(2):  # the second time in a new process
        error = service.invoke("f", {}).error
        assert error is not None
        assert error["errorType"] == "Runtime.ImportModuleError"
        assert "a_package_that_nobody_has" in error["errorMessage"]


def test_a_module_that_raises_is_an_init_error(serve: Serve) -> None:
    error = serve("raises.handler").invoke("f", {}).error
    assert error is not None
    assert (error["errorType"], error["errorMessage"]) == ("KeyError", "'QUEUE_URL'")


def test_a_missing_handler_is_an_init_error(serve: Serve) -> None:
    error = serve("sample.nothing").invoke("f", {}).error
    assert error is not None
    assert error["errorType"] == "Runtime.HandlerNotFound"


def test_a_process_that_exits_is_an_exit_error_and_is_replaced(serve: Serve) -> None:
    service = serve("sample.leave")
    error = service.invoke("f", {}).error
    assert error is not None
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert service.environments("f") == []


def test_a_function_over_its_timeout_is_killed(serve: Serve) -> None:
    service = serve("sample.hang", timeout=1)
    error = service.invoke("f", {}).error
    assert error is not None
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert service.environments("f") == []


def test_kill_crashes_the_running_invocations_and_only_those(serve: Serve, log: Log) -> None:
    service = serve("sample.hang")
    assert service.kill("f") == 0
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(service.invoke, "f", n) for n in range(2)]
        log.wait_for("hanging", 2)
        service.prewarm("f", 1)
        assert service.busy("f") == 2
        assert service.kill("f") == 2
        errors = [future.result().error for future in running]
    for error in errors:
        assert error is not None
        assert error["errorType"] == "Runtime.ExitError"
        assert error["errorMessage"].endswith("signal: killed")
    assert len(service.environments("f")) == 1


def test_retired_environments_are_replaced_by_new_ones(serve: Serve) -> None:
    service = serve("sample.echo")
    before = service.invoke("f", {}).payload["pid"]
    service.retire("f")
    assert service.environments("f") == []
    assert service.invoke("f", {}).payload["pid"] != before


def test_no_more_environments_than_the_concurrency_allows(serve: Serve, log: Log) -> None:
    service = serve("sample.hang", concurrency=1)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(service.invoke, "f", {})
        log.wait_for("hanging")
        with pytest.raises(TooManyRequestsError):
            service.invoke("f", {})
        service.kill("f")
        running.result()


def test_prewarmed_environments_are_used(serve: Serve) -> None:
    service = serve("sample.echo")
    service.prewarm("f", 1)
    [environment] = service.environments("f")
    assert environment.wait_initialised()
    assert service.invoke("f", {}).payload["pid"] == environment.pid


def test_log_lines_of_all_kinds_are_kept(serve: Serve, log: Log) -> None:
    service = serve("sample.log")
    service.invoke("f", "hello")
    for text in ("through logging: hello", "through print", "through stderr"):
        log.wait_for(text)
    [line] = [line for line in service.logs("f") if "through logging" in line]
    assert line.startswith("{")
    assert '"level": "WARNING"' in line
    assert '"requestId"' in line


def test_log_records_are_json_as_lambda_writes_it(serve: Serve, log: Log) -> None:
    service = serve("sample.log")
    service.invoke("f", "hello")
    log.wait_for("with an exception")
    lines = [json.loads(line) for line in service.logs("f") if line.startswith("{")]
    [fields] = [line for line in lines if line["message"] == "with fields"]
    assert fields.keys() == {"timestamp", "level", "message", "logger", "requestId", "reason"}
    assert (fields["level"], fields["logger"], fields["reason"]) == ("INFO", "sample", "why")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", fields["timestamp"])
    [error] = [line for line in lines if line["message"] == "with an exception"]
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "broken")
    assert re.fullmatch(r"/.*/sample\.py:log:\d+", error["location"])
    assert error["stackTrace"]


def test_an_event_over_six_megabytes_is_refused(serve: Serve) -> None:
    with pytest.raises(RequestTooLargeError):
        serve("sample.echo").invoke("f", "x" * 7_000_000)


def test_a_response_over_six_megabytes_is_an_error(serve: Serve) -> None:
    error = serve("sample.huge").invoke("f", {}).error
    assert error is not None
    assert error["errorType"] == "Function.ResponseSizeTooLarge"


def test_stop_ends_processes_that_are_busy(serve: Serve, log: Log) -> None:
    service = serve("sample.hang")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(service.invoke, "f", {})
        log.wait_for("hanging")
        [environment] = service.environments("f")
        service.stop()
        assert running.result().error is not None
    assert not environment.alive


def test_the_journal_tells_of_invocations(serve: Serve, journal: Journal) -> None:
    serve("sample.fail").invoke("f", {})
    kinds = [entry.kind for entry in journal.entries(source="lambda")]
    assert kinds == ["environment started", "invocation started", "invocation ended"]
    assert journal.entries()[-1].detail["error"] == "ValueError"


def test_variables_must_be_those_of_the_wiring() -> None:
    service = LambdaService(journal=Journal())
    with pytest.raises(ValueError, match="QUEUE_URL"):
        service.add(function("sample.echo", environment=frozenset({"QUEUE_URL"})), {})


def test_functions_end_when_the_service_is_killed(runtime: Runtime) -> None:
    """A SIGKILL of the simulator leaves no process behind."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        script = f"""
import time
from simulator.journal import Journal
from simulator.lambda_service.service import LambdaService
from simulator.wiring import Function

service = LambdaService(journal=Journal(), runtime={runtime!r})
service.add(Function("f", "{HANDLERS}.sample.connect", 30, 256, frozenset()), {{}})
service.invoke("f", {listener.getsockname()[1]})
time.sleep(60)
"""
        with subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY) as service:
            line, _ = listener.accept()
            with line:
                line.settimeout(30)
                assert line.recv(7) == b"running"
                service.kill()
                assert line.recv(1) == b""  # the system closes the line when the function's process ends
