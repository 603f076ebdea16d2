import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulator.journal import Journal
from simulator.lambda_service.invoke_api import LONGEST_CONTEXT, Invocation, InvokeApi
from simulator.lambda_service.service import LambdaService
from simulator.wiring import Function

ECHO = "arn:aws:lambda:eu-west-1:123456789012:function:echo"
DESCRIBE = "arn:aws:lambda:eu-west-1:123456789012:function:describe:live"
FAIL = "arn:aws:lambda:eu-west-1:123456789012:function:fail"
HANDLERS = "tests.simulator.lambda_service.handlers.sample"


@pytest.fixture(scope="module")
def api() -> Iterator[InvokeApi]:
    lambdas = LambdaService(journal=Journal(), runtime="python", concurrency=1)
    functions = {
        arn: Function(name, f"{HANDLERS}.{name}", 10, 256, frozenset())
        for arn, name in ((ECHO, "echo"), (DESCRIBE, "describe"), (FAIL, "fail"))
    }
    for function in functions.values():
        lambdas.add(function, {})
    api = InvokeApi(functions)
    api.start(lambdas)
    yield api
    api.stop()
    lambdas.stop()


def client(api: InvokeApi, region: str = "eu-west-1") -> Any:
    return boto3.client(
        "lambda",
        region_name=region,
        endpoint_url=api.url,
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(ClientError) as error:
        yield
    assert error.value.response["Error"]["Code"] == code


def encoded(context: object) -> str:
    return base64.b64encode(json.dumps(context).encode()).decode()


def test_a_function_is_run_with_its_event(api: InvokeApi) -> None:
    answer = client(api).invoke(FunctionName=ECHO, Payload=b'{"a": "\xc3\xbc"}')
    assert json.load(answer["Payload"])["event"] == {"a": "ü"}
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert api.invocations[-1] == Invocation(ECHO, {"a": "ü"}, {})


def test_a_function_sees_the_client_context(api: InvokeApi) -> None:
    context = encoded({"custom": {"tool": "x"}})
    answer = client(api).invoke(FunctionName=DESCRIBE, ClientContext=context)
    assert json.load(answer["Payload"])["custom"] == {"tool": "x"}
    assert api.invocations[-1].custom == {"tool": "x"}


def test_a_function_that_raises_is_answered_with_200_and_its_error(api: InvokeApi) -> None:
    answer = client(api).invoke(FunctionName=FAIL)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"])["errorType"]


def test_a_function_is_known_by_its_whole_arn(api: InvokeApi) -> None:
    with refused("ResourceNotFoundException"):
        client(api).invoke(FunctionName=f"{ECHO}:live")


def test_a_function_answers_in_its_own_region_only(api: InvokeApi) -> None:
    with refused("InvalidSignatureException"):
        client(api, "us-east-1").invoke(FunctionName=ECHO)


@pytest.mark.parametrize(
    "context",
    [
        "no base64",
        base64.b64encode(b"no JSON").decode(),
        encoded({"custom": {"number": 1}}),
        encoded({"custom": {"long": "x" * LONGEST_CONTEXT}}),
    ],
)
def test_a_client_context_that_lambda_would_not_take_is_refused(api: InvokeApi, context: str) -> None:
    with refused("InvalidRequestContentException"):
        client(api).invoke(FunctionName=ECHO, ClientContext=context)


def test_an_event_that_is_no_json_is_refused(api: InvokeApi) -> None:
    with refused("InvalidRequestContentException"):
        client(api).invoke(FunctionName=ECHO, Payload=b"hello")


def test_only_synchronous_calls_are_served(api: InvokeApi) -> None:
    with refused("InvalidParameterValueException"):
        client(api).invoke(FunctionName=ECHO, InvocationType="Event")
