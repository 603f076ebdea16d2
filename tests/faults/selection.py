"""Which cases `make test` runs: each point and each fault once."""

from collections.abc import Iterable, Iterator
from itertools import cycle

from simulator.wiring import RECEIVER
from tests.faults.faults import ANSWER_LOST, FAULTS, KILLED_AFTER, RATE_LIMITED, STOPPED
from tests.faults.matrix import SECRET, Matrix
from tests.faults.promise import Case
from tests.faults.rotation import REVOKED, ROTATED
from tests.faults.scenarios import (
    AGENT_ASKED,
    ANSWER,
    BREAKDOWNS,
    CRASH,
    FINAL_TEXT,
    GIVEN_UP,
    IN_THREAD,
    LONG,
    PLACEHOLDER_POSTED,
    RETRY,
    SLOW,
    STREAM,
    WAITS,
    Scenario,
)
from tests.faults.upgrade import UPGRADED
from tests.faults.watch import Point

SHORT_BREAKDOWNS = {"cut in message", "cut after tools", "reset", "reset in stream", "throttle in stream"}


def short_form(matrix: Matrix) -> Iterator[Case]:
    """With history scopes. The longest waits come first."""
    yield Case(ANSWER, (AGENT_ASKED,), ROTATED)
    yield Case(ANSWER, (FINAL_TEXT,), RATE_LIMITED)
    yield _killed_all_the_way(matrix, CRASH)
    yield _killed_all_the_way(matrix, GIVEN_UP)
    kinds: set[str] = set()
    for scenario in (ANSWER, SLOW, LONG, IN_THREAD, WAITS, RETRY):
        for point in matrix.points[scenario]:
            if point.call not in kinds and KILLED_AFTER.concerns(point.call):
                kinds.add(point.call)
                yield Case(scenario, (point,), KILLED_AFTER)
    yield from _each_fault_somewhere(matrix)
    yield from (Case(ANSWER, (AGENT_ASKED,), fault) for fault in BREAKDOWNS if fault.name in SHORT_BREAKDOWNS)
    yield from (Case(ANSWER, (point,), STOPPED) for point in matrix.points[ANSWER] if point.call != SECRET)
    yield from upgraded_short_form()


def without_history(matrix: Matrix) -> list[Case]:
    return [
        case
        for case in matrix.cases([ANSWER])
        if "chat.postMessage" in case.points[0].call and case.fault.name in ("killed after", "answer lost")
    ]


def streamed(matrix: Matrix) -> list[Case]:
    """In `stream` style, at the calls that there are in no other."""
    points = [point for point in matrix.points[STREAM] if "Stream" in point.call]
    return [Case(STREAM, (point,), fault) for point in points for fault in (KILLED_AFTER, ANSWER_LOST)]


def revoked(matrix: Matrix, scenarios: Iterable[Scenario]) -> list[Case]:
    """At each call of Slack and of the agent. To be run one after the other."""
    return [
        Case(scenario, (point,), REVOKED)
        for scenario in scenarios
        for point in matrix.points[scenario]
        if point.call.startswith(("Slack", "Bedrock"))
    ]


def revoked_short_form() -> list[Case]:
    """Before there is anything in the thread, and when there is all but the end of it."""
    return [Case(ANSWER, (point,), REVOKED) for point in (PLACEHOLDER_POSTED, FINAL_TEXT)]


def upgraded(matrix: Matrix, scenarios: Iterable[Scenario]) -> list[Case]:
    """At each call of a function that has a turn. The version before knew no hourglass and no card."""
    return [
        Case(scenario, (point,), UPGRADED)
        for scenario in scenarios
        if scenario is not WAITS and not scenario.approved
        for point in matrix.points[scenario]
        if not point.stage.startswith(RECEIVER.name) and KILLED_AFTER.concerns(point.call)
    ]


def upgraded_short_form() -> Iterator[Case]:
    """Before the agent is asked, while it answers, and when the answer is owed."""
    yield from (Case(ANSWER, (point,), UPGRADED) for point in (PLACEHOLDER_POSTED, AGENT_ASKED, FINAL_TEXT))


def _killed_all_the_way(matrix: Matrix, scenario: Scenario) -> Case:
    """One turn whose processes are killed at each point, one after the other."""
    [stage] = scenario.stages
    any_delivery = f"{stage.removesuffix('2')}*"
    calls = [point.call for point in matrix.points[scenario] if KILLED_AFTER.concerns(point.call)]
    return Case(scenario, tuple(Point(any_delivery, call) for call in calls), KILLED_AFTER)


def _each_fault_somewhere(matrix: Matrix) -> Iterator[Case]:
    points = cycle(point for point in matrix.points[ANSWER] if point.call != SECRET)
    for fault in FAULTS:
        if fault not in (KILLED_AFTER, STOPPED):
            yield Case(ANSWER, (next(point for point in points if fault.concerns(point.call)),), fault)
