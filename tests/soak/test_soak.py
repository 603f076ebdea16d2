"""A short soak; `make soak` runs the long one."""

from collections.abc import Callable

import pytest

from tests.soak.soak import simulation, soak


@pytest.mark.timeout(300)
def test_of_sixty_questions_none_is_lost_twice_or_stuck(
    record_property: Callable[[str, object], None],
) -> None:
    with simulation() as running:
        report = soak(running, threads=20, questions=3, seed=1)
    record_property("figures", f"soak: {report}")
    assert (report.lost, report.twice, report.stuck, report.out_of_order) == ([], [], [], [])
    assert report.questions == 60
    assert report.faults.total() > 10
