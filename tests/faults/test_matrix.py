"""The matrix's short form: each point and each fault once. `make faults` runs the product of both."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.matrix import Matrix, simulation
from tests.faults.promise import against_the_promise, figures
from tests.faults.selection import revoked_short_form, short_form, without_history
from tests.faults.skew import say_with_clock_off

pytestmark = pytest.mark.timeout(300)

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    with simulation() as running:
        yield Matrix(running)


# First, while every process has the token that is in force: a later test replaces it.
@pytest.mark.parametrize(("seconds", "status"), [(-240, 200), (240, 200), (-360, 401), (360, 401)])
def test_a_clock_may_be_off_by_less_than_five_minutes(matrix: Matrix, seconds: int, status: int) -> None:
    assert say_with_clock_off(matrix.bridge, seconds) == status


def test_each_point_and_each_fault_ends_in_one_visible_outcome(
    matrix: Matrix, record_property: Record
) -> None:
    results = matrix.run(short_form(matrix))
    record_property("figures", f"fault matrix: {figures(results)}")
    assert against_the_promise(results) == []


def test_a_token_that_is_revoked_and_then_replaced_costs_no_answer(
    matrix: Matrix, record_property: Record
) -> None:
    results = [result for case in revoked_short_form() for result in matrix.run([case])]
    record_property("figures", f"fault matrix of revoked tokens: {figures(results)}")
    assert against_the_promise(results) == []
    assert {result.state for result in results} == {"answered"}


def test_without_history_scopes_at_most_one_orphan_is_left(matrix: Matrix, record_property: Record) -> None:
    matrix.take_history_away()
    results = matrix.run(without_history(matrix))
    record_property("figures", f"fault matrix without history scopes: {figures(results)}")
    assert against_the_promise(results) == []
