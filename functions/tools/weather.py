"""The tool that tells the weather at coordinates."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions.tools.envelope import Event, Result, serve
from functions.tools.failures import InvalidArguments
from functions.tools.open_meteo import get
from functions.tools.schema import Schema

SCHEMA = Schema.of("weather")
DEFAULT_URL = "https://api.open-meteo.com/v1/forecast"
COMING_HOURS = 12

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
        "forecast_days": arguments["forecast_days"],
        "current": ",".join(CURRENT),
        "hourly": ",".join(HOURLY),
        "daily": ",".join(DAILY),
    }
    url = os.environ.get("FORECAST_URL") or DEFAULT_URL
    return get(url, query, lambda answer: _digest(answer, arguments["hourly_date"]))


def _digest(answer: dict[str, Any], hourly_date: str | None) -> Result:
    """What a model needs of the answer, which has every hour of every day."""
    dates: list[str] = answer["daily"]["time"]
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
    return {
        "timezone": answer["timezone"],
        "now": {
            "time": now,
            **{_heading(key, name, units): _value(key, current[key]) for key, name in CURRENT.items()},
        },
        "daily": _table("date", answer["daily"], answer["daily_units"], DAILY, range(len(dates))),
        "hourly": _table("time", answer["hourly"], answer["hourly_units"], HOURLY, chosen),
    }


def _table(
    first: str,
    series: Mapping[str, Sequence[Any]],
    units: Mapping[str, str],
    names: Mapping[str, str],
    chosen: Sequence[int],
) -> Result:
    """Rows under one line of headings: objects would repeat every name and unit in each row."""
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


def _time_of_day(moment: str) -> str:
    """Without the date, which stands in the same row: "05:33" of "2026-11-23T05:33"."""
    return moment.partition("T")[2]


IN_WORDS: dict[str, Callable[[Any], object]] = {
    "weather_code": _sky,
    "wind_direction_10m": _direction,
    "wind_direction_10m_dominant": _direction,
    "sunrise": _time_of_day,
    "sunset": _time_of_day,
}


def handler(event: Event, context: object) -> Result:
    return serve(event, context, SCHEMA, tell)
