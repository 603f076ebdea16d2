"""boto3 clients of the bridge's own stores, from one session: it loads and caches the service models once.

Clients for agents are in `functions.adapters.agents.client`. boto3 reads `AWS_ENDPOINT_URL_<SERVICE>` by
itself, which is how the simulator stands in for AWS.
"""

import logging
import os
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config

from functions.adapters.aws.trust import ca_file

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

botocore_session = botocore.session.get_session()
session = boto3.session.Session(botocore_session=botocore_session)

# Their warnings quote headers, addresses with their queries, and what was sent. What went wrong is in the
# exceptions.
for _name in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

# A call that takes longer is better repeated: Slack waits three seconds for the whole receiver.
QUICK = Config(
    connect_timeout=1,
    read_timeout=2,
    tcp_keepalive=True,
    retries={"mode": "standard", "total_max_attempts": 3},
)


def dynamodb() -> "DynamoDBClient":
    return session.client("dynamodb", config=QUICK, verify=ca_file(os.environ))
