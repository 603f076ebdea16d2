"""Answers as people see them: how soon, with how many calls, and beside one another."""

from bench import report
from bench.conversation import SLACK_LATENCY, Asking, Turn, conversation
from simulator import wiring

QUESTION = "what's the weather in Chicago today?"
REPEATS = 8


def measure() -> None:
    with conversation() as (simulation, talk):
        simulation.lambdas.prewarm(wiring.WORKER.name, 1)
        for asking in [Asking(talk, QUESTION) for _ in range(2)]:
            asking.turn()  # the first one opens each worker's connections and reads its secret
        alone = [talk.ask(QUESTION) for _ in range(REPEATS)]
        minute = Asking(talk, "for a minute: what's the weather in Lima this week?")
        beside = [talk.ask(QUESTION) for _ in range(REPEATS)]
        overlapped = not minute.answered
        slowly = talk.ask("slowly: what's the weather in Berlin this week?")
        long = talk.ask("long report about Cairo")
        of_kind = {
            "short, about 1 s": alone[-1],
            "20 s": slowly,
            "60 s": minute.turn(),
            "30,000 characters": long,
        }
    _first_text(alone)
    _side_by_side(alone, beside, overlapped)
    _calls(of_kind)
    _whole_answer_first(of_kind)


def _first_text(turns: list[Turn]) -> None:
    report.heading(
        f"First text: {len(turns)} short questions, Slack's calls take {SLACK_LATENCY * 1000:g} ms"
    )
    placeholder = [turn.placeholder_at - turn.asked_at for turn in turns]
    text = [turn.first_text_at - turn.agent_text_at for turn in turns]
    report.table(
        ("warm; the call of Slack's that shows it included", "median", "longest"),
        [
            ("from the person's message to “Processing…”", *_median_and_longest(placeholder)),
            ("from the agent's first words to first text in the thread", *_median_and_longest(text)),
        ],
    )


def _side_by_side(alone: list[Turn], beside: list[Turn], overlapped: bool) -> None:
    report.heading("Two threads: a short question alone, and while another thread's agent talks for a minute")
    report.table(
        ("from the question to its whole answer", "median", "longest"),
        [
            ("alone", *_median_and_longest([turn.seconds for turn in alone])),
            ("beside the 60-second answer", *_median_and_longest([turn.seconds for turn in beside])),
        ],
    )
    if not overlapped:
        report.note("The long answer ended before the short ones: this machine is too slow to tell.")


def _calls(of_kind: dict[str, Turn]) -> None:
    report.heading("Slack calls for one answer")
    report.table(
        ("answer", "posts", "edits", "calls in all"),
        [(kind, str(turn.posts), str(turn.edits), str(len(turn.methods))) for kind, turn in of_kind.items()],
    )


def _whole_answer_first(of_kind: dict[str, Turn]) -> None:
    report.heading("What a bridge that does not stream would show")
    report.table(
        ("answer", "first text, from the question", "first text if it were the whole answer"),
        [
            (kind, f"{turn.first_text_at - turn.asked_at:.1f} s", f"{turn.seconds:.1f} s")
            for kind, turn in of_kind.items()
        ],
    )


def _median_and_longest(seconds: list[float]) -> tuple[str, str]:
    return report.median(seconds), report.milliseconds(max(seconds))
