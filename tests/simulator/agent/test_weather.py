from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.agent import weather as module
from simulator.agent.weather import CITIES, City, cities_named, lies_in, local_time, weather

DATES = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def city(name: str) -> City:
    return next(c for c in CITIES if c.name == name)


@given(st.sampled_from(CITIES), DATES)
def test_weather_is_consistent_and_the_same_when_asked_again(place: City, day: date) -> None:
    found = weather(place, day)
    assert found == weather(place, day)
    assert found.low < found.high
    assert found.low >= -30
    assert found.high <= 50
    assert 0 <= found.precipitation_chance <= 90
    assert 20 <= found.humidity <= 100
    assert found.wet == (found.sky in ("rain", "showers", "thunderstorms", "snow"))
    assert found.sky != "snow" or found.low <= 2


def test_seasons_are_opposite_in_the_two_hemispheres() -> None:
    def warmth(name: str, month: int) -> float:
        days = [weather(city(name), date(2026, month, day)) for day in range(1, 29)]
        return sum(d.high + d.low for d in days) / 56

    assert warmth("Chicago", 7) > warmth("Chicago", 1) + 20
    assert warmth("Sydney", 1) > warmth("Sydney", 7) + 5
    assert abs(warmth("Singapore", 1) - warmth("Singapore", 7)) < 5


def test_lima_is_drier_than_reykjavik() -> None:
    def wet_days(name: str) -> int:
        return sum(weather(city(name), date(2026, 1, 1) + timedelta(n)).wet for n in range(365))

    assert wet_days("Lima") < 20 < 150 < wet_days("Reykjavík")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("what's the weather in Chicago today?", ["Chicago"]),
        ("SÃO PAULO!", ["São Paulo"]),
        ("sao paulo", ["São Paulo"]),
        ("is it raining in nyc", ["New York"]),
        ("Mexico City or Lima?", ["Mexico City", "Lima"]),
        ("Lima or Mexico City?", ["Lima", "Mexico City"]),
        ("new-york, _bogota_ and\nCape  Town", ["New York", "Bogotá", "Cape Town"]),
    ],
)
def test_cities_are_found_in_any_spelling(text: str, names: list[str]) -> None:
    assert [found.name for _, _, found in cities_named(text)] == names


def test_a_city_is_found_where_its_name_stands() -> None:
    text = "Is it hot in São Paulo?"
    [(start, end, _)] = cities_named(text)
    assert text[start:end] == "São Paulo"


@pytest.mark.parametrize(
    "text", ["", "Limassol", "a climate question", "Roman roads", "lapland", "la ville de Nice", "L\u0131ma"]
)
def test_a_city_is_not_found_within_another_word(text: str) -> None:
    assert cities_named(text) == []


@pytest.mark.parametrize(
    ("name", "area", "expected"),
    [
        ("Paris", "France", True),
        ("Paris", "Texas", False),
        ("Chicago", "IL", True),
        ("Chicago", "usa", True),
        ("London", "Ontario", False),
        ("Toronto", "Ontario", True),
    ],
)
def test_a_city_lies_in_its_country_and_its_state(name: str, area: str, expected: bool) -> None:
    assert lies_in(city(name), area) is expected


def test_local_time_is_on_the_city_s_clocks() -> None:
    now = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert local_time(city("Tokyo"), now).date() == date(2026, 11, 24)
    assert local_time(city("Chicago"), now).hour == 17


def test_without_a_time_zone_database_the_longitude_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_database(name: str) -> None:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr(module, "ZoneInfo", no_database)
    assert local_time(city("Tokyo"), datetime(2026, 11, 23, 12, tzinfo=UTC)).hour == 21
