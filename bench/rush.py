"""Many people who ask at once, each in a thread of their own, for as far as this machine's cores go.

Without TLS and without a limit of processors: the cores are what is short here.
"""

import statistics
import time
from itertools import cycle

from bench import latencies, report
from bench.conversation import Asked, Conversation, Turn
from simulator.simulation import Simulation
from simulator.slack import seed
from simulator.slack.workspace import User, Workspace

QUESTIONS = 300
QUESTION = "what's the weather in Chicago today?"
WORKERS = 20
CHANNELS = (seed.GENERAL, seed.WEATHER, seed.CLASSIC)
# Seconds from one question to the next: ten a second are what the receiver and the fakes take here.
BETWEEN_QUESTIONS = 0.1


def measure() -> None:
    with Simulation(slack_latency=latencies.SLACK, concurrency=WORKERS) as simulation:
        people = _settle(simulation.slack.workspace)
        talk = Conversation(simulation, lambda _: None)
        talk.prepare(WORKERS)
        began = time.time()
        asked = []
        for person, channel in zip(people, cycle(CHANNELS), strict=False):
            asked.append(talk.say(QUESTION, channel, user=person.name))
            time.sleep(BETWEEN_QUESTIONS)
        sent = time.time() - began
        turns = [turn for question in asked if (turn := _turn(talk, question))]
    seconds = max(turn.done_at for turn in turns) - began
    report.heading(f"{QUESTIONS} questions at once, each in its own thread, {WORKERS} workers")
    report.table(
        ("", ""),
        [
            ("answered, lost", f"{len(turns)}, {QUESTIONS - len(turns)}"),
            ("until all were asked", f"{sent:.0f} s"),
            ("until all were answered", f"{seconds:.0f} s"),
            ("questions a minute", f"{60 * len(turns) / seconds:.0f}"),
            ("from the question to the first sign: median", _first_signs(turns, 50)),
            ("the same: of 95 in 100", _first_signs(turns, 95)),
            ("from the queue to the first sign: median", _waits(turns)),
            (
                "Slack calls for an answer: median",
                f"{statistics.median(len(turn.calls) for turn in turns):g}",
            ),
        ],
    )


def _settle(workspace: Workspace) -> list[User]:
    """One person for each question, who is in all the channels."""
    people = [User(f"U{at:05}RUSH", seed.TEAM.id, f"person{at}", f"Person {at}") for at in range(QUESTIONS)]
    with workspace.lock:
        workspace.users |= {person.id: person for person in people}
        for channel in CHANNELS:
            workspace.channels[channel].members |= {person.id for person in people}
    return people


def _turn(talk: Conversation, question: Asked) -> Turn | None:
    """What became of it; None: it was lost."""
    try:
        return talk.answer(question)
    except TimeoutError:
        return None


def _first_signs(turns: list[Turn], percent: int) -> str:
    seconds = [turn.waiting_at - turn.asked_at for turn in turns]
    return f"{statistics.quantiles(seconds, n=100, method='inclusive')[percent - 1]:.1f} s"


def _waits(turns: list[Turn]) -> str:
    return f"{statistics.median(turn.waiting_at - turn.taken_at for turn in turns):.1f} s"
