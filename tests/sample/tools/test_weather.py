import json
from datetime import date, timedelta
from typing import Any

import pytest

from sample.tools import weather
from tests.sample.tools.recordings import OpenMeteo, sample

TROMSO = {"latitude": 69.6496, "longitude": 18.956}
BERLIN = {"latitude": 52.52437, "longitude": 13.41053, "forecast_days": 2}


def ask(open_meteo: OpenMeteo, **arguments: Any) -> dict[str, Any]:
    open_meteo.body = sample("forecast_berlin")
    return weather.handler({**BERLIN, **arguments}, None)


def test_the_weather_now_is_told_with_units_and_in_words(open_meteo: OpenMeteo) -> None:
    assert ask(open_meteo)["now"] == {
        "time": "2026-11-23T15:30",
        "temperature (°C)": 4.3,
        "feels like (°C)": 0.9,
        "humidity (%)": 87,
        "precipitation (mm)": 0.1,
        "weather": "slight rain",
        "wind (km/h)": 13.7,
        "wind from": "south-west",
    }


def test_days_are_rows_under_one_line_of_headings(open_meteo: OpenMeteo) -> None:
    assert ask(open_meteo)["daily"] == {
        "columns": [
            "date",
            "weather",
            "low (°C)",
            "high (°C)",
            "chance of precipitation (%)",
            "precipitation (mm)",
            "strongest wind (km/h)",
            "wind from",
            "sunrise",
            "sunset",
            "UV index",
        ],
        "rows": [
            ["2026-11-23", "moderate rain", 2.2, 5.0, 93, 4.1, 15.1, "south-west", "07:38", "16:01", 0.85],
            ["2026-11-24", "slight snow fall", -0.8, 3.3, None, 0.3, 9.4, "north", "07:40", "16:00", 1.05],
        ],
    }


def test_the_coming_twelve_hours_are_told_unless_a_date_is_given(open_meteo: OpenMeteo) -> None:
    hourly = ask(open_meteo)["hourly"]
    assert hourly["columns"] == [
        "time",
        "weather",
        "temperature (°C)",
        "chance of precipitation (%)",
        "precipitation (mm)",
        "wind (km/h)",
    ]
    assert len(hourly["rows"]) == 12
    assert hourly["rows"][0] == ["2026-11-23T16:00", "slight rain", 4.2, 90, 0.6, 14.0]
    assert hourly["rows"][-1] == ["2026-11-24T03:00", "mainly clear", 0.5, 0, 0.0, 6.1]


def test_half_an_hour_before_midnight_there_are_twelve_hours_too(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("forecast_polar_night")  # at 23:30
    answer = weather.handler({**TROMSO, "forecast_days": 1}, None)
    assert open_meteo.queries[0]["forecast_days"] == "2"
    assert [row[0] for row in answer["daily"]["rows"]] == ["2026-12-23"]
    hours = [row[0] for row in answer["hourly"]["rows"]]
    assert (len(hours), hours[0], hours[-1]) == (12, "2026-12-24T00:00", "2026-12-24T11:00")


def test_a_day_that_was_not_asked_for_has_no_hours_either(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("forecast_polar_night")
    answer = weather.handler({**TROMSO, "forecast_days": 1, "hourly_date": "2026-12-24"}, None)
    assert "the days asked for are 2026-12-23 to 2026-12-23" in answer["error"]


def sun(answer: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    days = [dict(zip(answer["daily"]["columns"], row, strict=True)) for row in answer["daily"]["rows"]]
    return [(day["sunrise"], day["sunset"]) for day in days]


def test_a_sun_that_does_not_rise_or_set_is_told_in_words(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("forecast_polar_night")
    assert (
        sun(weather.handler({**TROMSO, "forecast_days": 2}, None))
        == [("none: polar night", "none: polar night")] * 2
    )
    open_meteo.body = sample("forecast_polar_day")
    assert sun(weather.handler({**TROMSO, "forecast_days": 3}, None)) == [
        ("none: polar day", "none: polar day"),
        ("01:32", "2026-07-28T00:07"),
        ("01:53", "23:41"),
    ]


def test_an_unknown_sunrise_or_sunset_is_left_open(open_meteo: OpenMeteo) -> None:
    answer = json.loads(sample("forecast_polar_day"))
    answer["daily"]["sunrise"] = answer["daily"]["sunset"] = [None] * 3
    open_meteo.body = json.dumps(answer).encode()
    assert sun(weather.handler({**TROMSO, "forecast_days": 3}, None)) == [(None, None)] * 3


@pytest.mark.parametrize(
    ("arguments", "most"),
    [
        ({"forecast_days": 1}, 1600),
        ({}, 2300),
        ({"forecast_days": 8}, 2400),
        ({"forecast_days": 8, "hourly_date": "2026-11-24"}, 3300),
        ({"forecast_days": 16}, 2700),
        ({"forecast_days": 16, "past_days": 14}, 3700),
        ({"forecast_days": 16, "past_days": 14, "hourly_date": "2026-11-24"}, 4600),
    ],
    ids=str,
)
def test_an_answer_is_short(open_meteo: OpenMeteo, arguments: dict[str, Any], most: int) -> None:
    days = arguments.get("forecast_days", 7) + arguments.get("past_days", 0)
    open_meteo.body = json.dumps(long_winded(max(days, 2))).encode()
    answer = weather.handler({**TROMSO, **arguments}, None)
    assert len(answer["daily"]["rows"]) == days
    assert len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()) <= most


def long_winded(days: int) -> dict[str, Any]:
    """A forecast whose values are as long as they get: thunderstorms with hail, ten degrees below."""
    answer: dict[str, Any] = json.loads(sample("forecast_berlin"))
    widest = {
        "weather_code": 96,
        "temperature_2m": -10.5,
        "temperature_2m_min": -10.5,
        "temperature_2m_max": -10.5,
        "precipitation_probability": 100,
        "precipitation_probability_max": 100,
        "precipitation": 10.5,
        "precipitation_sum": 10.5,
        "wind_speed_10m": 100.5,
        "wind_speed_10m_max": 100.5,
        "wind_direction_10m_dominant": 45,
        "uv_index_max": 10.55,
    }
    first = date(2026, 11, 23)
    dates = [(first + timedelta(n)).isoformat() for n in range(days)]
    answer["daily"] = {name: [widest.get(name)] * days for name in answer["daily"]}
    answer["daily"] |= {"time": dates, "sunrise": [f"{day}T07:38" for day in dates]}
    answer["daily"]["sunset"] = [f"{day}T16:01" for day in dates]
    hours = [f"{day}T{hour:02}:00" for day in dates for hour in range(24)]
    answer["hourly"] = {name: [widest.get(name)] * len(hours) for name in answer["hourly"]} | {"time": hours}
    answer["current"]["weather_code"] = 96
    return answer


def test_more_days_than_a_week_are_told_without_details(open_meteo: OpenMeteo) -> None:
    open_meteo.body = json.dumps(long_winded(9)).encode()
    columns = weather.handler({**TROMSO, "forecast_days": 9}, None)["daily"]["columns"]
    assert columns == [
        "date",
        "weather",
        "low (°C)",
        "high (°C)",
        "chance of precipitation (%)",
        "precipitation (mm)",
        "strongest wind (km/h)",
    ]


def test_a_date_is_told_hour_by_hour(open_meteo: OpenMeteo) -> None:
    rows = ask(open_meteo, hourly_date="2026-11-24")["hourly"]["rows"]
    assert len(rows) == 24
    assert rows[0] == ["2026-11-24T00:00", "partly cloudy", 1.8, 8, 0.0, 8.4]
    assert rows[7] == ["2026-11-24T07:00", "fog", -0.8, 0, 0.0, 4.3]
    assert rows[23] == ["2026-11-24T23:00", "slight snow fall", -0.2, None, 0.2, 9.4]


def test_a_date_outside_the_forecast_is_refused_with_the_dates_in_it(open_meteo: OpenMeteo) -> None:
    assert ask(open_meteo, hourly_date="2026-12-24") == {
        "error": "hourly_date is 2026-12-24, but the days asked for are 2026-11-23 to 2026-11-24. "
        "Change hourly_date, or forecast_days or past_days."
    }


def test_units_are_those_of_the_answer(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("forecast_berlin").replace("°C".encode(), "°F".encode())
    answer = weather.handler(BERLIN, None)
    assert "temperature (°F)" in answer["now"]
    assert "low (°F)" in answer["daily"]["columns"]


def test_a_code_that_nobody_has_words_for_is_told_as_it_is(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("forecast_berlin").replace(b'"weather_code": 61', b'"weather_code": 20')
    assert weather.handler(BERLIN, None)["now"]["weather"] == "WMO code 20"


@pytest.mark.parametrize(
    ("degrees", "point"), [(0, "north"), (22, "north"), (23, "north-east"), (180, "south"), (338, "north")]
)
def test_directions_are_points_of_the_compass(open_meteo: OpenMeteo, degrees: int, point: str) -> None:
    open_meteo.body = sample("forecast_berlin").replace(
        b'"wind_direction_10m": 238', f'"wind_direction_10m": {degrees}'.encode()
    )
    assert weather.handler(BERLIN, None)["now"]["wind from"] == point


def test_the_service_is_asked_for_the_days_in_local_time(open_meteo: OpenMeteo) -> None:
    ask(open_meteo, past_days=3)
    (query,) = open_meteo.queries
    assert {
        key: query[key] for key in ("latitude", "longitude", "timezone", "past_days", "forecast_days")
    } == {
        "latitude": "52.52437",
        "longitude": "13.41053",
        "timezone": "auto",
        "past_days": "3",
        "forecast_days": "2",
    }


def test_only_variables_that_the_answer_needs_are_asked_for(open_meteo: OpenMeteo) -> None:
    ask(open_meteo)
    (query,) = open_meteo.queries
    documented = json.loads(sample("forecast_berlin"))
    for key in ("current", "hourly", "daily"):
        assert {*query[key].split(",")} == documented[key].keys() - {"time", "interval"}
