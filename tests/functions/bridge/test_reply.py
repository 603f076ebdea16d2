from functions.bridge.agent import AgentEvent, Finished, Rationale, TextDelta, ToolUse
from functions.bridge.reply import Reply


def reply_to(*events: AgentEvent, show_rationale: bool = False) -> Reply:
    reply = Reply(show_rationale=show_rationale)
    for event in events:
        reply.add(event)
    return reply


def test_pieces_become_one_text() -> None:
    reply = reply_to(TextDelta("It is "), ToolUse("weather"), TextDelta("sunny."), Finished())
    assert reply.final() == ["It is sunny."]
    assert reply.ended == Finished()


def test_a_mention_that_is_spread_over_pieces_notifies_nobody() -> None:
    reply = reply_to(*[TextDelta(letter) for letter in "Hey <!channel> and <@U1>"])
    assert "<!channel>" not in reply.growing() + reply.final()[0]
    assert "<@U1>" not in reply.growing() + reply.final()[0]


def test_rationale_is_hidden_by_default() -> None:
    reply = reply_to(Rationale("I should look it up"), TextDelta("Sunny."))
    assert reply.final() == ["Sunny."]


def test_the_debug_switch_shows_rationale_as_a_quotation_above_the_answer() -> None:
    reply = reply_to(
        Rationale("First\nthis"), Rationale("then that"), TextDelta("Sunny."), show_rationale=True
    )
    assert reply.final() == ["> First\n> this\n\n> then that\n\nSunny."]


def test_a_note_follows_what_the_agent_said() -> None:
    assert reply_to(TextDelta("It is")).final("Cut off.") == ["It is\n\nCut off."]
    assert reply_to().final("Nothing said.") == ["Nothing said."]


def test_white_space_is_no_text() -> None:
    assert not reply_to(TextDelta(" \n")).has_text
    assert not reply_to(TextDelta(" \n")).shows_anything()
    assert reply_to(TextDelta(" \n"), TextDelta("a")).has_text
