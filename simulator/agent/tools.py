"""The meteorologist's tools: what they are called, the port to them, and a computed stand-in for tests.

What they take stands in `functions/tools/schemas.json`, what they give in the modules beside it.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from simulator.agent.actions import Arguments
from simulator.agent.weather import CITIES, City, weather

FIND_PLACE = "obtain-latitude-longitude-from-place-name"
FIND_WEATHER = "obtain-weather-information-with-coordinates"
FIND_DATE = "get-current-date-time-from-timezone"

# The gateway's target that each of them is.
_TARGETS = {FIND_PLACE: "places", FIND_WEATHER: "weather", FIND_DATE: "clock"}

# How the tools call the sky of `simulator.agent.weather`.
_SKIES = {
    "sunny": "clear sky",
    "partly cloudy": "partly cloudy",
    "overcast": "overcast",
    "showers": "slight rain showers",
    "rain": "moderate rain",
    "thunderstorms": "thunderstorm",
    "snow": "moderate snow fall",
}
_DAILY = (
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
)

Result = dict[str, Any]


class Tools(Protocol):
    """Calls tools. There may be no result: then it is `{"error": text}`."""

    def use(self, name: str, arguments: Arguments) -> Result: ...


def gateway_name(tool: str) -> str:
    """What an AgentCore gateway calls a tool: the name of the target, three underscores, the tool's own."""
    return f"{_TARGETS.get(tool, 'more')}___{tool}"


class ComputedTools:
    """Gives at once what the tools give for the weather that is computed, without a process and a server.

    Of the weather it tells the days and leaves out the hours, of places the names in `CITIES` alone.

    Args:
        now: an aware time.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._tools: dict[str, Callable[..., Result]] = {
            FIND_PLACE: self._places,
            FIND_DATE: self._clock,
            FIND_WEATHER: self._weather,
        }

    def use(self, name: str, arguments: Arguments) -> Result:
        return self._tools[name](**arguments)

    def _places(self, place_name: str) -> Result:
        return {"places": [_place(city) for city in CITIES if city.name == place_name]}

    def _clock(self, timezone: str) -> Result:
        local = self._now.astimezone(ZoneInfo(timezone))
        coming = [local + timedelta(days) for days in range(1, 8)]
        return {
            "timezone": timezone,
            "date": f"{local:%Y-%m-%d}",
            "weekday": f"{local:%A}",
            "time": f"{local:%H:%M}",
            "utc_offset": f"{local:%z}"[:3] + ":" + f"{local:%z}"[3:],
            "coming_days": {f"{day:%A}": f"{day:%Y-%m-%d}" for day in coming},
        }

    def _weather(self, latitude: float, longitude: float, forecast_days: int, past_days: int = 0) -> Result:
        city = next(city for city in CITIES if (city.latitude, city.longitude) == (latitude, longitude))
        today = self._now.astimezone(ZoneInfo(city.time_zone)).date()
        rows = [_row(city, today + timedelta(days)) for days in range(-past_days, forecast_days)]
        return {"timezone": city.time_zone, "daily": {"columns": list(_DAILY), "rows": rows}}


def _place(city: City) -> Result:
    return {
        "name": city.name,
        "country": city.country,
        "latitude": city.latitude,
        "longitude": city.longitude,
        "timezone": city.time_zone,
    }


def _row(city: City, day: date) -> list[Any]:
    found = weather(city, day)
    return [
        day.isoformat(),
        _SKIES[found.sky],
        float(found.low),
        float(found.high),
        found.precipitation_chance,
        found.precipitation,
        float(found.wind),
        found.wind_from,
        "06:00",
        "18:00",
        8.0 if found.sky == "sunny" else 4.0,
    ]
