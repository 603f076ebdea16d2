"""boto3 clients, all from one session: it loads and caches the service models once.

boto3 reads `AWS_ENDPOINT_URL_<SERVICE>` by itself, which is how the simulator stands in for AWS.
"""

import logging
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_bedrock_agent_runtime import AgentsforBedrockRuntimeClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

_session = boto3.session.Session()

# At INFO it tells, at each cold start, where each client found its credentials and its endpoint.
logging.getLogger("botocore").setLevel(logging.WARNING)

# A call that takes longer is better repeated: Slack waits three seconds for the whole receiver.
_QUICK = Config(
    connect_timeout=1,
    read_timeout=2,
    tcp_keepalive=True,
    retries={"mode": "standard", "total_max_attempts": 3},
)


def sqs() -> "SQSClient":
    return _session.client("sqs", config=_QUICK)


def dynamodb() -> "DynamoDBClient":
    return _session.client("dynamodb", config=_QUICK)


def secrets_manager() -> "SecretsManagerClient":
    return _session.client("secretsmanager", config=_QUICK)


def bedrock_agent_runtime(*, longest_silence: float) -> "AgentsforBedrockRuntimeClient":
    """A client that asks an agent once and then listens.

    botocore's default (60 s of silence, then up to two more attempts) would run a slow agent three times:
    boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html. `longest_silence` is in seconds.
    """
    config = Config(
        connect_timeout=5,
        read_timeout=longest_silence,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    client = _session.client("bedrock-agent-runtime", config=config)
    client.meta.events.register("before-send.bedrock-agent-runtime.InvokeAgent", _use_a_new_connection)
    return client


def _use_a_new_connection(request: "AWSPreparedRequest", **_: object) -> None:
    # A connection that was kept while the environment was frozen may be dead, which shows only when the
    # question has been sent; and then nobody knows whether the agent got it.
    request.headers["Connection"] = "close"
