"""The dashboard: what is asked, how soon it is answered, what goes wrong, what waits, what it costs."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from functions.telemetry import (
    APPROVALS,
    COMMANDS,
    FAILURES,
    HEARTBEAT,
    INPUT_TOKENS,
    NAMESPACE,
    OUTPUT_TOKENS,
    REFUSALS,
    REQUESTS,
    SERVICE,
    SLACK_RATE_LIMITS,
    TIME_TO_ANSWER,
    TIME_TO_DECISION,
    TIME_TO_FIRST_TEXT,
    TURNS,
    Metric,
)
from infra.alarms import Sources
from infra.function import BridgeFunction

FIVE_MINUTES = cdk.Duration.minutes(5)
HOUR = cdk.Duration.hours(1)
THIRD = 8  # of the 24 columns of a row

# US dollars in us-east-1, November 2026: aws.amazon.com/lambda/pricing (arm64),
# aws.amazon.com/api-gateway/pricing (HTTP APIs).
GIGABYTE_SECOND, INVOCATION, API_REQUEST = 0.0000133334, 0.20 / 1e6, 1.00 / 1e6


class Dashboard(Construct):
    """`name`: what CloudWatch calls it."""

    def __init__(
        self, scope: Construct, construct_id: str, sources: Sources, alarms: Sequence[cloudwatch.IAlarm]
    ) -> None:
        super().__init__(scope, construct_id)
        self._sources = sources
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            default_interval=cdk.Duration.days(1),
            period_override=cloudwatch.PeriodOverride.AUTO,
        )
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=[*alarms], width=24, height=6)
        )
        dashboard.add_widgets(
            self._by("Requests of Slack", REQUESTS, "outcome"),
            self._graph("Slack waits for us (ms)", *self._ack()),
            self._by("What becomes of questions", TURNS, "verdict"),
        )
        dashboard.add_widgets(
            self._graph("Time to the first text (s)", *self._percentiles(TIME_TO_FIRST_TEXT)),
            self._graph("Time to the answer (s)", *self._percentiles(TIME_TO_ANSWER)),
            self._by("Failures", FAILURES, "failure"),
        )
        dashboard.add_widgets(
            self._graph("Questions on the queue", *self._waiting()),
            self._graph("Oldest message (s)", *self._ages()),
            self._graph("Slack's rate limits (429)", self._own(SLACK_RATE_LIMITS, "Sum")),
        )
        dashboard.add_widgets(
            self._by("Presses", COMMANDS, "verdict", "command"),
            self._by("Approvals", APPROVALS, "decision"),
            self._graph("Time to a decision (s)", *self._percentiles(TIME_TO_DECISION)),
        )
        dashboard.add_widgets(
            self._by("Who is not let in", REFUSALS, "reason"),
            self._by("Heartbeat (1: well)", HEARTBEAT, "what", statistic="Minimum"),
            self._graph("Executions at once", *self._executions()),
        )
        dashboard.add_widgets(
            self._graph("Lambda and the API, US dollars an hour, about", *self._costs(), is_sum=True),
            self._by("Tokens that agents read", INPUT_TOKENS, "agent"),
            self._by("Tokens that agents write", OUTPUT_TOKENS, "agent"),
        )
        dashboard.add_widgets(cloudwatch.TextWidget(markdown=_NOTE, width=3 * THIRD, height=3))
        self.name = dashboard.dashboard_name

    def _ack(self) -> list[cloudwatch.IMetric]:
        return [
            self._sources.api.metric_latency(period=FIVE_MINUTES, statistic=statistic, label=statistic)
            for statistic in ("p50", "p99")
        ]

    def _percentiles(self, metric: Metric) -> list[cloudwatch.IMetric]:
        return [self._own(metric, statistic, label=statistic) for statistic in ("p50", "p90", "p99")]

    def _waiting(self) -> list[cloudwatch.IMetric]:
        questions, dead_letters = self._sources.queues.questions, self._sources.queues.dead_letters
        return [
            questions.metric_approximate_number_of_messages_visible(
                period=FIVE_MINUTES, statistic="Maximum", label="wait"
            ),
            questions.metric_approximate_number_of_messages_not_visible(
                period=FIVE_MINUTES, statistic="Maximum", label="in work, or hidden while they wait"
            ),
            dead_letters.metric_number_of_messages_received(period=FIVE_MINUTES, label="dead letters"),
        ]

    def _ages(self) -> list[cloudwatch.IMetric]:
        queues = {"questions": self._sources.queues.questions, "presses": self._sources.queues.control}
        return [
            queue.metric_approximate_age_of_oldest_message(
                period=FIVE_MINUTES, statistic="Maximum", label=label
            )
            for label, queue in queues.items()
        ]

    def _executions(self) -> list[cloudwatch.IMetric]:
        return [
            one.function.metric("ConcurrentExecutions", period=FIVE_MINUTES, statistic="Maximum", label=name)
            for name, one in self._sources.functions.items()
        ]

    def _costs(self) -> list[cloudwatch.IMetric]:
        """What each function costs by how long and how often it ran, and the HTTP API by its requests."""
        requests = self._sources.api.metric_count(period=HOUR, statistic="Sum")
        return [
            _dollars("API", f"{API_REQUEST:.12f} * requests", requests=requests),
            *(self._costs_of(name, one) for name, one in self._sources.functions.items()),
        ]

    def _costs_of(self, name: str, one: BridgeFunction) -> cloudwatch.IMetric:
        millisecond = GIGABYTE_SECOND * one.memory / 1024 / 1000
        ran, runs = f"{name.lower()}_ms", f"{name.lower()}_runs"
        metrics = {
            ran: one.function.metric_duration(period=HOUR, statistic="Sum"),
            runs: one.function.metric_invocations(period=HOUR, statistic="Sum"),
        }
        return _dollars(name, f"{millisecond:.12f} * {ran} + {INVOCATION:.12f} * {runs}", **metrics)

    def _own(self, metric: Metric, statistic: str, label: str = "") -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric.name,
            dimensions_map={SERVICE: self._sources.service},
            statistic=statistic,
            period=FIVE_MINUTES,
            label=label or None,
        )

    def _by(
        self, title: str, metric: Metric, shown: str, *others: str, statistic: str = "Sum"
    ) -> cloudwatch.GraphWidget:
        """A line for each value of the dimension `shown`. `others`: further dimensions of the metric."""
        assert {shown, *others} == {*metric.dimensions}
        schema = ",".join([NAMESPACE, SERVICE, *metric.dimensions])
        asked = f'{{{schema}}} MetricName="{metric.name}" {SERVICE}="{self._sources.service}"'
        search = cloudwatch.MathExpression(
            expression=f"SEARCH('{asked}', '{statistic}')",
            using_metrics={},
            period=FIVE_MINUTES,
            label=f"${{PROP('Dim.{shown}')}}",
        )
        return self._graph(title, search)

    def _graph(
        self, title: str, *metrics: cloudwatch.IMetric, is_sum: bool = False
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            left=[*metrics],
            stacked=is_sum,
            left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
            width=THIRD,
            height=6,
        )


def _dollars(label: str, expression: str, **metrics: cloudwatch.IMetric) -> cloudwatch.IMetric:
    return cloudwatch.MathExpression(expression=expression, using_metrics=metrics, period=HOUR, label=label)


_NOTE = """\
The cost leaves out what is small or not ours: SQS, DynamoDB, logs, and the agents with their models, which
cost most: their tokens, as far as agents report them, stand beside it. **AWS Cost Explorer** knows it all.

What to do about an alarm, and where to look when *the bot is silent*: `docs/operations.md`.
"""
