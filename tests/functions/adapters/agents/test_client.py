"""Clients for agents: how they connect, and whose credentials they use."""

import gc
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.wrappers import Request, Response

from functions.adapters.agents import client as clients
from functions.adapters.agents.bedrock_agent import BedrockAgent
from functions.adapters.agents.harness import AgentCoreHarness
from functions.adapters.agents.kinds import KINDS
from functions.adapters.agents.runtime import AgentCoreRuntime
from functions.bridge.agents.events import Failed
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import Agent
from functions.settings import AgentSettings
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.service import AgentService
from simulator.aws import FAKE_CREDENTIALS, REGION
from simulator.http import HttpServer
from tests.functions.adapters.runs import PORTS, QUESTION, WAIT, asking, events, failure

ROLE = clients.Role("arn:aws:iam::210987654321:role/ask-the-agent", external_id="bridge-42")

# docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>token</SessionToken><Expiration>{expiration}</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>not authorized to perform: sts:AssumeRole</Message>
</Error></ErrorResponse>"""


class Service:
    """STS and the agents' services in one: remembers what it is asked, and refuses all agents.

    Attributes:
        assumed: the parameters of each AssumeRole.
        keys: the access key with which each agent was asked.
        regions: for which the requests were signed.
        connections: the Connection header of those requests.
        lifetime: of the credentials that it gives.
        refusal: what AssumeRole gets instead of credentials; None: nothing else.
    """

    def __init__(self) -> None:
        self.assumed: list[dict[str, list[str]]] = []
        self.keys: list[str] = []
        self.regions: list[str] = []
        self.connections: list[str | None] = []
        self.lifetime = timedelta(hours=1)
        self.refusal: Response | None = None
        self.silent = threading.Event()
        self._server = HttpServer(Request.application(self._answer))
        self.url = self._server.url
        self.start, self.stop = self._server.start, self._server.stop

    def _answer(self, request: Request) -> Response:
        body = request.get_data()
        if b"Action=AssumeRole" in body:
            self.assumed.append(parse_qs(body.decode()))
            if self.refusal is not None:
                return self.refusal
            if self.silent.is_set():
                raise ConnectionAbortedError("no answer")
            expiration = (datetime.now(UTC) + self.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
            return Response(ASSUMED.format(key=f"ASIA{len(self.assumed)}", expiration=expiration))
        found = re.search("Credential=([^/]+)/[^/]+/([^/]+)/", request.headers["Authorization"])
        assert found is not None
        self.keys.append(found[1])
        self.regions.append(found[2])
        self.connections.append(request.headers.get("Connection"))
        return Response("{}", 429, {"x-amzn-ErrorType": "ThrottlingException"})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service()
    for name, value in {**FAKE_CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
    service.start()
    yield service
    service.stop()


def bedrock(role: clients.Role | None) -> Agent:
    client = clients.bedrock_agent_runtime(longest_silence=20, role=role)
    return BedrockAgent(client, agent_id="AGENT", alias_id="ALIAS")


def harness(role: clients.Role | None) -> Agent:
    return AgentCoreHarness(clients.bedrock_agentcore(longest_silence=20, role=role), arn=HARNESS_ARN)


def runtime(role: clients.Role | None) -> Agent:
    client = clients.bedrock_agentcore(longest_silence=20, role=role)
    return AgentCoreRuntime(client, arn=RUNTIME_ARNS[Framework.STRANDS])


@pytest.fixture(params=[bedrock, harness, runtime])
def kind(request: pytest.FixtureRequest) -> Callable[[clients.Role | None], Agent]:
    kind: Callable[[clients.Role | None], Agent] = request.param
    return kind


def test_an_agent_is_asked_once_and_over_a_connection_of_its_own(
    service: Service, kind: Callable[[clients.Role | None], Agent]
) -> None:
    agent = kind(None)
    for _ in range(2):
        assert failure(events(agent.ask(QUESTION))) is Failure.THROTTLED
    assert service.connections == ["close", "close"]
    assert service.assumed == []


def test_a_connection_to_a_silent_agent_shows_that_it_is_alive_each_minute(
    agent_service: AgentService,
) -> None:
    agent = AgentCoreRuntime(clients.bedrock_agentcore(longest_silence=20), arn=RUNTIME_ARNS[Framework.WHOLE])
    run = agent.ask(asking("never answer"))
    while not agent_service.invocations:
        run.next(timeout=0.01)
    [connection] = connections_to(agent_service.url)
    idle = getattr(socket, "TCP_KEEPALIVE" if sys.platform == "darwin" else "TCP_KEEPIDLE")
    assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
    assert connection.getsockopt(socket.IPPROTO_TCP, idle) == 60
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 15
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 4
    agent_service.stop()
    run.cancel()


def connections_to(url: str) -> list[socket.socket]:
    """The open connections of this process to the server at `url`."""
    found = [one for one in gc.get_objects() if isinstance(one, socket.socket) and one.fileno() >= 0]
    return [one for one in found if peer_port(one) == urlsplit(url).port]


def peer_port(connection: socket.socket) -> int | None:
    try:
        return int(connection.getpeername()[1])
    except (OSError, IndexError):  # it listens, is not connected, or is a dead one that was reset
        return None


def test_an_agent_of_another_account_is_asked_under_its_role(
    service: Service, kind: Callable[[clients.Role | None], Agent]
) -> None:
    agent = kind(ROLE)
    assert service.assumed == []  # not before it is needed
    for _ in range(2):
        events(agent.ask(QUESTION))
    [assumed] = service.assumed
    assert assumed["RoleArn"] == ["arn:aws:iam::210987654321:role/ask-the-agent"]
    assert assumed["ExternalId"] == ["bridge-42"]
    assert service.keys == ["ASIA1", "ASIA1"]


def test_a_role_without_an_external_id_sends_none(service: Service) -> None:
    events(harness(clients.Role(ROLE.arn)).ask(QUESTION))
    assert "ExternalId" not in service.assumed[0]


def test_credentials_are_renewed_before_they_expire(service: Service) -> None:
    service.lifetime = timedelta(minutes=5)  # less than the ten that botocore insists on
    agent = harness(ROLE)
    for _ in range(2):
        events(agent.ask(QUESTION))
    assert service.keys == ["ASIA1", "ASIA2"]


def test_each_role_has_credentials_of_its_own(service: Service) -> None:
    for agent in (harness(ROLE), harness(None), harness(clients.Role(ROLE.arn))):
        events(agent.ask(QUESTION))
    assert service.keys == ["ASIA1", FAKE_CREDENTIALS["AWS_ACCESS_KEY_ID"], "ASIA2"]


def test_a_role_that_may_not_be_assumed_is_access_denied(service: Service) -> None:
    service.refusal = Response(REFUSED.format(code="AccessDenied"), 403)
    assert failure(events(harness(ROLE).ask(QUESTION))) is Failure.ACCESS_DENIED
    assert service.keys == []


@pytest.mark.parametrize(("status", "code"), [(400, "Throttling"), (500, "InternalFailure")])
def test_an_agent_whose_role_cannot_be_had_for_now_was_not_asked(
    service: Service, kind: Callable[[clients.Role | None], Agent], status: int, code: str
) -> None:
    service.refusal = Response(REFUSED.format(code=code), status)
    [failed] = events(kind(ROLE).ask(QUESTION))
    assert isinstance(failed, Failed)
    assert failed.failure is Failure.UNREACHABLE
    assert failed.detail.casefold() == f"assumerole: {code}".casefold()
    assert service.keys == []
    service.refusal = None
    agent = kind(ROLE)
    assert failure(events(agent.ask(QUESTION))) is Failure.THROTTLED


def test_an_agent_whose_role_gets_no_answer_was_not_asked(service: Service) -> None:
    service.silent.set()
    assert failure(events(harness(ROLE).ask(QUESTION))) is Failure.UNREACHABLE
    assert service.keys == []


@pytest.mark.parametrize(
    ("settings", "region"),
    [
        (AgentSettings("bedrock-agent", agent_id="AGENT", alias_id="ALIAS"), REGION),
        (AgentSettings("bedrock-agent", agent_id="AGENT", alias_id="ALIAS", region="eu-west-1"), "eu-west-1"),
        (AgentSettings("agentcore-harness", arn=HARNESS_ARN.replace(REGION, "eu-west-1")), "eu-west-1"),
        (
            AgentSettings(
                "agentcore-runtime",
                arn=RUNTIME_ARNS[Framework.STRANDS].replace(REGION, "ap-southeast-2"),
                role_arn=ROLE.arn,
            ),
            "ap-southeast-2",
        ),
        (AgentSettings("agentcore-harness", arn="meteorologist-A1b2C3d4E5"), REGION),
    ],
)
def test_an_agent_is_asked_in_its_own_region(service: Service, settings: AgentSettings, region: str) -> None:
    agent = KINDS[settings.kind](settings, PORTS)
    assert failure(events(agent.ask(QUESTION))) is Failure.THROTTLED
    assert service.regions == [region]
    assert len(service.assumed) == bool(settings.role_arn)


def test_an_agent_that_has_not_begun_its_answer_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, left = threading.Event(), threading.Event()

    def say_nothing(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            while connection.recv(65_536):
                asked.set()
            left.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=say_nothing, args=[listening], daemon=True).start()
        port = listening.getsockname()[1]
        for name, value in FAKE_CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME", f"http://127.0.0.1:{port}")
        client = clients.bedrock_agent_runtime(longest_silence=WAIT, region=REGION)
        run = BedrockAgent(client, agent_id="METEOAGENT", alias_id="TSTALIASID").ask(QUESTION)
        assert asked.wait(WAIT)
        run.cancel()
        assert left.wait(WAIT)
        assert not run._reader.is_alive()
