"""The tool that finds places by name."""

import os
from typing import Any

from sample.tools.envelope import Event, Result, serve
from sample.tools.open_meteo import get
from sample.tools.schema import Schema

SCHEMA = Schema.of("places")
DEFAULT_URL = "https://geocoding-api.open-meteo.com/v1/search"
MOST = 5

NOT_FOUND = (
    "No place has this name. Check the spelling, try its English name or the name alone, without a country, "
    "or ask the user which larger town is near."
)


def find(arguments: dict[str, Any]) -> Result:
    url = os.environ.get("GEOCODING_URL") or DEFAULT_URL
    return get(url, {"name": arguments["place_name"], "count": MOST, "language": "en"}, _places)


def _places(answer: dict[str, Any]) -> Result:
    """Open-Meteo leaves `results` out when it finds nothing, and of each result what it does not know."""
    places = [_place(result) for result in answer.get("results", [])]
    return {"places": places} if places else {"places": [], "hint": NOT_FOUND}


def _place(result: dict[str, Any]) -> Result:
    place = {
        "name": result["name"],
        "region": result.get("admin1"),
        "country": result.get("country"),
        "latitude": result["latitude"],
        "longitude": result["longitude"],
        "timezone": result.get("timezone"),
        "population": result.get("population"),
    }
    return {key: value for key, value in place.items() if value is not None}


def handler(event: Event, context: object) -> Result:
    return serve(event, context, SCHEMA, find)
