"""What notifies people (`<!channel>`, `<@U…>`), hidden behind what Slack leaves out."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.agents.events import File, Finished, TextDelta, ToolKind, ToolUse
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.wording import step
from tests.functions.bridge.asking import take
from tests.functions.fakes import Stage, Step

LIVE = re.compile(r"<(?:![a-z]+|@[UW]\d)")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def notifies(text: str) -> bool:
    """Whether a text does, once Slack has left out what it does not show."""
    return bool(LIVE.search(CONTROL.sub("", text)))


SIGNS = st.sampled_from(["<", "!", "channel", "here", "@", "U1", ">", " ", "_", "-"]) | st.characters(
    max_codepoint=0xA0
)


@given(name=st.lists(SIGNS, max_size=12).map("".join), kind=st.sampled_from(ToolKind))
def test_no_name_of_a_tool_notifies_anybody(name: str, kind: ToolKind) -> None:
    assert not notifies(step(ToolUse(name, kind)))


@pytest.mark.parametrize("control", ["\x00", "\x08", "\x0b", "\x1f", "\x7f", "\x85", "\x9f"])
@pytest.mark.parametrize("style", Style)
def test_a_control_character_hides_no_token(stage: Stage, style: Style, control: str) -> None:
    token = f"<{control}!channel>"
    script: list[Step] = [
        ToolUse(token),
        1.0,
        TextDelta(f"Hi {token}"),
        3.0,
        ToolUse(token),
        1.0,
        File(token, "", b"x"),
        Finished(),
    ]
    take(stage, *script, options=ReplyOptions(style=style))
    said = [text for _, text in stage.chat.calls]
    said += [task.title for stream in stage.chat.stopped for task in stream.tasks.values()]
    said += [file.name for file in stage.chat.files]
    assert [text for text in said if notifies(text)] == []
