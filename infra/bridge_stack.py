"""The bridge: its components, how they are wired, and what each function may do."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.agents import agents_variable, allow_agents
from infra.code_asset import functions_code
from infra.config import CONFIG_FILE, DEFAULT_AGENT, Agent, Config, ConfigError
from infra.function import MOST_ENVIRONMENT, BridgeFunction
from infra.ingress import EVENTS, Ingress
from infra.ledger import Ledger
from infra.queues import Queues
from infra.slack_secrets import SlackSecrets

# Longer than all tries of its two calls: it answers 500 and counts that, rather than to be ended unheard.
RECEIVER_TIMEOUT = cdk.Duration.seconds(25)
CONTROL_TIMEOUT = cdk.Duration.seconds(60)
DEAD_LETTERS_TIMEOUT = cdk.Duration.seconds(60)
# Two: what people press is rare and quick.
CONTROL_CONCURRENCY = 2
# Two: the dead-letter queue should not compete with the living for Slack's rate limits.
DEAD_LETTERS_CONCURRENCY = 2

# For how long a worker that says nothing counts as alive. It says so every third of this.
LEASE_SECONDS = 60
REAL_ATTEMPTS = 3

LEDGER_ACTIONS = (
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
)


@dataclass(frozen=True)
class Sample:
    """The sample agent, and the `infra.fingerprint` of the stack that makes it."""

    agent: Agent
    fingerprint: str


class BridgeStack(cdk.Stack):
    """Everything that one bridge needs in one account and region. No resource has a fixed name.

    `sample` is the default agent where the configuration asks for a sample. Raises ConfigError if there are
    more agents than fit into the worker's environment.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: Config, sample: Sample | None = None
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(region=config.region),
            description="Puts an Amazon Bedrock agent into Slack",
        )
        self._config = config
        self._code = functions_code()
        self._secrets = SlackSecrets(self, "Secrets")
        self._ledger = Ledger(self, "Ledger")
        worker_timeout = cdk.Duration.seconds(config.worker.timeout_seconds)
        queues = Queues(
            self,
            "Queues",
            worker_timeout=worker_timeout,
            control_timeout=CONTROL_TIMEOUT,
            dead_letters_timeout=DEAD_LETTERS_TIMEOUT,
            question_receives=_max_receive_count(worker_timeout),
            control_receives=_max_receive_count(CONTROL_TIMEOUT),
        )
        receiver = self._receiver(queues)
        ingress = Ingress(self, "Ingress", receiver=receiver.function)
        agents = {**({DEFAULT_AGENT: sample.agent} if sample else {}), **config.agents}
        worker = self._consumer(
            "Worker",
            handler="functions.worker.handler",
            timeout=worker_timeout,
            queue=queues.questions,
            max_concurrency=config.worker.max_concurrency,
            environment={
                "AGENTS": agents_variable(self, agents, config.routes),
                "REPLY_STYLE": config.reply.style,
                "SHOW_RATIONALE": "true" if config.reply.show_rationale else "false",
            },
            # CloudFormation looks the sample's ARN up when it updates this stack, which takes a change here:
            # docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
            # intrinsic-function-reference-getstackoutput.html
            description=f"Fingerprint of the sample agent: {sample.fingerprint}" if sample else None,
        )
        _check_size(worker)
        worker.allow([self._ledger.table.table_arn], *LEDGER_ACTIONS)
        allow_agents(worker, agents)
        self._consumer(
            "Control",
            handler="functions.control.handler",
            timeout=CONTROL_TIMEOUT,
            queue=queues.control,
            max_concurrency=CONTROL_CONCURRENCY,
            environment={},
        )
        dead_letters = self._consumer(
            "DeadLetters",
            handler="functions.dead_letters.handler",
            timeout=DEAD_LETTERS_TIMEOUT,
            queue=queues.dead_letters,
            max_concurrency=DEAD_LETTERS_CONCURRENCY,
            environment={},
        )
        dead_letters.allow([self._ledger.table.table_arn], *LEDGER_ACTIONS)
        self._add_outputs(ingress, queues)

    def _add_outputs(self, ingress: Ingress, queues: Queues) -> None:
        """What the operator needs next, in README's order. Commands are whole: they run as they are."""
        manifest = f"sed 's|https://REPLACE-ME|{ingress.address}|' slack-app-manifest.json"
        cdk.CfnOutput(self, "MakeManifest", value=manifest)
        cdk.CfnOutput(self, "StoreSigningSecret", value=self._store(self._secrets.signing))
        cdk.CfnOutput(self, "StoreBotToken", value=self._store(self._secrets.token))
        cdk.CfnOutput(self, "SigningSecretName", value=self._secrets.signing.secret_name)
        cdk.CfnOutput(self, "BotTokenSecretName", value=self._secrets.token.secret_name)
        cdk.CfnOutput(self, "SlackRequestUrl", value=f"{ingress.address}{EVENTS}")
        cdk.CfnOutput(self, "QueueUrl", value=queues.questions.queue_url)
        cdk.CfnOutput(self, "ControlQueueUrl", value=queues.control.queue_url)
        cdk.CfnOutput(self, "DeadLetterQueueUrl", value=queues.dead_letters.queue_url)

    def _store(self, secret: secretsmanager.Secret) -> str:
        """The command that stores what is pasted after it; the shell's history does not keep that."""
        command = f"aws secretsmanager put-secret-value --region {self.region}"
        return f"{command} --secret-id {secret.secret_name} --secret-string file:///dev/stdin"

    def _receiver(self, queues: Queues) -> BridgeFunction:
        """The function behind the HTTP API: it reaches its queues and the signing secret, nothing else."""
        receiver = BridgeFunction(
            self,
            "Receiver",
            code=self._code,
            handler="functions.receiver.handler",
            timeout=RECEIVER_TIMEOUT,
            memory=512,  # for its share of a processor: Slack waits for 3 seconds, cold start included
            service=self._config.name,
            environment={
                "QUEUE_URL": queues.questions.queue_url,
                "CONTROL_QUEUE_URL": queues.control.queue_url,
                "SIGNING_SECRET_ID": self._secrets.signing.secret_arn,
            },
        )
        receiver.allow([queues.questions.queue_arn, queues.control.queue_arn], "sqs:SendMessage")
        receiver.allow([self._secrets.signing.secret_arn], "secretsmanager:GetSecretValue")
        return receiver

    def _consumer(
        self,
        construct_id: str,
        *,
        handler: str,
        timeout: cdk.Duration,
        queue: sqs.Queue,
        max_concurrency: int,
        environment: Mapping[str, str],
        description: str | None = None,
    ) -> BridgeFunction:
        """A function that does what the commands of `queue` ask for, with the bot token.

        `environment` is what it reads besides `functions.settings.ThreadSettings`.
        """
        consumer = BridgeFunction(
            self,
            construct_id,
            code=self._code,
            handler=handler,
            timeout=timeout,
            memory=256,
            service=self._config.name,
            environment={
                "QUEUE_URL": queue.queue_url,
                "BOT_TOKEN_SECRET_ID": self._secrets.token.secret_arn,
                "LEDGER_TABLE": self._ledger.table.table_name,
                "LEASE_SECONDS": str(LEASE_SECONDS),
                "NOTIFY_AFTER_SECONDS": str(self._config.reply.notify_after_seconds),
                **environment,
            },
            description=description,
        )
        consumer.read_from(queue, max_concurrency=max_concurrency)
        consumer.allow([self._secrets.token.secret_arn], "secretsmanager:GetSecretValue")
        return consumer


def _check_size(worker: BridgeFunction) -> None:
    """Raises ConfigError when the worker's environment is larger than Lambda takes."""
    size = worker.environment_bytes
    if size > MOST_ENVIRONMENT:
        problem = f"agents and routes make {size} bytes with the worker's other environment variables"
        remedy = "shorter descriptions, or fewer channels, routes or agents"
        raise ConfigError(CONFIG_FILE, [f"{problem}; allowed: {MOST_ENVIRONMENT}, by {remedy}"])


def _max_receive_count(timeout: cdk.Duration) -> int:
    """How many receives of a message lead to the dead-letter queue.

    `timeout` is that of the function. A redelivery that meets the lease of a function that is alive gives the
    message back for as long as the lease has to run, which is at least two thirds of it: so many receives may
    be harmless ones.
    """
    return REAL_ATTEMPTS + math.ceil(timeout.to_seconds() / (LEASE_SECONDS * 2 / 3))
