"""The deployed stack: its outputs, and its secrets."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from config.bridge_toml import Config
from config.deployment import EVENTS
from ops.command import OpsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class Stack:
    """One bridge. `outputs`: by name, as `infra/bridge_stack.py` has them."""

    name: str
    region: str
    outputs: Mapping[str, str]

    @property
    def request_url(self) -> str:
        """Where Slack's events go."""
        return self.outputs["SlackRequestUrl"]

    @property
    def address(self) -> str:
        """The same without its path."""
        return self.request_url.removesuffix(EVENTS)

    @property
    def signing_secret_name(self) -> str:
        return self.outputs["SigningSecretName"]

    @property
    def bot_token_name(self) -> str:
        return self.outputs["BotTokenSecretName"]


def session_of(config: Config) -> boto3.Session:
    """A session in the bridge's region. Raises OpsError where nothing says which that is."""
    # boto3 reads AWS_DEFAULT_REGION and the profile only.
    session = boto3.Session(region_name=config.region or os.environ.get("AWS_REGION"))
    if not session.region_name:
        raise OpsError('No region: name it in bridge.toml (region = "us-east-1") or set AWS_REGION.')
    return session


def stack_of(config: Config, session: boto3.Session) -> Stack:
    """Raises OpsError where the stack is not deployed."""
    region = session.region_name
    assert region
    client: Any = session.client("cloudformation")
    try:
        [found] = client.describe_stacks(StackName=config.name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no code of its own for it.
        if "does not exist" not in str(error):
            raise
        raise OpsError(
            f"There is no stack {config.name} in {region}. Deploy first: make deploy. Slack asks the address "
            "while an app is being saved."
        ) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    wanted = {"SlackRequestUrl", "SigningSecretName", "BotTokenSecretName"}
    if missing := sorted(wanted - outputs.keys()):
        raise OpsError(
            f"The stack {config.name} in {region} ({found['StackStatus']}) lacks the outputs "
            f"{', '.join(missing)}. Deploy it: make deploy."
        )
    return Stack(config.name, region, outputs)


def store(session: boto3.Session, secret_name: str, text: str) -> None:
    session.client("secretsmanager").put_secret_value(SecretId=secret_name, SecretString=text)


class AppRecord:
    """What the operator's command has to remember of the Slack app, in a secret beside those of the stack.

    `refresh_token` begins the next call of Slack's app management, and can be used once. `app_id` is the app
    that was made.
    """

    def __init__(self, stack: Stack, session: boto3.Session) -> None:
        self.name = f"{stack.name}/slack-app-configuration"
        self._client: SecretsManagerClient = session.client("secretsmanager")

    def read(self) -> dict[str, str]:
        """{} where nothing is remembered."""
        try:
            text = self._client.get_secret_value(SecretId=self.name)["SecretString"]
        except self._client.exceptions.ResourceNotFoundException:
            return {}
        record: dict[str, str] = json.loads(text)
        return record

    def write(self, record: Mapping[str, str]) -> None:
        text = json.dumps(record)
        try:
            self._client.put_secret_value(SecretId=self.name, SecretString=text)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_secret(
                Name=self.name,
                SecretString=text,
                Description="Slack's app management, for the command `bridge manifest`",
            )
