"""A small virtual meteorologist: no language model, but word matching; the weather comes from its tools.

A question, the place that the session remembers, the time and the tools in; steps, an answer in Markdown and
the place to remember out.
"""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from simulator.agent.actions import Arguments, Rationale, ToolCall, ToolResult, ToolUse
from simulator.agent.asked import InputFile
from simulator.agent.days import Days, not_to_tell
from simulator.agent.places import Place
from simulator.agent.question import Question
from simulator.agent.telling import Period, details, forecasts, summary
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER, ComputedTools, Result, Tools
from simulator.agent.weather import CITIES, City, fold, local_time

WHO_I_AM = (
    "I am the local meteorologist, a stand-in for a real agent. I am **no language model**: I look for the "
    "names of cities and days in your words, and the weather I tell is computed, not measured. "
    "Ask me for example: *what's the weather in Chicago today?* and then *and tomorrow?*"
)
# With more of them an answer would be a table.
MOST_PLACES = 2

_EXAMPLE = "*will it rain in Lima tomorrow?*"
_SELF_WORDS = re.compile(
    r"\b(help|who are you|what are you|what can you do|are you an? (ai|bot|robot|human|llm|language model))\b"
)


Step = Rationale | ToolCall | ToolResult | ToolUse


class ToolFailed(Exception):
    """A tool gave no result; the text says why, for the model of an agent."""


class NotFound(ToolFailed):
    """The place search knows no place of this name."""


@dataclass(frozen=True)
class _Told:
    """What there is to say (Markdown), and the date at the place, or in UTC when there is none.

    `is_found` is whether the place search knew the place.
    """

    text: str
    today: date
    is_found: bool = True


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
    asked = Question.read(question)
    cities = [named.city for named in asked.places[:MOST_PLACES] if named.city]
    city = cities[0] if cities else place
    today = local_time(city, now).date() if city else now.date()
    places = asked.places or ((Place(city.name, city),) if city else ())
    if remark := _remark(asked, places):
        # A question that is not about the weather is about the files.
        return Answer(city, _say(about_files(files) if files else remark, today))
    work = _look_up(asked, places, today, tools or ComputedTools(now))
    return Answer(city, _add(work, about_files(files)) if files else work)


def about_files(files: Sequence[InputFile]) -> str:
    """What there is to say about files without understanding them."""
    lines = [f"- **{file.name}**: `{file.media_type}`, {file.size:,} bytes" for file in files]
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    return "\n".join([f"I received {count}:", "", *lines])


def _remark(asked: Question, places: Sequence[Place]) -> str:
    """What there is to say without looking anything up; "" when there is something to look up."""
    if not asked.is_english:
        return f"I am sorry, I read English only. Ask me for example {_EXAMPLE}"
    if not (asked.asks_weather or asked.asks_time):
        return _small_talk(fold(asked.text))
    if asked.asks_weather and asked.days.unclear:
        known = "*today*, *last Monday*, *next week*, *the next 3 days* and *3 December*"
        return f"I do not understand *{asked.days.unclear}*: of days I know words such as {known}."
    return "" if places else f"For which city would you like to know that? {_known_cities()}"


def _say(text: str, today: date) -> _Work:
    yield from ()
    return _Told(text, today)


def _add(work: _Work, paragraph: str) -> _Work:
    told = yield from work
    return replace(told, text=f"{told.text}\n\n{paragraph}")


def _look_up(asked: Question, places: Sequence[Place], today: date, tools: Tools) -> _Work:
    """`today` counts when no tool tells it."""
    first, *others = places[:MOST_PLACES]
    told = [(yield from _tell(asked, first, today, tools, is_only=not others))]
    for place in others:
        told.append((yield from _tell(asked, place, today, tools, is_only=False)))
    texts = list(dict.fromkeys(one.text for one in told))
    lines = texts if len(texts) == 1 else ["\n".join(f"- {text}" for text in texts)]
    notes = _notes(asked, places, all(one.is_found for one in told))
    return replace(told[0], text="\n\n".join([*lines, *([" ".join(notes)] if notes else [])]))


def _tell(asked: Question, place: Place, today: date, tools: Tools, *, is_only: bool) -> _Work:
    """About one place; in one paragraph unless it is the only one."""
    if asked.asks_weather:
        need = f"the coordinates and the local date of {place.name} before I can look up its weather"
    else:
        need = f"the time zone of {place.name} before I can tell what time it is there"
    yield Rationale(f"I need {need}.")
    found = None
    try:
        found = yield from _find(place, tools)
        clock = yield from _use(tools, FIND_DATE, {"timezone": found["timezone"]})
        today = date.fromisoformat(clock["date"])
        said = [_time(found, clock)] if asked.asks_time else []
        if asked.asks_weather:
            period = yield from _weather(asked, found, today, tools)
            if isinstance(period, str):
                return _Told(period, today)
            said.append(summary(period, asked.quantities, is_open=asked.is_open))
            said += [details(period)] if is_only else []
    except ToolFailed as failure:
        # The rest of the words is advice for a model.
        reason = str(failure).partition(". ")[0].rstrip(".")
        what = "weather" if asked.asks_weather else "time"
        text = f"I am sorry, I could not look up the {what} of **{place.name}**. {reason}."
        return _Told(text, today, not isinstance(failure, NotFound))
    if place.city is None and fold(found["name"]) != fold(place.name):
        said[0] += f" I took *{place.name}* for {found['name']}, {found['country']}."
    return _Told(("\n\n" if is_only else " ").join(said), today)


def _find(place: Place, tools: Tools) -> Generator[Step, None, Result]:
    """The best match for the place's name. Raises ToolFailed."""
    found = yield from _use(tools, FIND_PLACE, {"place_name": place.name})
    if not found["places"]:
        raise NotFound(found.get("hint", "No place has this name."))
    best: Result = found["places"][0]
    return best


def _weather(
    asked: Question, place: Result, today: date, tools: Tools
) -> Generator[Step, None, Period | str]:
    """The weather of the days asked about, or why it cannot be told. Raises ToolFailed."""
    days = asked.days_on(today)
    if reason := not_to_tell(days, today):
        return reason
    where = {"latitude": place["latitude"], "longitude": place["longitude"]}
    weather = yield from _use(tools, FIND_WEATHER, where | _reach(days, today))
    wanted = [day for day in forecasts(weather) if day.day in days.dates]
    if len(wanted) < len(days.dates):  # a new day has dawned between two calls
        raise ToolFailed("The forecast does not have that day")
    return Period(place["name"], days.label, days.dates[-1] < today, wanted)


def _reach(days: Days, today: date) -> dict[str, int]:
    """The arguments of the weather tool. A forecast always has today."""
    ahead = (days.dates[-1] - today).days
    back = {"past_days": (today - days.dates[0]).days} if days.dates[0] < today else {}
    return back | {"forecast_days": max(ahead, 0) + 1}


def _use(tools: Tools, name: str, arguments: Arguments) -> Generator[Step, None, Result]:
    """Raises ToolFailed."""
    yield ToolCall(name, arguments)
    result = tools.use(name, arguments)
    yield ToolResult(ToolUse(name, arguments, json.dumps(result, ensure_ascii=False)))
    if "error" in result:
        raise ToolFailed(result["error"])
    return result


def _time(place: Result, clock: Result) -> str:
    day = date.fromisoformat(clock["date"])
    return f"In **{place['name']}** it is **{clock['time']}** on {day:%A}, {day.day} {day:%B} {day.year}."


def _notes(asked: Question, places: Sequence[Place], are_found: bool) -> list[str]:
    """What the answer leaves out, or takes for granted."""
    notes = []
    if not are_found:
        notes.append(_known_cities())
    if left_out := [f"**{place.name}**" for place in places[MOST_PLACES:]]:
        notes.append(f"I look up {MOST_PLACES} places at a time and left out {' and '.join(left_out)}.")
    if asked.asks_weather and asked.days.by_hour and not asked.asks_time:
        notes.append("I tell the weather of whole days, not of hours.")
    if asked.not_told:
        notes.append(f"I do not tell the {asked.not_told}.")
    known = [place.name for place in places[:MOST_PLACES] if place.city]
    if len(known) > 1:
        notes.append(f"A question without a place will be about **{known[0]}**.")
    return notes


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
        "That is beyond me: I only know about the weather, and what time it is, and I am no language model. "
        f"Ask me for example {_EXAMPLE}, or say *help*."
    )
