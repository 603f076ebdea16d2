"""The tool that tells the weather at coordinates."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sample.tools.envelope import Event, Result, serve
from sample.tools.failures import InvalidArguments
from sample.tools.open_meteo import get
from sample.tools.schema import Schema

SCHEMA = Schema.of("weather")
DEFAULT_URL = "https://api.open-meteo.com/v1/forecast"
COMING_HOURS = 12
# Before midnight the coming hours are tomorrow's.
LEAST_FORECAST_DAYS = 2

# The service's variables, and what we call them: open-meteo.com/en/docs. Those that follow from others
# (dew point, wind at other heights, radiation) would only make the model's reading longer.
CURRENT = {
    "temperature_2m": "temperature",
    "apparent_temperature": "feels like",
    "relative_humidity_2m": "humidity",
    "precipitation": "precipitation",
    "weather_code": "weather",
    "wind_speed_10m": "wind",
    "wind_direction_10m": "wind from",
}
HOURLY = {
    "weather_code": "weather",
    "temperature_2m": "temperature",
    "precipitation_probability": "chance of precipitation",
    "precipitation": "precipitation",
    "wind_speed_10m": "wind",
}
DAILY = {
    "weather_code": "weather",
    "temperature_2m_min": "low",
    "temperature_2m_max": "high",
    "precipitation_probability_max": "chance of precipitation",
    "precipitation_sum": "precipitation",
    "wind_speed_10m_max": "strongest wind",
    "wind_direction_10m_dominant": "wind from",
    "sunrise": "sunrise",
    "sunset": "sunset",
    "uv_index_max": "UV index",
}
# Of more days than these (today and a week) we leave some things out: a model reads an answer again with each
# turn after it. So a forecast is 2 KB, and the longest one there is, 30 days and 24 hours, less than 5.
MOST_DETAILED_DAYS = 8
DETAILS = frozenset({"wind_direction_10m_dominant", "sunrise", "sunset", "uv_index_max"})

# "WMO Weather interpretation codes (WW)" of open-meteo.com/en/docs.
WEATHER = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "depositing rime fog",
    51: "light drizzle",
    53: "moderate drizzle",
    55: "dense drizzle",
    56: "light freezing drizzle",
    57: "dense freezing drizzle",
    61: "slight rain",
    63: "moderate rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "heavy freezing rain",
    71: "slight snow fall",
    73: "moderate snow fall",
    75: "heavy snow fall",
    77: "snow grains",
    80: "slight rain showers",
    81: "moderate rain showers",
    82: "violent rain showers",
    85: "slight snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with slight hail",
    99: "thunderstorm with heavy hail",
}
COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def tell(arguments: dict[str, Any]) -> Result:
    """Raises InvalidArguments when `hourly_date` is no day of the forecast."""
    query = {
        "latitude": arguments["latitude"],
        "longitude": arguments["longitude"],
        "timezone": "auto",
        "past_days": arguments["past_days"],
        "forecast_days": max(arguments["forecast_days"], LEAST_FORECAST_DAYS),
        "current": ",".join(CURRENT),
        "hourly": ",".join(HOURLY),
        "daily": ",".join(DAILY),
    }
    url = os.environ.get("FORECAST_URL") or DEFAULT_URL
    days = arguments["past_days"] + arguments["forecast_days"]
    return get(url, query, lambda answer: _digest(answer, days, arguments["hourly_date"]))


def _digest(answer: dict[str, Any], days: int, hourly_date: str | None) -> Result:
    """The part of the response that a model needs. The response has every hour of every day.

    `days` is how many were asked for, from the first on.
    """
    dates: list[str] = answer["daily"]["time"][:days]
    if hourly_date is not None and hourly_date not in dates:
        raise InvalidArguments(
            f"hourly_date is {hourly_date}, but the days asked for are {dates[0]} to {dates[-1]}. "
            "Change hourly_date, or forecast_days or past_days."
        )
    now, hours = answer["current"]["time"], answer["hourly"]["time"]
    if hourly_date is not None:
        chosen = [index for index, hour in enumerate(hours) if hour.startswith(hourly_date)]
    else:
        chosen = [index for index, hour in enumerate(hours) if hour >= now][:COMING_HOURS]
    current, units = answer["current"], answer["current_units"]
    detailed = len(dates) <= MOST_DETAILED_DAYS
    names = {key: name for key, name in DAILY.items() if detailed or key not in DETAILS}
    daily = {**answer["daily"], **_sun(answer["daily"])}
    return {
        "timezone": answer["timezone"],
        "now": {
            "time": now,
            **{_heading(key, name, units): _value(key, current[key]) for key, name in CURRENT.items()},
        },
        "daily": _table("date", daily, answer["daily_units"], names, range(len(dates))),
        "hourly": _table("time", answer["hourly"], answer["hourly_units"], HOURLY, chosen),
    }


def _sun(daily: Mapping[str, Sequence[Any]]) -> dict[str, list[str | None]]:
    """When the sun rises and sets, or that it does not.

    Where it does not, the service writes midnight: of the same date twice for a polar night, of this date and
    the next for a polar day.
    """
    rises: list[str | None] = []
    sets: list[str | None] = []
    for day, rise, fall in zip(daily["time"], daily["sunrise"], daily["sunset"], strict=True):
        tomorrow = date.fromisoformat(day) + timedelta(1)
        if rise == f"{day}T00:00" and fall in (rise, f"{tomorrow}T00:00"):
            never = "none: polar night" if fall == rise else "none: polar day"
            rises.append(never)
            sets.append(never)
        else:
            rises.append(_time_of_day(rise, day))
            sets.append(_time_of_day(fall, day))
    return {"sunrise": rises, "sunset": sets}


def _table(
    first: str,
    series: Mapping[str, Sequence[Any]],
    units: Mapping[str, str],
    names: Mapping[str, str],
    chosen: Sequence[int],
) -> Result:
    """Rows under one line of headings, because objects would repeat each name and unit in every row."""
    return {
        "columns": [first, *(_heading(key, name, units) for key, name in names.items())],
        "rows": [
            [series["time"][index], *(_value(key, series[key][index]) for key in names)] for index in chosen
        ],
    }


def _heading(key: str, name: str, units: Mapping[str, str]) -> str:
    """The name, and in brackets the unit that the service says it uses."""
    return f"{name} ({units[key]})" if units[key] and key not in IN_WORDS else name


def _value(key: str, value: Any) -> Any:
    """The value, in words if it is a code. The service has null where it does not know."""
    return IN_WORDS[key](value) if value is not None and key in IN_WORDS else value


def _sky(code: int) -> str:
    return WEATHER.get(code, f"WMO code {code}")


def _direction(degrees: float) -> str:
    return COMPASS[round(degrees / 45) % 8]


def _time_of_day(moment: str | None, day: str) -> str | None:
    """The time, "05:33" of "2026-11-23T05:33", without the date if that is the row's."""
    return moment.removeprefix(f"{day}T") if moment is not None else None


IN_WORDS: dict[str, Callable[[Any], object]] = {
    "weather_code": _sky,
    "wind_direction_10m": _direction,
    "wind_direction_10m_dominant": _direction,
    "sunrise": str,  # by `_sun`
    "sunset": str,
}


def handler(event: Event, context: object) -> Result:
    return serve(event, context, SCHEMA, tell)
