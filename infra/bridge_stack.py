"""The bridge: its components, how they are wired, and what each function may do."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.approvals import too_short_sessions
from config.bridge_toml import Config
from config.deployment import (
    CONSUMER_MEMORY,
    CONTROL_CONCURRENCY,
    CONTROL_TIMEOUT,
    DEAD_LETTERS_CONCURRENCY,
    DEAD_LETTERS_TIMEOUT,
    EVENTS,
    HEARTBEAT_TIMEOUT,
    RECEIVER_MEMORY,
    RECEIVER_TIMEOUT,
)
from config.manifest import every_message_events
from functions.bridge.agents.routing import DEFAULT_AGENT
from functions.settings import AgentSettings
from infra.agents import allow_agents, allow_looking_at_agents, allow_tools
from infra.alarms import Alarms, Sources
from infra.audit_log import AuditLog
from infra.code_asset import FUNCTIONS, code_of
from infra.dashboard import Dashboard
from infra.function import BridgeFunction
from infra.ingress import Ingress
from infra.ledger import Ledger
from infra.monitoring import SavedQueries
from infra.queues import Queues
from infra.settings_layer import SettingsLayer
from infra.slack_secrets import SlackSecrets

LEDGER_ACTIONS = (
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
)
# To leave a mark of Stop, and to see who answers in a thread.
MARK_ACTIONS = ("dynamodb:GetItem", "dynamodb:UpdateItem")


@dataclass(frozen=True)
class Sample:
    """The sample agent, and the `infra.fingerprint` of its stack."""

    agent: AgentSettings
    fingerprint: str


class BridgeStack(cdk.Stack):
    """One bridge in one account and region. No resource has a fixed name.

    `sample`: the default agent where the configuration asks for a sample.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: Config, sample: Sample | None = None
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(region=config.region),
            termination_protection=config.termination_protection,
            description="Puts an Amazon Bedrock agent into Slack",
        )
        self._config = config
        self._code = code_of(FUNCTIONS)
        self._secrets = SlackSecrets(self, "Secrets")
        self._ledger = Ledger(self, "Ledger")
        self._audit = AuditLog(self, "Audit")
        self._settings = SettingsLayer(self, "Settings", config.settings)
        queues = Queues(
            self,
            "Queues",
            worker_timeout=config.worker.timeout_seconds,
            control_timeout=CONTROL_TIMEOUT,
            dead_letters_timeout=DEAD_LETTERS_TIMEOUT,
        )
        receiver = self._receiver(queues)
        queues.allow_only([receiver.role.role_arn, *config.queues.senders])
        ingress = Ingress(self, "Ingress", receiver=receiver.function)
        sample_variable = {"SAMPLE_AGENT": _sample_variable(self, sample.agent)} if sample else {}
        worker = self._consumer(
            "Worker",
            handler="functions.worker.handler",
            timeout=config.worker.timeout_seconds,
            queue=queues.questions,
            max_concurrency=config.worker.max_concurrency,
            environment=sample_variable,
            # CloudFormation reads the sample's ARN only when it updates this stack, so a change has to be
            # visible here: docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
            # intrinsic-function-reference-getstackoutput.html
            description=f"Fingerprint of the sample agent: {sample.fingerprint}" if sample else None,
        )
        worker.allow([self._ledger.table.table_arn], *LEDGER_ACTIONS)
        agents = [*([sample.agent] if sample else []), *config.settings.agents.values()]
        allow_agents(worker, agents)
        allow_tools(worker, config.settings.agents.values())
        for warning in too_short_sessions(config.settings.agents):
            cdk.Annotations.of(self).add_warning_v2("slack-agent-bridge:approvals", warning)
        control = self._consumer(
            "Control",
            handler="functions.control.handler",
            timeout=CONTROL_TIMEOUT,
            queue=queues.control,
            max_concurrency=CONTROL_CONCURRENCY,
            environment={"QUESTIONS_QUEUE_URL": queues.questions.queue_url},
        )
        control.allow([self._ledger.table.table_arn], *MARK_ACTIONS)
        # A person's decision wakes the turn that waits for it.
        control.allow([queues.questions.queue_arn], "sqs:ChangeMessageVisibility")
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
        cdk.CfnOutput(self, "WorkerRoleArn", value=worker.role.role_arn)
        heartbeat = self._heartbeat(receiver, agents, sample_variable)
        cdk.CfnOutput(self, "HeartbeatRoleArn", value=heartbeat.role.role_arn)
        functions = {
            "Receiver": receiver,
            "Worker": worker,
            "Control": control,
            "DeadLetters": dead_letters,
            "Heartbeat": heartbeat,
        }
        sources = Sources(config.name, ingress.api, functions, queues, config.worker.max_concurrency)
        alarms = Alarms(self, "Alarms", sources, email=config.alarms.email)
        dashboard = Dashboard(self, "Dashboard", sources, alarms.alarms)
        cdk.CfnOutput(self, "DashboardName", value=dashboard.name)
        cdk.CfnOutput(self, "AlarmTopicArn", value=alarms.topic.topic_arn)
        log_groups = [function.log_group for function in functions.values()]
        queries = SavedQueries(self, "Queries", log_groups)
        cdk.CfnOutput(self, "LogGroups", value=", ".join(group.log_group_name for group in log_groups))
        cdk.CfnOutput(self, "AuditLogGroup", value=self._audit.group.log_group_name)
        cdk.CfnOutput(self, "SavedQueries", value=f"CloudWatch Logs Insights, folder {queries.folder}")

    def _add_outputs(self, ingress: Ingress, queues: Queues) -> None:
        """What the operator needs next, in README's order. The commands can be run as they are."""
        edits = [f"s|https://REPLACE-ME|{ingress.address}|"]
        if any(agent.approvers.groups for agent in self._config.settings.agents.values()):
            edits.append('s|"users:read"|"usergroups:read", &|')
        if more := every_message_events(self._config):
            events = ", ".join(json.dumps(event) for event in more)
            edits.append(f's|"message.im"|{events}, &|')
        manifest = f"sed '{'; '.join(edits)}' slack-app-manifest.json"
        cdk.CfnOutput(self, "MakeManifest", value=manifest)
        cdk.CfnOutput(self, "StoreSigningSecret", value=self._store_command(self._secrets.signing))
        cdk.CfnOutput(self, "StoreBotToken", value=self._store_command(self._secrets.token))
        cdk.CfnOutput(self, "SigningSecretName", value=self._secrets.signing.secret_name)
        cdk.CfnOutput(self, "BotTokenSecretName", value=self._secrets.token.secret_name)
        cdk.CfnOutput(self, "SlackRequestUrl", value=f"{ingress.address}{EVENTS}")
        cdk.CfnOutput(self, "QueueUrl", value=queues.questions.queue_url)
        cdk.CfnOutput(self, "ControlQueueUrl", value=queues.control.queue_url)
        cdk.CfnOutput(self, "DeadLetterQueueUrl", value=queues.dead_letters.queue_url)

    def _store_command(self, secret: secretsmanager.Secret) -> str:
        """The command that stores a secret from stdin, which keeps it out of the shell's history."""
        command = f"aws secretsmanager put-secret-value --region {self.region}"
        return f"{command} --secret-id {secret.secret_name} --secret-string file:///dev/stdin"

    def _receiver(self, queues: Queues) -> BridgeFunction:
        """The function behind the HTTP API. It may use two queues and the signing secret, nothing else."""
        receiver = BridgeFunction(
            self,
            "Receiver",
            code=self._code,
            handler="functions.receiver.handler",
            timeout=cdk.Duration.seconds(RECEIVER_TIMEOUT),
            memory=RECEIVER_MEMORY,
            environment={
                "SERVICE_NAME": self._config.name,
                "QUEUE_URL": queues.questions.queue_url,
                "CONTROL_QUEUE_URL": queues.control.queue_url,
                "SIGNING_SECRET_ID": self._secrets.signing.secret_arn,
                "FOLLOW_UPS": " ".join(self._config.settings.conversation.follow_ups),
            },
            reserved_concurrency=self._config.receiver.reserved_concurrency,
            is_traced=self._config.tracing,
        )
        receiver.allow([queues.questions.queue_arn, queues.control.queue_arn], "sqs:SendMessage")
        receiver.allow([self._secrets.signing.secret_arn], "secretsmanager:GetSecretValue")
        return receiver

    def _heartbeat(
        self, receiver: BridgeFunction, agents: Iterable[AgentSettings], environment: Mapping[str, str]
    ) -> BridgeFunction:
        """The function that looks each hour whether the bot could answer, and the schedule.

        The receiver is on it too, because it alone may read the signing secret.
        `environment`: variables besides those that `HeartbeatSettings` reads.
        """
        heartbeat = BridgeFunction(
            self,
            "Heartbeat",
            code=self._code,
            handler="functions.heartbeat.handler",
            timeout=cdk.Duration.seconds(HEARTBEAT_TIMEOUT),
            memory=CONSUMER_MEMORY,
            environment={
                "SERVICE_NAME": self._config.name,
                "BOT_TOKEN_SECRET_ID": self._secrets.token.secret_arn,
                "SETTINGS_FILE": self._settings.path,
                **environment,
            },
            layers=[self._settings.layer],
            is_traced=self._config.tracing,
        )
        heartbeat.allow([self._secrets.token.secret_arn], "secretsmanager:GetSecretValue")
        allow_looking_at_agents(heartbeat, agents)
        events.Rule(
            self,
            "Hourly",
            schedule=events.Schedule.rate(cdk.Duration.hours(1)),
            targets=[targets.LambdaFunction(one.function) for one in (heartbeat, receiver)],
        )
        return heartbeat

    def _consumer(
        self,
        construct_id: str,
        *,
        handler: str,
        timeout: int,
        queue: sqs.Queue,
        max_concurrency: int,
        environment: Mapping[str, str],
        description: str | None = None,
    ) -> BridgeFunction:
        """A function that handles the commands of `queue`, with the bot token.

        `timeout`: seconds. `environment`: variables besides those that `ConsumerSettings` reads.
        """
        consumer = BridgeFunction(
            self,
            construct_id,
            code=self._code,
            handler=handler,
            timeout=cdk.Duration.seconds(timeout),
            memory=CONSUMER_MEMORY,
            environment={
                "SERVICE_NAME": self._config.name,
                "QUEUE_URL": queue.queue_url,
                "BOT_TOKEN_SECRET_ID": self._secrets.token.secret_arn,
                "LEDGER_TABLE": self._ledger.table.table_name,
                "AUDIT_LOG_GROUP": self._audit.group.log_group_name,
                "SETTINGS_FILE": self._settings.path,
                **environment,
            },
            layers=[self._settings.layer],
            description=description,
            is_traced=self._config.tracing,
        )
        consumer.read_from(queue, max_concurrency=max_concurrency)
        consumer.allow([self._secrets.token.secret_arn], "secretsmanager:GetSecretValue")
        consumer.allow([self._audit.group.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents")
        return consumer


def _sample_variable(stack: cdk.Stack, agent: AgentSettings) -> str:
    """The variable SAMPLE_AGENT, which `functions.settings.Settings` reads."""
    defaults = vars(AgentSettings(kind=""))
    members = {name: value for name, value in vars(agent).items() if value != defaults[name]}
    return stack.to_json_string({DEFAULT_AGENT: members})
