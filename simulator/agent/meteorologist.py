"""A small virtual meteorologist: no language model, but word matching; the weather comes from its tools.

A question, the place that the session remembers, the time and the tools in; steps, an answer in Markdown and
the place to remember out.
"""

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from simulator.agent.actions import Arguments, Rationale, ToolCall, ToolResult, ToolUse
from simulator.agent.asked import InputFile
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER, ComputedTools, Result, Tools
from simulator.agent.weather import CITIES, City, city_named, fold, local_time

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


Step = Rationale | ToolCall | ToolResult


class ToolFailed(Exception):
    """A tool gave no result; the text says why, for the model of an agent."""


@dataclass(frozen=True)
class _Told:
    """What there is to say (Markdown), and the date at the place, or in UTC when there is none."""

    text: str
    today: date


_Work = Generator[Step, None, _Told]


class Answer:
    """An answer that comes about while its steps are taken.

    Attributes:
        place: what the session should remember.
        steps: what the meteorologist thinks and which tools it uses, in order; going on from a `ToolCall`
            calls the tool. Nothing when no weather was asked for.
    """

    def __init__(self, place: City | None, work: _Work) -> None:
        self.place = place
        self.steps: Iterator[Step] = self._follow(work)
        self._told: _Told | None = None

    @property
    def text(self) -> str:
        """Markdown. Takes the steps that are left."""
        return self._finished().text

    @property
    def today(self) -> date:
        """The date at the place, or in UTC when there is none. Takes the steps that are left."""
        return self._finished().today

    def _follow(self, work: _Work) -> Iterator[Step]:
        self._told = yield from work

    def _finished(self) -> _Told:
        for _ in self.steps:
            pass
        assert self._told is not None
        return self._told


def answer(
    question: str,
    place: City | None,
    now: datetime,
    files: Sequence[InputFile] = (),
    tools: Tools | None = None,
) -> Answer:
    """Answers `question`.

    Args:
        place: what the session remembers.
        now: an aware time.
        tools: None takes `ComputedTools`.
    """
    words = fold(question).replace("\u2019", "'")
    named = city_named(question)
    city = named or place
    today = local_time(city, now).date() if city else now.date()
    remark = _remark(words, named, place)
    if city is None or remark:
        # A question that is not about the weather is about the files.
        return Answer(city, _say(about_files(files) if files else remark, today))
    work = _look_up(words, city, today, tools or ComputedTools(now))
    return Answer(city, _add(work, about_files(files)) if files else work)


def about_files(files: Sequence[InputFile]) -> str:
    """What there is to say about files without understanding them."""
    lines = [f"- **{file.name}**: `{file.media_type}`, {file.size:,} bytes" for file in files]
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    return "\n".join([f"I received {count}:", "", *lines])


def _remark(words: str, named: City | None, place: City | None) -> str:
    """What there is to say without looking anything up; "" when there is something to look up."""
    if named is None and (stranger := _unknown_place(words)):
        return f"I am sorry, I do not know the weather of **{stranger}**. {_known_cities()}"
    if named is None and not (_WEATHER_WORDS.search(words) or _DAY_WORDS.search(words)):
        return _small_talk(words)
    city = named or place
    if city is None:
        return f"For which city would you like to know that? {_known_cities()}"
    if _PAST_WORDS.search(words):
        return f"I only look ahead: ask me about {city.name} today or on the coming days."
    return ""


def _say(text: str, today: date) -> _Work:
    yield from ()
    return _Told(text, today)


def _add(work: _Work, paragraph: str) -> _Work:
    told = yield from work
    return replace(told, text=f"{told.text}\n\n{paragraph}")


def _look_up(words: str, city: City, today: date, tools: Tools) -> _Work:
    """`today` counts when no tool tells it."""
    yield Rationale(
        f"I need the coordinates and the local date of {city.name} before I can look up its weather."
    )
    try:
        found = yield from _use(tools, FIND_PLACE, {"place_name": city.name})
        if not found["places"]:
            raise ToolFailed(found["hint"])
        place = found["places"][0]
        clock = yield from _use(tools, FIND_DATE, {"timezone": place["timezone"]})
        today = date.fromisoformat(clock["date"])
        label, days = _days_asked(words, today)
        where = {"latitude": place["latitude"], "longitude": place["longitude"]}
        reach = {"forecast_days": (days[-1] - today).days + 1}
        weather = yield from _use(tools, FIND_WEATHER, where | reach)
        forecasts = [day for day in _forecasts(weather) if day.day in days]
        if not forecasts:  # a new day has dawned between two calls
            raise ToolFailed("The forecast does not have that day")
    except ToolFailed as failure:
        # The rest of the words is advice for a model.
        reason = str(failure).partition(". ")[0].rstrip(".")
        return _Told(f"I am sorry, I could not look up the weather of **{city.name}**. {reason}.", today)
    details = map(_details, forecasts) if len(days) <= 2 else ["\n".join(map(_line, forecasts))]
    return _Told("\n\n".join([_summary(words, label, place["name"], forecasts), *details]), today)


def _use(tools: Tools, name: str, arguments: Arguments) -> Generator[Step, None, Result]:
    """Raises ToolFailed."""
    yield ToolCall(name, arguments)
    result = tools.use(name, arguments)
    yield ToolResult(ToolUse(name, arguments, json.dumps(result, ensure_ascii=False)))
    if "error" in result:
        raise ToolFailed(result["error"])
    return result


@dataclass(frozen=True)
class _Forecast:
    """One day, as the tool tells it: °C, percent, mm and km/h."""

    day: date
    sky: str
    low: float
    high: float
    chance: int
    precipitation: float
    wind: float
    wind_from: str

    @property
    def wet(self) -> bool:
        return self.precipitation > 0

    @property
    def kind(self) -> str:
        return "snow" if "snow" in self.sky else "rain"


def _forecasts(weather: Result) -> Iterator[_Forecast]:
    for row in weather["daily"]["rows"]:
        column: Mapping[str, Any] = dict(zip(weather["daily"]["columns"], row, strict=True))
        yield _Forecast(
            day=date.fromisoformat(column["date"]),
            sky=column["weather"],
            low=column["low (°C)"],
            high=column["high (°C)"],
            chance=column["chance of precipitation (%)"],
            precipitation=column["precipitation (mm)"],
            wind=column["strongest wind (km/h)"],
            wind_from=column["wind from"],
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


def _summary(words: str, label: str, city: str, forecasts: list[_Forecast]) -> str:
    wettest = max(forecasts, key=lambda f: f.precipitation)
    low, high = min(f.low for f in forecasts), max(f.high for f in forecasts)
    range_ = f"Expect between {_degrees(low)} and {_degrees(high)}."
    if re.search(r"\b(rain\w*|umbrella|wet|dry|snow\w*|storm\w*|showers)\b", words):
        chance = max(f.chance for f in forecasts)
        verdict = (
            f"**Yes**, {wettest.kind} is likely in **{city}** {label}: the chance is {chance} %."
            if wettest.wet
            else f"**No**, it should stay dry in **{city}** {label}: the chance of rain is {chance} %."
        )
        advice = "Take an umbrella." if wettest.wet else "You can leave the umbrella at home."
        return f"{verdict} {range_} {advice}"
    skies = list(dict.fromkeys(_SKIES.get(f.sky, f.sky) for f in forecasts))
    sky = skies[0] if len(skies) == 1 else f"{', '.join(skies[:-1])} and {skies[-1]} by turns"
    return f"In **{city}** expect **{sky}** {label}. {range_} {_advice(wettest, low, high)}"


# What the tool says in an adjective.
_SKIES = {"partly cloudy": "a partly cloudy sky", "overcast": "an overcast sky", "clear sky": "a clear sky"}


def _advice(wettest: _Forecast, low: float, high: float) -> str:
    if wettest.wet:
        return "Dress warmly and mind the roads." if wettest.kind == "snow" else "An umbrella will be useful."
    if high >= 30:
        return "Drink enough and keep to the shade."
    return "A warm coat is a good idea." if low <= 5 else "A good time to be outdoors."


def _details(forecast: _Forecast) -> str:
    amount = f", about {forecast.precipitation:g} mm" if forecast.wet else ""
    return "\n".join(
        [
            f"**{forecast.day:%A}, {forecast.day.day} {forecast.day:%B}**: {forecast.sky}",
            f"- Temperature: {_degrees(forecast.low)} to {_degrees(forecast.high)}",
            f"- Chance of {forecast.kind}: {forecast.chance} %{amount}",
            f"- Wind: up to {forecast.wind:g} km/h from the {forecast.wind_from}",
        ]
    )


def _line(forecast: _Forecast) -> str:
    range_ = f"{_degrees(forecast.low)} to {_degrees(forecast.high)}"
    return f"- {forecast.day:%A}: {forecast.sky}, {range_}, chance of rain {forecast.chance} %"


def _degrees(celsius: float) -> str:
    return f"{celsius:g} °C ({round(celsius * 9 / 5 + 32)} °F)"


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
