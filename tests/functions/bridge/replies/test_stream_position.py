from dataclasses import replace

from functions.bridge.markdown.split import Cut
from functions.bridge.replies.stream_position import StreamPosition


def test_what_has_been_sent_must_be_the_beginning() -> None:
    position = replace(StreamPosition().grown_to("It is"), sent=len("It is"))
    assert position.goes_on_as("It is sunny.")
    assert not position.goes_on_as("It was sunny.")
    assert not position.goes_on_as("It")


def test_what_has_not_been_sent_may_change() -> None:
    position = replace(StreamPosition().grown_to("It is so"), sent=len("It is"))
    assert position.goes_on_as("It is sunny.")
    assert position.grown_to("It is sunny.").message_text == "It is sunny."
    assert position.written == len("It is")


def test_a_message_begins_without_blank_lines() -> None:
    position = StreamPosition().grown_to("\n \nOne.\n\n\nTwo.")
    assert position.message_text == "One.\n\n\nTwo."
    position = position.after(Cut(len("One.\n")))
    assert (position.ended, position.message_text, position.written) == (("One.",), "Two.", 0)


def test_a_blank_line_that_comes_after_the_cut_is_not_at_the_head_either() -> None:
    position = replace(StreamPosition().grown_to("One."), sent=len("One.")).after(Cut(len("One.")))
    assert position.goes_on_as("One.\n\nTwo.")
    assert position.grown_to("One.\n\nTwo.").message_text == "Two."


def test_a_code_block_that_a_message_ends_in_goes_on_in_the_next() -> None:
    position = StreamPosition().grown_to("```py\na = 1\nb = 2\n```")
    position = position.after(Cut(len("```py\na = 1\n"), close="\n```", reopen="```py\n"))
    assert position.ended == ("```py\na = 1\n```",)
    assert position.message_text == "```py\nb = 2\n```"


def test_a_list_that_goes_on_in_the_next_message_begins_at_its_margin() -> None:
    said = "1. a\n    - b\n    - c\n"
    position = StreamPosition().grown_to(said).after(Cut(len("1. a\n    - b\n")))
    assert position.ended == ("1. a\n    - b",)
    assert position.message_text == "- c\n"
    position = replace(position, sent=len(position.text))
    # The agent goes on as it began.
    assert position.goes_on_as(f"{said}    - d\n2. e\n")
    assert position.grown_to(f"{said}    - d\n2. e\n").message_text == "- c\n- d\n2. e\n"
