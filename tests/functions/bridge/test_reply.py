import pytest

from functions.bridge.agent import (
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
    Wanted,
)
from functions.bridge.failures import MAY_HAVE_ACTED, Failure, explanation
from functions.bridge.reply import Reply
from functions.bridge.wording import requested

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
    rows = "\n".join(f"| {number} | x |" for number in range(150))
    reply = reply_to(
        File(*("chart.png", "image/png", b"png")), TextDelta(f"Look:\n\n| n | v |\n|--|--|\n{rows}\n")
    )
    table, text = reply.files()[1], reply.final()
    assert reply.files()[0] == chart
    assert (table.name, len(table.data.splitlines())) == ("table-1.csv", 151)
    assert text == "Look:\n\n_The table (150 rows) is in the file table-1.csv._"


def test_what_is_steady_stops_before_a_table_that_grows() -> None:
    reply = reply_to(TextDelta("Look:\n\n| a | b |\n|--|--|\n| 1 | 2 |\n"))
    assert reply.steady() == "Look:\n\n"
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


def test_what_the_agent_asked_for_is_told_by_name() -> None:
    refund, bell = ToolRequest("1", "issue_refund", "{}"), ToolRequest("2", "ring-*the*-<!here>-bell", "{}")
    words = requested([refund, bell, refund])
    assert words == (
        "The agent asked this bot to run “Issue refund”, “Ring \\*the\\* \\<\\!here\\> bell” for it, "
        "which it cannot do."
    )
    note = explanation(Failure.RETURN_OF_CONTROL, reference="0a", may_have_acted=True, words=words)
    assert note == f":warning: {words} It may have done part of its work. (Reference: `0a`)"
    assert requested([ToolRequest("1", "", "{}")]) == (
        "The agent asked this bot to run a tool for it, which it cannot do."
    )


def test_consent_is_something_else_than_work() -> None:
    asked = [ToolRequest("1", "issue_refund", "{}", Wanted.CONSENT)]
    assert requested(asked) == (
        "The agent asked for a person's consent to use “Issue refund”, which this bot cannot pass on."
    )
    assert requested([]) == ""
