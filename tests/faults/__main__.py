"""`make faults`: every fault at every point, in both styles and without history scopes; writes README.md."""

import sys

from tests.faults import report
from tests.faults.faults import ANSWER_LOST, KILLED_AFTER, KILLED_BEFORE, RATE_LIMITED, REQUEST_LOST
from tests.faults.matrix import Matrix, simulation
from tests.faults.promise import Case, figures
from tests.faults.rotation import ROTATED
from tests.faults.scenarios import (
    AGENT_ASKED,
    ANSWER,
    BREAKDOWNS,
    CRASH,
    FINAL_TEXT,
    PLACEHOLDER_POSTED,
    SCENARIOS,
    STREAMED,
)
from tests.faults.selection import revoked, upgraded

with simulation() as running:
    matrix = Matrix(running)
    product = matrix.cases()
    product += [Case(ANSWER, (AGENT_ASKED,), breakdown) for breakdown in BREAKDOWNS]
    product += [Case(ANSWER, (point,), RATE_LIMITED) for point in (PLACEHOLDER_POSTED, FINAL_TEXT)]
    product += upgraded(matrix, SCENARIOS)
    print(f"{len(product)} questions with history scopes", flush=True)
    with_history = matrix.run(product)
    print(figures(with_history), flush=True)
    with_history += matrix.run([Case(ANSWER, (AGENT_ASKED,), ROTATED)])
    for case in revoked(matrix, SCENARIOS):
        with_history += matrix.run([case])
    matrix.take_history_away()
    # After a crash there is one orphan already; a second crash may leave another.
    faults = (KILLED_BEFORE, KILLED_AFTER, REQUEST_LOST, ANSWER_LOST)
    product = matrix.cases([scenario for scenario in SCENARIOS if scenario is not CRASH], faults)
    print(f"{len(product)} questions without", flush=True)
    without_history = matrix.run(product)

with simulation(style="stream") as running:
    matrix = Matrix(running, STREAMED)
    product = [*matrix.cases(), *upgraded(matrix, STREAMED)]
    print(f"{len(product)} questions with streams", flush=True)
    with_history += matrix.run(product)
    for case in revoked(matrix, STREAMED):
        with_history += matrix.run([case])

report.write(with_history, without_history)
everything = [*with_history, *without_history]
print(figures(everything))
for result in everything:
    if result.wrong:
        print(f"{result.case}: {'; '.join(result.wrong)}")
sys.exit(any(result.wrong for result in everything))
