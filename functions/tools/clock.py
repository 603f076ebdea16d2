"""The tool that tells the date and time in a time zone."""

import difflib
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.tools.envelope import Event, Result, serve
from functions.tools.failures import InvalidArguments
from functions.tools.schema import Schema

SCHEMA = Schema.of("clock")
COMING_DAYS = 7


def tell(timezone: str, now: datetime) -> Result:
    """The date and time in `timezone` at `now` (aware), and the dates of the days after it.

    Models are bad at counting weekdays: with a calendar at hand they need not.

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
    try:
        return zoneinfo.ZoneInfo(name)
    # Unknown; no relative path ("../etc"); a folder of the database ("America").
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        similar = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=3)
        hint = f" Similar names: {', '.join(similar)}." if similar else ""
        raise InvalidArguments(
            f"There is no time zone {name!r} in the IANA database.{hint} "
            "The place search tells the time zone of a place."
        ) from None


def _now(arguments: dict[str, Any]) -> Result:
    return tell(arguments["timezone"], datetime.now(UTC))


def handler(event: Event, context: object) -> Result:
    return serve(event, context, SCHEMA, _now)
