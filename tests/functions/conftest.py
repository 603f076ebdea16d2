"""The real adapters against the simulator's servers."""

from collections.abc import Iterator

import pytest

from simulator.agent.service import AgentService
from simulator.aws import BOT_TOKEN_SECRET_ID, FAKE_CREDENTIALS, REGION, Aws
from simulator.journal import Journal
from simulator.slack.service import SlackService
from tests.functions.workspace import BOT_TOKEN, SIGNING_SECRET, manifest


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with pytest.MonkeyPatch.context() as environment:
        service = Aws()
        for name, value in {**FAKE_CREDENTIALS, "AWS_DEFAULT_REGION": REGION, **service.endpoints}.items():
            environment.setenv(name, value)
        service.start()
        try:
            service.create_resources(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN)
            yield service
        finally:
            service.stop()


@pytest.fixture
def slack() -> Iterator[SlackService]:
    service = SlackService(
        journal=Journal(), manifest=manifest(), signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN
    )
    service.start()
    yield service
    service.stop()


@pytest.fixture
def agent_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[AgentService]:
    service = AgentService(journal=Journal(), time_scale=0.05)
    for name, value in {**FAKE_CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME", "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE"):
        monkeypatch.setenv(name, service.url)
    service.start()
    yield service
    service.stop()


@pytest.fixture
def bot_token(aws: Aws) -> Iterator[str]:
    """The secret's id; its value is put back after the test."""
    yield BOT_TOKEN_SECRET_ID
    aws.secrets.put_secret_value(SecretId=BOT_TOKEN_SECRET_ID, SecretString=BOT_TOKEN)


@pytest.fixture(autouse=True)
def service_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose metrics they are, as the template sets it."""
    monkeypatch.setenv("SERVICE_NAME", "agent-bridge")
