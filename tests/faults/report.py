"""Writes the table of points, faults and outcomes: README.md."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.faults.faults import FAULTS, LEASE_SECONDS, RATE_LIMITED, Fault
from tests.faults.promise import Result, figures
from tests.faults.rotation import REVOKED, ROTATED
from tests.faults.scenarios import BREAKDOWNS, SCENARIOS, STREAMED, Scenario
from tests.faults.upgrade import UPGRADED
from tests.faults.watch import Point

README = Path(__file__).parent / "README.md"

NOT_DONE = "-"
COLUMNS = (*FAULTS, UPGRADED)

BEGINNING = f"""\
# Fault matrix

Written by `make faults`, which runs it: {{figures}}.

Each cell is a question of its own, asked in the simulator with the functions as they ship, in real
processes; the column's fault happens once, at the row's call. Afterwards the question must have exactly one
visible outcome in its thread, no placeholder may be left, the agent may have been started once for each
attempt at most, all queues must be empty and the ledger settled. `make test` runs each point and each fault
once.

There are no hooks in the shipped code: the stand-ins see every call where it arrives (`simulator/tap.py`),
and break it there. A crash is a SIGKILL of the process that made the call. A lease, 60 s as deployed, runs
{LEASE_SECONDS} s here. Where a worker dies before it has hidden its message, the queue's visibility timeout
(330 s as deployed) is made to pass at once: the one crash that takes longer to be noticed.

| cell | outcome in the thread |
| --- | --- |
| A | **answered**: the whole answer |
| I | **interrupted**: what there is of the answer, a word that the agent may have acted, a Retry button |
| F | **failed**: why there is no answer, a Retry button |
| +1 | and one message too many, without history scopes only: a post whose fate is unknown cannot be found |
| {NOT_DONE} | left out: it means nothing there, or nobody could tell the second post or run from the first |

| fault | what happens |
| --- | --- |
"""


def write(with_history: Sequence[Result], without_history: Sequence[Result]) -> None:
    everything = [*with_history, *without_history]
    lines = [BEGINNING.format(figures=figures(everything))]
    lines += [f"| {fault.name} | {fault.meaning} |\n" for fault in COLUMNS]
    for scenario in (*SCENARIOS, *STREAMED):
        lines += _table(scenario, with_history)
    lines += _special(with_history)
    lines.append("\n# Without history scopes\n\nWhat a crash left behind cannot be looked for.\n")
    for scenario in SCENARIOS:
        lines += _table(scenario, without_history)
    README.write_text("".join(lines))


def _table(scenario: Scenario, results: Iterable[Result]) -> list[str]:
    cells: dict[Point, dict[str, str]] = {}
    faults = {fault.name: fault for fault in COLUMNS}
    for result in results:
        assert result.case is not None
        if result.case.scenario is scenario and result.case.fault.name in faults:
            [point] = result.case.points
            cells.setdefault(point, {})[result.case.fault.name] = _cell(result)
    if not cells:
        return []
    columns = [name for name in faults if any(name in row for row in cells.values())]
    return [
        f"\n## {scenario.name.capitalize()}: {scenario.meaning}\n\n",
        f"| point | {' | '.join(columns)} |\n",
        f"| --- |{' --- |' * len(columns)}\n",
        *(
            f"| {point} | {' | '.join(row.get(name, NOT_DONE) for name in columns)} |\n"
            for point, row in sorted(cells.items(), key=lambda item: _position(item[0], results))
        ),
    ]


def _special(results: Iterable[Result]) -> list[str]:
    """The faults that are no columns: they happen to one call only."""
    rows: list[tuple[Fault, Result]] = [
        (result.case.fault, result)
        for result in results
        if result.case and result.case.fault in (*BREAKDOWNS, RATE_LIMITED, ROTATED, REVOKED)
    ]
    return [
        "\n## At one point only\n\n| point | fault | what happens | outcome |\n| --- | --- | --- | --- |\n",
        *(
            f"| {result.case.points[0]} | {fault.name} | {fault.meaning} | {_cell(result)} |\n"
            for fault, result in rows
            if result.case
        ),
    ]


def _cell(result: Result) -> str:
    if result.wrong:
        return f"**{'; '.join(result.wrong)}**"
    return result.state[:1].upper() + (f" +{result.orphans}" if result.orphans else "")


def _position(point: Point, results: Iterable[Result]) -> int:
    """Points in the order in which a turn passes them."""
    points = [result.case.points[0] for result in results if result.case]
    return points.index(point)
