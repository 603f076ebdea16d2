"""A small virtual meteorologist: no language model, but word matching over computed weather.

Pure: a question, the place that the session remembers and the time in; steps, an answer in Markdown and the
place to remember out.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from simulator.agent.actions import Rationale, ToolUse
from simulator.agent.asked import InputFile
from simulator.agent.weather import CITIES, City, Weather, city_named, fold, local_time, weather

FIND_PLACE = "obtain-latitude-longitude-from-place-name"
FIND_WEATHER = "obtain-weather-information-with-coordinates"
FIND_DATE = "get-current-date-time-from-timezone"

WHO_I_AM = (
    "I am the local meteorologist, a stand-in for a real agent. I am **no language model**: I look for the "
    "names of cities and days in your words, and the weather I tell is computed, not measured. "
    "Ask me for example: *what's the weather in Chicago today?* and then *and tomorrow?*"
)

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEATHER_WORDS = re.compile(
    r"\b(weather|forecast|temperatures?|degrees|rain\w*|umbrella|snow\w*|sun|sunny|sunshine|wind\w*|storm\w*|"
    r"cloud\w*|hot|cold|warm|cool|humid\w*|wet|dry|jacket|coat)\b"
)
_DAY_WORDS = re.compile(rf"\b(today|tonight|now|tomorrow|weekend|week|{'|'.join(_WEEKDAYS)})\b")
_PAST_WORDS = re.compile(r"\b(yesterday|last (week|weekend|month|year|night))\b")
_SELF_WORDS = re.compile(
    r"\b(help|who are you|what are you|what can you do|are you an? (ai|bot|robot|human|llm|language model))\b"
)
# "in Atlantis", "for Gotham City tomorrow": a name after a preposition, up to a day or the end of the phrase.
_PLACE = re.compile(
    r"\b(?:in|at|for|of|about) (?!the\b|an?\b|my\b|our\b|this\b|that\b|next\b|me\b|us\b|general\b|celsius\b)"
    r"([a-z][a-z' .-]*?)"
    rf"(?= (?:today|tonight|tomorrow|now|on|this|next|like|please|{'|'.join(_WEEKDAYS)})\b|[?!.,;]|$)"
)


@dataclass(frozen=True)
class Answer:
    """What the meteorologist did and says.

    Attributes:
        steps: what it thought and which tools it used, in order; empty when no weather was asked for.
        text: Markdown.
        place: what the session should remember.
        today: the date at the place, or in UTC when there is none.
    """

    steps: tuple[Rationale | ToolUse, ...]
    text: str
    place: City | None
    today: date


def answer(question: str, place: City | None, now: datetime, files: Sequence[InputFile] = ()) -> Answer:
    """Answers `question`; `place` is what the session remembers, `now` an aware time."""
    found = _answer(question, place, now)
    if not files:
        return found
    # A question that is not about the weather is about the files.
    paragraphs = [found.text, about_files(files)] if found.steps else [about_files(files)]
    return replace(found, text="\n\n".join(paragraphs))


def about_files(files: Sequence[InputFile]) -> str:
    """What there is to say about files without understanding them."""
    lines = [f"- **{file.name}**: `{file.media_type}`, {file.size:,} bytes" for file in files]
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    return "\n".join([f"I received {count}:", "", *lines])


def _answer(question: str, place: City | None, now: datetime) -> Answer:
    words = fold(question).replace("\u2019", "'")
    named = city_named(question)
    if named is None and (stranger := _unknown_place(words)):
        return _say(f"I am sorry, I do not know the weather of **{stranger}**. {_known_cities()}", place, now)
    if named is None and not (_WEATHER_WORDS.search(words) or _DAY_WORDS.search(words)):
        return _say(_small_talk(words), place, now)
    city = named or place
    if city is None:
        return _say(f"For which city would you like to know that? {_known_cities()}", place, now)
    if _PAST_WORDS.search(words):
        return _say(f"I only look ahead: ask me about {city.name} today or on the coming days.", city, now)
    return _forecast(words, city, now)


def _forecast(words: str, city: City, now: datetime) -> Answer:
    local = local_time(city, now)
    label, days = _days_asked(words, local.date())
    forecasts = [weather(city, day) for day in days]
    details = map(_details, forecasts) if len(forecasts) <= 2 else ["\n".join(map(_line, forecasts))]
    text = "\n\n".join([_summary(words, label, forecasts), *details])
    return Answer(_steps(city, local, forecasts), text, city, local.date())


def _steps(city: City, local: datetime, forecasts: list[Weather]) -> tuple[Rationale | ToolUse, ...]:
    latitude, longitude = f"{city.latitude:.2f}", f"{city.longitude:.2f}"
    first, last = forecasts[0].day.isoformat(), forecasts[-1].day.isoformat()
    found = {
        "latitude": latitude,
        "longitude": longitude,
        "country": city.country,
        "timezone": city.time_zone,
    }
    daily = [
        {
            "date": f.day.isoformat(),
            "sky": f.sky,
            "low_c": f.low,
            "high_c": f.high,
            "rain_mm": f.precipitation,
        }
        for f in forecasts
    ]
    where = {"latitude": latitude, "longitude": longitude, "start_date": first, "end_date": last}
    return (
        Rationale(
            f"I need the coordinates and the local date of {city.name} before I can look up its weather."
        ),
        ToolUse(FIND_PLACE, {"place_name": city.name}, json.dumps(found)),
        ToolUse(
            FIND_DATE, {"timezone": city.time_zone}, json.dumps({"now": local.isoformat("T", "minutes")})
        ),
        ToolUse(FIND_WEATHER, where, json.dumps({"daily": daily})),
    )


def _days_asked(words: str, today: date) -> tuple[str, list[date]]:
    """The days that the words mean, and a name for them that fits after "in Lima"."""
    if "day after tomorrow" in words:
        return "the day after tomorrow", [today + timedelta(2)]
    if "tomorrow" in words:
        return "tomorrow", [today + timedelta(1)]
    if "weekend" in words:
        saturday = today + timedelta((5 - today.weekday()) % 7)
        if today.weekday() == 6:
            return "today, Sunday", [today]
        return "at the weekend", [saturday, saturday + timedelta(1)]
    if re.search(r"\bweek\b", words):
        return "over the next seven days", [today + timedelta(n) for n in range(7)]
    for number, name in enumerate(_WEEKDAYS):
        if re.search(rf"\b{name}\b", words):
            return f"on {name.title()}", [today + timedelta((number - today.weekday()) % 7)]
    return "today", [today]


def _summary(words: str, label: str, forecasts: list[Weather]) -> str:
    first, city = forecasts[0], forecasts[0].city.name
    wettest = max(forecasts, key=lambda f: f.precipitation)
    low, high = min(f.low for f in forecasts), max(f.high for f in forecasts)
    range_ = f"Expect between {_degrees(low)} and {_degrees(high)}."
    if re.search(r"\b(rain\w*|umbrella|wet|dry|snow\w*|storm\w*|showers)\b", words):
        chance = max(f.precipitation_chance for f in forecasts)
        verdict = (
            f"**Yes**, {_noun(wettest)} is likely in **{city}** {label}: the chance is {chance} %."
            if wettest.wet
            else f"**No**, it should stay dry in **{city}** {label}: the chance of rain is {chance} %."
        )
        advice = "Take an umbrella." if wettest.wet else "You can leave the umbrella at home."
        return f"{verdict} {range_} {advice}"
    skies = list(dict.fromkeys(f.sky for f in forecasts))
    sky = skies[0] if len(skies) == 1 else f"{', '.join(skies[:-1])} and {skies[-1]} by turns"
    start = f"In **{city}** it will be **{sky}** {label}." if first.sky not in _NOUNS else ""
    start = start or f"In **{city}** expect **{sky}** {label}."
    return f"{start} {range_} {_advice(wettest, low, high)}"


_NOUNS = ("showers", "rain", "thunderstorms", "snow")


def _noun(forecast: Weather) -> str:
    return "snow" if forecast.sky == "snow" else "rain"


def _advice(wettest: Weather, low: int, high: int) -> str:
    if wettest.wet:
        return "Dress warmly and mind the roads." if wettest.sky == "snow" else "An umbrella will be useful."
    if high >= 30:
        return "Drink enough and keep to the shade."
    return "A warm coat is a good idea." if low <= 5 else "A good time to be outdoors."


def _details(forecast: Weather) -> str:
    kind = "snow" if forecast.sky == "snow" else "rain"
    amount = f", about {forecast.precipitation:g} mm" if forecast.wet else ""
    return "\n".join(
        [
            f"**{forecast.day:%A}, {forecast.day.day} {forecast.day:%B}**: {forecast.sky}",
            f"- Temperature: {_degrees(forecast.low)} to {_degrees(forecast.high)}",
            f"- Chance of {kind}: {forecast.precipitation_chance} %{amount}",
            f"- Wind: {forecast.wind} km/h from the {forecast.wind_from}",
            f"- Humidity: {forecast.humidity} %",
        ]
    )


def _line(forecast: Weather) -> str:
    range_ = f"{_degrees(forecast.low)} to {_degrees(forecast.high)}"
    return f"- {forecast.day:%A}: {forecast.sky}, {range_}, chance of rain {forecast.precipitation_chance} %"


def _degrees(celsius: int) -> str:
    return f"{celsius} °C ({round(celsius * 9 / 5 + 32)} °F)"


def _unknown_place(words: str) -> str | None:
    if not (_WEATHER_WORDS.search(words) or re.match(r"(and|what about|how about)\b", words.strip())):
        return None
    names = [match.group(1).strip() for match in _PLACE.finditer(words)]
    names = [
        name for name in names if name and not _DAY_WORDS.match(name) and not _WEATHER_WORDS.search(name)
    ]
    return names[-1].title() if names else None


def _known_cities() -> str:
    return f"I know these cities: {', '.join(city.name for city in CITIES)}."


def _small_talk(words: str) -> str:
    if _SELF_WORDS.search(words):
        return f"{WHO_I_AM}\n\n{_known_cities()}"
    if re.search(r"\b(thanks|thank you|cheers)\b", words):
        return "You are welcome! Ask me again whenever the sky looks doubtful."
    if re.search(r"\b(hi|hello|hey|good (morning|afternoon|evening))\b", words):
        return "Hello! I am the local meteorologist. Which city's weather would you like to know?"
    return (
        "That is beyond me: I only know about the weather, and I am no language model. "
        "Ask me for example *will it rain in Lima tomorrow?*, or say *help*."
    )


def _say(text: str, place: City | None, now: datetime) -> Answer:
    today = local_time(place, now).date() if place else now.date()
    return Answer((), text, place, today)
