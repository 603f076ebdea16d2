"""What is computed for tests is what the tools themselves make of the weather service's answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sample.tools import clock, places, weather
from simulator.agent.actions import Arguments
from simulator.agent.meteorologist import answer
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER, ComputedTools, gateway_name
from simulator.agent.weather import CITIES, City
from simulator.open_meteo import OpenMeteo

# In Lima it is still Monday, 21:40.
NOW = datetime(2026, 11, 24, 2, 40, tzinfo=UTC)


class RealTools:
    """The tools in this process, at `NOW`."""

    def use(self, name: str, arguments: Arguments) -> dict[str, Any]:
        if name == FIND_DATE:
            return clock.tell(str(arguments["timezone"]), NOW)
        handler = {FIND_PLACE: places.handler, FIND_WEATHER: weather.handler}[name]
        return handler(arguments, None)


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Iterator[RealTools]:
    open_meteo = OpenMeteo(now=lambda: NOW)
    open_meteo.start()
    monkeypatch.setenv("GEOCODING_URL", open_meteo.geocoding_url)
    monkeypatch.setenv("FORECAST_URL", open_meteo.forecast_url)
    yield RealTools()
    open_meteo.stop()


def days(weather: Any) -> list[dict[str, Any]]:
    return [dict(zip(weather["daily"]["columns"], row, strict=True)) for row in weather["daily"]["rows"]]


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.name)
def test_computed_results_are_those_of_the_tools(real: RealTools, city: City) -> None:
    computed = ComputedTools(NOW)
    place = {"place_name": city.name}
    [found] = computed.use(FIND_PLACE, place)["places"]
    assert found.items() <= real.use(FIND_PLACE, place)["places"][0].items()
    zone = {"timezone": city.time_zone}
    assert computed.use(FIND_DATE, zone).items() <= real.use(FIND_DATE, zone).items()
    where = {"latitude": city.latitude, "longitude": city.longitude, "forecast_days": 8}
    told, real_days = days(computed.use(FIND_WEATHER, where)), days(real.use(FIND_WEATHER, where))
    assert len(told) == 8
    assert all(day.items() <= real.items() for day, real in zip(told, real_days, strict=True))


@pytest.mark.parametrize("question", ["will it snow in Reykjavík?", "weather in Atlantis", "weather in nyc"])
def test_the_meteorologist_says_the_same_with_either(real: RealTools, question: str) -> None:
    assert answer(question, None, NOW, (), real).text == answer(question, None, NOW).text


def test_a_gateway_puts_its_targets_name_before_the_tools() -> None:
    assert gateway_name(FIND_PLACE) == "places___obtain-latitude-longitude-from-place-name"
