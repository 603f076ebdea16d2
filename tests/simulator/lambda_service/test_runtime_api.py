import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator.lambda_service.runtime_api import PREFIX, Invocation, Result, RuntimeApi, failure

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    api = RuntimeApi(ARN)
    api.start()
    yield api
    api.stop()


def call(
    api: RuntimeApi, method: str, path: str, body: str = ""
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(api.address)
    connection.request(method, path, body)
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


def take(api: RuntimeApi) -> tuple[http.client.HTTPMessage, bytes]:
    status, headers, body = call(api, "GET", f"{PREFIX}invocation/next")
    assert status == 200
    return headers, body


def test_next_waits_for_an_invocation_and_describes_it(api: RuntimeApi) -> None:
    invocation = Invocation("id-1", b'{"a":1}', timeout=30, client_context='{"custom":{}}')
    with ThreadPoolExecutor() as pool:
        taking = pool.submit(take, api)
        assert api.wait_initialised(30)
        result = pool.submit(api.invoke, invocation, 30)
        headers, body = taking.result()
        assert body == b'{"a":1}'
        assert headers["Lambda-Runtime-Aws-Request-Id"] == "id-1"
        assert headers["Lambda-Runtime-Invoked-Function-Arn"] == ARN
        assert headers["Lambda-Runtime-Trace-Id"].startswith("Root=1-")
        assert headers["Lambda-Runtime-Client-Context"] == '{"custom":{}}'
        assert 0 < int(headers["Lambda-Runtime-Deadline-Ms"]) - time.time() * 1000 <= 30_000
        assert call(api, "POST", f"{PREFIX}invocation/id-1/response", "[1]")[0] == 202
        assert result.result() == Result(payload=[1])


def test_an_error_is_the_result(api: RuntimeApi) -> None:
    with ThreadPoolExecutor() as pool:
        result = pool.submit(api.invoke, Invocation("id-1", b"{}", 30), 30)
        take(api)
        call(api, "POST", f"{PREFIX}invocation/id-1/error", '{"errorType":"E","errorMessage":"m"}')
        assert result.result() == failure("E", "m")


def test_an_answer_to_another_invocation_is_refused(api: RuntimeApi) -> None:
    with ThreadPoolExecutor() as pool:
        result = pool.submit(api.invoke, Invocation("id-1", b"{}", 30), 30)
        take(api)
        status, _, body = call(api, "POST", f"{PREFIX}invocation/id-0/response", "{}")
        assert status == 400
        assert json.loads(body)["errorType"] == "InvalidRequestID"
        call(api, "POST", f"{PREFIX}invocation/id-1/response", "{}")
        assert result.result() == Result(payload={})
    assert call(api, "POST", f"{PREFIX}invocation/id-1/response", "{}")[0] == 400


def test_an_initialisation_error_is_the_result_of_the_invocation_that_waits(api: RuntimeApi) -> None:
    with ThreadPoolExecutor() as pool:
        result = pool.submit(api.invoke, Invocation("id-1", b"{}", 30), 30)
        error = '{"errorType":"Runtime.ImportModuleError","errorMessage":"m"}'
        assert call(api, "POST", f"{PREFIX}init/error", error)[0] == 202
        assert result.result() == failure("Runtime.ImportModuleError", "m")


def test_a_process_that_never_asks_is_given_up(api: RuntimeApi) -> None:
    with pytest.raises(TimeoutError):
        api.invoke(Invocation("id-1", b"{}", 30), init_timeout=0.01)


def test_next_is_refused_at_the_end(api: RuntimeApi) -> None:
    api.end(failure("Runtime.ExitError", "gone"))
    assert call(api, "GET", f"{PREFIX}invocation/next")[0] == 410


def test_an_unknown_path_is_not_found(api: RuntimeApi) -> None:
    assert call(api, "GET", "/")[0] == 404
