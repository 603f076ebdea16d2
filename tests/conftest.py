from hypothesis import HealthCheck, settings

# On a busy machine, generating an example may take longer than Hypothesis likes; that says nothing about us.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
