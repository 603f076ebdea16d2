"""What a newcomer can write: examples, and a question for each script of the agent."""

from dataclasses import dataclass

from simulator.agent.scripts import SCRIPTS

EXAMPLES = (
    "@agent what's the weather in Chicago today?",
    "@agent will I need an umbrella in London tomorrow?",
    "@agent the forecast for Tokyo as a table",
)
EXAMPLES_FOR_ANY_AGENT = (
    "@agent what can you do?",
    "@agent help",
)

_TROUBLE = {
    *("silently", "never", "guardrail", "empty", "fail", "throttle", "throttle in stream"),
    *("deny", "dependency", "cut", "mentions", "guardrail masks"),
}


@dataclass(frozen=True)
class Suggestion:
    """A question to try, the words at its end that matter, what the agent then does, and whether that is
    something going wrong.
    """

    text: str
    words: str
    effect: str
    is_trouble: bool


def suggestions() -> list[Suggestion]:
    return [
        Suggestion(question(script.words), script.words, script.effect, script.name in _TROUBLE)
        for script in SCRIPTS
        if script.words
    ]


def question(words: str) -> str:
    """A question that holds a script's words."""
    return f"@agent weather in Chicago today, {words}"
