"""How long a crowd of slow questions by one person keeps another person waiting for a first sign."""

import statistics
import time
from collections.abc import Mapping

from bench import report
from bench.conversation import Conversation, conversation
from functions.bridge.admission.slots import Fairness
from simulator.simulation import GENEROUS

WORKERS = 10
SLOW_QUESTIONS = 20
SLOW = "for a minute: what's the weather in Lima this week?"
QUICK = "what's the weather in Lima today?"
TIMES = 5
# Seconds from the crowd's questions to the other person's.
CROWD_ARRIVES = 5.0

# With the defaults, most of the twenty would be refused: they come within a minute, and eighteen wait.
LIMITS: Mapping[str, Mapping[str, int]] = {
    "two questions of a person run": {**GENEROUS, "running_per_user": Fairness.running_per_user},
    "no limit": GENEROUS,
}


def measure() -> None:
    report.heading(
        f"{SLOW_QUESTIONS} slow questions by one person, {WORKERS} workers: another person's first sign"
    )
    rows = []
    for name, fairness in LIMITS.items():
        with conversation(concurrency=WORKERS, fairness=fairness) as talk:
            talk.prepare(WORKERS)
            alone = [_first_sign(talk) for _ in range(TIMES)]
            for _ in range(SLOW_QUESTIONS):
                talk.say(SLOW)
            time.sleep(CROWD_ARRIVES)
            crowded = [_first_sign(talk) for _ in range(TIMES)]
            rows.append((name, *(_median_and_longest(seconds) for seconds in (alone, crowded))))
    report.table(("median (longest)", "alone", "beside the twenty"), rows)


def _first_sign(talk: Conversation) -> float:
    """Seconds from another person's question to "Processing…"."""
    asked = talk.say(QUICK, user="bob")
    return talk.answer(asked).waiting_at - asked.at


def _median_and_longest(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({max(seconds):.2f} s)"
