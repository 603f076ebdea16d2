from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from functions.bridge.agents.events import (
    AgentEvent,
    Citation,
    CutShort,
    Failed,
    File,
    Finished,
    Guardrail,
    Rationale,
    Source,
    TextDelta,
    ToolRequest,
    ToolUse,
)
from functions.bridge.agents.failures import MAY_HAVE_ACTED, Failure
from functions.bridge.replies.reply import Reply

REPORT = Source("report.pdf")
PAGE = Source("weather.example/chicago", "https://weather.example/chicago")


def reply_to(*events: AgentEvent, show_rationale: bool = False) -> Reply:
    reply = Reply(show_rationale=show_rationale)
    for event in events:
        reply.add(event)
    return reply


def test_pieces_become_one_text() -> None:
    reply = reply_to(TextDelta("It is "), ToolUse("weather"), TextDelta("sunny."), Finished())
    assert reply.final() == "It is sunny."
    assert reply.ended == Finished()


def test_a_mention_that_is_spread_over_pieces_notifies_nobody() -> None:
    reply = reply_to(*[TextDelta(letter) for letter in "Hey <!channel> and <@U1>"])
    for text in (reply.growing(), reply.steady(), reply.final()):
        assert "<!channel>" not in text
        assert "<@U1>" not in text


def test_rationale_is_hidden_by_default() -> None:
    reply = reply_to(Rationale("I should look it up"), TextDelta("Sunny."))
    assert reply.final() == "Sunny."


def test_the_debug_switch_shows_rationale_as_a_quotation_where_it_was_said() -> None:
    reply = reply_to(
        Rationale("First\nthis"),
        TextDelta("Hm."),
        Rationale("then that"),
        TextDelta("Sunny."),
        show_rationale=True,
    )
    paragraphs = [text.strip() for text in reply.final().split("\n\n") if text.strip()]
    assert paragraphs == ["> First\n> this", "Hm.", "> then that", "Sunny."]


def test_a_note_follows_what_the_agent_said() -> None:
    assert reply_to(TextDelta("It is")).final("Cut off.") == "It is\n\nCut off."
    assert reply_to().final("Nothing said.") == "Nothing said."


def test_white_space_is_no_text() -> None:
    assert not reply_to(TextDelta(" \n")).has_text
    assert reply_to(TextDelta(" \n"), TextDelta("a")).has_text


def test_a_tool_is_at_work_until_the_agent_speaks() -> None:
    reply = reply_to(TextDelta("Let me see."), ToolUse("weather"))
    assert reply.at_work
    assert reply.shows_anything()
    reply.add(TextDelta("Sunny."))
    assert not reply.at_work
    assert reply.steps == [ToolUse("weather")]


def test_sources_are_numbered_in_the_text_and_listed_at_its_end() -> None:
    reply = reply_to(
        TextDelta("It is sunny."),
        Citation((REPORT, PAGE)),
        TextDelta(" It stays so."),
        Citation((PAGE,)),
    )
    assert reply.final() == (
        "It is sunny. [1] [2] It stays so. [2]\n\n"
        "**Sources**\n\n1. report.pdf\n2. [weather.example/chicago](https://weather.example/chicago)"
    )


@pytest.mark.parametrize("title", ["<!channel>", "a]b[c", "*x*", "a\nb"])
def test_the_title_of_a_source_is_only_text(title: str) -> None:
    listed = reply_to(TextDelta("x"), Citation((Source(title, "https://a.example/(b)"),))).final()
    assert title not in listed
    assert listed.endswith("](https://a.example/%28b%29)")


def test_that_a_guardrail_stepped_in_is_said_below_the_answer() -> None:
    reply = reply_to(TextDelta("I cannot say."), Guardrail(("topic Finance blocked",)), Finished())
    assert reply.final() == (
        "I cannot say.\n\n_A guardrail of the agent held back or changed a part of this._"
    )
    assert reply.guardrails == ["topic Finance blocked"]


def test_an_answer_that_was_cut_short_says_so() -> None:
    reply = reply_to(TextDelta("It is sunny, and"), CutShort(), Finished())
    assert reply.final().endswith(
        "and\n\n_The answer was cut short here: it reached the length that the agent may write._"
    )


def test_files_go_beside_the_text_and_so_do_tables_that_are_too_large() -> None:
    chart = File("chart.png", "image/png", b"png")
    rows = "\n".join(f"| {number} | x |" for number in range(250))
    reply = reply_to(
        File(*("chart.png", "image/png", b"png")), TextDelta(f"Look:\n\n| n | v |\n|--|--|\n{rows}\n")
    )
    table, text = reply.files()[1], reply.final()
    assert reply.files()[0] == chart
    assert (table.name, len(table.data.splitlines())) == ("table-1.csv", 251)
    assert text == "Look:\n\n_The table (250 rows) is in the file table-1.csv._"


def test_what_is_steady_stops_before_a_table_that_grows() -> None:
    reply = reply_to(TextDelta("Look:\n\n| a | b |\n|--|--|\n| 1 | 2 |\n"))
    assert reply.steady() == "Look:"
    reply.add(TextDelta("\nDone."))
    assert reply.steady() == "Look:\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\nDone."


def test_what_the_agent_asks_to_be_run_is_kept() -> None:
    asked = ToolRequest("1", "issue_refund", '{"amount": 20}')
    reply = reply_to(asked, Failed(Failure.RETURN_OF_CONTROL, "x"))
    assert reply.requests == [asked]
    assert reply.may_have_acted
    assert reply.final() == ""


def test_a_run_that_had_begun_may_have_acted_whatever_it_told() -> None:
    assert reply_to(Failed(Failure.INVALID, "x", begun=True)).may_have_acted
    assert not reply_to(Failed(Failure.INVALID, "x")).may_have_acted


def test_an_agent_that_came_to_the_end_of_its_turn_may_have_acted() -> None:
    assert {Failure.NOT_SHOWABLE, Failure.RETURN_OF_CONTROL} < MAY_HAVE_ACTED


def cited(said: str, *, notes: str = "") -> str:
    """The answer to `said`, with a citation at each "^"."""
    events: list[AgentEvent] = []
    for piece in said.split("^"):
        events += [TextDelta(piece), Citation((REPORT,))]
    return reply_to(*events[:-1]).final(notes).removesuffix("\n\n**Sources**\n\n1. report.pdf")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("It is sunny.^ And dry.", "It is sunny. [1] And dry."),
        ("It is su^nny. And dry.", "It is sunny. [1] And dry."),
        ("Hello there.  ^Next.", "Hello there. [1]  Next."),
        ("One.\n\n^Two.", "One. [1]\n\nTwo."),
        ("claim^(2024) says", "claim(2024) [1] says"),
        ("claim^ (2024) says", "claim [1] (2024) says"),
        ("claim^[x] says", "claim[x] [1] says"),
        ("**Bold^ claim**", "**Bold [1] claim**"),
        ("**Bold cl^aim** and", "**Bold claim** [1] and"),
        ("See `a b^ c` and", "See `a b c` [1] and"),
        ("See `a\\` b^ and", "See `a\\` b [1] and"),
        ("See ``a ` b^ c`` and", "See ``a ` b c`` [1] and"),
        ('See [a link^ of us](http^://x "for us") and', 'See [a link of us](http://x "for us") [1] and'),
        ("See [a [b^ c] d](x) and", "See [a [b c] d](x) [1] and"),
        ("See <a href='b'^ c> and", "See <a href='b' c> [1] and"),
        ("1 < 2^ is true", "1 < 2 [1] is true"),
        ("An open [bracket^ and more\n\nEnd.", "An open [bracket and more [1]\n\nEnd."),
        ("\u6674\u308c\u3002^\u96e8\u3002", "\u6674\u308c\u3002 [1] \u96e8\u3002"),
        ("- one^\n- two", "- one [1]\n- two"),
        ("> one^\n> two", "> one [1]\n> two"),
        ("# Head^\n\nText", "# Head [1]\n\nText"),
        ("Head^\n===\n\nText", "Head [1]\n===\n\nText"),
        ("Head\n===^\n\nText", "Head\n===\n\n[1]\n\n\nText"),
        ("x\n\n---^\n\nText", "x\n\n---\n\n[1]\n\n\nText"),
        ("Run this:\n\n```bash\nls -l\n```^\n\nThen.", "Run this:\n\n```bash\nls -l\n```\n\n[1]\n\n\nThen."),
        ("```\na^ b\n```\nThen.", "```\na b\n```\n\n[1]\n\nThen."),
        ("```\na\n```^", "```\na\n```\n\n[1]"),
        ("```\na^", "```\na\n```\n\n[1]"),
        ("- ```\n  a^\n  ```\n- b", "- ```\n  a\n  ```\n\n  [1]\n\n- b"),
        ("> ```\n> a^\n> ```\n\nb", "> ```\n> a\n> ```\n\n> [1]\n\n\nb"),
        ("|a|\n|-|\n|b|^\n|c|\n\nd", "|a|\n|-|\n|b|\n|c|\n\n[1]\n\n\nd"),
        ("|a|\n|-|\n|b|\n|c^|", "|a|\n|-|\n|b|\n|c|\n\n[1]"),
    ],
)
def test_a_number_stands_where_it_breaks_nothing(said: str, shown: str) -> None:
    assert cited(said) == shown


def test_sources_of_nothing_are_listed() -> None:
    assert reply_to(Citation((REPORT,))).final() == "**Sources**\n\n1. report.pdf"


def test_no_number_is_in_code_that_grows() -> None:
    assert reply_to(TextDelta("```\na"), Citation((REPORT,))).growing() == "```\na"


words_and_blocks = st.lists(
    st.sampled_from(
        [
            *["word ", "a longer piece of text ", "\n", "\n\n", "```", "```py\n", "~~~~\n", "| a | b |\n"],
            *["|---|---|\n", "a | b\n", "--- | ---\n", "- item\n", "  - deep\n", "    - deeper\n", "1. x\n"],
            *[
                "> ",
                "[link](http://x 'y z')",
                "[",
                "](",
                "`a b`",
                "`",
                "**b c** ",
                "<a b>",
                "<!channel> ",
                "# ",
            ],
            *["===\n", "---\n", "\u6674\u308c\u3002", "\r\n", "\r", "\x00", "<", "<div>\n", "    code\n"],
            *["| 1 | 2 |\n" * 110, "word " * 3_000, "- item\n" * 2_000, "    - deep\n" * 900, "x\n" * 5_000],
        ]
    )
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
    max_size=40,
).map("".join)


@settings(max_examples=40)
@given(words_and_blocks, st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=30))
def test_what_is_steady_stays_whatever_comes(text: str, steps: list[tuple[int, bool]]) -> None:
    reply = reply_to()
    shown = [""]
    at = 0
    for length, is_cited in [*steps, (len(text) // 2, True), (len(text), False)]:
        reply.add(TextDelta(text[at : at + length]))
        at += length
        if is_cited:
            reply.add(Citation((REPORT,)))
        reply.growing()
        shown.append(reply.steady())
    shown.append(reply.final())
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))


@settings(max_examples=40)
@given(words_and_blocks, st.lists(st.integers(0, 400), max_size=30))
def test_looking_at_a_reply_changes_nothing(text: str, steps: list[int]) -> None:
    reply = reply_to()
    at = 0
    for length in steps:
        reply.add(TextDelta(text[at : at + length]))
        at += length
        reply.steady()
    reply.add(TextDelta(text[at:]))
    assert reply.growing() == reply_to(TextDelta(text)).growing()


def test_the_numbers_in_a_text_are_all_there() -> None:
    blocks = "Word.^ Two^.\n\n- a^\n  - b^\n\n```\nx^\n```\n\n| a |\n|---|\n| b^ |\n\n" * 300
    final = cited(blocks)
    assert final.count("[1]") == 6 * 300
    kinds = [token.type for token in MarkdownIt().enable("table").parse(final)]
    assert (kinds.count("fence"), kinds.count("table_open"), kinds.count("td_open")) == (300, 300, 300)


def test_control_characters_are_no_text() -> None:
    reply = reply_to(TextDelta("\x00"))
    assert not reply.has_text
    assert not reply.shows_anything()
    assert reply.final() == ""


def test_a_very_long_table_is_one_file() -> None:
    rows = "".join(f"| {number} | words |\n" for number in range(15_000))
    reply = reply_to()
    text = f"Look:\n\n| n | v |\n|--|--|\n{rows}\nDone."
    for at in range(0, len(text), 9_000):
        reply.add(TextDelta(text[at : at + 9_000]))
        reply.growing()
    [file] = reply.files()
    assert len(file.data.splitlines()) == 15_001
    assert reply.final() == "Look:\n\n_The table (15000 rows) is in the file table-1.csv._\n\nDone."


def test_a_number_waits_for_the_end_of_a_link_however_long_it_gets() -> None:
    reply = reply_to(TextDelta("[a"), Citation((REPORT,)))
    shown = [reply.steady()]
    for _ in range(3):
        reply.add(TextDelta(" word word\n" * 2_000))
        shown.append(reply.steady())
    reply.add(TextDelta("end](x) and"))
    shown.append(reply.steady())
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))
    assert reply.final().startswith(shown[-1])
    assert "end](x) [1] and\n\n**Sources**" in reply.final()
