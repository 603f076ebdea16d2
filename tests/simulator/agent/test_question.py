import pytest

from simulator.agent.question import Quantity, Question


def places(question: str) -> list[str]:
    """Names; those of other places than our cities have a question mark."""
    return [place.name + ("" if place.city else "?") for place in Question.read(question).places]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Is it hot in Lima or Cairo?", ["Lima", "Cairo"]),
        ("Lima, Rome and Cairo", ["Lima", "Rome", "Cairo"]),
        ("Is Lima warmer than lima?", ["Lima"]),
        ("weather in Paris, France", ["Paris"]),
        ("weather in Chicago, IL tomorrow", ["Chicago"]),
        ("New York City weather", ["New York"]),
        ("weather in Lima, please", ["Lima"]),
        ("Is it hot in lima or cold?", ["Lima"]),
        ("Hi Bob, what's the weather in Lima?", ["Lima"]),
        ("How warm is São Paulo in Celsius?", ["São Paulo"]),
    ],
)
def test_our_cities_are_found(question: str, names: list[str]) -> None:
    assert places(question) == names


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("weather in Paris, Texas", ["Paris, Texas?"]),
        ("weather in paris, texas", ["Paris, Texas?"]),
        ("weather in East London", ["East London?"]),
        ("Will it rain in Quito tomorrow?", ["Quito?"]),
        ("Will Quito be hot?", ["Quito?"]),
        ("WILL IT RAIN IN QUITO TOMORROW?", ["Quito?"]),
        ("What's Quito's weather like?", ["Quito?"]),
        ("Quito?", ["Quito?"]),
        ("and in Springfield?", ["Springfield?"]),
        ("what about Oslo?", ["Oslo?"]),
        ("Springfield, Illinois weather", ["Springfield, Illinois?"]),
        ("weather in gotham city tomorrow", ["Gotham City?"]),
        ("snow in Rio de Janeiro or the Alps", ["Rio de Janeiro?", "Alps?"]),
        ("in lima or quito", ["Lima", "Quito?"]),
        ("Quito, Lima and St. Louis", ["Quito?", "Lima", "St. Louis?"]),
    ],
)
def test_other_places_are_found_by_their_capitals_and_where_they_stand(
    question: str, names: list[str]
) -> None:
    assert places(question) == names


@pytest.mark.parametrize(
    "question", ["and tomorrow?", "Will it rain?", "Is it warm enough for swimming?", ""]
)
def test_a_question_without_a_place_has_none(question: str) -> None:
    assert places(question) == []


@pytest.mark.parametrize(
    ("question", "quantities"),
    [
        ("Will it stay dry?", [Quantity.DRY]),
        ("Do I need an umbrella?", [Quantity.RAIN]),
        ("Will it snow or rain?", [Quantity.SNOW, Quantity.RAIN]),
        ("Will it be hot and windy?", [Quantity.HOT, Quantity.WINDY]),
        ("What's the weather?", []),
    ],
)
def test_quantities_are_those_of_the_words(question: str, quantities: list[Quantity]) -> None:
    assert list(Question.read(question).quantities) == quantities


@pytest.mark.parametrize("question", ["How hot is it?", "When will it rain?", "Will there be no rain?"])
def test_yes_would_be_no_answer_to_an_open_question(question: str) -> None:
    assert Question.read(question).is_open


@pytest.mark.parametrize(
    ("question", "weather", "time"),
    [
        ("what's the weather?", True, False),
        ("and in Lima?", True, False),
        ("and tomorrow?", True, False),
        ("I am going to visit Lima tomorrow", True, False),
        ("what time is it in Tokyo?", False, True),
        ("what time is it in Tokyo now?", False, True),
        ("What's today's date in Lima?", False, True),
        ("What time will it rain in Lima?", True, False),
        ("What time is it in Lima, and is it raining?", True, True),
        ("Who is the mayor of Lima?", False, False),
        ("Should I cut the grass on Friday?", False, False),
        ("hello", False, False),
        ("Thanks, Bob!", False, False),
    ],
)
def test_a_question_is_about_the_weather_or_the_time_or_neither(
    question: str, weather: bool, time: bool
) -> None:
    found = Question.read(question)
    assert (found.asks_weather, found.asks_time) == (weather, time)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("¿Lloverá en Lima mañana?", False),
        ("morgen in Berlin", False),
        ("Quel temps fera-t-il dans la ville de Nice demain ?", False),
        ("東京の天気は?", False),
        ("Какая погода в Лиме?", False),
        ("Will it rain in São Paulo? It's 25 °C here ☀️", True),
        ("", True),
    ],
)
def test_other_languages_are_noticed(question: str, expected: bool) -> None:
    assert Question.read(question).is_english is expected
