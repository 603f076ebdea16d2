"""Whether an agent is there, asked of strict stand-ins over HTTP."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from werkzeug.wrappers import Response

from functions.adapters.agents import presence
from functions.adapters.agents.kinds import KINDS
from functions.adapters.agents.presence import LOOKS, finding_about
from functions.settings import AgentSettings
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.service import AGENT_ID, ALIAS_ID, AgentService
from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for

CLASSIC = AgentSettings("bedrock-agent", agent_id=AGENT_ID, alias_id=ALIAS_ID)
AGENTCORE_HARNESS = AgentSettings("agentcore-harness", arn=HARNESS_ARN)
RUNTIME = AgentSettings("agentcore-runtime", arn=RUNTIME_ARNS[Framework.STRANDS])
ALL = [CLASSIC, AGENTCORE_HARNESS, RUNTIME]
CONTROL = ("AWS_ENDPOINT_URL_BEDROCK_AGENT", "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL")


@pytest.fixture
def service(agent_service: AgentService, monkeypatch: pytest.MonkeyPatch) -> AgentService:
    for name in CONTROL:
        monkeypatch.setenv(name, agent_service.url)
    return agent_service


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "WAITS", (0.0, 0.0))


def test_every_kind_can_be_looked_for() -> None:
    assert LOOKS.keys() == KINDS.keys()
    assert finding_about(AgentSettings("a kind of one's own")) is None


@pytest.mark.parametrize("agent", ALL, ids=lambda agent: agent.kind)
def test_an_agent_that_is_there_is_no_finding(service: AgentService, agent: AgentSettings) -> None:
    assert finding_about(agent) is None
    if agent.arn:
        assert finding_about(replace(agent, qualifier="DEFAULT")) is None
    assert service.invocations == []


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    "agent",
    [
        replace(CLASSIC, agent_id="NOBODYHERE"),
        replace(AGENTCORE_HARNESS, arn=f"{HARNESS_ARN[:-10]}0000000000"),
        replace(AGENTCORE_HARNESS, qualifier="prod"),
        replace(RUNTIME, arn=f"{RUNTIME.arn[:-10]}0000000000"),
        replace(RUNTIME, qualifier="prod"),
    ],
    ids=str,
)
def test_an_agent_or_an_endpoint_that_is_missing_is_found(agent: AgentSettings) -> None:
    finding = finding_about(agent)
    assert finding is not None
    assert (finding.why, finding.is_trouble) == ("not_found", True)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("CREATE_FAILED", "out_of_service"),
        ("DELETING", "out_of_service"),
        ("UPDATING", None),
        ("READY", None),
    ],
)
def test_an_agent_that_answers_nobody_is_found(service: AgentService, state: str, why: str | None) -> None:
    service.control_plane.states[HARNESS_ARN] = state
    finding = finding_about(AGENTCORE_HARNESS)
    assert (finding and finding.why) == why


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with standing_in_for("BEDROCK_AGENT", "BEDROCK_AGENTCORE_CONTROL", "STS") as server:
        yield server


def refusal(code: str, status: int) -> Response:
    return Response(
        '{"message": "no"}', status, headers={"x-amzn-ErrorType": code}, content_type="application/json"
    )


@pytest.mark.parametrize("agent", ALL, ids=lambda agent: agent.kind)
@pytest.mark.parametrize(
    ("code", "status", "why", "tries"),
    [
        ("AccessDeniedException", 403, "access_denied", 1),
        ("ValidationException", 400, "unreachable", 1),
        ("ThrottlingException", 429, "unreachable", 3),
        ("InternalServerException", 500, "unreachable", 3),
    ],
)
def test_trouble_that_may_pass_is_waited_out(
    scripted: ScriptedServer, agent: AgentSettings, code: str, status: int, why: str, tries: int
) -> None:
    scripted.answer = refusal(code, status)
    finding = finding_about(agent)
    assert finding is not None
    assert (finding.why, finding.is_trouble) == (why, True)
    assert finding.detail.endswith(": no")
    assert scripted.requests == tries


def test_a_role_of_another_account_that_lets_nobody_look_is_no_trouble(scripted: ScriptedServer) -> None:
    scripted.answer = Response(
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>", 403
    )
    finding = finding_about(replace(RUNTIME, role_arn="arn:aws:iam::210987654321:role/caller"))
    assert finding is not None
    assert (finding.why, finding.is_trouble) == ("access_denied", False)


def test_a_service_that_is_not_there_is_trouble(
    monkeypatch: pytest.MonkeyPatch, service: AgentService
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENT", "http://127.0.0.1:9")
    assert service.invocations == []
    finding = finding_about(CLASSIC)
    assert finding is not None
    assert (finding.why, finding.detail) == ("unreachable", "EndpointConnectionError")
