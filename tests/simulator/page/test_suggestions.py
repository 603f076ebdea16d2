from datetime import UTC, datetime

import pytest

from simulator.agent.actions import Files, Text
from simulator.agent.meteorologist import Answer, answer
from simulator.agent.scripts import BY_NAME, NATURAL, SCRIPTS, script_for
from simulator.agent.weather import City, city_named
from simulator.page.suggestions import EXAMPLES, FOLLOW_UP, suggestions

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
WRITTEN = {*EXAMPLES, FOLLOW_UP, *(suggestion.text for suggestion in suggestions())}


def asked(text: str, place: City | None = None) -> tuple[str, Answer]:
    """The name of the script that the example is played as, and the meteorologist's answer."""
    script, rest = script_for(text.removeprefix("@agent "))
    return script.name, answer(rest, place, NOW)


def test_every_script_that_words_ask_for_is_suggested() -> None:
    by_words = {script.words: script for script in SCRIPTS if script.words}
    assert [suggestion.words for suggestion in suggestions()] == list(by_words)
    for suggestion in suggestions():
        name, found = asked(suggestion.text)
        assert BY_NAME[name] is by_words[suggestion.words]
        assert found.text.startswith("In **Chicago** expect")


def test_the_words_end_the_question() -> None:
    assert all(suggestion.text.endswith(suggestion.words) for suggestion in suggestions())


def test_the_first_example_is_answered_naturally() -> None:
    assert asked(EXAMPLES[0])[0] == NATURAL.name


def test_every_example_mentions_the_agent() -> None:
    assert all(text.startswith("@agent ") for text in WRITTEN)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_answered_with_the_weather_of_its_city(example: str) -> None:
    city = city_named(example)
    assert city
    assert asked(example)[1].text.startswith(f"In **{city.name}** expect today and on the next days:")


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_follow_up_is_about_the_city_of_the_example_and_answers_otherwise(example: str) -> None:
    first, told = asked(example)
    follow_up, answered = asked(FOLLOW_UP, told.place)
    assert follow_up not in (first, NATURAL.name)
    actions = list(BY_NAME[follow_up].play(answered))
    assert any(isinstance(action, Files) for action in actions)
    said = b"".join(action.data for action in actions if isinstance(action, Text)).decode()
    assert told.place
    assert f"**{told.place.name}**" in said
