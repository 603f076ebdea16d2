"""The matrix's short form in `stream` style: at the calls that are in no other."""

from collections.abc import Callable

import pytest

from tests.faults.matrix import Matrix, simulation
from tests.faults.promise import against_the_promise, figures
from tests.faults.scenarios import STREAM
from tests.faults.selection import streamed

pytestmark = pytest.mark.timeout(300)


def test_a_stream_that_breaks_ends_in_one_visible_outcome(
    record_property: Callable[[str, object], None],
) -> None:
    with simulation(style="stream") as running:
        matrix = Matrix(running, [STREAM])
        results = matrix.run(streamed(matrix))
    record_property("figures", f"fault matrix of streams: {figures(results)}")
    assert against_the_promise(results) == []
