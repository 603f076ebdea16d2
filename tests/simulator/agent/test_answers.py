"""Answers to questions of many kinds: what they say is held against the data of the local weather service."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.tools import clock, places, weather
from simulator.agent.actions import Arguments, ToolCall, ToolUse
from simulator.agent.meteorologist import Answer, answer
from simulator.agent.scripts import NATURAL
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER, Result
from simulator.agent.weather import CITIES, City, Weather
from simulator.agent.weather import weather as computed
from simulator.open_meteo import OpenMeteo

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # a Monday
TODAY = NOW.date()


class RealTools:
    """The tools in this process, at `NOW`; `used` are the calls."""

    def __init__(self) -> None:
        self.used: list[tuple[str, Arguments]] = []

    def use(self, name: str, arguments: Arguments) -> Result:
        self.used.append((name, arguments))
        if name == FIND_DATE:
            return clock.tell(str(arguments["timezone"]), NOW)
        return {FIND_PLACE: places.handler, FIND_WEATHER: weather.handler}[name](arguments, None)


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[RealTools]:
    open_meteo = OpenMeteo(now=lambda: NOW)
    open_meteo.start()
    monkeypatch.setenv("GEOCODING_URL", open_meteo.geocoding_url)
    monkeypatch.setenv("FORECAST_URL", open_meteo.forecast_url)
    yield RealTools()
    open_meteo.stop()


def city(name: str) -> City:
    return next(city for city in CITIES if city.name == name)


def ask(question: str, tools: RealTools, place: City | None = None) -> Answer:
    return answer(question, place, NOW, (), tools)


def on(name: str, days: int) -> Weather:
    return computed(city(name), TODAY + timedelta(days))


def day_when(sky: str) -> Weather:
    """The first coming day with such a sky in any of the cities."""
    days = (computed(place, TODAY + timedelta(ahead)) for ahead in range(1, 14) for place in CITIES)
    return next(day for day in days if day.sky == sky)


def verdicts(text: str) -> list[str]:
    return re.findall(r"\*\*(Yes|No)\*\*", text)


def days_told(text: str) -> list[str]:
    """Of the paragraphs and of the lines: "Monday, 23 November"."""
    return re.findall(r"^(?:\*\*|- )(\w+day, \d+ \w+)", text, re.MULTILINE)


def named(days: range) -> list[str]:
    return [f"{day:%A}, {day.day} {day:%B}" for day in (TODAY + timedelta(number) for number in days)]


@pytest.mark.parametrize(
    ("word", "skies_for_yes"),
    [
        ("rain", {"rain", "showers", "thunderstorms"}),
        ("snow", {"snow"}),
        ("be wet", {"rain", "showers", "thunderstorms", "snow"}),
        ("stay dry", {"sunny", "partly cloudy", "overcast"}),
        ("thunder", {"thunderstorms"}),
    ],
)
@pytest.mark.parametrize("sky", ["sunny", "overcast", "showers", "rain", "thunderstorms", "snow"])
def test_yes_and_no_are_about_the_word_that_was_asked(
    tools: RealTools, word: str, skies_for_yes: set[str], sky: str
) -> None:
    data = day_when(sky)
    text = ask(f"Will it {word} in {data.city.name} on {data.day.isoformat()}?", tools).text
    assert verdicts(text) == ["Yes" if sky in skies_for_yes else "No"]
    assert f" {data.precipitation_chance} %." in text


@pytest.mark.parametrize("place", CITIES, ids=lambda city: city.name)
def test_what_is_hot_cold_or_windy_is_decided_by_the_numbers(tools: RealTools, place: City) -> None:
    data = on(place.name, 1)
    text = ask(f"Will it be hot, warm, cold, freezing or windy in {place.name} on {data.day}?", tools).text
    holds = (data.high >= 30, data.high >= 20, data.low <= 5, data.low <= 0, data.wind >= 20)
    assert verdicts(text) == ["Yes" if yes else "No" for yes in holds]


def test_when_something_else_falls_the_no_says_what(tools: RealTools) -> None:
    rain = day_when("rain")
    text = ask(f"Will it snow in {rain.city.name} on {rain.day}?", tools).text
    assert text.startswith("**No**, but rain is likely in ")
    snow = day_when("snow")
    text = ask(f"Will it rain in {snow.city.name} on {snow.day}?", tools).text
    assert text.startswith("**No**, but snow is likely in ")


@pytest.mark.parametrize("question", ["When will it rain in {}?", "Will there be no rain in {} tomorrow?"])
def test_an_open_question_gets_neither_yes_nor_no(tools: RealTools, question: str) -> None:
    assert verdicts(ask(question.format("London"), tools).text) == []


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("on Friday and Saturday", range(4, 6)),
        ("over the next 3 days", range(1, 4)),
        ("on December 3", range(10, 11)),
        ("in two weeks", range(14, 15)),
        ("this week", range(7)),
        ("next week", range(7, 14)),
    ],
)
def test_the_days_that_were_asked_about_are_told(tools: RealTools, words: str, days: range) -> None:
    text = ask(f"Will it rain in Berlin {words}?", tools).text
    assert days_told(text) == named(days)
    lows, highs = zip(*((on("Berlin", day).low, on("Berlin", day).high) for day in days), strict=True)
    assert re.findall(r"Expect between (-?\d+) °C .* and (-?\d+) °C", text) == [
        (str(min(lows)), str(max(highs)))
    ]
    assert verdicts(text) == ["Yes" if any(on("Berlin", day).wet for day in days) else "No"]


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("yesterday", range(-1, 0)),
        ("last Monday", range(-7, -6)),
        ("on Friday", range(-3, -2)),
        ("over the last 3 days", range(-3, 0)),
        ("over the last two weeks", range(-14, 0)),
        ("last week", range(-7, 0)),
    ],
)
def test_the_past_is_told_from_the_past(tools: RealTools, words: str, days: range) -> None:
    text = ask(f"Did it rain in Berlin {words}?", tools).text
    data = [on("Berlin", day) for day in days]
    rain = round(sum(day.precipitation for day in data), 1)
    assert not any(day.sky == "snow" for day in data)
    assert days_told(text) == named(days)
    first = text.partition(" It had between ")[0]
    assert first.startswith("**Yes**, it rained" if rain else "**No**, it stayed dry")
    assert first.endswith(f": {rain:g} mm." if rain else ".")
    assert not re.search(r"chance|likely|expect|umbrella", text, re.IGNORECASE)
    assert tools.used[-1][1]["past_days"] == -days[0]


def test_the_wind_s_direction_is_told_where_the_tool_tells_it(tools: RealTools) -> None:
    assert f"up to {on('Lima', 1).wind} km/h from the " in ask("weather in Lima tomorrow", tools).text
    # Of more than eight days the tool tells less.
    assert ask("weather in Lima in two weeks", tools).text.endswith(f"up to {on('Lima', 14).wind} km/h")


def test_without_a_tool_of_its_own_the_past_is_the_same(tools: RealTools) -> None:
    question = "Was it cold in Berlin over the last 3 days?"
    assert answer(question, None, NOW).text == ask(question, tools).text


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Was it hot in Madrid in July?", "I do not understand *in July*: "),
        ("Will it rain in Lima until Friday?", "I do not understand *until Friday*: "),
        ("Weather in Lima at Christmas", "I do not understand *at Christmas*: "),
    ],
)
def test_a_day_that_is_not_understood_is_not_taken_for_today(
    tools: RealTools, question: str, sentence: str
) -> None:
    text = ask(question, tools).text
    assert text.startswith(sentence)
    assert len(text.splitlines()) == 1
    assert tools.used == []


@pytest.mark.parametrize("words", ["on 2031-05-01", "in three weeks", "the week after next", "20 days ago"])
def test_a_day_out_of_reach_is_refused_by_the_date_at_the_place(tools: RealTools, words: str) -> None:
    text = ask(f"Will it rain in Lima {words}?", tools).text
    assert text.startswith("I cannot tell the weather of ")
    assert text.endswith((": my forecast goes as far as 8 December 2026.", " as far as 9 November 2026."))
    assert [name for name, _ in tools.used] == [FIND_PLACE, FIND_DATE]


@pytest.mark.parametrize("question", ["Will it be warm in Lima or Cairo?", "Lima and Cairo: is it warm?"])
def test_two_places_have_a_line_each(tools: RealTools, question: str) -> None:
    found = ask(question, tools)
    lines = [line for line in found.text.splitlines() if line.startswith("- ")]
    for name, line in zip(("Lima", "Cairo"), lines, strict=True):
        assert f"**{name}**" in line
        assert f"between {on(name, 0).low} °C" in line
        assert verdicts(line) == ["Yes" if on(name, 0).high >= 20 else "No"]
    assert found.place == city("Lima")
    assert "A question without a place will be about **Lima**." in found.text


def test_the_tools_are_called_for_both_of_two_places(tools: RealTools) -> None:
    steps = list(ask("Lima or Cairo?", tools).steps)
    called = [step.tool for step in steps if isinstance(step, ToolCall | ToolUse)]
    assert called == [name for name, _ in tools.used] == [FIND_PLACE, FIND_DATE, FIND_WEATHER] * 2


def test_an_answer_about_two_places_can_be_played(tools: RealTools) -> None:
    assert list(NATURAL.play(ask("Lima or Cairo?", tools)))
    assert len(tools.used) == 6


def test_a_third_place_is_said_to_be_left_out(tools: RealTools) -> None:
    text = ask("weather in Lima, Rome and Cairo", tools).text
    assert "left out **Cairo**" in text
    assert {arguments.get("place_name") for _, arguments in tools.used} == {"Lima", "Rome", None}


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Will it rain in Quito tomorrow?", "Quito"),
        ("Weather in Paris, Texas?", "Paris, Texas"),
        ("and in Springfield?", "Springfield"),
    ],
)
def test_the_place_search_says_that_there_is_no_such_place(
    tools: RealTools, question: str, name: str
) -> None:
    text = ask(question, tools, city("Lima")).text
    assert text.startswith(
        f"I am sorry, I could not look up the weather of **{name}**. No place has this name."
    )
    assert tools.used == [(FIND_PLACE, {"place_name": name})]


def test_of_two_places_the_one_that_is_known_is_told(tools: RealTools) -> None:
    text = ask("Is it warm in Quito or Lima?", tools).text
    assert f"between {on('Lima', 0).low} °C" in text
    assert "could not look up the weather of **Quito**" in text


def test_a_place_that_the_search_takes_for_another_is_said_to_be(tools: RealTools) -> None:
    text = ask("weather in Helsink", tools).text
    assert "I took *Helsink* for Helsinki, Finland." in text


@pytest.mark.parametrize("question", ["what time is it in Tokyo?", "What is the local time in Tokyo now?"])
def test_the_time_comes_from_the_clock(tools: RealTools, question: str) -> None:
    assert ask(question, tools).text == "In **Tokyo** it is **00:00** on Tuesday, 24 November 2026."
    assert tools.used == [(FIND_PLACE, {"place_name": "Tokyo"}), (FIND_DATE, {"timezone": "Asia/Tokyo"})]


def test_the_time_and_the_weather_can_be_asked_at_once(tools: RealTools) -> None:
    text = ask("What time is it in Lima, and will it rain?", tools).text
    assert text.startswith("In **Lima** it is **10:00** on Monday, 23 November 2026.")
    assert days_told(text) == named(range(1))


@pytest.mark.parametrize(
    "question",
    ["¿Lloverá en Lima mañana?", "morgen in Berlin", "Quel temps fera-t-il dans la ville de Nice demain ?"],
)
def test_other_languages_are_not_guessed_at(tools: RealTools, question: str) -> None:
    assert ask(question, tools).text.startswith("I am sorry, I read English only.")
    assert tools.used == []


@pytest.mark.parametrize("question", ["Who is the mayor of Lima?", "Should I cut the grass on Friday?"])
def test_what_is_not_about_the_weather_gets_none(tools: RealTools, question: str) -> None:
    assert ask(question, tools, city("Lima")).text.startswith("That is beyond me")
    assert tools.used == []


@pytest.mark.parametrize(
    ("question", "note"),
    [
        ("Will it rain in Lima tomorrow at 5 pm?", "I tell the weather of whole days, not of hours."),
        ("How humid is it in Lima?", "I do not tell the humidity."),
    ],
)
def test_what_an_answer_does_not_tell_is_said(tools: RealTools, question: str, note: str) -> None:
    assert ask(question, tools).text.endswith(note)


def test_the_date_at_the_place_counts(tools: RealTools) -> None:
    found = ask("Will it rain in Auckland tomorrow?", tools)
    assert found.today == date(2026, 11, 24)
    assert days_told(found.text) == ["Wednesday, 25 November"]
