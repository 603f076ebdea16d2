import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from functions.bridge.markdown.growing import closed, preview, steady
from functions.bridge.markdown.safe import clean
from tests.functions.bridge.texts import text_with_structure


def test_code_in_one_line_is_no_open_fence() -> None:
    assert preview("```x = 1``` is how you assign") == "```x = 1``` is how you assign"


@given(text_with_structure)
def test_a_growing_text_leaves_no_code_block_open(text: str) -> None:
    # One left open would swallow what follows it.
    assert preview(f"{preview(text)}\n\nend").endswith("end")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It is <", "It is"),
        ("It is <https://exam", "It is"),
        ("Is 1 < 2? Yes", "Is 1 < 2? Yes"),
        ("| a | b |\n| --- | --- |\n| 1 |", "| a | b |\n| --- | --- |"),
        ("```python\nprint(1)", "```python\nprint(1)\n```"),
        ("```python\nprint(1)\n```\nDone", "```python\nprint(1)\n```\nDone"),
    ],
)
def test_a_growing_text_shows_nothing_incomplete(text: str, shown: str) -> None:
    assert preview(text) == shown


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("word \n\n", "word"),
        ("```\nx = 1", "```\nx = 1\n```"),
        ("```\nx = 1\n```", "```\nx = 1\n```"),
        ("```\nx = 1\n```  \n\n", "```\nx = 1\n```"),
        ("```", "```\n```"),
        ("~~~~py\nx\n~~~", "~~~~py\nx\n~~~\n~~~~"),
        ("````\n```\n````", "````\n```\n````"),
        ("```\nx\n> ```", "```\nx\n> ```\n```"),  # what looks like its end is code
        ("```\nx\n      ```", "```\nx\n      ```\n```"),
        ("- a\n\n  ```\n  x", "- a\n\n  ```\n  x\n  ```"),
        ("> ```\n> x", "> ```\n> x\n> ```"),
        ("> ```\n> x\nafter", "> ```\n> x\nafter"),
        ("```\r\nx\r\n```\r\n", "```\r\nx\r\n```"),
        *((f"```\n```{space}", "```\n```") for space in "\xa0\x85\u2003\u3000\u2028\x0b\x0c"),
        ("```\nx\xa0", "```\nx\n```"),
    ],
)
def test_a_text_is_closed_so_that_something_else_can_follow(text: str, complete: str) -> None:
    assert closed(text) == complete


@given(text_with_structure)
def test_whatever_follows_a_closed_text_is_no_code(text: str) -> None:
    *_, paragraph, _ = MarkdownIt().parse(f"{closed(clean(text))}\n\n:warning: Cut off.")
    assert paragraph.content.endswith(":warning: Cut off.")


@pytest.mark.parametrize(
    ("growing", "shown"),
    [
        ("Look:\n`", "Look:\n"),
        ("Look:\n``", "Look:\n"),
        ("Look:\n```py", "Look:\n"),
        ("Look:\n```py\n", "Look:\n```py\n"),
        ("- ~~", ""),
        ("Look:\n`x` is", "Look:\n`x` is"),
        ("Hey <!chan", "Hey "),
        ("Hey <@", "Hey "),
        ("| a | b |\n|-", ""),
        ("| a | b |\n|---|---|\n| 1", "| a | b |\n|---|---|\n"),
        ("a | b\n--- | ---\n1 | ", "a | b\n--- | ---\n"),
        ("x\n\nName | Age", "x\n\n"),
        ("x\n\nName | Age\n", "x\n\n"),
        ("x\n\nName | Age\n-", "x\n\n"),
        ("x\n\nName | Age\n--- | :-", "x\n\n"),
        ("x\n\nName | Age\nor", "x\n\nName | Age\nor"),
        ("> Name | Age\n> --", ""),
        ("- Name | Age\n  --", ""),
        ("1. | a", ""),
        ("Run `a | b` and", "Run `a | b` and"),
        ("Run `a | b`", ""),  # a longer row of backticks would not end it
        (r"1 \| 2", r"1 \| 2"),
        (r"1 \\| 2", ""),
        ("Hey <@U" + "1" * 300, "Hey "),
    ],
)
def test_a_steady_text_has_nothing_incomplete_at_its_end(growing: str, shown: str) -> None:
    assert steady(growing) == shown
