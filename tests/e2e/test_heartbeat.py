"""The hourly look finds on a quiet day what would leave people without an answer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import wiring
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.service import AGENT_ID
from simulator.aws import BOT_TOKEN_SECRET_ID, SIGNING_SECRET_ID
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge

WELL = {"bot_token": 1, "agents": 1, "signing_secret": 1, "worker": 1}
TOLD = (*wiring.HOURLY, wiring.WORKER)


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1) as simulation:
        yield Bridge(simulation)


def beat(bridge: Bridge) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """The metric of one heartbeat by `what`, and the lines that say why."""
    lambdas = bridge.simulation.lambdas
    for function in wiring.HOURLY:  # a warm one would have the secret of a moment ago
        lambdas.retire(function.name)
    before = {function.name: len(lambdas.logs(function.name)) for function in TOLD}
    bridge.simulation.bridge.heartbeat()

    def logged() -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for function in TOLD
            for line in lambdas.logs(function.name)[before[function.name] :]
            if line.startswith("{")
        ]

    def counted() -> dict[str, float]:
        return {line["what"]: line["Heartbeat"] for line in logged() if "Heartbeat" in line}

    bridge.until(lambda: counted().keys() == WELL.keys())  # a log is read a moment later
    return counted(), [line for line in logged() if line.get("message") == "heartbeat found"]


def test_a_bridge_that_could_answer_is_well_and_asks_nobody(bridge: Bridge) -> None:
    assert beat(bridge) == (WELL, [])
    assert bridge.simulation.agent.invocations == []
    assert {call.method for call in bridge.simulation.slack.web_api.calls} == {"auth.test", "bots.info"}


def test_a_token_that_was_revoked_is_found(bridge: Bridge) -> None:
    bridge.control("revoke-token", error="token_revoked")
    try:
        counted, [line] = beat(bridge)
    finally:
        bridge.control("revoke-token", error=None)
    assert counted == {**WELL, "bot_token": 0}
    assert (line["level"], line["what"], line["why"]) == ("WARNING", "bot_token", "token_revoked")
    assert "install the app" in line["detail"]


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (AGENT_ID, {"default", "classic"}),
        (HARNESS_ARN, {"harness"}),
        (RUNTIME_ARNS[Framework.STRANDS], {"runtime"}),
    ],
)
def test_an_agent_that_is_missing_is_found_by_its_name(bridge: Bridge, agent: str, names: set[str]) -> None:
    bridge.simulation.agent.control_plane.deleted.add(agent)
    try:
        counted, lines = beat(bridge)
    finally:
        bridge.simulation.agent.control_plane.deleted.clear()
    assert counted == {**WELL, "agents": 0}
    assert {line["agent"] for line in lines} == names
    assert {line["why"] for line in lines} == {"not_found"}


@pytest.mark.parametrize(
    ("secret", "what", "why", "detail"),
    [
        (SIGNING_SECRET_ID, "signing_secret", "malformed", "it holds a bot token"),
        (BOT_TOKEN_SECRET_ID, "bot_token", "token_unreadable", "it holds a user token"),
    ],
)
def test_a_secret_of_the_wrong_form_is_found_and_not_told(
    bridge: Bridge, secret: str, what: str, why: str, detail: str
) -> None:
    secrets = bridge.simulation.aws.secrets
    right = secrets.get_secret_value(SecretId=secret)["SecretString"]
    wrong = "xoxb-1234567890" if secret == SIGNING_SECRET_ID else "xoxp-1234567890"
    secrets.put_secret_value(SecretId=secret, SecretString=wrong)
    try:
        counted, [line] = beat(bridge)
    finally:
        secrets.put_secret_value(SecretId=secret, SecretString=right)
    assert counted == {**WELL, what: 0}
    assert (line["what"], line["why"]) == (what, why)
    assert detail in line["detail"]
    assert wrong not in json.dumps(line)


def test_what_is_mended_is_well_again(bridge: Bridge) -> None:
    assert beat(bridge) == (WELL, [])
