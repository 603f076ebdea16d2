from datetime import date

from simulator.agent.days import days_asked
from simulator.agent.scripts import NATURAL, SCRIPTS, script_for
from simulator.page.suggestions import EXAMPLES, FOLLOW_UP, suggestions


def test_every_script_that_words_ask_for_is_suggested() -> None:
    by_words = {script.words: script for script in SCRIPTS if script.words}
    assert [suggestion.words for suggestion in suggestions()] == list(by_words)
    for suggestion in suggestions():
        script, rest = script_for(suggestion.text)
        assert script is by_words[suggestion.words]
        assert "Chicago" in rest


def test_the_words_end_the_question() -> None:
    assert all(suggestion.text.endswith(suggestion.words) for suggestion in suggestions())


def test_the_first_example_is_answered_naturally() -> None:
    assert script_for(EXAMPLES[0])[0] is NATURAL
    assert all(text.startswith("@agent ") for text in (*EXAMPLES, FOLLOW_UP))


def test_the_follow_up_asks_for_other_days_than_the_examples() -> None:
    monday = date(2026, 11, 23)
    follow_up = days_asked(FOLLOW_UP, monday)
    assert follow_up.named
    assert not follow_up.unclear
    for example in EXAMPLES:
        assert not set(follow_up.dates) & set(days_asked(example, monday).dates)
