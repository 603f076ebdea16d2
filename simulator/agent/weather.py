"""The weather of some thirty cities, computed from the city and the date alone.

Nothing here is measured: a cosine through the year between a city's usual January and July, and a hash
for the moods of single days. The same city and date always have the same weather.
"""

import hashlib
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

_COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True)
class City:
    """A city and its usual climate.

    Attributes:
        latitude, longitude: degrees, north and east positive.
        time_zone: IANA name.
        january, july: usual mean temperature of the month, °C.
        wet_january, wet_july: usual share of days with rain or snow, 0 to 1.
        aliases: other names, in small letters and without accents.
    """

    name: str
    country: str
    latitude: float
    longitude: float
    time_zone: str
    january: float
    july: float
    wet_january: float
    wet_july: float
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Weather:
    """One day's weather in one city.

    Attributes:
        sky: "sunny", "partly cloudy", "overcast", "showers", "rain", "thunderstorms" or "snow".
        low, high: °C.
        precipitation_chance: percent.
        precipitation: mm of rain (or of melted snow).
        wind: km/h; wind_from: a point of the compass.
        humidity: percent.
    """

    city: City
    day: date
    sky: str
    low: int
    high: int
    precipitation_chance: int
    precipitation: float
    wind: int
    wind_from: str
    humidity: int

    @property
    def wet(self) -> bool:
        return self.precipitation > 0


CITIES = (
    City("Auckland", "New Zealand", -36.85, 174.76, "Pacific/Auckland", 20, 11, 0.25, 0.5),
    City("Bangkok", "Thailand", 13.75, 100.5, "Asia/Bangkok", 27, 29, 0.05, 0.55),
    City("Beijing", "China", 39.9, 116.4, "Asia/Shanghai", -3, 27, 0.06, 0.45),
    City("Berlin", "Germany", 52.52, 13.4, "Europe/Berlin", 1, 20, 0.5, 0.45),
    City("Bogotá", "Colombia", 4.71, -74.07, "America/Bogota", 14, 13.5, 0.35, 0.55),
    City("Buenos Aires", "Argentina", -34.6, -58.38, "America/Argentina/Buenos_Aires", 25, 11, 0.28, 0.24),
    City("Cairo", "Egypt", 30.04, 31.24, "Africa/Cairo", 14, 29, 0.1, 0.01),
    City("Cape Town", "South Africa", -33.92, 18.42, "Africa/Johannesburg", 21, 12, 0.12, 0.4),
    City("Chicago", "United States", 41.88, -87.63, "America/Chicago", -4, 24, 0.35, 0.32),
    City("Denver", "United States", 39.74, -104.99, "America/Denver", 0, 24, 0.15, 0.3),
    City("Dubai", "United Arab Emirates", 25.2, 55.27, "Asia/Dubai", 19, 36, 0.08, 0.01),
    City("Helsinki", "Finland", 60.17, 24.94, "Europe/Helsinki", -4, 18, 0.5, 0.4),
    City("Istanbul", "Türkiye", 41.01, 28.98, "Europe/Istanbul", 6, 24, 0.5, 0.12),
    City("Lagos", "Nigeria", 6.52, 3.38, "Africa/Lagos", 28, 26, 0.08, 0.6),
    City("Lima", "Peru", -12.05, -77.04, "America/Lima", 23, 17, 0.04, 0.12),
    City("Lisbon", "Portugal", 38.72, -9.14, "Europe/Lisbon", 11.5, 23, 0.4, 0.05),
    City("London", "United Kingdom", 51.51, -0.13, "Europe/London", 5.5, 19, 0.45, 0.35),
    City("Los Angeles", "United States", 34.05, -118.24, "America/Los_Angeles", 14, 22, 0.2, 0.01),
    City("Madrid", "Spain", 40.42, -3.7, "Europe/Madrid", 6.5, 26, 0.22, 0.07),
    City("Mexico City", "Mexico", 19.43, -99.13, "America/Mexico_City", 14, 18, 0.06, 0.7),
    City("Miami", "United States", 25.76, -80.19, "America/New_York", 20, 29, 0.2, 0.55),
    City("Mumbai", "India", 19.08, 72.88, "Asia/Kolkata", 24.5, 28, 0.01, 0.8, ("bombay",)),
    City("Nairobi", "Kenya", -1.29, 36.82, "Africa/Nairobi", 19.5, 17, 0.2, 0.15),
    City("New York", "United States", 40.71, -74.01, "America/New_York", 1, 25, 0.33, 0.33, ("nyc",)),
    City("Paris", "France", 48.86, 2.35, "Europe/Paris", 5, 21, 0.45, 0.35),
    City("Reykjavík", "Iceland", 64.15, -21.94, "Atlantic/Reykjavik", 0.5, 12, 0.6, 0.45),
    City("Rome", "Italy", 41.9, 12.5, "Europe/Rome", 8, 26, 0.3, 0.1),
    City("San Francisco", "United States", 37.77, -122.42, "America/Los_Angeles", 11, 16, 0.35, 0.02),
    City("São Paulo", "Brazil", -23.55, -46.63, "America/Sao_Paulo", 23, 16, 0.6, 0.18),
    City("Seattle", "United States", 47.61, -122.33, "America/Los_Angeles", 5.5, 19.5, 0.6, 0.15),
    City("Singapore", "Singapore", 1.35, 103.82, "Asia/Singapore", 26.5, 28, 0.5, 0.45),
    City("Stockholm", "Sweden", 59.33, 18.07, "Europe/Stockholm", -1.5, 18.5, 0.45, 0.4),
    City("Sydney", "Australia", -33.87, 151.21, "Australia/Sydney", 23.5, 13, 0.38, 0.3),
    City("Tokyo", "Japan", 35.68, 139.69, "Asia/Tokyo", 5.5, 26, 0.15, 0.4),
    City("Toronto", "Canada", 43.65, -79.38, "America/Toronto", -3.5, 22.5, 0.45, 0.32),
    City("Vienna", "Austria", 48.21, 16.37, "Europe/Vienna", 1, 22, 0.4, 0.4),
)


def weather(city: City, day: date) -> Weather:
    """The weather in `city` on `day`."""
    summer = _summer(day)
    mean = city.january + (city.july - city.january) * summer
    mean += 5 * (_mood(city, day, "warmth", days=3) - 0.5) * (1 + abs(city.july - city.january) / 20)
    wet_share = city.wet_january + (city.wet_july - city.wet_january) * summer
    chance = round(100 * min(max(wet_share + 0.9 * (_mood(city, day, "rain", days=2) - 0.5), 0.0), 0.9), -1)
    amount = round(0.5 + 11 * _mood(city, day, "amount") ** 2, 1) if chance >= 50 else 0.0
    range_ = (4 if amount else 7) + 4 * _mood(city, day, "range")
    low, high = round(mean - range_ / 2), round(mean + range_ / 2)
    return Weather(
        city=city,
        day=day,
        sky=_sky(chance, amount, low, high),
        low=low,
        high=high,
        precipitation_chance=int(chance),
        precipitation=amount,
        wind=round(5 + 26 * _mood(city, day, "wind") ** 1.5),
        wind_from=_COMPASS[int(8 * _mood(city, day, "direction"))],
        humidity=round(38 + 0.45 * chance + 12 * _mood(city, day, "humidity")),
    )


def city_named(text: str) -> City | None:
    """The first city that `text` names, in any case, with or without accents."""
    match = _NAMES.search(fold(text))
    return _BY_NAME[" ".join(re.split(_GAP, match.group()))] if match else None


def fold(text: str) -> str:
    """`text` in small letters without accents, as people type."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _summer(day: date) -> float:
    """0 in the middle of January, 1 in the middle of July."""
    return (1 - math.cos(2 * math.pi * (day.timetuple().tm_yday - 15) / 365.25)) / 2


def _mood(city: City, day: date, what: str, *, days: int = 1) -> float:
    """A number in [0, 1) that looks like chance; over several days it changes slowly."""
    total = 0
    for back in range(days):
        seed = f"{city.name}|{day.toordinal() - back}|{what}"
        total += int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big")
    return total / days / 2**32


def _sky(chance: float, amount: float, low: int, high: int) -> str:
    if amount:
        if low + high <= 2:
            return "snow"
        if high >= 27:
            return "thunderstorms"
        return "rain" if amount > 3 else "showers"
    return "sunny" if chance <= 10 else "partly cloudy" if chance <= 30 else "overcast"


_BY_NAME = {name: city for city in CITIES for name in (fold(city.name), *city.aliases)}
_GAP = r"[\W_]+"
_NAMES = re.compile(rf"(?<![^\W_])(?:{'|'.join(_GAP.join(name.split()) for name in _BY_NAME)})(?![^\W_])")
