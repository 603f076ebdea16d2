from collections.abc import Iterator

import pytest

from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with standing_in_for("BEDROCK_AGENT_RUNTIME") as server:
        yield server
