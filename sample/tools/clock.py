"""The tool that tells the date and time in a time zone."""

import difflib
import functools
import zoneinfo
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sample.tools.envelope import Event, Result, serve
from sample.tools.failures import InvalidArguments
from sample.tools.schema import Schema

SCHEMA = Schema.of("clock")
COMING_DAYS = 7
MOST_SIMILAR = 3

# Files of some systems' databases that name no zone: the machine's own, a default of old C libraries, and
# "local time has not been set".
NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})


def tell(timezone: str, now: datetime) -> Result:
    """The date and time in `timezone` at `now` (aware), and the dates of the days after it.

    Models count weekdays badly, so they get a calendar.

    Raises InvalidArguments when there is no such time zone.
    """
    local = now.astimezone(_zone(timezone))
    offset = local.strftime("%z")
    coming = [local.date() + timedelta(days) for days in range(1, COMING_DAYS + 1)]
    return {
        "timezone": timezone,
        "date": local.date().isoformat(),
        "weekday": f"{local:%A}",
        "time": f"{local:%H:%M}",
        "utc_offset": f"{offset[:3]}:{offset[3:5]}",
        "coming_days": {f"{day:%A}": day.isoformat() for day in coming},
    }


def _zone(name: str) -> zoneinfo.ZoneInfo:
    zones = _zones()
    if name in zones:
        return zoneinfo.ZoneInfo(name)
    similar = _similar(name, zones)
    hint = f" Similar names: {', '.join(similar)}." if similar else ""
    raise InvalidArguments(
        f"There is no time zone {name!r} in the IANA database.{hint} "
        "The place search tells the time zone of a place."
    )


@functools.cache
def _zones() -> frozenset[str]:
    """All names of time zones. ZoneInfo would also open other files beside them."""
    return frozenset(zoneinfo.available_timezones() - NO_ZONES)


def _similar(name: str, zones: Iterable[str]) -> list[str]:
    """Similar names, those of the same city first, because models leave out continents."""
    wanted = name.replace(" ", "_").lower()
    whole = {zone.lower(): zone for zone in sorted(zones)}
    city = wanted.rpartition("/")[2]
    of_city = [zone for lower, zone in whole.items() if lower.rpartition("/")[2] == city]
    close = [whole[lower] for lower in difflib.get_close_matches(wanted, whole, n=MOST_SIMILAR)]
    cities = {lower.rpartition("/")[2]: zone for lower, zone in whole.items()}
    close_cities = [
        cities[one] for one in difflib.get_close_matches(city, cities, n=MOST_SIMILAR, cutoff=0.8)
    ]
    return list(dict.fromkeys([*of_city, *close_cities, *close]))[:MOST_SIMILAR]


def _now(arguments: dict[str, Any]) -> Result:
    return tell(arguments["timezone"], datetime.now(UTC))


def handler(event: Event, context: object) -> Result:
    return serve(event, context, SCHEMA, _now)
