import io
from collections.abc import Iterator

import pytest

from simulator.ask import TimeLimitError, ask, message_text, shortened
from simulator.simulation import Simulation


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with Simulation(time_scale=0.045) as simulation:
        yield simulation


def test_a_question_is_followed_until_it_is_answered(simulation: Simulation) -> None:
    out = io.StringIO()
    # The placeholder stands for four seconds: long enough to be seen on a busy machine.
    question = "silently: what's the weather in Chicago today?"
    assert ask(simulation, question, time_limit=60, out=out) == "answered"
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["#weather-demo", f"alice: @agent {question}"]
    assert "agent posts: Processing…" in lines
    whole = out.getvalue().rpartition("\nagent:\n")[2]
    assert whole.startswith("In **Chicago**")


def test_a_question_that_fails_is_told_from_one_that_is_answered(simulation: Simulation) -> None:
    assert ask(simulation, "fail, please", time_limit=60, out=io.StringIO()) in ("failed", "interrupted")


def test_a_question_that_takes_too_long_is_given_up(simulation: Simulation) -> None:
    with pytest.raises(TimeLimitError, match="within 0 seconds"):
        ask(simulation, "what's the weather in Lima?", time_limit=0, out=io.StringIO())


def test_what_people_see_is_the_markdown_or_else_the_text() -> None:
    blocks = [{"type": "markdown", "text": "**a**"}, {"type": "actions"}, {"type": "markdown", "text": "b"}]
    assert message_text({"text": "a", "blocks": blocks}) == "**a**\nb"
    assert message_text({"text": "plain", "blocks": []}) == "plain"


def test_a_long_line_keeps_its_beginning_and_its_end() -> None:
    assert shortened("0123456789", 10) == "0123456789"
    line = shortened("begin " + "x" * 100 + " end", 30)
    assert len(line) == 30
    assert line.startswith("begin ")
    assert line.endswith(" end")


def test_a_question_whose_agent_asks_for_approval_is_left_there(simulation: Simulation) -> None:
    out = io.StringIO()
    question = "send an e-mail: what's the weather in Chicago?"
    assert ask(simulation, question, time_limit=60, out=out) == "waiting"
    assert "to: ann@example.com" in out.getvalue()
