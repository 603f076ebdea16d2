from dataclasses import replace

from functions.bridge.markdown.split import Cut
from functions.bridge.replies.stream_position import StreamPosition


def test_what_has_been_sent_must_be_the_beginning() -> None:
    place = replace(StreamPosition().grown_to("It is"), sent=len("It is"))
    assert place.goes_on_as("It is sunny.")
    assert not place.goes_on_as("It was sunny.")
    assert not place.goes_on_as("It")


def test_what_has_not_been_sent_may_change() -> None:
    place = replace(StreamPosition().grown_to("It is so"), sent=len("It is"))
    assert place.goes_on_as("It is sunny.")
    assert place.grown_to("It is sunny.").message == "It is sunny."
    assert place.written == len("It is")


def test_a_message_begins_without_blank_lines() -> None:
    place = StreamPosition().grown_to("\n \nOne.\n\n\nTwo.")
    assert place.message == "One.\n\n\nTwo."
    place = place.after(Cut(len("One.\n")))
    assert (place.ended, place.message, place.written) == (("One.",), "Two.", 0)


def test_a_blank_line_that_comes_after_the_cut_is_not_at_the_head_either() -> None:
    place = replace(StreamPosition().grown_to("One."), sent=len("One.")).after(Cut(len("One.")))
    assert place.goes_on_as("One.\n\nTwo.")
    assert place.grown_to("One.\n\nTwo.").message == "Two."


def test_a_code_block_that_a_message_ends_in_goes_on_in_the_next() -> None:
    place = StreamPosition().grown_to("```py\na = 1\nb = 2\n```")
    place = place.after(Cut(len("```py\na = 1\n"), close="\n```", reopen="```py\n"))
    assert place.ended == ("```py\na = 1\n```",)
    assert place.message == "```py\nb = 2\n```"


def test_a_list_that_goes_on_in_the_next_message_begins_at_its_margin() -> None:
    said = "1. a\n    - b\n    - c\n"
    place = StreamPosition().grown_to(said).after(Cut(len("1. a\n    - b\n")))
    assert place.ended == ("1. a\n    - b",)
    assert place.message == "- c\n"
    place = replace(place, sent=len(place.text))
    # The agent goes on as it began.
    assert place.goes_on_as(f"{said}    - d\n2. e\n")
    assert place.grown_to(f"{said}    - d\n2. e\n").message == "- c\n- d\n2. e\n"
