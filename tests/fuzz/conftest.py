from collections.abc import Iterator

import pytest

from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with standing_in_for("BEDROCK_AGENT_RUNTIME") as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def powertools() -> Iterator[None]:
    """The variables that Powertools reads, as the template sets them."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("POWERTOOLS_SERVICE_NAME", "agent-bridge")
        environment.setenv("POWERTOOLS_METRICS_NAMESPACE", "SlackAgentBridge")
        yield
