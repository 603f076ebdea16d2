"""Runs cases of the matrix in one simulation, many at a time, and looks at what became of each."""

import json
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from simulator import wiring
from simulator.simulation import Simulation
from simulator.slack.seed import ALICE, BOB, WEATHER
from tests.e2e.bridge import Bridge
from tests.faults.faults import FAULTS, LEASE_SECONDS, Fault
from tests.faults.promise import Case, Result, Turn, judge, messages_of, text_of, wait_until_quiet
from tests.faults.scenarios import SCENARIOS, Scenario, depends_on_luck
from tests.faults.watch import Planned, Point, Watch, Watched

TIME_SCALE = 0.5
CONCURRENCY = 6
# Most cases wait most of the time, for a lease to run out.
CASES_AT_ONCE = 16
PATIENCE = 90.0
# A press whose function fails comes again when its message shows up.
PATIENCE_WITH_PRESSES = 200.0
# For a turn that happens to take another way than the one that its case is about.
MORE_TRIES = 2

SECRET = "Secrets Manager GetSecretValue"
READS_SIGNING_SECRET = Point(wiring.RECEIVER.name, SECRET)
HISTORY_SCOPES = [f"{kind}:history" for kind in ("channels", "groups", "im", "mpim")]


def simulation(style: str = "edit") -> Simulation:
    """A crash is noticed after two seconds. Every message may be received as often as it takes.

    Nobody is mentioned, however long it takes: a mention is no part of a reply.
    """
    return Simulation(
        lease_seconds=LEASE_SECONDS,
        time_scale=TIME_SCALE,
        concurrency=CONCURRENCY,
        max_receive_count=50,
        notify_after_seconds=900,
        style=style,
    )


class Matrix:
    """The cases of one simulation.

    Attributes:
        bridge: the simulation as a person and an operator see it.
        points: of each scenario, as an undisturbed run passes them; each only where it comes up first.
    """

    def __init__(self, simulation: Simulation, scenarios: Sequence[Scenario] = SCENARIOS) -> None:
        self.bridge = Bridge(simulation)
        self._scenarios = scenarios
        self._simulation = simulation
        self._watch = Watch(simulation)
        self._asking = threading.Lock()
        self._has_history = True
        self._whole: dict[str, list[str]] = {}
        self.points = self._find_points()

    def take_history_away(self) -> None:
        """From here on the app has no history scopes, so that it cannot look for its own messages."""
        self.bridge.control("scopes", remove=HISTORY_SCOPES)
        self._has_history = False

    def cases(
        self, scenarios: Iterable[Scenario] | None = None, faults: Iterable[Fault] = FAULTS
    ) -> list[Case]:
        """The product of points and faults, of all scenarios unless some are named."""
        return [
            Case(scenario, (point,), fault)
            for scenario in scenarios or self._scenarios
            for point in self.points[scenario]
            for fault in faults
            if fault.concerns(point.call)
        ]

    def run(self, cases: Iterable[Case]) -> list[Result]:
        """What became of each case; one that did not come to its point is run again, nearly alone."""
        cases = list(cases)
        self._retire_all()
        # A secret is read once in a process's life: these cases get the processes that are new.
        cases.sort(key=lambda case: case.points[0].call != SECRET)
        results = self._batch(cases)
        for _ in range(MORE_TRIES):
            missed = [result for result in results if any("never came to" in wrong for wrong in result.wrong)]
            for start in range(0, len(missed), 2):
                self._retire_all()
                again = missed[start : start + 2]
                for old, new in zip(again, self._batch([old.case for old in again if old.case]), strict=True):
                    results[results.index(old)] = new
        return results

    def _batch(self, cases: Sequence[Case]) -> list[Result]:
        self._watch.expect(len(cases))
        with ThreadPoolExecutor(CASES_AT_ONCE) as pool:
            turns = list(pool.map(lambda case: self._ask(case.scenario, _plan(case)), cases))
        quiet = wait_until_quiet(self.bridge, PATIENCE)
        results = [self._judge(case, turn) for case, turn in zip(cases, turns, strict=True)]
        if not quiet:
            results[-1].wrong.append("the queues are not empty")
        return results

    def _judge(self, case: Case | None, turn: Turn) -> Result:
        whole, orphans = self._whole[turn.scenario.question], 0 if self._has_history else 1
        return judge(case, turn, self.bridge, whole_answer=whole, orphans_allowed=orphans)

    def _find_points(self) -> dict[Scenario, list[Point]]:
        self._retire_all()
        self._watch.expect(len(self._scenarios))
        with ThreadPoolExecutor(len(self._scenarios)) as pool:
            turns = list(pool.map(lambda scenario: self._ask(scenario, scenario.way()), self._scenarios))
        assert wait_until_quiet(self.bridge, PATIENCE)
        for turn in turns:
            if not turn.scenario.leads_there:
                texts = [text_of(message) for message in messages_of(turn.question, self.bridge)]
                self._whole[turn.scenario.question] = texts
        found: dict[Scenario, list[Point]] = {}
        for turn in turns:
            assert not (wrong := self._judge(None, turn).wrong), (turn.scenario.name, wrong)
            seen = {point for points in found.values() for point in points}
            found[turn.scenario] = [
                point
                for point in turn.watched.points
                if point.stage in turn.scenario.stages
                and point not in seen
                and not depends_on_luck(turn.scenario, point)
            ]
        return found

    def _ask(self, scenario: Scenario, plan: list[Planned]) -> Turn:
        with self._asking:  # one at a time, so that the watch knows which turn is which
            if any(planned.point == READS_SIGNING_SECRET for planned in plan):
                self._simulation.lambdas.retire(wiring.RECEIVER.name)
            watched = self._watch.next_turn(plan)
            question = self._say(scenario)
            self._watch.wait(lambda: "SQS SendMessage" in [p.call for p in watched.points], PATIENCE)
        if scenario.approved:
            self._approve(question, watched)
        self._watch.wait(lambda: watched.is_settled, PATIENCE_WITH_PRESSES if scenario.approved else PATIENCE)
        last = next(reversed(messages_of(question, self.bridge)), None)
        # What was stopped has no Retry button.
        if scenario.retried and watched.is_settled and last and '"retry"' in json.dumps(last.blocks):
            watched.state = ""
            self.bridge.control("press", channel=WEATHER, ts=last.ts, action_id="retry", user=ALICE.name)
            self._watch.wait(lambda: watched.is_settled, PATIENCE)
        self._watch.expect(-1)
        return Turn(scenario, question, watched)

    def _approve(self, question: dict[str, Any], watched: Watched) -> None:
        """Press Approve as soon as the turn waits, if it comes to that."""
        self._watch.wait(lambda: watched.state == "waiting" or watched.is_settled, PATIENCE)
        for message in messages_of(question, self.bridge):
            if '"approve"' in json.dumps(message.blocks):
                press = {"channel": WEATHER, "ts": message.ts, "action_id": "approve", "user": ALICE.name}
                self.bridge.control("press", **press)

    def _say(self, scenario: Scenario) -> dict[str, Any]:
        if not scenario.opening:
            return self.bridge.say(scenario.question)
        thread_ts = self.bridge.say(scenario.opening, user=BOB.name)["ts"]
        return {**self.bridge.say(scenario.question, thread_ts=thread_ts), "thread_ts": thread_ts}

    def _retire_all(self) -> None:
        for function in wiring.FUNCTIONS:
            self._simulation.lambdas.retire(function.name)


def _plan(case: Case) -> list[Planned]:
    mine = [Planned(point, case.fault.happening, case.fault.times) for point in case.points]
    return [*case.scenario.way(), *mine]
