"""A small virtual meteorologist: a script, and no language model. The weather comes from its tools.

It looks for the name of a city in the question, or takes the city that the session remembers, and tells the
weather there today and on the next days, whatever was asked about it. It politely refuses everything else.
"""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from simulator.agent.actions import Arguments, Rationale, ToolCall, ToolResult, ToolUse
from simulator.agent.request import InputFile
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER, ComputedTools, Result, Tools
from simulator.agent.weather import CITIES, City, city_named

DAYS = 3  # that an answer tells, today included

_CITIES = f"I know these cities: {', '.join(city.name for city in CITIES)}."
_WHO_I_AM = (
    "I am the local meteorologist, a stand-in for a real agent and **no language model**. I look for the "
    "name of a city in your words and tell the weather there, today and on the next days; it is computed, "
    "not measured. Ask me for example: *what's the weather in Chicago today?* and then *and tomorrow?*"
    f"\n\n{_CITIES}"
)
_WHICH_CITY = f"For which city would you like to know that? {_CITIES}"
_REFUSAL = (
    "I am sorry, that is beyond me: I am **no language model** and only know about the weather of some "
    f"cities. Ask me for example *what's the weather in Lima today?*, or *what is this?*\n\n{_CITIES}"
)

_ABOUT_ITSELF = re.compile(
    r"\b(help|what is this|(who|what) are you|what can you do|are you an? )", re.IGNORECASE
)
_ABOUT_WEATHER = re.compile(
    r"\b(weather|forecast|rain\w*|snow\w*|sun(ny)?|wind\w*|storm\w*|umbrella|hot|warm|cold|"
    r"today|tomorrow|weekend|week|(mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    re.IGNORECASE,
)
# Words that begin with a capital, with or without accents: the name of a place that may be none of ours.
_ELSEWHERE = re.compile(r"\b(?:in|for) ((?:[^\W\d_a-z][\w'\u2019-]* ?)+)")

Step = Rationale | ToolCall | ToolResult | ToolUse


class _ToolFailed(Exception):
    """A tool gave no result; the text says why, for the model of an agent."""


@dataclass(frozen=True)
class _Told:
    """The text (Markdown), and the date at the place, or in UTC when there is no place."""

    text: str
    today: date


_Work = Generator[Step, None, _Told]


class Answer:
    """An answer that is made while its steps are iterated.

    Attributes:
        place: what the session should remember.
        steps: the reasoning and tool calls, in order; going on from a `ToolCall` calls the tool. Empty when
            nobody asked for the weather.
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
    asks_weather = _ABOUT_WEATHER.search(question) is not None
    city = city_named(question)
    elsewhere = None if city or not asks_weather else _ELSEWHERE.search(question)
    place = city or place
    name = elsewhere[1].strip() if elsewhere else place.name if place else ""
    if name and (city or asks_weather):
        return Answer(place, _look_up(name, now.date(), tools or ComputedTools(now), files))
    if files:  # a question that is not about the weather is about the files
        text = _about(files)
    elif _ABOUT_ITSELF.search(question):
        text = _WHO_I_AM
    else:
        text = _WHICH_CITY if asks_weather else _REFUSAL
    return Answer(place, _say(text, now.date()))


def _about(files: Sequence[InputFile]) -> str:
    """A list of the files, whose contents are not read."""
    lines = [f"- **{file.name}**: `{file.media_type}`, {file.size:,} bytes" for file in files]
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    return "\n".join([f"I received {count}:", "", *lines])


def _say(text: str, today: date) -> _Work:
    yield from ()
    return _Told(text, today)


def _look_up(name: str, today: date, tools: Tools, files: Sequence[InputFile]) -> _Work:
    """The weather of the place with this name. `today` counts when no tool tells it."""
    yield Rationale(f"I need the coordinates and the local date of {name} before I can look up its weather.")
    try:
        place = yield from _find(name, tools)
        clock = yield from _use(tools, FIND_DATE, {"timezone": place["timezone"]})
        today = date.fromisoformat(clock["date"])
        where = {"latitude": place["latitude"], "longitude": place["longitude"], "forecast_days": DAYS}
        text = _forecast(place["name"], (yield from _use(tools, FIND_WEATHER, where)))
    except _ToolFailed as failure:
        # The rest of the words is advice for a model.
        reason = str(failure).partition(". ")[0].rstrip(".")
        text = f"I am sorry, I could not look up the weather of **{name}**. {reason}."
    return _Told(f"{text}\n\n{_about(files)}" if files else text, today)


def _find(name: str, tools: Tools) -> Generator[Step, None, Result]:
    """The best match for the place's name. Raises _ToolFailed."""
    found = yield from _use(tools, FIND_PLACE, {"place_name": name})
    if not found["places"]:
        raise _ToolFailed(found.get("hint", "No place has this name."))
    best: Result = found["places"][0]
    return best


def _use(tools: Tools, name: str, arguments: Arguments) -> Generator[Step, None, Result]:
    """Raises _ToolFailed."""
    yield ToolCall(name, arguments)
    result = tools.use(name, arguments)
    yield ToolResult(ToolUse(name, arguments, json.dumps(result, ensure_ascii=False)))
    if "error" in result:
        raise _ToolFailed(result["error"])
    return result


def _forecast(place: str, weather: Result) -> str:
    """A list of the days, each with its numbers as the weather tool gives them."""
    columns = weather["daily"]["columns"]
    days = [_line(dict(zip(columns, row, strict=True))) for row in weather["daily"]["rows"]]
    return "\n".join([f"In **{place}** expect today and on the next days:", "", *days])


def _line(told: Result) -> str:
    day = date.fromisoformat(told["date"])
    return (
        f"- **{day:%A}, {day.day} {day:%B}**: {told['weather']}, {told['low (°C)']:g} °C to "
        f"{told['high (°C)']:g} °C. Rain or snow: {told['chance of precipitation (%)']} %. "
        f"Wind: up to {told['strongest wind (km/h)']:g} km/h."
    )
