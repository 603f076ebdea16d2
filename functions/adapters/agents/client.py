"""boto3 clients for the services that run agents: their connections and credentials.

boto3 itself reads `AWS_ENDPOINT_URL_<SERVICE>`, which the simulator sets.
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
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials, create_assume_role_refresher
from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters.agents.connection import hold_socket
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

# Their warnings quote headers, addresses with queries, and bodies. The exceptions say what went wrong.
for _name in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

# NAT gateways and network load balancers drop a connection after 350 silent seconds without telling either
# end: docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html.
# So TCP keep-alive begins after 60 silent seconds, probes every 15 seconds, and gives up after four probes.
# macOS names the first option differently.
_IDLE: int = getattr(socket, "TCP_KEEPALIVE" if sys.platform == "darwin" else "TCP_KEEPIDLE")
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, _IDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)


@dataclass(frozen=True)
class Role:
    """A role in the account of an agent.

    Attributes:
        external_id: the external id that the role's trust policy asks for; "" for none.
    """

    arn: str
    external_id: str = ""


def role_of(settings: AgentSettings) -> Role | None:
    """The role to assume for an agent; None for the Lambda's own."""
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
    """A client for a service that runs agents. It sends each request once, over a new connection.

    Args:
        service: boto3's name for the service.
        longest_silence: the read timeout, in seconds.
        region: the agent's region; "" for the Lambda's own.
    """
    own: Any = _assuming(role) if role else session
    client = own.client(
        service,
        region_name=region or None,
        config=_listening(longest_silence),
        verify=ca_file({**os.environ, "AWS_REGION": region} if region else os.environ),
    )
    # botocore's `tcp_keepalive` only switches keep-alive on, with the system's two hours. So these options
    # are added to the ones that each new connection gets.
    client._endpoint.http_session._socket_options.extend(_KEEP_ALIVE)
    client._endpoint.http_session._manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    name = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"before-send.{name}", _use_a_new_connection)
    return client


class _HttpConnection(AWSHTTPConnection):
    """A connection whose socket the run of the agent gets to know, so that it can be shut down."""

    def connect(self) -> None:
        super().connect()
        hold_socket(self.sock)


class _HttpsConnection(AWSHTTPSConnection):
    """The same over TLS."""

    def connect(self) -> None:
        super().connect()
        hold_socket(self.sock)


class _HttpPool(AWSHTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


def _listening(longest_silence: float) -> Config:
    """A configuration without retries.

    botocore's default (a read timeout of 60 s, up to three attempts) would run a slow agent three times:
    boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
    """
    return Config(
        connect_timeout=5,
        read_timeout=longest_silence,
        retries={"mode": "standard", "total_max_attempts": 1},
    )


def _assuming(role: Role) -> boto3.session.Session:
    """A session with the role's credentials, fetched at the first call and renewed before they expire."""
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
    """The role's credentials. Raises `RoleNotAssumed`, or ClientError where STS denies access (403)."""
    try:
        return assume()
    except ClientError as exc:
        if status(exc) == HTTPStatus.FORBIDDEN:
            raise
        raise RoleNotAssumed(f"AssumeRole: {code(exc)}") from exc
    except BotoCoreError as exc:
        raise RoleNotAssumed(f"AssumeRole: {type(exc).__name__}") from exc


def _use_a_new_connection(request: "AWSPreparedRequest", **_: object) -> None:
    # A kept connection may have died while the environment was frozen. That shows only after the question is
    # sent, when nobody knows whether the agent got it.
    request.headers["Connection"] = "close"
