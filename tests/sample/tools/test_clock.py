from datetime import UTC, datetime

import pytest

from sample.tools import clock
from sample.tools.failures import InvalidArguments


def test_date_weekday_time_and_the_coming_week_are_local() -> None:
    assert clock.tell("Asia/Kolkata", datetime(2026, 12, 31, 20, 5, tzinfo=UTC)) == {
        "timezone": "Asia/Kolkata",
        "date": "2027-01-01",
        "weekday": "Friday",
        "time": "01:35",
        "utc_offset": "+05:30",
        "coming_days": {
            "Saturday": "2027-01-02",
            "Sunday": "2027-01-03",
            "Monday": "2027-01-04",
            "Tuesday": "2027-01-05",
            "Wednesday": "2027-01-06",
            "Thursday": "2027-01-07",
            "Friday": "2027-01-08",
        },
    }


@pytest.mark.parametrize(
    ("now", "time", "offset"),
    [
        (datetime(2026, 11, 1, 5, 59, tzinfo=UTC), "01:59", "-04:00"),
        (datetime(2026, 11, 1, 6, 0, tzinfo=UTC), "01:00", "-05:00"),
    ],
)
def test_summer_time_ends_when_the_zone_says(now: datetime, time: str, offset: str) -> None:
    answer = clock.tell("America/New_York", now)
    assert (answer["date"], answer["time"], answer["utc_offset"]) == ("2026-11-01", time, offset)


@pytest.mark.parametrize(
    "name",
    [
        "Mars/Olympus",
        "America",
        "../../etc/passwd",
        "/etc/localtime",
        "PST\0",
        "UTC+2",
        "localtime",
        "posixrules",
        "Factory",
        "posix/America/Lima",
        "america/lima",
    ],
)
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidArguments, match="There is no time zone"):
        clock.tell(name, datetime.now(UTC))


def test_a_misspelt_zone_is_answered_with_similar_names() -> None:
    with pytest.raises(InvalidArguments, match=r"Similar names: .*America/Lima"):
        clock.tell("America/Limaa", datetime.now(UTC))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Lima", "America/Lima"),
        ("Peru/Lima", "America/Lima"),
        ("New York", "America/New_York"),
        ("europe/berlin", "Europe/Berlin"),
        ("Kolkatta", "Asia/Kolkata"),
        ("Buenos Aires", "America/Argentina/Buenos_Aires"),
    ],
)
def test_the_first_hint_is_the_zone_of_the_city(name: str, first: str) -> None:
    with pytest.raises(InvalidArguments, match=f"Similar names: {first}[,.]"):
        clock.tell(name, datetime.now(UTC))


def test_a_name_that_is_like_no_other_gets_no_hint() -> None:
    with pytest.raises(InvalidArguments, match=r"in the IANA database\. The place search"):
        clock.tell("Xyzzy/Qwfp", datetime.now(UTC))


def test_the_handler_tells_the_time_now() -> None:
    before = datetime.now(UTC).date().isoformat()
    answer = clock.handler({"timezone": "UTC"}, None)
    assert before <= answer["date"] <= datetime.now(UTC).date().isoformat()


def test_the_handler_names_a_missing_zone() -> None:
    assert "timezone is missing" in clock.handler({}, None)["error"]
