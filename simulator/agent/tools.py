"""The meteorologist's tools: their names, the port to them, and a fake of them for tests.

`sample/tools/schemas.json` has their arguments, the modules beside it their results.
"""

from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from simulator.agent.actions import Arguments
from simulator.agent.weather import CITIES, City, weather

FIND_PLACE = "obtain-latitude-longitude-from-place-name"
FIND_WEATHER = "obtain-weather-information-with-coordinates"
FIND_DATE = "get-current-date-time-from-timezone"

# The gateway target of each tool.
_TARGETS = {FIND_PLACE: "places", FIND_WEATHER: "weather", FIND_DATE: "clock"}

# The tools' words for the sky of `simulator.agent.weather`.
_SKIES = {
    "sunny": "clear sky",
    "partly cloudy": "partly cloudy",
    "overcast": "overcast",
    "showers": "slight rain showers",
    "rain": "moderate rain",
    "thunderstorms": "thunderstorm",
    "snow": "moderate snow fall",
}
Result = dict[str, Any]


class Tools(Protocol):
    """Calls tools. A failed call returns `{"error": text}`."""

    def use(self, name: str, arguments: Arguments) -> Result: ...


def gateway_name(tool: str) -> str:
    """A tool's name in an AgentCore gateway: target, three underscores, tool."""
    return f"{_TARGETS.get(tool, 'more')}___{tool}"


class ComputedTools:
    """Computes the tools' results without a process or a server.

    The results have only what the meteorologist reads. Places are found by the exact names in `CITIES`.

    Args:
        now: an aware time.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now

    def use(self, name: str, arguments: Arguments) -> Result:
        if name == FIND_PLACE:
            return {"places": [_place(city) for city in CITIES if city.name == arguments["place_name"]]}
        if name == FIND_DATE:
            return {"date": self._today(str(arguments["timezone"])).isoformat()}
        where = (arguments["latitude"], arguments["longitude"])
        city = next(city for city in CITIES if (city.latitude, city.longitude) == where)
        today = self._today(city.time_zone)
        days = [_day(city, today + timedelta(ahead)) for ahead in range(int(arguments["forecast_days"]))]
        return {"daily": {"columns": list(days[0]), "rows": [list(day.values()) for day in days]}}

    def _today(self, time_zone: str) -> date:
        return self._now.astimezone(ZoneInfo(time_zone)).date()


def _place(city: City) -> Result:
    return {
        "name": city.name,
        "latitude": city.latitude,
        "longitude": city.longitude,
        "timezone": city.time_zone,
    }


def _day(city: City, day: date) -> Result:
    found = weather(city, day)
    return {
        "date": day.isoformat(),
        "weather": _SKIES[found.sky],
        "low (°C)": float(found.low),
        "high (°C)": float(found.high),
        "chance of precipitation (%)": found.precipitation_chance,
        "strongest wind (km/h)": float(found.wind),
    }
