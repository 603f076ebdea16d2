"""boto3 clients for the services that run agents: how they connect, and whose credentials they use.

boto3 reads `AWS_ENDPOINT_URL_<SERVICE>` by itself, which is how the simulator stands in for AWS.
"""

import logging
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials, create_assume_role_refresher
from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters.agents.errors import RoleNotAssumed, code, status
from functions.adapters.aws.trust import ca_file
from functions.settings import AgentSettings

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_bedrock_agent_runtime import AgentsforBedrockRuntimeClient
    from mypy_boto3_bedrock_agentcore import BedrockAgentCoreClient

# One for all clients: it loads and caches the descriptions of services once.
botocore_session = botocore.session.get_session()
session = boto3.session.Session(botocore_session=botocore_session)

# Their warnings quote headers, addresses with their queries, and what was sent. What went wrong is in the
# exceptions.
for _name in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

# NAT gateways and network load balancers cut a connection that is silent for 350 seconds, and neither end
# hears of it: docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html. After 60 silent
# seconds the kernel asks the other end, each 15 seconds, and gives up after four questions without an answer.
# macOS has another name for the first number.
_IDLE: int = getattr(socket, "TCP_KEEPALIVE" if sys.platform == "darwin" else "TCP_KEEPIDLE")
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, _IDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)


@dataclass(frozen=True)
class Role:
    """A role of another account, in which an agent lives.

    Attributes:
        external_id: what that account asks for besides; "" for nothing.
    """

    arn: str
    external_id: str = ""


def role_of(settings: AgentSettings) -> Role | None:
    """The role under which the settings have an agent asked; None for the Lambda's own."""
    return Role(settings.role_arn, settings.external_id) if settings.role_arn else None


def region_of(arn: str) -> str:
    """The region in an ARN: "eu-west-1" of "arn:aws:bedrock-agentcore:eu-west-1:…"; "" where it has none.

    docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""


def bedrock_agent_runtime(
    *, longest_silence: float, role: Role | None = None, region: str = ""
) -> "AgentsforBedrockRuntimeClient":
    """A client for agents of Amazon Bedrock. See `agent_client`."""
    client: AgentsforBedrockRuntimeClient = agent_client(
        "bedrock-agent-runtime", longest_silence=longest_silence, role=role, region=region
    )
    return client


def bedrock_agentcore(
    *, longest_silence: float, role: Role | None = None, region: str = ""
) -> "BedrockAgentCoreClient":
    """A client for agents of Amazon Bedrock AgentCore. See `agent_client`."""
    client: BedrockAgentCoreClient = agent_client(
        "bedrock-agentcore", longest_silence=longest_silence, role=role, region=region
    )
    return client


def agent_client(service: str, *, longest_silence: float, role: Role | None = None, region: str = "") -> Any:
    """A client for a service that runs agents: it sends a request once, over a connection of its own.

    Args:
        service: boto3's name for it.
        longest_silence: how long the service may say nothing, in seconds.
        region: where the agent lives; "" for the Lambda's own.
    """
    own: Any = _assuming(role) if role else session
    client = own.client(
        service,
        region_name=region or None,
        config=_listening(longest_silence),
        verify=ca_file({**os.environ, "AWS_REGION": region} if region else os.environ),
    )
    # botocore has a setting that switches keep-alive on (`tcp_keepalive`), with the system's two hours of
    # silence, and none for these. A connection takes them from here when it is made.
    client._endpoint.http_session._socket_options.extend(_KEEP_ALIVE)
    name = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"before-send.{name}", _use_a_new_connection)
    return client


def _listening(longest_silence: float) -> Config:
    """For a client that asks an agent once and then listens.

    botocore's default (60 s of silence, then up to two more attempts) would run a slow agent three times:
    boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
    """
    return Config(
        connect_timeout=5,
        read_timeout=longest_silence,
        retries={"mode": "standard", "total_max_attempts": 1},
    )


def _assuming(role: Role) -> boto3.session.Session:
    """A session with the role's credentials: fetched at the first call, and anew before they expire."""
    request = {"RoleArn": role.arn, "RoleSessionName": "slack-agent-bridge"}
    if role.external_id:
        request["ExternalId"] = role.external_id
    assume = create_assume_role_refresher(_sts(), request)
    core = botocore.session.get_session()
    core.register_component("data_loader", botocore_session.get_component("data_loader"))
    credentials = DeferredRefreshableCredentials(lambda: _assumed(assume), "assume-role")
    core.register_component("credential_provider", SimpleNamespace(load_credentials=lambda: credentials))
    return boto3.session.Session(botocore_session=core)


def _sts() -> Any:
    quick = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
    return session.client("sts", config=quick, verify=ca_file(os.environ))


def _assumed(assume: Callable[[], Any]) -> Any:
    """The role's credentials. Raises `RoleNotAssumed`, or what STS says where it refuses them."""
    try:
        return assume()
    except ClientError as exc:
        if status(exc) == HTTPStatus.FORBIDDEN:
            raise
        raise RoleNotAssumed(f"AssumeRole: {code(exc)}") from exc
    except BotoCoreError as exc:
        raise RoleNotAssumed(f"AssumeRole: {type(exc).__name__}") from exc


def _use_a_new_connection(request: "AWSPreparedRequest", **_: object) -> None:
    # A connection that was kept while the environment was frozen may be dead, which shows only when the
    # question has been sent; and then nobody knows whether the agent got it.
    request.headers["Connection"] = "close"
