"""Hypothesis' profiles, and the figures that some tests end with.

`make fuzz` takes the profile of that name, with FUZZ_CASES cases for each of its tests.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

# On a busy machine, generating an example may take longer than Hypothesis likes; that says nothing about us.
# To explain a failure, Hypothesis traces every line of every example, which makes all of them much slower.
_PATIENT = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[phase for phase in Phase if phase is not Phase.explain],
)

# The same cases each time: whether a change may land must not depend on luck. "fuzz" looks for new ones.
settings.register_profile("patient", _PATIENT, derandomize=True)
settings.register_profile("fuzz", _PATIENT, max_examples=int(os.environ.get("FUZZ_CASES", "50000")))
settings.load_profile("patient")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties:
                if name == "figures":
                    terminalreporter.write_line(str(value))
