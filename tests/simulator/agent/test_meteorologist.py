import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.agent.actions import Arguments, Rationale, ToolCall, ToolResult
from simulator.agent.meteorologist import Answer, answer
from simulator.agent.request import InputFile
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER, Result
from simulator.agent.weather import CITIES, City, weather

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # a Monday
QUESTION = "Will it rain in Lima tomorrow?"


def city(name: str) -> City:
    return next(c for c in CITIES if c.name == name)


def ask(question: str, place: City | None = None) -> Answer:
    return answer(question, place, NOW)


class TypedIn:
    """Tools whose results are written by hand, in the shapes of the real ones; `used` are the calls."""

    def __init__(self, changed: dict[str, Result] | None = None) -> None:
        self.used: list[tuple[str, Arguments]] = []
        self.results: dict[str, Result] = {
            FIND_PLACE: {
                "places": [
                    {"name": "Lima", "latitude": -1.5, "longitude": 2.25, "timezone": "Asia/Tokyo"},
                    {"name": "Lima", "latitude": 40.7, "longitude": -84.1, "timezone": "America/New_York"},
                ]
            },
            FIND_DATE: {"date": "2031-01-01", "weekday": "Wednesday", "time": "00:30"},
            FIND_WEATHER: {
                "daily": {
                    # Not in the order of the real tool: names count, not places.
                    "columns": [
                        "wind from",
                        "date",
                        "high (°C)",
                        "low (°C)",
                        "weather",
                        "precipitation (mm)",
                        "chance of precipitation (%)",
                        "strongest wind (km/h)",
                    ],
                    "rows": [
                        ["west", "2031-01-01", 11.1, 3.3, "fog", 0.0, 1, 9.0],
                        ["east", "2031-01-02", 31.4, 27.5, "dense drizzle", 2.6, 77, 43.2],
                    ],
                }
            },
        }
        self.results.update(changed or {})

    def use(self, name: str, arguments: Arguments) -> Result:
        self.used.append((name, arguments))
        return self.results[name]


def test_every_number_of_an_answer_comes_from_the_tools() -> None:
    found = answer(QUESTION, None, NOW, (), TypedIn())
    assert found.text == (
        "In **Lima** expect today and on the next days:\n\n"
        "- **Wednesday, 1 January**: fog, 3.3 °C to 11.1 °C. "
        "Rain or snow: 1 %. Wind: up to 9 km/h.\n"
        "- **Thursday, 2 January**: dense drizzle, 27.5 °C to 31.4 °C. "
        "Rain or snow: 77 %. Wind: up to 43.2 km/h."
    )
    assert found.today == date(2031, 1, 1)


def test_each_tool_is_given_what_the_one_before_has_found() -> None:
    tools = TypedIn()
    thought, *steps = answer(QUESTION, None, NOW, (), tools).steps
    assert isinstance(thought, Rationale)
    assert tools.used == [
        (FIND_PLACE, {"place_name": "Lima"}),
        (FIND_DATE, {"timezone": "Asia/Tokyo"}),
        (FIND_WEATHER, {"latitude": -1.5, "longitude": 2.25, "forecast_days": 3}),
    ]
    calls = [(step.tool, step.parameters) for step in steps if isinstance(step, ToolCall)]
    results = [step.use for step in steps if isinstance(step, ToolResult)]
    assert calls == [(use.tool, use.parameters) for use in results] == tools.used
    assert [json.loads(use.output) for use in results] == list(tools.results.values())


@pytest.mark.parametrize("broken", [FIND_PLACE, FIND_DATE, FIND_WEATHER])
def test_a_tool_that_fails_is_told_of_in_the_answer(broken: str) -> None:
    tools = TypedIn({broken: {"error": "The weather service is out of reach. Do not guess: say so."}})
    assert answer(QUESTION, None, NOW, (), tools).text == (
        "I am sorry, I could not look up the weather of **Lima**. The weather service is out of reach."
    )
    assert tools.used[-1][0] == broken


def test_a_place_that_is_not_found_is_told_of_in_the_answer() -> None:
    tools = TypedIn({FIND_PLACE: {"places": [], "hint": "No place has this name. Check the spelling."}})
    text = answer(QUESTION, None, NOW, (), tools).text
    assert text == "I am sorry, I could not look up the weather of **Lima**. No place has this name."


@pytest.mark.parametrize("place", CITIES, ids=lambda city: city.name)
def test_the_weather_of_every_city_is_told_for_three_days(place: City) -> None:
    found = ask(f"what's the weather in {place.name} today?")
    first, _, *lines = found.text.splitlines()
    assert first.startswith(f"In **{place.name}** expect today")
    days = [weather(place, found.today + timedelta(ahead)) for ahead in range(3)]
    for line, day in zip(lines, days, strict=True):
        assert f"**{day.day:%A}, {day.day.day} {day.day:%B}**" in line
        assert f" {day.low} °C to {day.high} °C." in line
    assert found.place == place


@pytest.mark.parametrize("question", ["and tomorrow?", "and on Friday?", "Do I need an umbrella?"])
def test_the_place_is_remembered(question: str) -> None:
    found = ask(question, city("Chicago"))
    assert found.text.startswith("In **Chicago** expect")
    assert found.place == city("Chicago")


def test_a_new_place_replaces_the_remembered_one() -> None:
    found = ask("and in Lima?", city("Chicago"))
    assert found.text.startswith("In **Lima** expect")
    assert found.place == city("Lima")


def test_the_date_at_the_place_counts() -> None:
    late = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    found = answer("weather in Tokyo today", None, late)
    assert found.today == date(2026, 11, 24)
    assert found.text.splitlines()[2].startswith("- **Tuesday, 24 November**")


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What is the weather in Atlantis?", "Atlantis"),
        ("the forecast for Gotham City please", "Gotham City"),
        ("Will it rain in Łódź today?", "Łódź"),
    ],
)
def test_a_place_that_is_none_of_ours_is_looked_up_and_said_to_be_unknown(question: str, name: str) -> None:
    found = ask(question, city("Lima"))
    calls = [step.tool for step in found.steps if isinstance(step, ToolCall)]
    assert calls == [FIND_PLACE]
    assert found.text.startswith(f"I am sorry, I could not look up the weather of **{name}**. No place has")
    assert found.place == city("Lima")


def test_without_a_place_the_meteorologist_asks_for_one() -> None:
    text = ask("will it rain tomorrow?").text
    assert text.startswith("For which city")
    assert all(place.name in text for place in CITIES)


@pytest.mark.parametrize("question", ["What is this?", "help", "Who are you?", "are you a language model?"])
def test_it_says_what_it_is(question: str) -> None:
    text = ask(question, city("Lima")).text
    assert text.startswith("I am the local meteorologist")
    assert "no language model" in text


@pytest.mark.parametrize("question", ["hello", "", "42", "Tell me a joke", "Should I sell my shares?"])
@pytest.mark.parametrize("place", [None, city("Lima")])
def test_everything_else_is_politely_refused_without_tools(question: str, place: City | None) -> None:
    found = ask(question, place)
    assert found.text.startswith("I am sorry, that is beyond me")
    assert list(found.steps) == []
    assert found.place == place


def test_a_question_that_is_not_about_the_weather_is_about_its_files() -> None:
    files = (InputFile("a.csv", "text/csv", 1234),)
    listed = "I received 1 file:\n\n- **a.csv**: `text/csv`, 1,234 bytes"
    assert answer("what is this?", city("Lima"), NOW, files).text == listed
    assert answer("weather in Lima", None, NOW, files).text == f"{ask('weather in Lima').text}\n\n{listed}"


@given(st.text(max_size=300), st.sampled_from([None, *CITIES]))
def test_any_text_gets_an_answer(question: str, place: City | None) -> None:
    assert ask(question, place).text
