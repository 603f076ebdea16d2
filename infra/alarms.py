"""The alarms: what is watched, from which value on it is wrong, and who is told.

Each alarm's description begins with the heading in docs/operations.md under which stands what to do.

What missing data mean is decided for each alarm: a metric that counts trouble has none while all is well, so
that silence is good there; of the heartbeat silence is the trouble itself. No expression joins metrics of
which one may have data and another none, because FILL makes no data where there are none at all.
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html

The window of an alarm slides with each evaluation, every minute. So a long period delays nothing but the end
of the alarm. docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.telemetry import (
    AUDIT_FAILURES,
    FAILED_ANSWERS,
    FAILURES,
    HEARTBEAT,
    NAMESPACE,
    REQUESTS,
    SERVICE,
    TURNS,
    Metric,
)
from infra.function import BridgeFunction
from infra.queues import Queues

FIVE_MINUTES = cdk.Duration.minutes(5)
HOUR = cdk.Duration.hours(1)
# Of a heartbeat each hour, one may come late.
HEARTBEAT_PERIOD = cdk.Duration.hours(2)

# Slack waits for three seconds, and sends the event again if nothing comes: docs.slack.dev/apis/events-api
SLOW_MILLISECONDS = 2500
# A question may wait for a person's approval for 11 hours, and for a slot for ten: hidden, and on the queue.
OLDEST_SECONDS = 12 * 3600
# A press is dealt with within seconds.
OLDEST_PRESS_SECONDS = 300
# Of the answers of half an hour, if at least so many went wrong.
FAILING_PERCENT, FEWEST_FAILING = 20, 5
# Slack sends a request that was refused three times more: two questions.
FEWEST_REFUSED = 8
BUSY_PERCENT = 80


@dataclass(frozen=True)
class Sources:
    """Where AWS's own metrics come from.

    Attributes:
        functions: by name, such as "Worker".
        max_concurrency: of the worker.
    """

    service: str
    api: apigatewayv2.IHttpApi
    functions: Mapping[str, BridgeFunction]
    queues: Queues
    max_concurrency: int


class Alarms(Construct):
    """`topic` gets what the alarms say. `email` subscribes to it; "" leaves that to the operator."""

    def __init__(self, scope: Construct, construct_id: str, sources: Sources, *, email: str) -> None:
        super().__init__(scope, construct_id)
        self._sources = sources
        self.topic = self._topic(email)
        self.alarms: list[cloudwatch.Alarm] = []
        self._watch_requests()
        self._watch_functions()
        self._watch_turns()
        self._watch_queues()
        self._watch_account()
        self._watch_heartbeat()

    def _topic(self, email: str) -> sns.Topic:
        # Not encrypted with a key: CloudWatch could not use AWS's own, and no alarm says anything secret.
        topic = sns.Topic(self, "Topic", display_name=self._sources.service, enforce_ssl=True)
        # A policy replaces the usual one, by which CloudWatch may publish.
        # docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic

    def _watch_requests(self) -> None:
        api = self._sources.api
        # Slack repeats a request after no time, a minute and five. What fails in two periods was lost, or
        # will be.
        self._add("ApiFails", "Requests fail", api.metric_server_error(), of=(2, 3))
        self._add(
            "ApiSlow",
            "Slack is answered too late",
            api.metric_latency(statistic="p99"),
            least=SLOW_MILLISECONDS,
            of=(2, 3),
        )
        failed = self.own(REQUESTS, outcome="failed")
        self._add("RequestsFail", "Requests are not taken", failed, of=(2, 3))
        malformed = self.own(REQUESTS, outcome="secret_malformed")
        self._add("SigningSecretMalformed", "A secret has the wrong form", malformed)
        # Anybody may send what is refused. When Slack's own requests are, no other ones are left.
        self._add(
            "RequestsRefused",
            "All requests are refused",
            cloudwatch.MathExpression(
                expression="IF(all == wrong, rejected, 0)",
                using_metrics={
                    "all": api.metric_count(period=HOUR, statistic="Sum"),
                    "wrong": api.metric_client_error(period=HOUR, statistic="Sum"),
                    "rejected": self.own(REQUESTS, HOUR, outcome="rejected"),
                },
                period=HOUR,
                label="refused, while none was taken",
            ),
            least=FEWEST_REFUSED,
        )

    def _watch_functions(self) -> None:
        for name, function in self._sources.functions.items():
            errors = function.function.metric_errors(period=FIVE_MINUTES)
            self._add(f"{name}Errors", "A function breaks off", errors)
        for name, of in (("Receiver", (1, 1)), ("Worker", (3, 3))):  # what the worker cannot take, SQS keeps
            throttles = self._sources.functions[name].function.metric_throttles(period=FIVE_MINUTES)
            self._add(f"{name}Throttles", "The account has no room", throttles, of=of)

    def _watch_turns(self) -> None:
        for name, verdict, symptom, of in (
            ("AppRefused", "app_refused", "Slack refuses the app", (1, 1)),
            ("NotForUs", "not_for_us", "The secrets belong to different apps", (1, 1)),
            ("TurnsBreak", "error", "The code has a defect", (1, 1)),
            ("TurnsMalformed", "malformed", "A message cannot be read", (1, 1)),
            # It is tried again, and usually succeeds.
            ("Unavailable", "unavailable", "Slack or AWS does not answer", (3, 3)),
        ):
            self._add(name, symptom, self.own(TURNS, verdict=verdict), of=of)
        for name, failure, symptom in (
            ("AgentDenied", "access_denied", "An agent is out of reach"),
            ("AgentNotFound", "not_found", "An agent is out of reach"),
        ):
            self._add(name, symptom, self.own(FAILURES, failure=failure))
        self._watch_share_of_failures()
        self._add("AuditFails", "Audit records are missing", self.own(AUDIT_FAILURES))

    def _watch_share_of_failures(self) -> None:
        period = cdk.Duration.minutes(30)
        failed = self.own(FAILED_ANSWERS, period)
        self._add(
            "ManyFail",
            "Many answers fail",
            cloudwatch.MathExpression(
                expression=f"IF(failed >= {FEWEST_FAILING}, 100 * share, 0)",
                using_metrics={"failed": failed, "share": failed.with_(statistic="Average")},
                period=period,
                label="answers that fail, in percent",
            ),
            least=FAILING_PERCENT,
        )

    def _watch_queues(self) -> None:
        questions, control = self._sources.queues.questions, self._sources.queues.control
        # Messages that wait for an approval are in flight, and those behind them in their thread are not.
        # Only where none is in flight, nobody works; else the heartbeat's message finds that.
        self._add(
            "QuestionsStuck",
            "Questions are not taken from the queue",
            cloudwatch.MathExpression(
                expression="IF(in_flight == 0, visible, 0)",
                using_metrics={
                    "visible": _waiting(questions),
                    "in_flight": questions.metric_approximate_number_of_messages_not_visible(
                        period=FIVE_MINUTES, statistic="Maximum"
                    ),
                },
                period=FIVE_MINUTES,
                label="waiting, while none is worked on",
            ),
            of=(3, 3),
        )
        self._add(
            "QuestionsPileUp",
            "Questions pile up",
            _waiting(questions),
            least=2 * self._sources.max_concurrency,
            of=(3, 3),
        )
        for name, queue, least in (
            ("OldQuestions", questions, OLDEST_SECONDS),
            ("OldPresses", control, OLDEST_PRESS_SECONDS),
        ):
            age = queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum")
            self._add(name, "A question waits for too long", age, least=least)
        # Not the depth: dead_letters takes them at once.
        received = self._sources.queues.dead_letters.metric_number_of_messages_received(period=FIVE_MINUTES)
        self._add("DeadLettersCome", "Questions become dead letters", received)

    def _watch_account(self) -> None:
        # docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Quotas-Visualize-Alarms.html
        used = cloudwatch.Metric(
            namespace="AWS/Usage",
            metric_name="ResourceCount",
            dimensions_map={
                "Service": "Lambda",
                "Type": "Resource",
                "Resource": "ConcurrentExecutions",
                "Class": "None",
            },
            statistic="Maximum",
            period=FIVE_MINUTES,
        )
        self._add(
            "AccountBusy",
            "The account has no room",
            cloudwatch.MathExpression(
                expression="100 * used / SERVICE_QUOTA(used)",
                using_metrics={"used": used},
                period=FIVE_MINUTES,
                label="of the account's executions, in percent",
            ),
            least=BUSY_PERCENT,
            of=(2, 3),
        )

    def _watch_heartbeat(self) -> None:
        for name, what, symptom in (
            ("HeartbeatOfToken", "bot_token", "The heartbeat says that Slack refuses the app"),
            ("HeartbeatOfAgents", "agents", "The heartbeat says that an agent is missing"),
            (
                "HeartbeatOfSigningSecret",
                "signing_secret",
                "The heartbeat says that the signing secret is bad",
            ),
            ("HeartbeatOfWorker", "worker", "The heartbeat does not come through the queue"),
        ):
            beats = self.own(HEARTBEAT, HEARTBEAT_PERIOD, what=what).with_(statistic="Minimum")
            self._tell(
                cloudwatch.Alarm(
                    self,
                    name,
                    alarm_description=f"{symptom}: docs/operations.md",
                    metric=beats,
                    threshold=1,
                    comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                    evaluation_periods=1,
                    # Who says nothing for two hours is dead.
                    treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
                )
            )

    def own(
        self, metric: Metric, period: cdk.Duration = FIVE_MINUTES, **dimensions: str
    ) -> cloudwatch.Metric:
        """The sum of a metric of the functions. Raises ValueError for other dimensions than it has."""
        if dimensions.keys() != {*metric.dimensions}:
            raise ValueError(f"the metric {metric.name} has the dimensions {metric.dimensions}")
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric.name,
            dimensions_map={SERVICE: self._sources.service, **dimensions},
            statistic="Sum",
            period=period,
        )

    def _add(
        self,
        name: str,
        symptom: str,
        metric: cloudwatch.IMetric,
        *,
        least: float = 1,
        of: tuple[int, int] = (1, 1),
    ) -> None:
        """An alarm for `least` or more in so many of so many periods."""
        breaching, periods = of
        self._tell(
            cloudwatch.Alarm(
                self,
                name,
                alarm_description=f"{symptom}: docs/operations.md",
                metric=metric,
                threshold=least,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                datapoints_to_alarm=breaching,
                evaluation_periods=periods,
                # No trouble was counted, or nothing was asked.
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
        )

    def _tell(self, alarm: cloudwatch.Alarm) -> None:
        """Tell the topic when the alarm begins and when it is over."""
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))
        self.alarms.append(alarm)


def _waiting(queue: sqs.IQueue) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum")
