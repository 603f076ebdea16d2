import pytest

from sample.tools.failures import InvalidArguments
from sample.tools.schema import Schema

WEATHER = Schema.of("weather")
PLACES = Schema.of("places")

HERE = {"latitude": 52.5, "longitude": 13.4}


def test_defaults_stand_in_for_what_is_left_out() -> None:
    assert WEATHER.check(HERE) == {**HERE, "forecast_days": 7, "past_days": 0, "hourly_date": None}


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_models_words_for_nothing_count_as_left_out(nothing: str | None) -> None:
    assert WEATHER.check({**HERE, "forecast_days": nothing})["forecast_days"] == 7


def test_numbers_may_come_as_text() -> None:
    checked = WEATHER.check({"latitude": " -12.05 ", "longitude": "-77", "forecast_days": "3"})
    assert (checked["latitude"], checked["longitude"], checked["forecast_days"]) == (-12.05, -77.0, 3)


def test_a_whole_number_may_come_with_a_point() -> None:
    days = WEATHER.check({**HERE, "forecast_days": 3.0})["forecast_days"]
    assert (days, type(days)) == (3, int)


def test_text_loses_the_space_around_it() -> None:
    assert PLACES.check({"place_name": " São Paulo "}) == {"place_name": "São Paulo"}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("latitude", 90.1, "latitude is 90.1; it must be a number from -90 to 90"),
        ("latitude", "north", 'latitude is "north"; it must be a number from -90 to 90'),
        ("latitude", "nan", 'latitude is "nan"; it must be a number from -90 to 90'),
        ("latitude", "inf", 'latitude is "inf"; it must be a number from -90 to 90'),
        ("latitude", True, "latitude is true; it must be a number from -90 to 90"),
        ("longitude", [13.4], "longitude is [13.4]; it must be a number from -180 to 180"),
        ("forecast_days", 0, "forecast_days is 0; it must be a whole number from 1 to 16"),
        ("forecast_days", 2.5, "forecast_days is 2.5; it must be a whole number from 1 to 16"),
        ("forecast_days", 10**400, "it must be a whole number from 1 to 16"),
        ("hourly_date", "tomorrow", 'hourly_date is "tomorrow"; it must be a date as YYYY-MM-DD'),
        ("hourly_date", "2026-02-30", 'hourly_date is "2026-02-30"; it must be a date as YYYY-MM-DD'),
        ("hourly_date", "20261124", 'hourly_date is "20261124"; it must be a date as YYYY-MM-DD'),
        ("hourly_date", 20261124, "hourly_date is 20261124; it must be a date as YYYY-MM-DD"),
        ("units", "miles", "units is not a parameter"),
    ],
)
def test_a_bad_argument_is_named_with_its_value_and_what_is_allowed(
    name: str, value: object, problem: str
) -> None:
    with pytest.raises(InvalidArguments) as refusal:
        WEATHER.check({**HERE, name: value})
    assert problem in str(refusal.value)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InvalidArguments) as refusal:
        WEATHER.check({"lat": 52.5, "longitude": 181})
    assert str(refusal.value) == (
        "lat is not a parameter; "
        "latitude is missing; it must be a number from -90 to 90; "
        "longitude is 181; it must be a number from -180 to 180. "
        "Parameters: latitude, longitude, forecast_days, past_days, hourly_date."
    )


def test_a_refusal_can_be_sent_whatever_was_refused() -> None:
    with pytest.raises(InvalidArguments) as refusal:
        PLACES.check({"place_name": ["\ud800"], "\udfff": 1})
    assert str(refusal.value).encode()


def test_a_long_value_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidArguments) as refusal:
        PLACES.check({"place_name": "x" * 5000})
    assert "text of at most 100 characters" in str(refusal.value)
    assert len(str(refusal.value)) < 200
