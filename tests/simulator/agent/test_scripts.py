from datetime import UTC, datetime

import pytest

from simulator.agent.actions import (
    Action,
    Arguments,
    Citation,
    Fail,
    Refuse,
    Reset,
    Text,
    ToolCall,
    ToolResult,
    Wait,
)
from simulator.agent.meteorologist import Answer, answer
from simulator.agent.scripts import BY_NAME, NATURAL, SCRIPTS, Script, script_for
from simulator.agent.tools import ComputedTools, Result

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


class Counted(ComputedTools):
    """`used` are the tools that have been called."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.used: list[str] = []

    def use(self, name: str, arguments: Arguments) -> Result:
        self.used.append(name)
        return super().use(name, arguments)


def weather_answer() -> Answer:
    return answer("what's the weather in Chicago today?", None, NOW)


def played(name: str) -> list[Action]:
    return list(BY_NAME[name].play(weather_answer()))


def text_of(actions: list[Action]) -> str:
    return b"".join(action.data for action in actions if isinstance(action, Text)).decode()


def seconds(actions: list[Action]) -> float:
    return sum(action.seconds for action in actions if isinstance(action, Wait))


@pytest.mark.parametrize(
    "question",
    [
        "what's the weather in Chicago today?",
        "and tomorrow?",
        "How long will it rain in Lima?",
        "Do you think I need an umbrella in London this weekend?",
        "Should I cut the grass on Friday?",
        "help",
        "who are you?",
        "Which cities do you know?",
    ],
)
def test_ordinary_questions_are_played_naturally(question: str) -> None:
    assert script_for(question) == (NATURAL, question)


def test_words_choose_the_script_and_are_taken_out() -> None:
    script, rest = script_for("What's the weather in Lima tomorrow, SLOWLY please?")
    assert script.name == "slowly"
    assert rest == "What's the weather in Lima tomorrow, please?"


@pytest.mark.parametrize("script", [script for script in SCRIPTS if script.words], ids=lambda s: s.name)
def test_every_script_is_found_by_its_words(script: Script) -> None:
    words = script.words or ""
    assert script_for(f"Chicago\n{words.replace(' ', '  ').title()}!")[0] is script


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.name)
def test_refusals_and_ends_stand_where_they_may(script: Script) -> None:
    actions = list(script.play(weather_answer()))
    assert not any(isinstance(action, Refuse) for action in actions[1:])
    assert not any(isinstance(action, Fail | Reset) for action in actions[:-1])
    assert not isinstance(actions[0], ToolCall)  # which would take time before there is an HTTP status


def test_between_the_tools_of_a_natural_answer_is_time_to_see_each() -> None:
    actions = played("natural")
    calls = [number for number, action in enumerate(actions) if isinstance(action, ToolCall)]
    text = next(number for number, action in enumerate(actions) if isinstance(action, Text))
    assert len(calls) == 3
    assert all(isinstance(actions[call + 1], ToolResult) for call in calls)
    begun = [seconds(actions[calls[0] : call]) for call in (*calls, text)]
    # A bridge edits when a step begins, 1 second later and then 1.5 seconds later.
    assert 0.2 < begun[1] < 0.8 < 1.2 < begun[2] < 2.3 < 2.7 < begun[3]


def test_a_tool_is_called_when_its_turn_comes() -> None:
    tools = Counted()
    actions = BY_NAME["silently"].play(answer("what's the weather in Chicago today?", None, NOW, (), tools))
    for action in actions:
        if isinstance(action, ToolCall):
            assert action.tool not in tools.used
        if isinstance(action, ToolResult):
            assert tools.used[-1] == action.use.tool
    assert len(tools.used) == 3


def test_names_and_words_are_unique() -> None:
    words = [script.words for script in SCRIPTS if script.words]
    assert len(BY_NAME) == len(SCRIPTS)
    assert len(set(words)) == len(words)


def test_a_natural_answer_starts_soon_and_loses_nothing() -> None:
    actions = played("natural")
    first_text = next(n for n, action in enumerate(actions) if isinstance(action, Text))
    assert 3 < seconds(actions[:first_text]) < 4
    assert text_of(actions) == weather_answer().text


@pytest.mark.parametrize(("name", "duration"), [("slowly", 20), ("minute", 60)])
def test_slow_answers_are_whole_and_steady(name: str, duration: float) -> None:
    actions = played(name)
    assert seconds(actions) == pytest.approx(duration, abs=1)
    assert max(action.seconds for action in actions if isinstance(action, Wait)) < 2
    assert text_of(actions) == weather_answer().text


@pytest.mark.parametrize(("name", "least"), [("long", 30_000), ("very long", 200_000)])
def test_long_answers_have_their_length(name: str, least: int) -> None:
    text = text_of(played(name))
    assert least <= len(text) <= least + 1000
    assert "\n## " in text
    assert "\n- " in text
    assert seconds(played(name)) < 15


@pytest.mark.parametrize(
    ("name", "characters"), [("unicode", "東京"), ("right to left", "القاهرة"), ("emoji", "🇨🇭")]
)
def test_pieces_end_within_characters(name: str, characters: str) -> None:
    def whole(data: bytes) -> bool:
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
        return True

    pieces = [action.data for action in played(name) if isinstance(action, Text)]
    assert not all(map(whole, pieces))
    assert characters in b"".join(pieces).decode()


def test_mentions_are_split_over_pieces() -> None:
    pieces = [action.data for action in played("mentions") if isinstance(action, Text)]
    text = b"".join(pieces)
    for mention in (b"<!channel>", b"<!here>", b"<@U0123456789>", b"<!subteam^S1>"):
        assert mention in text
        assert not any(mention in piece for piece in pieces)


def test_citations_name_the_cited_words_or_their_place() -> None:
    citations: list[Citation] = []
    for action in played("cite"):
        if isinstance(action, Text):
            citations += action.citations
    assert len(citations) == 3
    text = text_of(played("cite"))
    assert [text[c.start : c.end + 1] for c in citations] == [c.text for c in citations]


def test_the_empty_answer_has_no_text() -> None:
    assert text_of(played("empty")) == ""


def test_table_and_code_hold_what_they_promise() -> None:
    assert "| :--- |" in text_of(played("table"))
    assert text_of(played("code")).count("```python\n") == 1


def test_a_long_table_has_150_rows_and_a_wide_one_25_columns() -> None:
    long = [line for line in text_of(played("long table")).splitlines() if line.startswith("|")]
    assert len(long) == 2 + 150
    wide = text_of(played("wide table")).splitlines()
    assert {line.count("|") for line in wide} == {26}


def test_what_is_cut_in_code_ends_within_a_fence() -> None:
    assert text_of(played("cut in code")).count("```") == 1
