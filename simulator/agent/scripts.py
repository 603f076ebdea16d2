"""How a turn is played: naturally, or otherwise when the question holds one of the words in SCRIPTS.

Each script turns the meteorologist's answer into a list of actions. Waits are in seconds at time scale 1.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulator.agent import samples
from simulator.agent.actions import (
    Action,
    Approval,
    Citation,
    Cut,
    Fail,
    File,
    Guardrail,
    Rationale,
    Refuse,
    Reset,
    Text,
    ToolUse,
    UnmodelledError,
    Wait,
)
from simulator.agent.invoke_agent import ERRORS
from simulator.agent.meteorologist import Answer

# As AWS words them: with names and ARNs that are nobody's business in a chat.
DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/bridge-worker/worker is not authorized to "
    "perform: bedrock:InvokeAgent on resource: "
    "arn:aws:bedrock:us-east-1:123456789012:agent-alias/METEOAGENT/TSTALIASID"
)
STREAMING_DENIED = "Access denied when calling Bedrock. Check your request permissions and retry the request."
THROTTLED = "Your request rate is too high. Reduce the frequency of requests."
DEPENDENCY_FAILED = (
    "Received failed response from API execution with lambda: "
    "arn:aws:lambda:us-east-1:123456789012:function:weather-tool."
)
INTERNAL = "Internal server error occurred, try again later."
BLOCKED = "Sorry, the model cannot answer this question."


@dataclass(frozen=True)
class Script:
    """One way to play a turn.

    Attributes:
        name: for the control API.
        words: what in a question asks for it; None: only the control API does.
        effect: what happens, for people.
        play: the actions of the turn.
    """

    name: str
    words: str | None
    effect: str
    play: Callable[[Answer], list[Action]]


def script_for(question: str) -> tuple[Script, str]:
    """The script that the words of `question` ask for, and the question without those words."""
    if match := _WORDS.search(question):
        rest = f"{question[: match.start()].rstrip()} {question[match.end() :].lstrip()}".strip()
        return _BY_WORDS[" ".join(match.group().casefold().split())], rest
    return NATURAL, question


def say(text: str, *, every: float = 0.04, characters: int = 18) -> list[Action]:
    """`text` in pieces of whole words, each of `characters` or a little more, `every` seconds apart."""
    pieces = re.findall(rf"(?s).{{1,{characters}}}\S*\s*", text)
    return _paced([Text(piece.encode()) for piece in pieces], every)


def _paced(pieces: list[Text], every: float) -> list[Action]:
    actions: list[Action] = []
    for piece in pieces:
        actions += [Wait(every), piece]
    return actions


def _spread(text: str, seconds: float) -> list[Action]:
    """`text` in small pieces, evenly over `seconds`."""
    pieces = [Text(piece.encode()) for piece in re.findall(r"\S+\s*", text)]
    return _paced(pieces, seconds / len(pieces))


def _work(answer: Answer) -> list[Action]:
    """What comes before the text: about 0.6 seconds of thinking and tools."""
    if not answer.steps:
        return [Wait(0.5)]
    return [action for step in answer.steps for action in (Wait(0.08), step)]


def _natural(answer: Answer) -> list[Action]:
    return [*_work(answer), *say(answer.text)]


def _cut_into(data: bytes, size: int, every: float) -> list[Action]:
    return _paced([Text(data[start : start + size]) for start in range(0, len(data), size)], every)


def _half(answer: Answer) -> list[Action]:
    actions = say(answer.text)
    return [*_work(answer), *actions[: max(2, len(actions) // 4 * 2)]]


def _think(answer: Answer) -> list[Action]:
    thoughts = (
        "Let me see which place and which day the question is about.",
        "The place is clear; next come its coordinates and the local date.",
        "Now I compare the forecast with what is usual for the season.",
        "I have all I need and can put it in words.",
    )
    work = [Wait(0.3), Rationale(thoughts[0]), Wait(0.6), Rationale(thoughts[1]), *_work(answer)]
    return [*work, Wait(0.6), Rationale(thoughts[2]), Wait(0.6), Rationale(thoughts[3]), *say(answer.text)]


def _cite(answer: Answer) -> list[Action]:
    actions = [*_work(answer), *say(f"{answer.text}\n\n")]
    start = len(answer.text) + 2
    for sentence, source in (
        ("Winds above 62 km/h count as a gale.", "s3://weather-handbook/wind.pdf"),
        ("The wind chill is defined below 10 °C only.", "s3://weather-handbook/wind-chill.pdf"),
    ):
        citation = Citation(sentence, start, start + len(sentence) - 1, source)
        actions += [Wait(0.04), Text(f"{sentence} ".encode(), (citation,))]
        start += len(sentence) + 1
    return actions


def _approval(answer: Answer) -> list[Action]:
    place = answer.place.name if answer.place else "Chicago"
    ask: Action = Approval("send-storm-warning", {"place": place, "level": "orange"})
    return [*_work(answer), Rationale("A warning goes to many people, so a person must agree first."), ask]


def after_approval(agreed: bool) -> list[Action]:
    """What follows the script "approval" once a person has spoken."""
    if not agreed:
        return [Wait(0.3), *say("As you wish: **no** warning was sent.")]
    use = ToolUse("send-storm-warning", {"level": "orange"}, '{"sent": true}')
    return [Wait(0.3), use, *say("The storm warning **was sent**.")]


def _file(answer: Answer) -> list[Action]:
    data = samples.csv(answer.place, answer.today)
    return [*_natural(answer), Wait(0.04), File("forecast.csv", "text/csv", data)]


def _guardrail(_: Answer) -> list[Action]:
    return [Wait(0.3), Guardrail("Insider tips"), Wait(0.1), Text(BLOCKED.encode())]


def _instead(text: Callable[[Answer], str], *, characters: int = 18) -> Callable[[Answer], list[Action]]:
    """The same work, but other words in the end."""
    return lambda answer: [*_work(answer), *say(text(answer), characters=characters)]


def _always(*actions: Action) -> Callable[[Answer], list[Action]]:
    return lambda _: list(actions)


def _after_half(*actions: Action) -> Callable[[Answer], list[Action]]:
    return lambda answer: [*_half(answer), *actions]


def _after_work(*actions: Action) -> Callable[[Answer], list[Action]]:
    return lambda answer: [*_work(answer), *actions]


def _errors() -> Iterator[Script]:
    """Every error of the service in both of its forms, for the control API."""
    for error, status in ERRORS.items():
        effect = f"{error} as HTTP {status}, before the agent starts"
        yield Script(f"{error} status", None, effect, _always(Refuse(error, f"Injected {error}.")))
        effect = f"{error} in the stream, after the first words"
        yield Script(f"{error} in stream", None, effect, _after_half(Fail(error, f"Injected {error}.")))


NATURAL = Script("natural", None, "an answer at a natural pace", _natural)

SCRIPTS: tuple[Script, ...] = (
    NATURAL,
    Script(
        "slowly", "slowly", "answers steadily over 20 seconds", lambda a: [*_work(a), *_spread(a.text, 20)]
    ),
    Script(
        "minute", "for a minute", "answers steadily over 60 s", lambda a: [*_work(a), *_spread(a.text, 60)]
    ),
    Script(
        "silently",
        "silently",
        "says nothing at all for 90 seconds, then answers",
        lambda a: [Wait(90), *_natural(a)],
    ),
    Script("never", "never answer", "uses its tools, then says nothing for an hour", _after_work(Wait(3600))),
    Script("think", "think aloud", "gives several rationales before it answers", _think),
    Script(
        "long",
        "long report",
        "answers about 30,000 characters",
        _instead(lambda a: samples.report(30_000, a.today), characters=200),
    ),
    Script(
        "very long",
        "very long report",
        "answers about 200,000 characters",
        _instead(lambda a: samples.report(200_000, a.today), characters=1000),
    ),
    Script(
        "table", "as a table", "answers with a table", _instead(lambda a: samples.table(a.place, a.today))
    ),
    Script("code", "with code", "answers with code blocks", _instead(lambda _: samples.CODE)),
    Script(
        "unicode",
        "unicode",
        "answers in many alphabets; pieces end in the middle of characters",
        lambda a: [*_work(a), *_cut_into(samples.UNICODE.encode(), 7, 0.02)],
    ),
    Script(
        "mentions",
        "mention everyone",
        "the answer tries to notify channels, groups and people, in small pieces",
        lambda a: [*_work(a), *_cut_into(samples.MENTIONS.encode(), 5, 0.02)],
    ),
    Script("cite", "cite sources", "answers with citations", _cite),
    Script("file", "attach a file", "answers and makes a CSV file", _file),
    Script(
        "approval", "ask me first", "asks for a person's consent to a tool (return of control)", _approval
    ),
    Script("guardrail", "guardrail", "a guardrail intervenes", _guardrail),
    Script("empty", "empty answer", "uses its tools and ends without a text", _after_work()),
    Script(
        "fail",
        "fail",
        "internalServerException in the stream, after the first words",
        _after_half(Fail("internalServerException", INTERNAL)),
    ),
    Script(
        "throttle",
        "throttle",
        "throttlingException as HTTP 429, before the agent starts",
        _always(Refuse("throttlingException", THROTTLED)),
    ),
    Script(
        "throttle in stream",
        "throttle in stream",
        "throttlingException in the stream, after the tools ran",
        _after_work(Fail("throttlingException", THROTTLED)),
    ),
    Script(
        "deny",
        "deny",
        "accessDeniedException as HTTP 403, with an ARN in its message",
        _always(Refuse("accessDeniedException", DENIED)),
    ),
    Script(
        "dependency",
        "dependency",
        "dependencyFailedException in the stream: a tool broke down",
        _after_work(Fail("dependencyFailedException", DEPENDENCY_FAILED)),
    ),
    Script("cut", "cut the stream", "the connection ends after the first words", _after_half(Cut())),
    Script("cut in message", None, "the connection ends in the middle of an event", _after_half(Cut(True))),
    Script(
        "cut after tools", None, "the connection ends after the tools, before any text", _after_work(Cut())
    ),
    Script("reset", None, "the connection is reset before any HTTP header", _always(Reset())),
    Script("reset in stream", None, "the connection is reset after the first words", _after_half(Reset())),
    Script(
        "streaming denied after tools",
        None,
        "access to the streaming API is denied, but only after the tools ran",
        _after_work(Fail("accessDeniedException", STREAMING_DENIED)),
    ),
    Script(
        "unmodelled error",
        None,
        "an error in the stream that the service's model does not name",
        _after_half(UnmodelledError("InternalFailure", "The server has encountered an error.")),
    ),
    *_errors(),
)

BY_NAME = {script.name: script for script in SCRIPTS}
_BY_WORDS = {script.words: script for script in SCRIPTS if script.words}
# Longest first, so that "very long report" is not taken for "long report".
_WORDS = re.compile(
    "|".join(
        rf"\b{re.escape(words)}\b".replace(r"\ ", r"\s+")
        for words in sorted(_BY_WORDS, key=len, reverse=True)
    ),
    re.IGNORECASE,
)
