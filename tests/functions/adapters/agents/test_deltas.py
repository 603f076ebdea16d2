"""Text that comes in pieces: what a model thinks aloud in front of it is told apart, however it is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.agents.deltas import ArgumentDigests, MessageJoiner, ToolCalls, tool_arguments
from functions.bridge.agents.events import Rationale, TextDelta

THOUGHT = "<thinking>Chicago < Lima? I need the </b> weather.</thinking>\n\n"
CODE = "It is:\n\n```xml\n<thinking>in code</thinking>\n```\n"


def heard(*messages: list[str]) -> tuple[str, list[str]]:
    """The text of an answer and its thoughts."""
    said = MessageJoiner()
    events: list[TextDelta | Rationale] = []
    for number, pieces in enumerate(messages):
        if number:
            said.new_message()
        for piece in pieces:
            events += said.delta(piece)
    events += said.end()
    assert all(event.text for event in events)
    texts = [event.text for event in events if isinstance(event, TextDelta)]
    return "".join(texts), [event.text for event in events if isinstance(event, Rationale)]


def split(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[begin:end] for begin, end in pairwise(places)]


@given(cuts=st.lists(st.integers(0, 1000), max_size=12))
def test_reasoning_at_the_beginning_is_not_part_of_the_answer_wherever_deltas_end(cuts: list[int]) -> None:
    thought = "Chicago < Lima? I need the </b> weather."
    assert heard(split(f"{THOUGHT}{CODE}", cuts)) == (CODE, [thought])
    said, thoughts = heard(split(f"\n{THOUGHT}{THOUGHT}{CODE}", cuts))
    assert (said.lstrip(), thoughts) == (CODE, [thought, thought])


@given(cuts=st.lists(st.integers(0, 1000), max_size=12))
@pytest.mark.parametrize(
    "text", [CODE, "<think>no", "<thinking is no tag", "`<thinking>` is one", "<", " <th", "  two spaces"]
)
def test_text_that_is_no_reasoning_is_part_of_the_answer(text: str, cuts: list[int]) -> None:
    assert heard(split(text, cuts)) == (text, [])


@given(cuts=st.lists(st.integers(0, 1000), max_size=12))
def test_an_unclosed_tag_is_text_when_the_answer_ends(cuts: list[int]) -> None:
    text = "<thinking> is what Nova writes"
    assert heard(split(text, cuts)) == (text, [])


def test_each_message_of_an_answer_may_begin_with_a_thought() -> None:
    first, second = f"{THOUGHT}Let me see.", f"{THOUGHT}It is sunny."
    assert heard([first], [second])[0] == "Let me see.\n\nIt is sunny."


def test_a_message_that_is_nothing_but_a_thought_leaves_no_gap() -> None:
    assert heard([THOUGHT], ["It is sunny."])[0] == "It is sunny."
    assert heard(["Let me see."], [THOUGHT], ["It is sunny."])[0] == "Let me see.\n\nIt is sunny."


def test_the_same_arguments_have_the_same_digest_however_they_are_written() -> None:
    one = tool_arguments("book", {"city": "Köln", "days": [1, 2]})
    assert one == tool_arguments("book", {"days": [1, 2], "city": "Köln"})
    assert one != tool_arguments("book", {"city": "Köln", "days": [2, 1]})


@given(cuts=st.lists(st.integers(0, 1000), max_size=6))
def test_arguments_in_pieces_have_the_digest_of_the_whole(cuts: list[int]) -> None:
    arguments = ArgumentDigests()
    arguments.start(1, "gateway___book")
    arguments.start(2, "other")
    for piece in split('{"days": 3, "city": "Lima"}', cuts):
        arguments.add(1, piece)
        arguments.add(3, piece)
    assert [*arguments.end(1)] == [tool_arguments("book", {"city": "Lima", "days": 3})]
    assert [*arguments.end(1), *arguments.end(3)] == []


@pytest.mark.parametrize(("text", "meant"), [("", {}), (" ", {}), ("{half", "{half"), ("[" * 100_000,) * 2])
def test_arguments_that_are_no_json_have_a_digest_too(text: str, meant: object) -> None:
    arguments = ArgumentDigests()
    arguments.start("call", "book")
    arguments.add("call", text)
    assert [*arguments.end("call")] == [tool_arguments("book", meant)]


def test_at_the_end_only_calls_with_arguments_have_a_digest() -> None:
    arguments = ArgumentDigests()
    for call in ("a", "b"):
        arguments.start(call, call)
    arguments.add("b", "{}")
    assert [*arguments.end_all()] == [tool_arguments("b", {})]


def test_what_a_tool_is_given_has_each_argument_once() -> None:
    """A card shows one of them, and a tool might take the other."""
    calls = ToolCalls()
    calls.start("1", "send_email")
    calls.add("1", '{"to": "eve", "to": "ann", "sign": "\\ud800é"}')
    [request] = calls.requests()
    assert request.arguments == '{"to": "ann", "sign": "\\ud800\\u00e9"}'


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity"])
def test_a_number_that_json_does_not_have_is_given_to_no_tool(number: str) -> None:
    calls = ToolCalls()
    calls.start("1", "pay")
    calls.add("1", f'{{"amount": {number}}}')
    with pytest.raises(ValueError, match="no JSON object"):
        calls.requests()


def test_numbers_are_given_to_a_tool_as_they_are() -> None:
    calls = ToolCalls()
    calls.start("1", "pay")
    numbers = '{"z": 0.1, "a": 12345678901234567890123, "b": -0.0, "c": 1e-07}'
    calls.add("1", numbers)
    assert calls.requests()[0].arguments == numbers
