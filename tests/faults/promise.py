"""What every turn is held to, whatever has happened to it."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator import wiring
from simulator.slack.workspace import Message
from tests.e2e.bridge import Bridge
from tests.faults.faults import Fault
from tests.faults.scenarios import Scenario
from tests.faults.watch import PLACEHOLDER, SETTLED, Point, Watched

ABOUT_THREAD = re.compile(r"\n\n_(Read \d+ messages? of this thread|What was said in this thread [^_]*)\._$")
STOPPED = re.compile("_Stopped by <@")
DECIDED_AT = re.compile(r" at \d\d:\d\d UTC")
CARD = ":raised_hand:"
EXPLANATION = re.compile(r":warning: .*\(Reference: `[0-9a-f]{8}`\)$")


@dataclass(frozen=True)
class Case:
    """A turn and what shall happen to it; `fault` at `points`, one after the other if there are several."""

    scenario: Scenario
    points: tuple[Point, ...]
    fault: Fault

    def __str__(self) -> str:
        return f"{self.scenario.name}; {', '.join(map(str, self.points))}; {self.fault.name}"


@dataclass
class Turn:
    """A turn that is over."""

    scenario: Scenario
    question: dict[str, Any]
    watched: Watched


@dataclass
class Result:
    """What became of a turn.

    Attributes:
        case: None for an undisturbed one.
        state: in the ledger; "" when it never got there.
        happened: how many calls something happened to.
        orphans: messages of the turn that are not part of its reply.
        wrong: what is against the promise; nothing, one hopes.
    """

    case: Case | None
    state: str
    happened: int
    orphans: int
    wrong: list[str] = field(default_factory=list)


def judge(
    case: Case | None, turn: Turn, bridge: Bridge, *, whole_answer: Sequence[str], orphans_allowed: int
) -> Result:
    record = bridge.record(turn.question)
    state = record.get("state", {}).get("S", "")
    reply = {item["S"] for item in record.get("reply", {}).get("L", [])}
    messages = messages_of(turn.question, bridge)
    if turn.scenario.streamed and state == "stopped":
        # Slack keeps a stream that it has stopped as it is: who did that stands in a message of its own.
        reply |= {message.ts for message in messages if STOPPED.match(text_of(message))}
    texts = [text_of(message) for message in messages if message.ts in reply]
    orphans = [text_of(message) for message in messages if message.ts not in reply]
    result = Result(case, state, turn.watched.happened, len(orphans))
    result.wrong += _wrong_with(state, texts)
    if state == "answered" and not _is_whole(texts, whole_answer, streamed=turn.scenario.streamed):
        result.wrong.append(f"not the whole answer: {[text[:40] for text in texts]}")
    states = map(bridge.simulation.slack.workspace.streaming_state, messages)
    if {"in_progress", "expired"} & {*states}:
        result.wrong.append("a stream is left open")
    place = (turn.question["channel"], turn.question.get("thread_ts") or turn.question["ts"])
    if state in SETTLED and bridge.simulation.slack.workspace.session_status(*place) != "active":
        result.wrong.append("the session is left as processing")
    asked = bridge.simulation.slack.workspace.message(turn.question["channel"], turn.question["ts"])
    if asked and asked.reactions:
        result.wrong.append("an hourglass is left")
    if len(orphans) > orphans_allowed:
        result.wrong.append(f"orphans: {[text[:40] for text in orphans]}")
    if (runs := bridge.runs(turn.question)) > turn.scenario.runs:
        result.wrong.append(f"the agent was started {runs} times")
    told = [decision for run in bridge.invocations(turn.question) for decision in run.decisions]
    if len(told) > 1:
        result.wrong.append(f"the agent was told {len(told)} decisions")
    if not turn.watched.plan_was_met:
        missed = [str(planned.point) for planned in turn.watched.plan if not planned.happened]
        result.wrong.append(f"never came to: {missed}")
    return result


def _is_whole(texts: Sequence[str], whole_answer: Sequence[str], *, streamed: bool) -> bool:
    """Message for message, but for the line about the thread: the answer does not wait for that for long;
    and for the time of a decision.

    Where a stream breaks off, editing goes on in messages of another size.
    """
    texts, whole_answer = [*map(_comparable, texts)], [*map(_comparable, whole_answer)]
    if streamed:
        return " ".join(texts).split() == " ".join(whole_answer).split()
    return texts == whole_answer


def _comparable(text: str) -> str:
    return DECIDED_AT.sub("", ABOUT_THREAD.sub("", text))


def _wrong_with(state: str, texts: list[str]) -> Iterator[str]:
    if state not in SETTLED:
        yield f"not settled: {state or 'unknown'}"
    if not texts:
        yield "nothing is shown"
    if PLACEHOLDER in texts:
        yield "a placeholder is left"
    if any(text.startswith(CARD) for text in texts):
        yield "a card is left that can be pressed"
    if state == "stopped" and not (texts and STOPPED.search(texts[-1])):
        yield f"nobody is told who stopped it: {[text[-60:] for text in texts]}"
    if state in ("interrupted", "failed") and not (texts and EXPLANATION.search(texts[-1])):
        yield f"no explanation: {[text[-60:] for text in texts]}"


def wait_until_quiet(bridge: Bridge, patience: float) -> bool:
    """Until all queues are empty and nothing runs: what is still to come must come before one looks."""
    lambdas = bridge.simulation.lambdas
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if (
            not any(lambdas.busy(function.name) for function in wiring.FUNCTIONS)
            and bridge.queues_are_empty()
        ):
            return True
        time.sleep(0.1)
    return False


def messages_of(question: dict[str, Any], bridge: Bridge) -> list[Message]:
    """What the bot says in the question's thread."""
    root = question.get("thread_ts") or question["ts"]
    replies = bridge.simulation.slack.workspace.replies(question["channel"], root)
    return [message for message in replies if message.user.bot_id]


def text_of(message: Message) -> str:
    """What a message says, without cards and buttons."""
    if not message.blocks:
        return message.text
    return "\n".join(block["text"] for block in message.blocks if block["type"] == "markdown")


def against_the_promise(results: Sequence[Result]) -> list[str]:
    return [f"{result.case}: {result.wrong}" for result in results if result.wrong]


def figures(results: Sequence[Result]) -> str:
    """In one line: questions, faults, outcomes."""
    outcomes = Counter(result.state or "lost" for result in results)
    states = ", ".join(f"{number} {state}" for state, number in sorted(outcomes.items()))
    orphans = sum(result.orphans for result in results)
    return (
        f"{sum(result.happened for result in results)} faults injected into {len(results)} questions: "
        f"{states}; {orphans} orphans; {sum(bool(result.wrong) for result in results)} against the promise"
    )
