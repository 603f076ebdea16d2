"""Hypothesis' profiles. `make fuzz` takes the second one, with FUZZ_CASES cases for each of its tests."""

import os

from hypothesis import HealthCheck, settings

# On a busy machine, generating an example may take longer than Hypothesis likes; that says nothing about us.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("patient", _PATIENT)
settings.register_profile("fuzz", _PATIENT, max_examples=int(os.environ.get("FUZZ_CASES", "50000")))
settings.load_profile("patient")
