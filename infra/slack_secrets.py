"""The two secrets of the Slack app. The stack makes them; the operator fills them."""

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct


class SlackSecrets(Construct):
    """`signing` holds the signing secrets, one per line, newest first; `token` holds the bot token.

    Both are created with random text that neither Slack nor the receiver accepts. The template has no value,
    and a later deployment does not change what the operator has stored.
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
        # The generated name does not name the bridge, and an account may have several.
        description=f"{description}, for {cdk.Stack.of(scope).stack_name}",
        # A copy that outlives the bridge would be a credential without an owner. Slack's app page shows both
        # values at any time.
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
