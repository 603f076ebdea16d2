import pytest

from functions.bridge.agents.events import ToolKind, ToolRequest, ToolUse, Wanted
from functions.bridge.agents.failures import Failure
from functions.bridge.wording import explanation, help_text, requested, step


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (ToolUse("get_weather-now"), "Get weather now…"),
        (ToolUse(""), "Using a tool…"),
        (ToolUse("city_guides", ToolKind.KNOWLEDGE_BASE), "Searching city guides…"),
        (ToolUse("", ToolKind.KNOWLEDGE_BASE), "Searching the knowledge base…"),
        (ToolUse("forecaster", ToolKind.COLLABORATOR), "Asking forecaster…"),
        (ToolUse("", ToolKind.COLLABORATOR), "Asking another agent…"),
        (ToolUse("any", ToolKind.CODE_INTERPRETER), "Running code…"),
    ],
)
def test_what_the_agent_does_is_told_in_words_not_by_its_identifiers(use: ToolUse, words: str) -> None:
    assert step(use) == words


def test_what_the_agent_asked_for_is_told_by_name() -> None:
    refund, bell = ToolRequest("1", "issue_refund", "{}"), ToolRequest("2", "ring-*the*-<!here>-bell", "{}")
    words = requested([refund, bell, refund])
    assert words == (
        "The agent asked this bot to run “Issue refund”, “Ring \\*the\\* \\<\u200b\\!here\\> bell” for it, "
        "which it cannot do."
    )
    note = explanation(Failure.RETURN_OF_CONTROL, reference="0a", may_have_acted=True, words=words)
    assert note == f":warning: {words} It may have done part of its work. (Reference: `0a`)"
    assert requested([ToolRequest("1", "", "{}")]) == (
        "The agent asked this bot to run a tool for it, which it cannot do."
    )


def test_a_request_for_consent_is_worded_apart_from_one_for_work() -> None:
    asked = [ToolRequest("1", "issue_refund", "{}", Wanted.CONSENT)]
    assert requested(asked) == (
        "The agent asked for a person's consent to use “Issue refund”, which this bot cannot pass on."
    )
    assert requested([]) == ""


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_words_of_its_own(failure: Failure) -> None:
    others = {explanation(other, reference="0a") for other in Failure if other is not failure}
    assert explanation(failure, reference="0a") not in others


def test_the_help_says_nothing_of_what_an_agent_knows() -> None:
    """Any agent may be behind the bridge, and the app may have any name."""
    text = help_text({"default": ""}, are_several=False)
    assert "Write your question in the same message as the mention" in text
    assert "weather" not in text
    assert "@agent" not in text
