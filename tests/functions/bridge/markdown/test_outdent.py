import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.markdown.outdent import Outdent, indentation, outdent_of, outdented


# A tab reaches to the next column that is a multiple of four. spec.commonmark.org/0.31.2/#tabs
@pytest.mark.parametrize(
    ("line", "columns"), [("   x", 3), ("\tx", 4), ("  \tx", 4), ("    \tx", 8), ("x", 0)]
)
def test_tabs_count_as_columns(line: str, columns: int) -> None:
    assert indentation(line) == columns


def test_an_indentation_of_three_columns_stays() -> None:
    assert outdent_of("", "   - a\n", 0) is None
    assert outdent_of("", "said\n    - a\n", len("said\n")) == Outdent(len("said\n"), "", 4)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # up to a line that is in no list
        ("    - a\n        - b\n\n    - c\n1. d\n    - e\n", "- a\n    - b\n\n- c\n1. d\n    - e\n"),
        # from the list further out on, its own indentation counts
        ("        - a\n    - b\n        - c\n", "- a\n- b\n    - c\n"),
        # code may be indented less than its fence, and what looks like an item in it is none
        ("      ```\n    - x\n        y\n      ```\n      - a\n", "```\n- x\n  y\n```\n- a\n"),
    ],
    ids=["list", "list further out", "code"],
)
def test_lines_keep_their_place_in_a_list_that_moves_to_the_margin(text: str, shown: str) -> None:
    assert outdented(text, indentation(text)) == shown


def test_a_code_block_that_is_opened_again_takes_its_lines_with_it() -> None:
    outdent = Outdent(at=len("said\n"), opening="    ```py\n", columns=4)
    assert outdent.off("said\n    x = 1\n    ```\n    - b\n") == "said\nx = 1\n```\n- b\n"


pieces = st.lists(
    st.sampled_from(
        [
            *["    - a\n", "        - b\n", "\t- c\n", "1. d\n", "    x\n", "  y\n", "z", "z\n"],
            *["      ```py\n", "    ```\n", "      ~~~\n", "\n", "   \n", "      ", " ", "\t"],
        ]
    ),
    max_size=14,
).map("".join)


@given(pieces, pieces)
def test_a_longer_text_begins_with_the_same_result(text: str, more: str) -> None:
    outdent = Outdent(0, "", 4)
    assert outdent.off(text + more).startswith(outdent.off(text))
