"""The tools as Lambda runs them: each in a process of its own, called through the Runtime API."""

import json
from collections.abc import Iterator

import pytest

from simulator.journal import Journal
from simulator.lambda_service.environment import Runtime, available_runtime
from simulator.lambda_service.service import LambdaService
from simulator.open_meteo import OpenMeteo
from simulator.wiring import Function
from tests.sample.tools.recordings import recorded

URLS = frozenset({"GEOCODING_URL", "FORECAST_URL"})


@pytest.fixture(params=["awslambdaric", "python"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    if request.param == "awslambdaric" and available_runtime() != "awslambdaric":
        pytest.skip("awslambdaric has wheels for Linux on x86-64 only")
    chosen: Runtime = request.param
    return chosen


@pytest.fixture
def lambdas(runtime: Runtime) -> Iterator[LambdaService]:
    open_meteo = OpenMeteo()
    open_meteo.start()
    service = LambdaService(journal=Journal(), runtime=runtime)
    service.add(
        Function("weather", "sample.tools.weather.handler", 15, 256, URLS),
        {"GEOCODING_URL": open_meteo.geocoding_url, "FORECAST_URL": open_meteo.forecast_url},
    )
    yield service
    service.stop()
    open_meteo.stop()


def test_a_gateway_names_the_tool_in_the_client_context(lambdas: LambdaService) -> None:
    call = recorded("gateway")
    right = lambdas.invoke("weather", call["event"], client_context={"custom": call["client_context"]})
    wrong = lambdas.invoke(
        "weather",
        call["event"],
        client_context={"custom": {"bedrockAgentCoreToolName": "weather___brew-coffee"}},
    )
    assert right.payload["timezone"] == "Europe/Berlin"
    assert len(right.payload["daily"]["rows"]) == 2
    assert "There is no tool brew-coffee" in wrong.payload["error"]


def test_an_action_group_has_no_client_context(lambdas: LambdaService) -> None:
    response = lambdas.invoke("weather", recorded("action_group_function")).payload["response"]
    body = json.loads(response["functionResponse"]["responseBody"]["TEXT"]["body"])
    assert body["timezone"] == "Europe/Berlin"
