import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.agent.actions import Rationale, ToolUse
from simulator.agent.meteorologist import FIND_DATE, FIND_PLACE, FIND_WEATHER, Answer, answer
from simulator.agent.weather import CITIES, City, weather

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # a Monday


def city(name: str) -> City:
    return next(c for c in CITIES if c.name == name)


def ask(question: str, place: City | None = None) -> Answer:
    return answer(question, place, NOW)


def test_today_s_weather_comes_from_the_data() -> None:
    found = ask("what's the weather in Chicago today?")
    data = weather(city("Chicago"), date(2026, 11, 23))
    assert "**Chicago**" in found.text
    assert data.sky in found.text
    assert f"- Temperature: {data.low} °C" in found.text
    assert found.place == city("Chicago")


def test_the_steps_are_a_rationale_and_the_three_tools() -> None:
    thought, place, clock, forecast = ask("what's the weather in Chicago today?").steps
    assert isinstance(thought, Rationale)
    tools = [step for step in (place, clock, forecast) if isinstance(step, ToolUse)]
    assert [tool.tool for tool in tools] == [FIND_PLACE, FIND_DATE, FIND_WEATHER]
    assert tools[0].parameters == {"place_name": "Chicago"}
    assert json.loads(tools[0].output)["latitude"] == tools[2].parameters["latitude"] == "41.88"
    assert json.loads(tools[1].output) == {"now": "2026-11-23T09:00-06:00"}
    assert json.loads(tools[2].output)["daily"][0]["date"] == "2026-11-23"


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
def test_an_unknown_city_is_said_to_be_unknown(question: str) -> None:
    found = ask(question, city("Lima"))
    assert "I do not know the weather of" in found.text
    assert "Chicago" in found.text
    assert found.steps == ()
    assert found.place == city("Lima")


def test_without_a_place_the_meteorologist_asks_for_one() -> None:
    assert ask("will it rain tomorrow?").text.startswith("For which city")


def test_the_past_is_declined() -> None:
    assert "only look ahead" in ask("was it warm in Rome yesterday?").text


@pytest.mark.parametrize("question", ["help", "Who are you?", "are you a language model?", "Tell me a joke"])
def test_it_says_that_it_is_no_language_model(question: str) -> None:
    assert "no language model" in ask(question).text.replace("*", "")


@pytest.mark.parametrize("question", ["hello", "thanks!", "", "42", "Could you write a poem about trains?"])
def test_anything_else_is_answered_politely_without_tools(question: str) -> None:
    found = ask(question)
    assert found.text
    assert found.steps == ()


@given(st.text(max_size=300), st.sampled_from([None, *CITIES]))
def test_any_text_gets_an_answer(question: str, place: City | None) -> None:
    assert ask(question, place).text
