import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.incoming.user_text import question_text


@pytest.mark.parametrize(
    ("written", "question"),
    [
        ("<@UBOT> what's the weather?", "what's the weather?"),
        ("<@UBOT|agent> hi", "hi"),
        ("please <@UBOT> help me", "please help me"),
        ("<@UBOT> why?\n```\ny = 1  # note\n```", "why?\n```\ny = 1  # note\n```"),
        ("who manages <@UBOT> <@U2|alice> &amp; <#C9|ops>?", 'who manages @"alice" & #ops?'),
        ("<@UBOT> ask <@U2> in <#C9>", "ask @U2 in #C9"),
        ("<@UBOT> tell <!here> and <!subteam^S1|@oncall>", "tell @here and @oncall"),
        ("<@UBOT> tell <!subteam^S1>", "tell @subteam"),
        ("<@UBOT> read <https://a.example/?x=1&amp;y=2>", "read https://a.example/?x=1&y=2"),
        ("<@UBOT> read <https://a.example|the page>", "read the page (https://a.example)"),
        ("<@UBOT> mail <mailto:bob@a.example|bob@a.example>", "mail bob@a.example"),
        ("<@UBOT> is 1 &lt; 2 &amp;&amp; 3 &gt; 2?", "is 1 < 2 && 3 > 2?"),
        ("<@UBOT> what is &amp;lt;?", "what is &lt;?"),
        ("<@UBOT> what does &lt;@U2&gt; mean?", "what does <@U2> mean?"),
        ("<@UBOT> &nbsp; &copy;", "&nbsp; &copy;"),
        ("<@UBOT>\nline one\n    indented", "line one\n    indented"),
        ("<@UBOT>", ""),
        ("  <@UBOT>  <>", ""),
    ],
)
def test_a_question_is_what_the_user_wrote(written: str, question: str) -> None:
    assert question_text(written, bot_user="UBOT") == question


@given(st.text())
def test_plain_text_survives_slacks_escaping(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert question_text(escaped, bot_user="UBOT").split() == text.split()
