from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from simulator.agent.service import AgentService
from simulator.journal import Journal

if TYPE_CHECKING:
    from mypy_boto3_bedrock_agent_runtime import AgentsforBedrockRuntimeClient


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def service(journal: Journal) -> Iterator[AgentService]:
    """Plays everything at once."""
    service = AgentService(journal=journal, time_scale=0)
    service.start()
    yield service
    service.stop()


@pytest.fixture
def client(service: AgentService) -> Iterator["AgentsforBedrockRuntimeClient"]:
    client = boto3.client(
        "bedrock-agent-runtime",
        endpoint_url=service.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )
    yield client
    client.close()
