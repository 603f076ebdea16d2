"""Thirty-four answers of the fake agent, and what becomes of each in the end, whatever shows it.

What is expected rests on the agent's own data (its samples, its scripts, its weather) and knows nothing of
the bridge: `Stream.said` is the Markdown as the agent wrote it, before anybody splits, numbers or disarms it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from simulator.agent import samples
from simulator.agent.actions import Text
from simulator.agent.meteorologist import answer
from simulator.agent.scripts import BLOCKED, BY_NAME, script_for
from simulator.agent.weather import City

CHICAGO = "what's the weather in Chicago today?"


class Ending(StrEnum):
    """How a turn ends. `FAILED`: the agent did nothing; `INTERRUPTED`: it may have done something."""

    ANSWERED = "answered"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True)
class Document:
    """What a citation names: a document in a private bucket has no `url`."""

    title: str
    url: str = ""


@dataclass(frozen=True)
class Attachment:
    """A file, from the agent or for it."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Stream:
    """One answer.

    Attributes:
        name: for the test's name.
        question: what the user writes after the mention. Its words choose the script, unless `script` does.
        said: all that the agent says when it is asked at a time, as Markdown; "" when it says nothing.
        ending: of the turn.
        script: what the agent is told to play (`AgentService.force`).
        attached: the files on the user's message.
        citations: the words that end where each citation belongs, and what it names, in order.
        files: what the agent makes when it is asked at a time.
        intervened: whether a guardrail did.
    """

    name: str
    question: str
    said: Callable[[datetime], str]
    ending: Ending = Ending.ANSWERED
    script: str | None = None
    attached: tuple[Attachment, ...] = ()
    citations: tuple[tuple[str, tuple[Document, ...]], ...] = ()
    files: Callable[[datetime], tuple[Attachment, ...]] = lambda _: ()
    intervened: bool = False


def _always(text: str) -> Callable[[datetime], str]:
    return lambda _: text


def _weather(question: str, ending: str = "") -> Callable[[datetime], str]:
    """The meteorologist's own words."""
    return lambda now: answer(question, None, now).text + ending


def _script(name: str, question: str = CHICAGO) -> Callable[[datetime], str]:
    """The words of a script, as far as it gets."""

    def said(now: datetime) -> str:
        _, rest = script_for(question)
        actions = BY_NAME[name].play(answer(rest, None, now))
        return b"".join(action.data for action in actions if isinstance(action, Text)).decode()

    return said


def _of_chicago(text: Callable[[City, date], str]) -> Callable[[datetime], str]:
    return lambda now: text(samples.CHICAGO, answer(CHICAGO, None, now).today)


def _made(csv_name: str, png_name: str = "") -> Callable[[datetime], tuple[Attachment, ...]]:
    def files(now: datetime) -> tuple[Attachment, ...]:
        today = answer(CHICAGO, None, now).today
        csv = Attachment(csv_name, "text/csv", samples.csv(samples.CHICAGO, today))
        if not png_name:
            return (csv,)
        return Attachment(png_name, "image/png", samples.chart(samples.CHICAGO, today)), csv

    return files


WIND = Document("wind scale.pdf")
CHILL = (
    Document("wind-chill", "https://www.example.com/weather/wind-chill"),
    Document("wind-chill.pdf"),
)
CITED = (
    ("Winds above 62 km/h count as a gale.", (WIND,)),
    ("The wind chill is defined below 10 °C only.", CHILL),
    ("A gale has force 8.", (WIND,)),
)

BLOCKS = tuple((part, (WIND,)) for part in samples.CITED_BLOCKS[:-1])

STREAMS = (
    Stream("short", CHICAGO, _weather(CHICAGO)),
    Stream("refusal", "hello", _weather("hello")),
    Stream("without a place", "will it rain?", _weather("will it rain?")),
    Stream("over a minute", f"{CHICAGO} for a minute", _weather(CHICAGO)),
    Stream("many thoughts", f"{CHICAGO} think aloud", _weather(CHICAGO)),
    Stream("long", f"{CHICAGO} long report", _script("long")),
    Stream("very long", f"{CHICAGO} very long report", _script("very long")),
    Stream("table", f"{CHICAGO} as a table", _of_chicago(samples.table)),
    Stream("long table", f"{CHICAGO} as a long table", _of_chicago(samples.long_table)),
    Stream("wide table", f"{CHICAGO} as a wide table", _of_chicago(samples.wide_table)),
    Stream("code", f"{CHICAGO} with code", _always(samples.CODE)),
    Stream("lists", f"{CHICAGO} nested lists", _always(samples.LISTS)),
    Stream("deep list", CHICAGO, _always(samples.DEEP_LIST), script="deep list"),
    Stream("two tables", CHICAGO, _always(samples.TWO_TABLES), script="two tables"),
    Stream("bare table", CHICAGO, _always(samples.BARE_TABLE), script="bare table"),
    Stream(
        "cited blocks",
        CHICAGO,
        _always("".join(samples.CITED_BLOCKS)),
        script="cite blocks",
        citations=BLOCKS,
    ),
    Stream("headings", f"{CHICAGO} with headings", _always(samples.HEADINGS)),
    Stream("comparisons", f"{CHICAGO} with comparisons", _always(samples.COMPARISONS)),
    Stream("multi-byte cuts", f"{CHICAGO} unicode", _always(samples.UNICODE)),
    Stream("right to left", f"{CHICAGO} right to left", _always(samples.RIGHT_TO_LEFT)),
    Stream("emoji", f"{CHICAGO} with emoji", _always(samples.EMOJI)),
    Stream("mentions", f"{CHICAGO} mention everyone", _always(samples.MENTIONS)),
    Stream("mentions one by one", CHICAGO, _always(samples.MENTIONS), script="mentions one by one"),
    Stream(
        "citations",
        f"{CHICAGO} cite your sources",
        _weather(CHICAGO, f"\n\n{' '.join(words for words, _ in CITED)} Ask me for more."),
        citations=CITED,
    ),
    Stream(
        "chart",
        "chart for Chicago",
        _always("Here is the chart for **Chicago**, and the numbers behind it."),
        files=_made("temperatures.csv", "temperatures.png"),
    ),
    Stream("file", f"{CHICAGO} attach a file", _weather(CHICAGO), files=_made("forecast.csv")),
    Stream(
        "files on the question",
        "what is in these files?",
        _always(
            "I received 2 files:\n\n"
            "- **readings.csv**: `text/csv`, 1,028 bytes\n- **note.txt**: `text/plain`, 3 bytes"
        ),
        attached=(
            Attachment("readings.csv", "text/csv", b"day\n" + b"1234567\n" * 128),
            Attachment("note.txt", "text/plain", b"dry"),
        ),
    ),
    Stream(
        "colleague",
        f"{CHICAGO} ask a colleague",
        _weather(CHICAGO, "\n\nOut at sea the waves are **1.5 m** high."),
    ),
    Stream("guardrail blocks", f"{CHICAGO} guardrail", _always(BLOCKED), intervened=True),
    Stream("guardrail masks", f"{CHICAGO} guardrail masks", _always(samples.MASKED), intervened=True),
    Stream("throttled", f"{CHICAGO} throttle", _always(""), Ending.FAILED),
    Stream("broken off", f"{CHICAGO} fail", _script("fail"), Ending.INTERRUPTED),
    Stream("cut in code", CHICAGO, _script("cut in code"), Ending.INTERRUPTED, script="cut in code"),
    Stream("nothing said", f"{CHICAGO} empty answer", _always(""), Ending.INTERRUPTED),
)
