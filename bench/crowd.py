"""Many long answers at once in one workspace, which share Slack's rate limits."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice, pairwise

from bench import report
from bench.conversation import RATE_LIMITED, Conversation, Turn, conversation, side_by_side
from functions.bridge.replies.options import Style
from simulator.simulation import GENEROUS

ANSWERS = 20
QUESTION = "for a minute: what's the weather in Lima this week?"
# The factor of the agent's minute, so that there is something to count after the first minute.
AGENT_TIME_SCALE = 1.7
MINUTE = 60.0
# Seconds over which the questions are spread: all at once would overload the fakes on this machine.
BETWEEN_QUESTIONS = 0.5
CHANNELS = ("general", "weather-demo", "weather-private", "dm")


@dataclass(frozen=True)
class Crowd:
    """Answers that ran at once. `whole` is what each should say in the end."""

    turns: list[Turn]
    whole: str


def measure() -> None:
    crowds = side_by_side(_crowd)
    turns = [turn for crowd in crowds.values() for turn in crowd.turns]
    seconds = statistics.median(turn.agent_ended_at - turn.agent_text_at for turn in turns)
    report.heading(f"{ANSWERS} answers of {seconds:.0f} s at once in one workspace, Slack's limits enforced")
    _calls(crowds)
    _liveliness(crowds)


def _crowd(style: Style) -> Crowd:
    # One person asks them all.
    with conversation(style, concurrency=ANSWERS, fairness={**GENEROUS, "running_per_user": ANSWERS}) as talk:
        whole = talk.ask("what's the weather in Lima this week?").text
        _prepare(talk)
        asked = []
        for channel in islice(cycle(CHANNELS), ANSWERS):
            asked.append(talk.say(QUESTION, channel))
            time.sleep(BETWEEN_QUESTIONS)
        return Crowd([talk.answer(question) for question in asked], whole)


def _prepare(talk: Conversation) -> None:
    """One initialised worker for each answer."""
    simulation = talk.simulation
    talk.prepare(ANSWERS)
    simulation.agent.time_scale = AGENT_TIME_SCALE
    simulation.slack.tiers.switch(True)


def _calls(crowds: dict[Style, Crowd]) -> None:
    rows = []
    for style, crowd in crowds.items():
        calls = [call for turn in crowd.turns for call in turn.calls]
        later = min(call.at for call in calls) + MINUTE
        rows.append(
            (
                f"`{style}`",
                f"{sum(turn.text == crowd.whole for turn in crowd.turns)} of {len(crowd.turns)}",
                _refused([call.status for call in calls if call.at < later]),
                _refused([call.status for call in calls if call.at >= later]),
            )
        )
    report.table(("", "answered whole", "429s in the first minute", "429s after it"), rows)


def _refused(statuses: Sequence[int | None]) -> str:
    number = statuses.count(RATE_LIMITED)
    share = number / len(statuses) if statuses else 0.0
    return f"{number} of {len(statuses)} calls ({share:.1%})"


def _liveliness(crowds: dict[Style, Crowd]) -> None:
    rows = []
    for style, crowd in crowds.items():
        turns = crowd.turns
        first = [turn.first_text_at - turn.agent_text_at for turn in turns]
        gaps = [later - earlier for turn in turns for earlier, later in pairwise(turn.written_at)]
        end = [turn.complete_at - turn.agent_ended_at for turn in turns]
        rows.append((f"`{style}`", *(_median_and_longest(seconds) for seconds in (first, gaps, end))))
    columns = ("median (longest)", "first words to first text", "between changes", "last words to whole text")
    report.table(columns, rows)


def _median_and_longest(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} s ({max(seconds):.1f} s)"
