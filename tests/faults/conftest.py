"""The simulation and the figures that the run ends with."""

import pytest

from tests.faults.promise import Result, figures

RESULTS = pytest.StashKey[list[Result]]()


@pytest.fixture(scope="session")
def all_results(request: pytest.FixtureRequest) -> list[Result]:
    """Where the tests put what became of their cases."""
    return request.config.stash.setdefault(RESULTS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if results := config.stash.get(RESULTS, []):
        terminalreporter.write_line(f"fault matrix: {figures(results)}")
