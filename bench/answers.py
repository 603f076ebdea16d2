"""Answers as people see them: how soon, with how many calls, and beside one another."""

from dataclasses import dataclass

from bench import latencies, report
from bench.conversation import STYLES, Asking, Turn, conversation, side_by_side
from functions.bridge.replies.options import Style

QUESTION = "what's the weather in Chicago today?"
# The kinds of answers, each with the question that gets it.
SHORT = "short, about 4 s"
MINUTE = "60 s"
LONGER = {
    "20 s": "slowly: what's the weather in Berlin this week?",
    "30,000 characters": "long report about Cairo",
}
REPEATS = 6

OfKind = dict[str, Turn]


@dataclass(frozen=True)
class Beside:
    """Short answers while a long one runs, and long ones of every kind.

    Attributes:
        overlapped: whether the long answer lasted longer than the short ones together.
    """

    short: list[Turn]
    overlapped: bool
    longer: OfKind


def measure() -> None:
    alone = {style: _alone(style) for style in STYLES}
    beside = side_by_side(_beside)
    of_kind = {style: {SHORT: alone[style][-1], **beside[style].longer} for style in STYLES}
    _first_text(alone)
    _side_by_side(alone, beside)
    _calls(of_kind)
    _whole_answer_first(of_kind)


def _alone(style: Style) -> list[Turn]:
    with conversation(style) as talk:
        talk.ask(QUESTION)  # opens the worker's connections and reads its secret
        return [talk.ask(QUESTION) for _ in range(REPEATS)]


def _beside(style: Style) -> Beside:
    with conversation(style) as talk:
        talk.prepare(2)
        for asking in [Asking(talk, QUESTION) for _ in range(2)]:
            asking.turn()
        minute = Asking(talk, "for a minute: what's the weather in Lima this week?")
        short = [talk.ask(QUESTION) for _ in range(REPEATS)]
        overlapped = not minute.answered
        longer = {kind: talk.ask(question) for kind, question in LONGER.items()}
        return Beside(short, overlapped, {**longer, MINUTE: minute.turn()})


def _first_text(alone: dict[Style, list[Turn]]) -> None:
    report.heading(f"First text: {REPEATS} short questions, Slack's calls take {latencies.SLACK * 1000:g} ms")
    sign = {Style.EDIT: "“Processing…”", Style.STREAM: "Slack's sign of waiting"}
    rows = []
    for style, turns in alone.items():
        waiting = [turn.waiting_at - turn.asked_at for turn in turns]
        text = [turn.first_text_at - turn.agent_text_at for turn in turns]
        rows += [
            (f"`{style}`: from the person's message to {sign[style]}", *_median_and_longest(waiting)),
            (
                f"`{style}`: from the agent's first words to first text in the thread",
                *_median_and_longest(text),
            ),
        ]
    report.table(("warm; the call of Slack's that shows it included", "median", "longest"), rows)


def _side_by_side(alone: dict[Style, list[Turn]], beside: dict[Style, Beside]) -> None:
    report.heading("Two threads: a short question alone, and while another thread's agent talks for a minute")
    rows = []
    for style in STYLES:
        rows += [
            (f"`{style}`: {how}", *_median_and_longest([turn.seconds for turn in turns]))
            for how, turns in (
                ("alone", alone[style]),
                ("beside the 60-second answer", beside[style].short),
            )
        ]
    report.table(("from the question to its whole answer", "median", "longest"), rows)
    if not all(found.overlapped for found in beside.values()):
        report.note("The long answer ended before the short ones: this machine is too slow to tell.")


def _calls(of_kind: dict[Style, OfKind]) -> None:
    report.heading("Slack calls for one answer")
    for style, methods in {
        Style.EDIT: {"posts": ["chat.postMessage"], "edits": ["chat.update"]},
        Style.STREAM: {
            "statuses": ["assistant.threads.setStatus"],
            "starts": ["chat.startStream"],
            "appends": ["chat.appendStream"],
            "stops": ["chat.stopStream"],
            "others": ["chat.postMessage", "chat.update"],
        },
    }.items():
        report.table(
            (f"`{style}`", *methods, "calls in all"),
            [
                (kind, *(str(turn.count(*names)) for names in methods.values()), str(len(turn.calls)))
                for kind, turn in of_kind[style].items()
            ],
        )


def _whole_answer_first(of_kind: dict[Style, OfKind]) -> None:
    report.heading("What a bridge that does not stream would show")
    report.table(
        (
            "answer",
            *(f"first text, `{style}`" for style in of_kind),
            "first text if it were the whole answer",
        ),
        [
            (
                kind,
                *(_seconds(turns[kind].first_text_at - turns[kind].asked_at) for turns in of_kind.values()),
                _seconds(edited.agent_ended_at + latencies.SLACK - edited.asked_at),
            )
            for kind, edited in of_kind[Style.EDIT].items()
        ],
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s"


def _median_and_longest(seconds: list[float]) -> tuple[str, str]:
    return report.median(seconds), report.milliseconds(max(seconds))
