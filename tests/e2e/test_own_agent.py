"""The demo with an agent of the caller's own: an app of AWS's SDK, a function, an agent in AWS."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from simulator.agent.agentcore import HARNESS_ARN
from simulator.agent.service import AgentService
from simulator.http import HttpServer
from simulator.journal import Journal
from simulator.own_agent import own_agent
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge
from tests.simulator.page.conftest import Events

HANDLER = '''\
"""An agent in ten lines."""

SEEN = {}


def handler(payload):
    count = SEEN[payload["sessionId"]] = SEEN.get(payload["sessionId"], 0) + 1
    yield f"Question {count} of {payload['slack']['name']}: "
    if "break" in payload["prompt"]:
        raise RuntimeError("boom")
    yield payload["prompt"].upper()
'''


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serves an ASGI application on 127.0.0.1, as `app.run()` of AWS's SDK does; its address."""
    uvicorn = pytest.importorskip("uvicorn")
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="on")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def test_an_app_of_the_agentcore_sdk_answers_in_the_demo() -> None:
    runtime = pytest.importorskip("bedrock_agentcore.runtime")
    app = runtime.BedrockAgentCoreApp()
    sessions: list[str] = []

    @app.entrypoint  # type: ignore[untyped-decorator]
    async def agent(payload: dict[str, Any], context: Any) -> AsyncIterator[str]:
        sessions.append(context.session_id)
        yield "You said: "
        yield payload["prompt"]

    with served(app) as address, Simulation(time_scale=0.1, agent=own_agent(address)) as simulation:
        bridge = Bridge(simulation)
        question = bridge.ask("@agent good morning")
        bridge.ask("@agent and good night", thread_ts=question["ts"])
        assert bridge.texts(question) == ["You said: good morning", "You said: and good night"]
        assert sessions[0] == sessions[1]
        assert len(sessions[0]) >= 33


def test_an_agent_in_aws_is_asked_with_the_callers_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATHECALLER0000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    signatures: list[str] = []

    class Recording(HttpServer):
        def __init__(self, app: Any, port: int = 0) -> None:
            def recorded(environ: dict[str, Any], start_response: Any) -> Any:
                signatures.append(environ["HTTP_AUTHORIZATION"])
                return app(environ, start_response)

            super().__init__(recorded, port)

    aws = AgentService(journal=Journal(), time_scale=0.1, server=Recording)
    aws.start()
    # Stands for DNS: in the demo nothing says where the service is but the region in the ARN.
    elsewhere = {"AWS_ENDPOINT_URL_BEDROCK_AGENTCORE": aws.url}
    try:
        with Simulation(agent=own_agent(HARNESS_ARN), variables=elsewhere) as simulation:
            bridge = Bridge(simulation)
            question = bridge.ask("@agent what's the weather in Chicago today?")
            assert "In **Chicago** expect" in bridge.texts(question)[0]
            assert [run.agent for run in aws.invocations] == [HARNESS_ARN]
            assert all("Credential=AKIATHECALLER0000000/" in signature for signature in signatures)
    finally:
        aws.stop()


# From here on one simulation runs: a process can have one only.
@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    file = tmp_path_factory.mktemp("own") / "ten_lines.py"
    file.write_text(HANDLER)
    assert len(HANDLER.splitlines()) <= 11
    with Simulation(time_scale=0.1, agent=own_agent(f"{file}:handler")) as simulation:
        yield Bridge(simulation)


def test_a_function_of_ten_lines_answers_in_the_demo(bridge: Bridge) -> None:
    question = bridge.ask("@agent good morning")
    bridge.ask("@agent and good night", thread_ts=question["ts"])
    assert bridge.texts(question) == [
        "Question 1 of alice: GOOD MORNING",
        "Question 2 of alice: AND GOOD NIGHT",
    ]


def test_a_function_that_breaks_down_is_interrupted_and_its_words_stay_out_of_slack(bridge: Bridge) -> None:
    question = bridge.ask("@agent break, please")
    assert bridge.state(question) == "interrupted"
    assert "boom" not in bridge.said(question)
    assert "Question 1 of alice:" in bridge.said(question)


def test_only_the_own_agent_is_there(bridge: Bridge) -> None:
    names = {channel.name for channel in bridge.simulation.slack.workspace.channels.values()}
    assert "weather-demo" in names
    assert not any(name.startswith("agent-") for name in names)
    question = bridge.ask("@agent harness: good morning")
    assert bridge.texts(question) == ["Question 1 of alice: HARNESS: GOOD MORNING"]


def test_the_page_says_whose_agent_it_is(bridge: Bridge) -> None:
    events = Events(bridge.simulation.url)
    snapshot = events.next("snapshot")
    events.close()
    assert snapshot["own_agent"].endswith("ten_lines.py:handler")
    assert snapshot["suggestions"] == []
    assert snapshot["examples"][0] == "@agent what can you do?"
