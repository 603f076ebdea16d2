"""The two secrets of the Slack app. The stack makes them; the operator fills them."""

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct


class SlackSecrets(Construct):
    """`signing` holds the signing secrets, one per line and the newest first; `token` the bot token.

    Both begin with random text, which neither Slack nor the receiver accepts. No value passes through the
    template, and a later deployment leaves what the operator has put there alone.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.signing = _secret(
            self, "SigningSecret", "Signing secrets of the Slack app: one per line, newest first"
        )
        self.token = _secret(self, "BotToken", "Bot token of the Slack app")


def _secret(scope: Construct, construct_id: str, description: str) -> secretsmanager.Secret:
    secret = secretsmanager.Secret(
        scope,
        construct_id,
        # Its generated name does not say whose it is, and an account may have several bridges.
        description=f"{description}, for {cdk.Stack.of(scope).stack_name}",
        # Slack's app page shows both values again at any time; one kept here after the bridge has gone
        # would be a live credential that nobody looks after.
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    cdk.Validations.of(secret).acknowledge(
        cdk.Acknowledgment(
            id="AwsSolutions-SMG4",
            reason="Slack issues these values, and the operator puts new ones here; the functions see "
            "that without a new deployment.",
        )
    )
    return secret
