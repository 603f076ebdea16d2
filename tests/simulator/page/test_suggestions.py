from datetime import UTC, datetime

import pytest

from simulator.agent.meteorologist import Answer, answer
from simulator.agent.scripts import BY_NAME, NATURAL, SCRIPTS, script_for
from simulator.agent.weather import city_named
from simulator.page.suggestions import EXAMPLES, suggestions

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
WRITTEN = {*EXAMPLES, *(suggestion.text for suggestion in suggestions())}


def asked(text: str) -> tuple[str, Answer]:
    """The name of the script that the example is played as, and the meteorologist's answer."""
    script, rest = script_for(text.removeprefix("@agent "))
    return script.name, answer(rest, None, NOW)


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
