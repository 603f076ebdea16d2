from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator import wiring
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER
from simulator.journal import Journal
from simulator.lambda_service.service import LambdaService
from simulator.open_meteo import OpenMeteo
from simulator.tool_gateway import AT_ONCE, ToolGateway

LIMA = {"latitude": -12.05, "longitude": -77.04}


@pytest.fixture
def lambdas() -> Iterator[LambdaService]:
    open_meteo = OpenMeteo()
    open_meteo.start()
    urls = {"GEOCODING_URL": open_meteo.geocoding_url, "FORECAST_URL": open_meteo.forecast_url}
    service = LambdaService(journal=Journal(), variables=urls)
    for tool in wiring.TOOLS:
        service.add(tool, dict.fromkeys(tool.environment, "x"))
    yield service
    service.stop()
    open_meteo.stop()


def test_each_tool_is_called_under_its_own_name(lambdas: LambdaService) -> None:
    gateway = ToolGateway(lambdas)
    assert gateway.use(FIND_PLACE, {"place_name": "Lima"})["places"][0]["country"] == "Peru"
    assert gateway.use(FIND_DATE, {"timezone": "America/Lima"})["utc_offset"] == "-05:00"
    assert gateway.use(FIND_WEATHER, LIMA)["timezone"] == "America/Lima"


def test_what_a_tool_refuses_is_a_result(lambdas: LambdaService) -> None:
    assert "place_name is missing" in ToolGateway(lambdas).use(FIND_PLACE, {})["error"]


def test_many_calls_at_once_share_a_few_processes(lambdas: LambdaService) -> None:
    gateway = ToolGateway(lambdas)
    with ThreadPoolExecutor(12) as pool:
        places = list(pool.map(lambda _: gateway.use(FIND_PLACE, {"place_name": "Lima"}), range(12)))
    assert [found["places"][0]["name"] for found in places] == ["Lima"] * 12
    assert 1 <= len(lambdas.environments("places")) <= AT_ONCE


def test_without_a_process_for_it_a_tool_is_broken(lambdas: LambdaService) -> None:
    lambdas.stop()
    assert "broke down" in ToolGateway(lambdas).use(FIND_PLACE, {"place_name": "Lima"})["error"]
