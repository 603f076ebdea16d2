import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sample.tools import clock, places, weather
from simulator.agent.weather import CITIES
from simulator.open_meteo import COUNTRY_CODES, OpenMeteo
from tests.sample.tools.recordings import sample

# In Lima it is still Monday, 21:40.
NOW = datetime(2026, 11, 24, 2, 40, tzinfo=UTC)
LIMA = {"latitude": -12.05, "longitude": -77.04}


@pytest.fixture
def open_meteo(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenMeteo]:
    service = OpenMeteo(now=lambda: NOW)
    service.start()
    monkeypatch.setenv("GEOCODING_URL", service.geocoding_url)
    monkeypatch.setenv("FORECAST_URL", service.forecast_url)
    yield service
    service.stop()


def get(url: str, **query: object) -> Any:
    with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(query)}") as response:
        return json.load(response)


def reason(url: str, **query: object) -> str:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        get(url, **query)
    with refusal.value as error:
        body = json.load(error)
    assert error.code == 400
    assert body.keys() == {"error", "reason"}
    assert body["error"] is True
    text: str = body["reason"]
    return text


def test_a_city_is_found_by_the_start_of_its_name_in_any_case_and_without_accents(
    open_meteo: OpenMeteo,
) -> None:
    (result,) = get(open_meteo.geocoding_url, name="sao p")["results"]
    assert (result["name"], result["country"], result["country_code"]) == ("São Paulo", "Brazil", "BR")
    assert (result["latitude"], result["longitude"]) == (-23.55, -46.63)
    assert result["timezone"] == "America/Sao_Paulo"


def test_results_have_fields_that_the_real_service_has(open_meteo: OpenMeteo) -> None:
    (result,) = get(open_meteo.geocoding_url, name="Lima")["results"]
    (documented, *_) = json.loads(sample("geocoding_berlin"))["results"]
    assert result.keys() < documented.keys()


def test_nothing_found_is_no_list_at_all(open_meteo: OpenMeteo) -> None:
    assert get(open_meteo.geocoding_url, name="Atlantis").keys() == {"generationtime_ms"}
    assert get(open_meteo.geocoding_url, name="Li").keys() == {"generationtime_ms"}


def test_results_are_narrowed_by_country_and_count(open_meteo: OpenMeteo) -> None:
    assert "results" not in get(open_meteo.geocoding_url, name="Lima", countryCode="US")
    assert "results" in get(open_meteo.geocoding_url, name="Lima, peru")
    assert "results" not in get(open_meteo.geocoding_url, name="Lima, Chile")
    assert len(get(open_meteo.geocoding_url, name="san")["results"]) == 1
    assert len(get(open_meteo.geocoding_url, name="Ber", count=1)["results"]) == 1


def test_every_country_of_the_cities_has_a_code_of_its_own() -> None:
    assert COUNTRY_CODES.keys() == {city.country for city in CITIES}
    assert len(set(COUNTRY_CODES.values())) == len(COUNTRY_CODES)


def test_a_forecast_has_the_shape_of_the_real_services(open_meteo: OpenMeteo) -> None:
    documented = json.loads(sample("forecast_berlin"))
    variables = {
        key: ",".join(documented[key].keys() - {"time", "interval"}) for key in ("current", "hourly", "daily")
    }
    answer = get(open_meteo.forecast_url, **LIMA, timezone="auto", forecast_days=2, **variables)
    assert answer.keys() == documented.keys()
    for key in ("current", "hourly", "daily"):
        assert answer[f"{key}_units"] == documented[f"{key}_units"]
        assert answer[key].keys() == documented[key].keys()
    for key in ("hourly", "daily"):
        lengths = {name: len(values) for name, values in documented[key].items()}
        assert {name: len(values) for name, values in answer[key].items()} == lengths


def test_days_begin_with_today_in_the_places_own_time(open_meteo: OpenMeteo) -> None:
    answer = get(
        open_meteo.forecast_url, **LIMA, timezone="auto", daily="weather_code", current="weather_code"
    )
    assert answer["timezone"] == "America/Lima"
    assert answer["utc_offset_seconds"] == -5 * 3600
    assert answer["current"]["time"] == "2026-11-23T21:30"
    assert answer["daily"]["time"] == [f"2026-11-{day}" for day in range(23, 30)]


def test_without_a_time_zone_times_are_greenwichs(open_meteo: OpenMeteo) -> None:
    answer = get(open_meteo.forecast_url, **LIMA, daily="weather_code", past_days=2, forecast_days=1)
    assert answer["timezone"] == "GMT"
    assert answer["daily"]["time"] == ["2026-11-22", "2026-11-23", "2026-11-24"]


def test_the_same_place_and_date_have_the_same_weather_tomorrow(open_meteo: OpenMeteo) -> None:
    query = {**LIMA, "timezone": "auto", "daily": "temperature_2m_max,precipitation_sum", "past_days": 1}
    today = get(open_meteo.forecast_url, **query)["daily"]
    service = OpenMeteo(now=lambda: datetime(2026, 11, 25, 2, 40, tzinfo=UTC))
    service.start()
    tomorrow = get(service.forecast_url, **query)["daily"]
    service.stop()
    for name in ("time", "temperature_2m_max", "precipitation_sum"):
        assert today[name][1:] == tomorrow[name][:-1]


def test_hours_agree_with_their_day(open_meteo: OpenMeteo) -> None:
    answer = get(
        open_meteo.forecast_url,
        latitude=47.61,
        longitude=-122.33,
        timezone="auto",
        hourly="temperature_2m,precipitation",
        daily="temperature_2m_min,temperature_2m_max,precipitation_sum",
        forecast_days=16,
    )
    daily, hourly = answer["daily"], answer["hourly"]
    assert any(daily["precipitation_sum"])
    for day in range(16):
        hours = slice(24 * day, 24 * (day + 1))
        assert min(hourly["temperature_2m"][hours]) == daily["temperature_2m_min"][day]
        assert max(hourly["temperature_2m"][hours]) == daily["temperature_2m_max"][day]
        assert sum(hourly["precipitation"][hours]) == pytest.approx(daily["precipitation_sum"][day])


def test_coordinates_near_a_city_have_its_weather_also_across_the_date_line(open_meteo: OpenMeteo) -> None:
    query = {"timezone": "auto", "daily": "weather_code"}
    assert (
        get(open_meteo.forecast_url, latitude=-12.1, longitude=-76.9, **query)["timezone"] == "America/Lima"
    )
    assert (
        get(open_meteo.forecast_url, latitude=-30, longitude=-179, **query)["timezone"] == "Pacific/Auckland"
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"latitude": 95, "longitude": 0}, "Latitude must be in range of -90 to 90°. Given: 95.0."),
        ({"latitude": "nan", "longitude": 0}, "Latitude must be in range"),
        ({"longitude": 0}, "Value of type 'Float' required for key 'latitude'."),
        ({**LIMA, "forecast_days": 17}, "Parameter 'forecast_days' is out of allowed range from 0 to 16"),
        ({**LIMA, "past_days": "two"}, "Value of type 'Int' required for key 'past_days'."),
        ({**LIMA, "timezone": "Mars/Olympus"}, "Invalid timezone"),
        ({**LIMA, "hourly": "tempeture_2m"}, "invalid String value tempeture_2m for key hourly"),
        ({**LIMA, "daily": "temperature_2m"}, "invalid String value temperature_2m for key daily"),
        ({**LIMA, "forcast_days": 3}, "Unknown parameter 'forcast_days'."),
    ],
)
def test_a_wrong_forecast_query_is_refused_with_a_reason(
    open_meteo: OpenMeteo, query: dict[str, Any], said: str
) -> None:
    assert said in reason(open_meteo.forecast_url, **query)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "Parameter 'name' is required."),
        ({"name": "Lima", "count": 0}, "Parameter 'count' is out of allowed range from 1 to 100. Given: 0."),
        ({"name": "Lima", "place": "Lima"}, "Unknown parameter 'place'."),
    ],
)
def test_a_wrong_search_is_refused_with_a_reason(
    open_meteo: OpenMeteo, query: dict[str, Any], said: str
) -> None:
    assert reason(open_meteo.geocoding_url, **query) == said


@pytest.mark.usefixtures("open_meteo")
def test_the_tools_lead_from_a_name_to_a_forecast() -> None:
    (place,) = places.handler({"place_name": "Lima"}, None)["places"]
    assert clock.handler({"timezone": place["timezone"]}, None)["timezone"] == "America/Lima"
    answer = weather.handler({"latitude": place["latitude"], "longitude": place["longitude"]}, None)
    assert [row[0] for row in answer["daily"]["rows"]] == [f"2026-11-{day}" for day in range(23, 30)]
    assert answer["hourly"]["rows"][0][0] == "2026-11-23T22:00"


@pytest.mark.usefixtures("open_meteo")
def test_a_weeks_forecast_is_two_kilobytes_and_the_longest_not_much_more() -> None:
    week = weather.handler(LIMA, None)
    longest = weather.handler(
        {**LIMA, "past_days": 14, "forecast_days": 16, "hourly_date": "2026-11-24"}, None
    )
    assert len(json.dumps(week, ensure_ascii=False)) < 2300
    assert len(json.dumps(longest, ensure_ascii=False)) < 6000
