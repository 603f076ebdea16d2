"""How a turn is played: naturally, or otherwise when the question holds one of the words in SCRIPTS.

Each script turns the meteorologist's answer into actions, which come as the meteorologist works. Waits are in
seconds at time scale 1.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from simulator.agent import samples
from simulator.agent.actions import (
    Action,
    Approval,
    Citation,
    Collaborate,
    Cut,
    Fail,
    File,
    Files,
    Guardrail,
    Lookup,
    Pause,
    Policy,
    Rationale,
    Reference,
    Refuse,
    Reset,
    RunCode,
    StopReason,
    Text,
    ToolResult,
    ToolUse,
    UnmodelledError,
    Wait,
)
from simulator.agent.invoke_agent import ERRORS
from simulator.agent.meteorologist import Answer
from simulator.agent.request import Decision

# In AWS's words, with names and ARNs that a chat must not show.
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
# Of HarnessStopReason in the service model of `bedrock-agentcore`.
STOP_REASONS = (
    "end_turn",
    "tool_use",
    "tool_result",
    "max_tokens",
    "stop_sequence",
    "content_filtered",
    "malformed_model_output",
    "malformed_tool_use",
    "interrupted",
    "partial_turn",
    "model_context_window_exceeded",
    "max_iterations_exceeded",
    "max_output_tokens_exceeded",
    "timeout_exceeded",
    "hook_stopped",
)
BLOCKED = "Sorry, the model cannot answer this question."

# Seconds that a model needs after its first, second and third tool. They are long enough for a bridge that
# edits a message once a second, and then less often, to show each step.
THINKING = (0.3, 1.0, 1.5)


@dataclass(frozen=True)
class Script:
    """One way to play a turn.

    Attributes:
        name: for `AgentService.force`.
        words: what in a question asks for it; None: only a test does.
        effect: what happens, for people.
        play: the actions of the turn.
    """

    name: str
    words: str | None
    effect: str
    play: Callable[[Answer], Iterator[Action]]


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


def _work(answer: Answer, thinking: Iterable[float] = ()) -> Iterator[Action]:
    """What comes before the text. The tools are called on the way; the agent thinks about their results."""
    pauses = chain(thinking, repeat(0.1))
    step = None
    for step in answer.steps:
        if not isinstance(step, ToolResult):
            yield Wait(0.1)
        yield step
        if isinstance(step, ToolResult):
            yield Wait(next(pauses))
    if step is None:
        yield Wait(0.5)


def _natural(answer: Answer) -> Iterator[Action]:
    yield from _work(answer, THINKING)
    yield from say(answer.text)


def _silently(answer: Answer) -> Iterator[Action]:
    yield Wait(90)
    yield from _natural(answer)


def _working(rest: Callable[[Answer], Iterable[Action]]) -> Callable[[Answer], Iterator[Action]]:
    """The usual work, then other actions."""

    def play(answer: Answer) -> Iterator[Action]:
        yield from _work(answer)
        yield from rest(answer)

    return play


def _cut_into(data: bytes, size: int, every: float) -> list[Action]:
    return _paced([Text(data[start : start + size]) for start in range(0, len(data), size)], every)


def _half(answer: Answer) -> list[Action]:
    actions = say(answer.text)
    return actions[: max(2, len(actions) // 4 * 2)]


def _think(answer: Answer) -> Iterator[Action]:
    thoughts = (
        "Let me see which place and which day the question is about.",
        "The place is clear; next come its coordinates and the local date.",
        "Now I compare the forecast with what is usual for the season.",
        "I have all I need and can put it in words.",
    )
    yield from (Wait(0.3), Rationale(thoughts[0]), Wait(0.6), Rationale(thoughts[1]))
    yield from _work(answer)
    yield from (Wait(0.6), Rationale(thoughts[2]), Wait(0.6), Rationale(thoughts[3]))
    yield from say(answer.text)


def _cite(answer: Answer) -> list[Action]:
    handbook, page, article = samples.SOURCES
    lookup = Lookup("How strong is a gale? When is there a wind chill?", samples.SOURCES)
    actions: list[Action] = [lookup, *say(f"{answer.text}\n\n")]
    start = len(answer.text) + 2
    cited: tuple[tuple[str, tuple[Reference, ...]], ...] = (
        ("Winds above 62 km/h count as a gale.", (handbook,)),
        ("The wind chill is defined below 10 °C only.", (page, article)),
        ("A gale has force 8.", (handbook,)),
    )
    for sentence, references in cited:
        citation = Citation(sentence, start, start + len(sentence) - 1, references)
        actions += [Wait(0.04), Text(f"{sentence} ".encode(), (citation,))]
        start += len(sentence) + 1
    return [*actions, *say("Ask me for more.")]


def _cite_blocks(_: Answer) -> list[Action]:
    handbook = samples.SOURCES[0]
    actions: list[Action] = [Lookup("How strong is a gale?", samples.SOURCES)]
    start = 0
    for part in samples.CITED_BLOCKS:
        citation = Citation(part, start, start + len(part) - 1, (handbook,))
        last = part is samples.CITED_BLOCKS[-1]
        actions += [Wait(0.5), Text(part.encode(), () if last else (citation,))]
        start += len(part)
    return actions


def _colleague(answer: Answer) -> list[Action]:
    place = answer.place or samples.CHICAGO
    task = f"How high are the waves near {place.name}?"
    steps = (
        Rationale("I look at the buoys."),
        ToolUse("read-buoys", {"place_name": place.name}, '{"height_m": 1.5}'),
    )
    work = Collaborate("marine-forecaster", task, steps, "The waves are 1.5 m high.")
    return [work, *say(f"{answer.text}\n\nOut at sea the waves are **1.5 m** high.")]


def _chart(answer: Answer) -> list[Action]:
    made = (
        File("temperatures.png", "image/png", samples.chart(answer.place, answer.today)),
        File("temperatures.csv", "text/csv", samples.csv(answer.place, answer.today)),
    )
    run = RunCode("plot(temperatures)", "", tuple(file.name for file in made))
    place = (answer.place or samples.CHICAGO).name
    text = f"Here is the chart for **{place}**, and the numbers behind it."
    return [run, Files(made), Wait(0.04), *say(text)]


def _approval(answer: Answer) -> list[Action]:
    place = answer.place.name if answer.place else "Chicago"
    warning = {"place": place, "level": "orange"}

    def then(decisions: Sequence[Decision]) -> list[Action]:
        if not decisions[0].is_approved:
            return [Wait(0.3), *say(f"As you wish: **no** warning was sent.{_told(decisions[0])}")]
        use = ToolUse("send-storm-warning", warning, '{"sent": true}')
        return [Wait(0.3), use, *say("The storm warning **was sent**.")]

    asked = Approval("send-storm-warning", warning, f"Shall I warn everybody in {place}?")
    thought = Rationale("A warning goes to many people, so a person must agree first.")
    return [thought, Pause((asked,), then)]


def _told(denial: Decision) -> str:
    """What the agent was told with a denial, word for word: there is no model to put it in its own."""
    return f" I was told: {denial.said}" if denial.said else ""


def _emails(*names: str) -> Callable[[Answer], list[Action]]:
    """Asks for all e-mails at once, and says what became of each."""

    def play(answer: Answer) -> list[Action]:
        asked = tuple(_email(name, answer) for name in names)
        words = "an e-mail" if len(names) == 1 else f"{len(names)} e-mails"

        def then(decisions: Sequence[Decision]) -> Iterator[Action]:
            for approval, decision in zip(asked, decisions, strict=True):
                yield from _sent(approval, decision)

        return [*say(f"I have the forecast, and would send {words}."), Pause(asked, then)]

    return play


def _email_after_email(answer: Answer) -> list[Action]:
    """Asks for the second e-mail when it knows about the first."""
    first, second = _email("Ann", answer), _email("Bob", answer)

    def then(decisions: Sequence[Decision]) -> Iterator[Action]:
        yield from _sent(first, decisions[0])
        yield Pause((second,), lambda later: _sent(second, later[0]))

    return [*say("I have the forecast, and would send an e-mail."), Pause((first,), then)]


def _insistent(answer: Answer) -> list[Action]:
    """Asks at once for the same e-mail again when it was denied."""
    email = _email("Ann", answer)

    def then(decisions: Sequence[Decision]) -> list[Action]:
        if decisions[0].is_approved:
            return _sent(email, decisions[0])
        return [Pause((email,), lambda later: _sent(email, later[0]))]

    return [*say("I have the forecast, and would send an e-mail."), Pause((email,), then)]


def _email(name: str, answer: Answer) -> Approval:
    to, subject = f"{name.lower()}@example.com", f"The weather on {answer.today:%A}"
    arguments = {"to": to, "subject": subject, "body": answer.text}
    return Approval("send_email", arguments, f"Shall I send the forecast to {name}?")


def _sent(approval: Approval, decision: Decision) -> list[Action]:
    """What the agent does and says once it knows the decision on an e-mail."""
    to = approval.parameters["to"]
    if not decision.is_approved:
        return say(f"\n\nI did **not** send the e-mail to {to}.{_told(decision)}")
    use = ToolUse("send_email", approval.parameters, '{"sent": true}')
    return [Wait(0.3), use, *say(f"\n\nI **sent** the e-mail to {to}.")]


def _file(answer: Answer) -> list[Action]:
    data = samples.csv(answer.place, answer.today)
    return [*say(answer.text), Wait(0.04), Files((File("forecast.csv", "text/csv", data),))]


def _guardrail(_: Answer) -> Iterator[Action]:
    policies = (Policy("topic", "Insider tips"), Policy("custom word", "jackpot", match="jackpot"))
    yield from (Wait(0.3), Guardrail(policies), Wait(0.1), Text(BLOCKED.encode()))


def _masks(answer: Answer) -> Iterator[Action]:
    policies = (
        Policy("pii", "EMAIL", "ANONYMIZED", match="ann@example.com"),
        Policy("pii", "PHONE", "ANONYMIZED", match="+1 555 0100"),
        Policy("regex", "station-number", "ANONYMIZED", match="ST-4711"),
    )
    masked = Guardrail(policies, of_answer=True)
    # The answer is assessed as it grows, so that one intervention is told of more than once.
    yield Guardrail(())
    yield from _work(answer)
    yield from (masked, *say(samples.MASKED), masked)


def _instead(text: Callable[[Answer], str], *, characters: int = 18) -> Callable[[Answer], Iterator[Action]]:
    """The usual work with another text at the end."""
    return _working(lambda answer: say(text(answer), characters=characters))


def _always(*actions: Action) -> Callable[[Answer], Iterator[Action]]:
    return lambda _: iter(actions)


def _after_half(*actions: Action) -> Callable[[Answer], Iterator[Action]]:
    return _working(lambda answer: [*_half(answer), *actions])


def _after_work(*actions: Action) -> Callable[[Answer], Iterator[Action]]:
    return _working(lambda _: actions)


def _errors() -> Iterator[Script]:
    """Every error of the service in both of its forms, for tests."""
    for error, status in ERRORS.items():
        effect = f"{error} as HTTP {status}, before the agent starts"
        yield Script(f"{error} status", None, effect, _always(Refuse(error, f"Injected {error}.")))
        effect = f"{error} in the stream, after the first words"
        yield Script(f"{error} in stream", None, effect, _after_half(Fail(error, f"Injected {error}.")))


def _stops() -> Iterator[Script]:
    """Every way in which the last message of a harness may stop, for tests."""
    for reason in STOP_REASONS:
        yield Script(f"stop {reason}", None, f"ends with {reason}", _after_half(StopReason(reason)))


NATURAL = Script("natural", None, "an answer at a natural pace", _natural)

SCRIPTS: tuple[Script, ...] = (
    NATURAL,
    Script("slowly", "slowly", "answers steadily over 20 seconds", _working(lambda a: _spread(a.text, 20))),
    Script("minute", "for a minute", "answers steadily over 60 s", _working(lambda a: _spread(a.text, 60))),
    Script(
        "silently",
        "silently",
        "says nothing at all for 90 seconds, then answers",
        _silently,
    ),
    Script("never", "never answer", "uses its tools, then says nothing for an hour", _after_work(Wait(3600))),
    Script(
        "stall",
        "fall silent",
        "says the first words, then nothing for an hour",
        _after_half(Wait(3600)),
    ),
    Script("think", "think aloud", "gives several rationales before it answers", _think),
    Script(
        "think in tags",
        "think in tags",
        "begins its answer with <thinking>…</thinking>, in small pieces",
        _working(lambda _: _cut_into(samples.THINKING.encode(), 3, 0.001)),
    ),
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
    Script(
        "long table",
        "as a long table",
        "answers with a table of 150 rows",
        _instead(lambda a: samples.long_table(a.place, a.today), characters=200),
    ),
    Script(
        "wide table",
        "as a wide table",
        "answers with a table of 25 columns",
        _instead(lambda a: samples.wide_table(a.place, a.today), characters=60),
    ),
    Script("code", "with code", "answers with code blocks", _instead(lambda _: samples.CODE)),
    Script("lists", "nested lists", "answers with lists in lists", _instead(lambda _: samples.LISTS)),
    Script(
        "deep list",
        None,
        "answers with a list in a list that is longer than a message",
        _instead(lambda _: samples.DEEP_LIST, characters=100),
    ),
    Script("two tables", None, "answers with two tables", _instead(lambda _: samples.TWO_TABLES)),
    Script(
        "bare table",
        None,
        "answers with a table that has no pipes at its sides",
        _instead(lambda _: samples.BARE_TABLE, characters=4),
    ),
    Script("headings", "with headings", "answers with headings", _instead(lambda _: samples.HEADINGS)),
    Script(
        "comparisons",
        "with comparisons",
        "answers with < and > and & that are no markup",
        _instead(lambda _: samples.COMPARISONS, characters=3),
    ),
    Script(
        "right to left",
        "right to left",
        "answers in Arabic and Hebrew; pieces end in the middle of characters",
        _working(lambda _: _cut_into(samples.RIGHT_TO_LEFT.encode(), 9, 0.02)),
    ),
    Script(
        "emoji",
        "with emoji",
        "answers with emoji; pieces end in the middle of them",
        _working(lambda _: _cut_into(samples.EMOJI.encode(), 3, 0.01)),
    ),
    Script(
        "unicode",
        "unicode",
        "answers in many alphabets; pieces end in the middle of characters",
        _working(lambda _: _cut_into(samples.UNICODE.encode(), 7, 0.02)),
    ),
    Script(
        "mentions",
        "mention everyone",
        "the answer tries to notify channels, groups and people, in small pieces",
        _working(lambda _: _cut_into(samples.MENTIONS.encode(), 5, 0.02)),
    ),
    Script(
        "mentions one by one",
        None,
        "the answer tries to notify channels, groups and people, one character at a time",
        _working(lambda _: _cut_into(samples.MENTIONS.encode(), 1, 0.001)),
    ),
    Script(
        "cite", "cite your sources", "looks into a knowledge base and answers with citations", _working(_cite)
    ),
    Script("cite blocks", None, "cites behind code, in a table and in a link", _working(_cite_blocks)),
    Script("colleague", "ask a colleague", "has another agent help with the answer", _working(_colleague)),
    Script("chart", "chart", "runs code that draws a chart (PNG) and writes a CSV file", _working(_chart)),
    Script("file", "attach a file", "answers and makes a CSV file", _working(_file)),
    Script(
        "approval",
        "ask me first",
        "asks for a person's consent to a tool (return of control)",
        _working(_approval),
    ),
    Script(
        "e-mail", "send an e-mail", "asks for consent to an e-mail, then sends it", _working(_emails("Ann"))
    ),
    Script(
        "two e-mails",
        "send two e-mails",
        "asks for consent to two e-mails at once (a harness: one after the other)",
        _working(_emails("Ann", "Bob")),
    ),
    Script(
        "e-mail after e-mail",
        "send one e-mail after the other",
        "asks for consent to an e-mail, and then to another",
        _working(_email_after_email),
    ),
    Script(
        "insistent",
        "insist on an e-mail",
        "asks for consent to an e-mail, and at once for the same again when it is denied",
        _working(_insistent),
    ),
    Script("guardrail", "guardrail", "a guardrail blocks the question", _guardrail),
    Script("masks", "guardrail masks", "a guardrail masks parts of the answer", _masks),
    Script("empty", "empty answer", "uses its tools and ends without a text", _after_work()),
    Script(
        "fail",
        "fail",
        "internalServerException in the stream, after the first words",
        _after_half(Fail("internalServerException", INTERNAL)),
    ),
    Script(
        "fail at once",
        None,
        "internalServerException in the stream, before anything else",
        _always(Fail("internalServerException", INTERNAL)),
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
    Script(
        "limit",
        "run out of words",
        "the answer ends early, as it is as long as the model may write (where the protocol tells of it)",
        _after_half(StopReason("max_tokens")),
    ),
    Script(
        "limit at once",
        None,
        "the model's limit is reached before any text",
        _after_work(StopReason("max_tokens")),
    ),
    Script("cut", "cut the stream", "the connection ends after the first words", _after_half(Cut())),
    Script(
        "cut in code",
        None,
        "the connection ends within a code block",
        _working(lambda _: [*say(samples.CODE.partition("return")[0]), Cut()]),
    ),
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
    *_stops(),
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
