import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.agent.actions import Arguments, Rationale, ToolCall, ToolResult
from simulator.agent.meteorologist import Answer, answer
from simulator.agent.tools import FIND_DATE, FIND_PLACE, FIND_WEATHER, Result
from simulator.agent.weather import CITIES, City, weather

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # a Monday


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
    found = answer("Will it rain in Lima tomorrow?", None, NOW, (), TypedIn())
    assert found.text == (
        "**Yes**, rain is likely in **Lima** tomorrow: the chance is 77 %. "
        "Expect between 27.5 °C (82 °F) and 31.4 °C (89 °F). Take an umbrella.\n\n"
        "**Thursday, 2 January**: dense drizzle\n"
        "- Temperature: 27.5 °C (82 °F) to 31.4 °C (89 °F)\n"
        "- Chance of rain: 77 %, about 2.6 mm\n"
        "- Wind: up to 43.2 km/h from the east"
    )
    assert found.today == date(2031, 1, 1)


def test_each_tool_is_given_what_the_one_before_has_found() -> None:
    tools = TypedIn()
    thought, *steps = answer("Will it rain in Lima tomorrow?", None, NOW, (), tools).steps
    assert isinstance(thought, Rationale)
    assert tools.used == [
        (FIND_PLACE, {"place_name": "Lima"}),
        (FIND_DATE, {"timezone": "Asia/Tokyo"}),
        (FIND_WEATHER, {"latitude": -1.5, "longitude": 2.25, "forecast_days": 2}),
    ]
    calls = [(step.tool, step.parameters) for step in steps if isinstance(step, ToolCall)]
    results = [step.use for step in steps if isinstance(step, ToolResult)]
    assert calls == [(use.tool, use.parameters) for use in results] == tools.used
    assert [json.loads(use.output) for use in results] == list(tools.results.values())


@pytest.mark.parametrize("broken", [FIND_PLACE, FIND_DATE, FIND_WEATHER])
def test_a_tool_that_fails_is_told_of_in_the_answer(broken: str) -> None:
    tools = TypedIn({broken: {"error": "The weather service is out of reach. Do not guess: say so."}})
    found = answer("Will it rain in Lima tomorrow?", None, NOW, (), tools)
    assert found.text == (
        "I am sorry, I could not look up the weather of **Lima**. The weather service is out of reach."
    )
    assert tools.used[-1][0] == broken


def test_a_place_that_is_not_found_is_told_of_in_the_answer() -> None:
    tools = TypedIn({FIND_PLACE: {"places": [], "hint": "No place has this name. Check the spelling."}})
    found = answer("Will it rain in Lima tomorrow?", None, NOW, (), tools)
    sorry, known = found.text.split("\n\n")
    assert sorry == "I am sorry, I could not look up the weather of **Lima**. No place has this name."
    assert known.startswith("I know these cities: ")


def test_a_forecast_without_the_day_is_told_of_in_the_answer() -> None:
    found = answer("Will it rain in Lima on Friday?", None, NOW, (), TypedIn())
    assert found.text.endswith("The forecast does not have that day.")


def test_today_s_weather_comes_from_the_data() -> None:
    found = ask("what's the weather in Chicago today?")
    data = weather(city("Chicago"), date(2026, 11, 23))
    assert "**Chicago**" in found.text
    assert f"- Temperature: {data.low} °C" in found.text
    assert found.place == city("Chicago")


def test_the_place_is_remembered() -> None:
    found = ask("and tomorrow?", city("Chicago"))
    assert "**Chicago**" in found.text
    assert "Tuesday, 24 November" in found.text


def test_a_new_place_replaces_the_remembered_one() -> None:
    assert ask("and in Lima?", city("Chicago")).place == city("Lima")


def test_rain_is_answered_with_yes_or_no() -> None:
    for name in ("Lima", "Bogotá", "Reykjavík", "Cairo"):
        data = weather(city(name), date(2026, 11, 24))
        text = ask(f"will it rain in {name} tomorrow?").text
        assert text.startswith("**Yes**" if data.wet else "**No**")


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("today", ["Monday, 23 November"]),
        ("tomorrow", ["Tuesday, 24 November"]),
        ("the day after tomorrow", ["Wednesday, 25 November"]),
        ("on Friday", ["Friday, 27 November"]),
        ("on Monday", ["Monday, 23 November"]),
        ("this weekend", ["Saturday, 28 November", "Sunday, 29 November"]),
    ],
)
def test_days_are_counted_from_the_local_date(words: str, days: list[str]) -> None:
    text = ask(f"weather in Paris {words}").text
    assert [line.split("**")[1] for line in text.splitlines() if line.startswith("**")] == days


def test_the_local_date_may_be_another_than_here() -> None:
    late = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    assert "Tuesday, 24 November" in answer("weather in Tokyo today", None, late).text


def test_on_a_sunday_the_weekend_is_today() -> None:
    sunday = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    assert "today, Sunday" in answer("weather in Paris this weekend", None, sunday).text


def test_a_week_is_seven_lines() -> None:
    text = ask("How will it be in Rome next week?").text
    assert sum(line.startswith("- ") for line in text.splitlines()) == 7


@pytest.mark.parametrize(
    "question",
    ["What is the weather in Atlantis?", "weather in gotham city tomorrow", "and in Springfield?"],
)
def test_an_unknown_city_is_looked_up_and_said_to_be_unknown(question: str) -> None:
    found = ask(question, city("Lima"))
    calls = [step.tool for step in found.steps if isinstance(step, ToolCall)]
    assert calls == [FIND_PLACE]
    assert "No place has this name." in found.text
    assert "Chicago" in found.text
    assert found.place == city("Lima")


def test_without_a_place_the_meteorologist_asks_for_one() -> None:
    assert ask("will it rain tomorrow?").text.startswith("For which city")


@pytest.mark.parametrize("question", ["help", "Who are you?", "are you a language model?", "Tell me a joke"])
def test_it_says_that_it_is_no_language_model(question: str) -> None:
    assert "no language model" in ask(question).text.replace("*", "")


@pytest.mark.parametrize("question", ["hello", "thanks!", "", "42", "Could you write a poem about trains?"])
def test_anything_else_is_answered_politely_without_tools(question: str) -> None:
    found = ask(question)
    assert found.text
    assert list(found.steps) == []


@given(st.text(max_size=300), st.sampled_from([None, *CITIES]))
def test_any_text_gets_an_answer(question: str, place: City | None) -> None:
    assert ask(question, place).text
