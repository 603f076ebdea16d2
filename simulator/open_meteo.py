"""A stand-in for Open-Meteo: its geocoding and forecast APIs over HTTP, with weather that is computed.

    GET /v1/search      the cities of `simulator.agent.weather`, by the start of their name
    GET /v1/forecast    the weather of the city that is nearest to the coordinates

Queries, answers and errors have the shapes that open-meteo.com/en/docs and its page geocoding-api describe.
The same place and date always have the same weather. A parameter that it does not know is an error, where
the real service would ignore it: so a test notices a misspelt one.

Left out: units other than metric ones, other formats than JSON, several places at once, weather models,
elevation, most variables, and limits of use.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, Response, jsonify, request

from simulator.agent.weather import CITIES, City, Weather, fold, weather
from simulator.http import HttpServer

SEARCH_PARAMETERS = ("name", "count", "format", "language", "countryCode")
FORECAST_PARAMETERS = (
    "latitude",
    "longitude",
    "timezone",
    "past_days",
    "forecast_days",
    "current",
    "hourly",
    "daily",
)

UNITS = {
    "temperature_2m": "°C",
    "apparent_temperature": "°C",
    "relative_humidity_2m": "%",
    "precipitation": "mm",
    "precipitation_probability": "%",
    "weather_code": "wmo code",
    "wind_speed_10m": "km/h",
    "wind_direction_10m": "°",
    "temperature_2m_max": "°C",
    "temperature_2m_min": "°C",
    "precipitation_sum": "mm",
    "precipitation_probability_max": "%",
    "wind_speed_10m_max": "km/h",
    "wind_direction_10m_dominant": "°",
    "sunrise": "iso8601",
    "sunset": "iso8601",
    "uv_index_max": "",
}
WMO_CODES = {
    "sunny": 0,
    "partly cloudy": 2,
    "overcast": 3,
    "showers": 80,
    "rain": 63,
    "thunderstorms": 95,
    "snow": 73,
}
DEGREES = {
    "north": 0,
    "north-east": 45,
    "east": 90,
    "south-east": 135,
    "south": 180,
    "south-west": 225,
    "west": 270,
    "north-west": 315,
}
# ISO 3166-1 alpha-2.
COUNTRY_CODES = {
    "Argentina": "AR",
    "Australia": "AU",
    "Austria": "AT",
    "Brazil": "BR",
    "Canada": "CA",
    "China": "CN",
    "Colombia": "CO",
    "Egypt": "EG",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Iceland": "IS",
    "India": "IN",
    "Italy": "IT",
    "Japan": "JP",
    "Kenya": "KE",
    "Mexico": "MX",
    "New Zealand": "NZ",
    "Nigeria": "NG",
    "Peru": "PE",
    "Portugal": "PT",
    "Singapore": "SG",
    "South Africa": "ZA",
    "Spain": "ES",
    "Sweden": "SE",
    "Thailand": "TH",
    "Türkiye": "TR",
    "United Arab Emirates": "AE",
    "United Kingdom": "GB",
    "United States": "US",
}

COLDEST_HOUR, WARMEST_HOUR = 5, 15
WET_HOURS = range(14, 18)


class QueryError(Exception):
    """The query is refused; the text is the `reason` in the answer."""


class OpenMeteo:
    """The server. `geocoding_url` and `forecast_url` are what the tools take for the real ones.

    `now` is the time in UTC, for tests; without it the clock's.
    """

    def __init__(self, *, port: int = 0, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        app = Flask(__name__)
        app.add_url_rule("/v1/search", view_func=self._search)
        app.add_url_rule("/v1/forecast", view_func=self._forecast)
        app.register_error_handler(QueryError, _refusal)
        self._server = HttpServer(app, port)
        self.geocoding_url = f"{self._server.url}/v1/search"
        self.forecast_url = f"{self._server.url}/v1/forecast"

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _search(self) -> Response:
        _refuse_others(SEARCH_PARAMETERS)
        name = request.args.get("name")
        if name is None:
            raise QueryError("Parameter 'name' is required.")
        count = _integer("count", 10, 1, 100)
        country_code = request.args.get("countryCode")
        found = [
            _result(number, city)
            for number, city in enumerate(CITIES, start=1)
            if _matches(city, name) and country_code in (None, COUNTRY_CODES[city.country])
        ]
        # Like the real service: no empty list, but none.
        return jsonify({"generationtime_ms": 0.5} | ({"results": found[:count]} if found else {}))

    def _forecast(self) -> Response:
        _refuse_others(FORECAST_PARAMETERS)
        place = _Place.asked()
        now = self._now().astimezone(place.zone)
        past_days, forecast_days = _integer("past_days", 0, 0, 92), _integer("forecast_days", 7, 0, 16)
        first = now.date() - timedelta(past_days)
        days = [weather(place.city, first + timedelta(n)) for n in range(past_days + forecast_days)]
        offset = now.utcoffset() or timedelta()
        answer: dict[str, Any] = {
            "latitude": place.latitude,
            "longitude": place.longitude,
            "generationtime_ms": 0.5,
            "utc_offset_seconds": int(offset.total_seconds()),
            "timezone": place.zone.key,
            "timezone_abbreviation": now.tzname(),
            "elevation": 0.0,
        }
        if current := _variables("current", HOURLY):
            moment = now.replace(minute=now.minute - now.minute % 15)
            today = weather(place.city, now.date())
            answer["current_units"] = {"time": "iso8601", "interval": "seconds", **_units(current)}
            values = {name: HOURLY[name](today, now.hour) for name in current}
            answer["current"] = {"time": f"{moment:%Y-%m-%dT%H:%M}", "interval": 900, **values}
        if hourly := _variables("hourly", HOURLY):
            hours = [(day, hour) for day in days for hour in range(24)]
            answer["hourly_units"] = {"time": "iso8601", **_units(hourly)}
            answer["hourly"] = {
                "time": [f"{day.day.isoformat()}T{hour:02}:00" for day, hour in hours],
                **{name: [HOURLY[name](day, hour) for day, hour in hours] for name in hourly},
            }
        if daily := _variables("daily", DAILY):
            answer["daily_units"] = {"time": "iso8601", **_units(daily)}
            answer["daily"] = {
                "time": [day.day.isoformat() for day in days],
                **{name: [DAILY[name](day) for day in days] for name in daily},
            }
        return jsonify(answer)


@dataclass(frozen=True)
class _Place:
    """Where the forecast is for: `city` is the nearest that we have weather for."""

    latitude: float
    longitude: float
    zone: ZoneInfo
    city: City

    @classmethod
    def asked(cls) -> "_Place":
        latitude, longitude = _coordinate("latitude", 90), _coordinate("longitude", 180)
        city = min(CITIES, key=lambda city: _distance(city, latitude, longitude))
        name = request.args.get("timezone", "GMT")
        try:
            zone = ZoneInfo(city.time_zone if name == "auto" else name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise QueryError("Invalid timezone") from None
        return cls(latitude, longitude, zone, city)


def _distance(city: City, latitude: float, longitude: float) -> float:
    """Of two points on the globe, as an angle (spherical law of cosines)."""
    north, other = math.radians(city.latitude), math.radians(latitude)
    east = math.radians(city.longitude - longitude)
    cosine = math.sin(north) * math.sin(other) + math.cos(north) * math.cos(other) * math.cos(east)
    return math.acos(max(-1.0, min(1.0, cosine)))


def _matches(city: City, name: str) -> bool:
    """One letter finds nothing, two find a whole name only, three and more how a name starts."""
    wanted, _, country = (fold(part).strip() for part in name.partition(","))
    if country and country not in (fold(city.country), COUNTRY_CODES[city.country].lower()):
        return False
    if len(wanted) < 3:
        return len(wanted) == 2 and wanted in city.aliases
    return any(known.startswith(wanted) for known in (fold(city.name), *city.aliases))


def _result(number: int, city: City) -> dict[str, Any]:
    return {
        "id": number,
        "name": city.name,
        "latitude": city.latitude,
        "longitude": city.longitude,
        "elevation": 0.0,
        "feature_code": "PPL",
        "country_code": COUNTRY_CODES[city.country],
        "timezone": city.time_zone,
        "country": city.country,
    }


def _refusal(error: QueryError) -> tuple[Response, int]:
    return jsonify(error=True, reason=str(error)), 400


def _refuse_others(known: Sequence[str]) -> None:
    for name, values in request.args.lists():
        if name not in known:
            raise QueryError(f"Unknown parameter '{name}'.")
        if len(values) > 1:
            raise QueryError(f"Parameter '{name}' is given more than once.")


def _integer(name: str, default: int, lowest: int, highest: int) -> int:
    text = request.args.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise QueryError(f"Value of type 'Int' required for key '{name}'.")
    if not lowest <= int(text) <= highest:
        raise QueryError(
            f"Parameter '{name}' is out of allowed range from {lowest} to {highest}. Given: {text}."
        )
    return int(text)


def _coordinate(name: str, limit: int) -> float:
    try:
        value = float(request.args[name])
    except (KeyError, ValueError):
        raise QueryError(f"Value of type 'Float' required for key '{name}'.") from None
    if not -limit <= value <= limit:  # and not for NaN
        raise QueryError(f"{name.title()} must be in range of -{limit} to {limit}°. Given: {value}.")
    return value


def _variables(key: str, known: dict[str, Any]) -> list[str]:
    names = [name for name in request.args.get(key, "").split(",") if name]
    for name in names:
        if name not in known:
            raise QueryError(f"Cannot initialize variable from invalid String value {name} for key {key}")
    return names


def _units(names: Sequence[str]) -> dict[str, str]:
    return {name: UNITS[name] for name in names}


def _temperature(day: Weather, hour: int) -> float:
    """Between the day's low in the early morning and its high in the afternoon."""
    if COLDEST_HOUR <= hour <= WARMEST_HOUR:
        part = (hour - COLDEST_HOUR) / (WARMEST_HOUR - COLDEST_HOUR)
    else:
        part = 1 - (hour - WARMEST_HOUR) % 24 / (24 - WARMEST_HOUR + COLDEST_HOUR)
    return round(day.low + (day.high - day.low) * (1 - math.cos(math.pi * part)) / 2, 1)


def _precipitation(day: Weather, hour: int) -> float:
    """In tenths of a millimetre spread over the wet hours, so that the hours add up to the day."""
    if hour not in WET_HOURS:
        return 0.0
    each, rest = divmod(round(day.precipitation * 10), len(WET_HOURS))
    return (each + (WET_HOURS.index(hour) < rest)) / 10


def _code(day: Weather, hour: int) -> int:
    return WMO_CODES["overcast" if day.wet and hour not in WET_HOURS else day.sky]


def _sun(day: date, hour: int) -> str:
    """The sun of this world rises at six and sets at six."""
    return datetime.combine(day, time(hour)).strftime("%Y-%m-%dT%H:%M")


HOURLY: dict[str, Callable[[Weather, int], float]] = {
    "temperature_2m": _temperature,
    "apparent_temperature": _temperature,
    "relative_humidity_2m": lambda day, _hour: day.humidity,
    "precipitation": _precipitation,
    "precipitation_probability": lambda day, _hour: day.precipitation_chance,
    "weather_code": _code,
    "wind_speed_10m": lambda day, _hour: float(day.wind),
    "wind_direction_10m": lambda day, _hour: DEGREES[day.wind_from],
}
DAILY: dict[str, Callable[[Weather], float | str]] = {
    "weather_code": lambda day: WMO_CODES[day.sky],
    "temperature_2m_max": lambda day: float(day.high),
    "temperature_2m_min": lambda day: float(day.low),
    "precipitation_sum": lambda day: day.precipitation,
    "precipitation_probability_max": lambda day: day.precipitation_chance,
    "wind_speed_10m_max": lambda day: float(day.wind),
    "wind_direction_10m_dominant": lambda day: DEGREES[day.wind_from],
    "sunrise": lambda day: _sun(day.day, 6),
    "sunset": lambda day: _sun(day.day, 18),
    "uv_index_max": lambda day: 8.0 if day.sky == "sunny" else 4.0,
}
