"""What the alarms watch, and whom they tell."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from config.bridge_toml import Alarms, Config
from tests.infra.conftest import ROOT, Synthesise


@pytest.fixture(scope="module")
def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The alarms by the names that they have in the code."""
    return {
        logical_id.removeprefix("Alarms")[:-8]: resource["Properties"]
        for logical_id, resource in template.find_resources("AWS::CloudWatch::Alarm").items()
    }


def watched(alarm: dict[str, Any]) -> list[tuple[str, str, dict[str, str], str]]:
    """Namespace, name, dimensions and statistic of each metric. A resource is named by its logical id."""
    metrics = [
        {**one["MetricStat"]["Metric"], "Statistic": one["MetricStat"]["Stat"]}
        for one in alarm.get("Metrics", [])
        if "MetricStat" in one
    ]
    return [
        (
            one["Namespace"],
            one["MetricName"],
            {dimension["Name"]: in_words(dimension["Value"]) for dimension in one.get("Dimensions", [])},
            one.get("Statistic") or one["ExtendedStatistic"],
        )
        for one in metrics or [alarm]
    ]


def in_words(value: Any) -> str:
    match value:
        case {"Ref": name} | {"Fn::GetAtt": [name, "QueueName"]}:
            return re.sub("[0-9A-F]{8}$", "", name)
    return str(value)


API = {"ApiId": "IngressApi"}
QUESTIONS, CONTROL, DEAD_LETTERS = (
    {"QueueName": f"Queues{name}"} for name in ("Questions", "Control", "DeadLetters")
)
CONCURRENCY = {"Service": "Lambda", "Type": "Resource", "Resource": "ConcurrentExecutions", "Class": "None"}


@pytest.mark.parametrize(
    ("name", "metrics"),
    [
        ("ApiFails", [("AWS/ApiGateway", "5xx", API, "Sum")]),
        ("ApiSlow", [("AWS/ApiGateway", "Latency", API, "p99")]),
        *(
            (f"{name}Errors", [("AWS/Lambda", "Errors", {"FunctionName": f"{name}Function"}, "Sum")])
            for name in ("Receiver", "Worker", "Control", "DeadLetters", "Heartbeat")
        ),
        *(
            (f"{name}Throttles", [("AWS/Lambda", "Throttles", {"FunctionName": f"{name}Function"}, "Sum")])
            for name in ("Receiver", "Worker")
        ),
        (
            "QuestionsStuck",
            [
                ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", QUESTIONS, "Maximum"),
                ("AWS/SQS", "ApproximateNumberOfMessagesVisible", QUESTIONS, "Maximum"),
            ],
        ),
        ("QuestionsPileUp", [("AWS/SQS", "ApproximateNumberOfMessagesVisible", QUESTIONS, "Maximum")]),
        ("OldQuestions", [("AWS/SQS", "ApproximateAgeOfOldestMessage", QUESTIONS, "Maximum")]),
        ("OldPresses", [("AWS/SQS", "ApproximateAgeOfOldestMessage", CONTROL, "Maximum")]),
        ("DeadLettersCome", [("AWS/SQS", "NumberOfMessagesReceived", DEAD_LETTERS, "Sum")]),
        ("AccountBusy", [("AWS/Usage", "ResourceCount", CONCURRENCY, "Maximum")]),
    ],
)
def test_alarms_watch_what_aws_counts(
    alarms: dict[str, dict[str, Any]],
    name: str,
    metrics: list[tuple[str, str, dict[str, str], str]],
) -> None:
    assert sorted(watched(alarms[name]), key=str) == sorted(metrics, key=str)


def test_a_heartbeat_that_is_silent_for_two_hours_is_an_alarm(alarms: dict[str, dict[str, Any]]) -> None:
    beats = {name: alarm for name, alarm in alarms.items() if name.startswith("HeartbeatOf")}
    assert {*beats} == {f"HeartbeatOf{what}" for what in ("Token", "Agents", "SigningSecret", "Worker")}
    for alarm in beats.values():
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (7200, 1)
        assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
            "Minimum",
            "LessThanThreshold",
            1,
        )
    silent = {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"}
    assert silent == {*beats}


def test_an_approval_that_waits_for_eleven_hours_is_no_alarm(alarms: dict[str, dict[str, Any]]) -> None:
    longest_approval, longest_wait_for_a_slot = 39_600, 10 * 3600
    assert alarms["OldQuestions"]["Threshold"] > max(longest_approval, longest_wait_for_a_slot)
    [stuck] = [one for one in alarms["QuestionsStuck"]["Metrics"] if "Expression" in one]
    assert stuck["Expression"] == "IF(in_flight == 0, visible, 0)"


def test_every_alarm_tells_the_one_topic_when_it_begins_and_when_it_is_over(
    template: Template, alarms: dict[str, dict[str, Any]]
) -> None:
    [topic] = template.find_resources("AWS::SNS::Topic")
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_cloudwatch_of_this_account_alone_may_publish(template: Template) -> None:
    template.has_resource_properties(
        "AWS::SNS::TopicPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Action": "sns:Publish",
                                "Effect": "Allow",
                                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                                "Condition": {
                                    "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
                                },
                            }
                        )
                    ]
                )
            }
        },
    )


def test_an_address_gets_the_alarms_where_the_settings_have_one(
    synthesise: Synthesise, config: Config, template: Template
) -> None:
    told = synthesise(replace(config, alarms=Alarms("bot@example.com")))
    template.resource_count_is("AWS::SNS::Subscription", 0)
    told.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "bot@example.com"}
    )
    alarms = "AWS::CloudWatch::Alarm"
    assert told.find_resources(alarms).keys() == template.find_resources(alarms).keys()


def test_every_alarm_is_explained_in_the_operators_manual(alarms: dict[str, dict[str, Any]]) -> None:
    manual = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for name, alarm in alarms.items():
        heading, _, file = alarm["AlarmDescription"].partition(": ")
        assert file == "docs/operations.md"
        paragraph = manual.partition(f"\n### {heading}\n")[2].partition("\n#")[0]
        assert f"`{name}`" in paragraph, (heading, name)


def test_the_readme_says_what_the_alarms_cost(alarms: dict[str, dict[str, Any]]) -> None:
    metrics = sum(
        len([one for one in alarm.get("Metrics", [{"MetricStat": {}}]) if "MetricStat" in one])
        for alarm in alarms.values()
    )
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"| {len(alarms)} alarms on {metrics} metrics | ${metrics / 10:.2f} |" in readme


def test_alarms_hold_no_text_that_depends_on_the_account(alarms: dict[str, dict[str, Any]]) -> None:
    assert "AlarmName" not in json.dumps(alarms)  # CloudFormation makes one that no other bridge has
