"""Runs cases of the matrix, several at a time in one simulation, and looks at what became of each."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from simulator import wiring
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM, WEATHER
from simulator.slack.workspace import Message
from tests.e2e.bridge import Bridge
from tests.faults.faults import FAULTS, Fault
from tests.faults.scenarios import SCENARIOS, Scenario, depends_on_luck
from tests.faults.watch import PLACEHOLDER, SETTLED, Planned, Point, Watch, Watched

LEASE_SECONDS = 2
# How many turns are under way at once, most of them waiting for a lease to run out.
CASES_AT_ONCE = 10
PATIENCE = 75.0
SECRET = "Secrets Manager GetSecretValue"


@dataclass(frozen=True)
class Case:
    scenario: Scenario
    point: Point
    fault: Fault

    def __str__(self) -> str:
        return f"{self.scenario.name}; {self.point}; {self.fault.name}"


@dataclass
class Result:
    """What became of a turn.

    Attributes:
        state: in the ledger, "" when it never got there.
        happened: how many calls were disturbed.
        orphans: messages of the turn that are not part of its reply.
        wrong: what is against the promise; nothing, one hopes.
    """

    case: Case | None
    state: str
    happened: int
    orphans: int = 0
    wrong: list[str] = field(default_factory=list)
    points: tuple[Point, ...] = ()

    @property
    def outcome(self) -> str:
        word = "**WRONG**" if self.wrong else self.state
        return word + (f" + {self.orphans} orphan" if self.orphans else "")


@dataclass
class _Turn:
    """A case under way."""

    scenario: Scenario
    question: dict[str, Any]
    watched: Watched


class Matrix:
    """The cases of one simulation.

    Attributes:
        history: whether the app may read channels' history.
        results: of all cases so far.
    """

    def __init__(self, simulation: Simulation, *, history: bool = True) -> None:
        self.history = history
        self.results: list[Result] = []
        self._simulation = simulation
        self._bridge = Bridge(simulation)
        self._watch = Watch(simulation)
        self._asking = threading.Lock()
        self._whole: dict[str, list[str]] = {}
        scopes = [f"{kind}:history" for kind in ("channels", "groups", "im", "mpim")]
        if not history:
            self._bridge.control("scopes", remove=scopes)

    def points(self, scenarios: Sequence[Scenario] = SCENARIOS) -> dict[Scenario, list[Point]]:
        """The points of each scenario, from an undisturbed run; each point only where it comes up first."""
        self.retire()
        found: dict[Scenario, list[Point]] = {}
        seen: set[Point] = set()
        for batch in _by_receives(scenarios, lambda scenario: scenario):
            for scenario, result in zip(batch, self._run([(s, s.way()) for s in batch]), strict=True):
                assert not result.wrong, (scenario.name, result.wrong)
                found[scenario] = [
                    point
                    for point in result.points
                    if point.stage in scenario.stages
                    and point not in seen
                    and not depends_on_luck(scenario, point)
                ]
                seen.update(found[scenario])
        return {scenario: found[scenario] for scenario in scenarios}

    def run(self, cases: Iterable[Case]) -> list[Result]:
        """Runs them all, those with a cold process apart: a secret is read once in a process's life."""
        cases = list(cases)
        warm = [case for case in cases if not case.point.call.startswith(SECRET)]
        cold = [case for case in cases if case.point.call.startswith(SECRET)]
        done: dict[Case, Result] = {}
        for batch in _by_receives(warm, lambda case: case.scenario):
            done |= zip(batch, self._batch(batch), strict=True)
        for batch in _by_receives(cold, lambda case: case.scenario):
            for start in range(0, len(batch), CASES_AT_ONCE):
                self.retire()
                wave = batch[start : start + CASES_AT_ONCE]
                done |= zip(wave, self._batch(wave), strict=True)
        results = [done[case] for case in cases]
        self.results += results
        return results

    def retire(self) -> None:
        """Ends all processes, as Lambda does with those that have been idle for a while."""
        for function in wiring.FUNCTIONS:
            for environment in self._simulation.lambdas.environments(function.name):
                environment.kill()

    def _batch(self, cases: Sequence[Case]) -> list[Result]:
        plans = [
            (c.scenario, [*c.scenario.way(), Planned(c.point, c.fault.happening, c.fault.times)])
            for c in cases
        ]
        results = self._run(plans)
        for case, result in zip(cases, results, strict=True):
            result.case = case
            if not result.happened > len(case.scenario.leads_there):
                result.wrong.append("the point was not reached")
        return results

    def _run(self, plans: Sequence[tuple[Scenario, list[Planned]]]) -> list[Result]:
        if not plans:
            return []
        self._allow_receives(plans[0][0].receives or wiring.MAX_RECEIVE_COUNT)
        with ThreadPoolExecutor(CASES_AT_ONCE) as pool:
            turns = list(pool.map(lambda plan: self._turn(*plan), plans))
        quiet = self._wait_until_quiet()
        return [self._result(turn, quiet) for turn in turns]

    def _turn(self, scenario: Scenario, faults: list[Planned]) -> _Turn:
        with self._asking:  # so that the watch knows which turn is which
            watched = self._watch.next_turn(faults)
            question = self._bridge.say(scenario.question)
            self._watch.wait(lambda: "SQS SendMessage" in [p.call for p in watched.points], PATIENCE)
        self._watch.wait(lambda: watched.state in SETTLED, PATIENCE)
        if scenario.retried and watched.state in SETTLED:
            last = self._messages(question)[-1]
            watched.state = ""
            self._bridge.control(
                "press", channel=WEATHER, ts=last.ts, action_id="retry", user="alice"
            )
            self._watch.wait(lambda: watched.state in SETTLED, PATIENCE)
        return _Turn(scenario, question, watched)

    def _wait_until_quiet(self) -> bool:
        """Until both queues are empty and nothing runs: what is to come must come before we look."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            busy = sum(self._simulation.lambdas.busy(function.name) for function in wiring.FUNCTIONS)
            if not busy and self._bridge.queues_are_empty():
                return True
            time.sleep(0.1)
        return False

    def _allow_receives(self, receives: int) -> None:
        aws = self._simulation.aws
        url = aws.queue_url(wiring.QUESTIONS)
        attributes = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
        policy = json.loads(attributes["RedrivePolicy"]) | {"maxReceiveCount": receives}
        aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})

    def _messages(self, question: dict[str, Any]) -> list[Message]:
        return self._simulation.slack.workspace.replies(question["channel"], question["ts"])

    # --- what the promise says ---

    def _result(self, turn: _Turn, quiet: bool) -> Result:
        record = self._bridge.record(turn.question)
        state = record.get("state", {}).get("S", "")
        reply = {item["S"] for item in record.get("reply", {}).get("L", [])}
        messages = self._messages(turn.question)
        shown = [m for m in messages if m.ts in reply]
        orphans = [m for m in messages if m.ts not in reply]
        result = Result(None, state, turn.watched.happened, len(orphans), points=tuple(turn.watched.points))
        result.wrong += self._wrongs(turn, state, [_text(message) for message in shown])
        if not quiet:
            result.wrong.append("the queues are not empty")
        if len(orphans) > (0 if self.history else 1):
            result.wrong.append(f"orphans: {[_text(message)[:40] for message in orphans]}")
        return result

    def _wrongs(self, turn: _Turn, state: str, texts: list[str]) -> Iterator[str]:
        if state not in SETTLED:
            yield f"the turn is not settled: {state or 'unknown'}"
        if not texts:
            yield "nothing is shown"
        if PLACEHOLDER in texts:
            yield "a placeholder is left"
        whole = self._whole.setdefault(turn.scenario.question, texts)
        explained = bool(texts) and re.search(r":warning: .*\(Reference: `[0-9a-f]{8}`\)$", texts[-1])
        if state == "answered" and texts != whole:
            yield f"not the whole answer: {[text[:40] for text in texts]}"
        if state in ("interrupted", "failed") and not explained:
            yield f"no explanation: {[text[-60:] for text in texts]}"
        runs = self._bridge.runs(turn.question)
        if runs > turn.scenario.runs:
            yield f"the agent was started {runs} times"


def all_cases(points: dict[Scenario, list[Point]], faults: Sequence[Fault] = FAULTS) -> list[Case]:
    return [
        Case(scenario, point, fault)
        for scenario, its_points in points.items()
        for point in its_points
        for fault in faults
        if fault.may_happen_to(point.call)
    ]


def summary(results: Sequence[Result]) -> str:
    """Figures in one line."""
    faults = sum(result.happened for result in results)
    outcomes = Counter(result.state or "lost" for result in results)
    states = ", ".join(f"{number} {state}" for state, number in sorted(outcomes.items()))
    wrong = sum(bool(result.wrong) for result in results)
    return f"{len(results)} questions, {faults} faults injected: {states}; {wrong} against the promise"


def _text(message: Message) -> str:
    return str(message.blocks[0].get("text", "")) if message.blocks else message.text


def _by_receives(items: Iterable[Any], scenario_of: Any) -> list[list[Any]]:
    """In groups for which the queue is set up alike."""
    groups: dict[int | None, list[Any]] = {}
    for item in items:
        groups.setdefault(scenario_of(item).receives, []).append(item)
    return list(groups.values())
