"""Whatever an agent says and whatever Slack refuses, in either style, all of it is in the thread."""

import re
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.bridge.agents.events import Citation, Finished, Source, TextDelta, ToolUse
from functions.bridge.ledger.record import State
from functions.bridge.replies.chat import ChatRefused
from functions.bridge.replies.options import Style
from tests.functions.bridge.strict import TROUBLE, StrictStage, deliver_until_settled, take, words_of
from tests.functions.fakes import Step

BLOCKS = [
    "{0} and {0}\n\n",
    "{0} ",
    "{0}\n",
    "# {0}\n\n",
    "- {0}\n",
    "  - {0}\n",
    "> {0}\n\n",
    "```py\n{0}\n{0}\n```\n\n",
    "- x\n\n  ~~~\n  {0}\n\n  {0}\n  ~~~\n",
    "> ```\n> {0}\n> ```\n\n",
    "{0} <!channel> <https://a.example|{0}> 1 < 2\r\n",
    "\r\n\r\n```\r\n{0}\r\n```\r\n\r\n",
    "{0} **b** `c` \x00\x0b\u2028\u200b\ufeff ",
    "```\n{0}",
    "~~~~\n",
]
# Each makes a message of its own: few are enough.
TABLES = [
    "\n| head | head |\n|---|:-:|\n| {0} | é |\n| {0} | 🌦 |\n\n",
    "\nhead | head\n--|--\n{0} | b\n\n",
]
SOME_BLOCKS = st.tuples(st.sampled_from(BLOCKS), st.integers(1, 150)) | st.tuples(
    st.sampled_from(TABLES), st.integers(1, 6)
)


def text_of(blocks: list[tuple[str, int]]) -> str:
    """Blocks, each so many times; every word that counts has a number of its own."""
    numbers = count()
    whole = "".join(block * times for block, times in blocks)
    return re.sub(r"\{0\}", lambda _: f"w{next(numbers)}.", whole)


def script_of(text: str, breaks: list[tuple[float, list[Step]]]) -> list[Step]:
    """The text in pieces, broken off at fractions of its length for something else."""
    script: list[Step] = []
    begin = 0
    for fraction, meanwhile in sorted(breaks, key=lambda each: each[0]):
        end = int(fraction * len(text))
        script += [TextDelta(text[begin:end]), *meanwhile]
        begin = end
    return [*script, TextDelta(text[begin:]), Finished()]


MEANWHILE: st.SearchStrategy[list[Step]] = st.sampled_from(
    [[], [0.01], [1.0], [2.0], [7.0], [100.0], [ToolUse("tool")], [Citation((Source("s"),))]]
)
MISHAPS = st.none() | st.sampled_from(TROUBLE)
# An app without sessions is refused from the first; Slack also ends the session that it began.
NO_SESSIONS = st.just([ChatRefused("refused: unknown_method")] * 9)
PASSING = st.none() | st.sampled_from([each for each in TROUBLE if not isinstance(each, ChatRefused)])


@settings(max_examples=40, deadline=None)
@given(
    blocks=st.lists(SOME_BLOCKS, min_size=1, max_size=8),
    breaks=st.lists(st.tuples(st.floats(0, 1), MEANWHILE), max_size=20),
    style=st.sampled_from([Style.EDIT, Style.STREAM]),
    troubles=st.fixed_dictionaries(
        {
            "start_stream": st.lists(MISHAPS, max_size=4),
            "append_stream": st.lists(MISHAPS, max_size=6),
            "stop_stream": st.lists(MISHAPS, max_size=4),
            # An app without sessions is refused from the first; a session that Slack began, it also ends.
            "set_status": st.lists(PASSING, max_size=2)
            | st.just([ChatRefused("refused: unknown_method")] * 9),
            "post": st.lists(PASSING, max_size=4),
            "edit": st.lists(PASSING, max_size=6),
            "find": st.lists(PASSING, max_size=2),
            "delete": st.lists(PASSING, max_size=2),
        }
    ),
)
def test_any_text_lands_whole_in_the_thread_whatever_goes_wrong(
    blocks: list[tuple[str, int]],
    breaks: list[tuple[float, list[Step]]],
    style: Style,
    troubles: dict[str, list[Any]],
) -> None:
    text = text_of(blocks)
    stage = StrictStage()
    stage.chat.trouble = {method: list(script) for method, script in troubles.items()}
    take(stage, *script_of(text, breaks), style=style)
    deliver_until_settled(stage)
    assert stage.record.state is State.ANSWERED
    assert not stage.chat.streams
    assert stage.chat.session == "active"
    said = re.findall(r"w\d+\.", text)
    if stage.chat.files:  # a table has become one
        tables = "".join(file.data.decode() for file in stage.chat.files)
        assert sorted(words_of(stage) + re.findall(r"w\d+\.", tables)) == sorted(said)
    else:
        assert words_of(stage) == said
