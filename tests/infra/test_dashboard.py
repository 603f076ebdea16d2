"""What the dashboard shows."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Template

from functions import telemetry


@pytest.fixture(scope="module")
def widgets(template: Template) -> list[dict[str, Any]]:
    [dashboard] = template.find_resources("AWS::CloudWatch::Dashboard").values()
    _, parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"]
    body = json.loads("".join(part if isinstance(part, str) else "reference" for part in parts))
    found: list[dict[str, Any]] = body["widgets"]
    return found


def test_it_shows_every_alarm(template: Template, widgets: list[dict[str, Any]]) -> None:
    [alarms] = [widget["properties"]["alarms"] for widget in widgets if widget["type"] == "alarm"]
    assert len(alarms) == len(template.find_resources("AWS::CloudWatch::Alarm"))


def test_it_shows_what_the_functions_count(widgets: list[dict[str, Any]]) -> None:
    text = json.dumps(widgets)
    shown = {
        metric.name
        for metric in telemetry.declared(telemetry.Metric)
        if f'"{metric.name}"' in text or f'MetricName=\\"{metric.name}\\"' in text.replace("\\\\", "\\")
    }
    left_out = {"AppRefusals", "FailedAnswers", "Guardrails", "AuditFailures"}  # rare, or in alarms
    assert shown == {metric.name for metric in telemetry.declared(telemetry.Metric)} - left_out


def test_searches_name_the_dimensions_that_a_metric_has(widgets: list[dict[str, Any]]) -> None:
    declared = {metric.name: metric.dimensions for metric in telemetry.declared(telemetry.Metric)}
    searches = [
        one["expression"]
        for widget in widgets
        for row in widget["properties"].get("metrics", [])
        for one in row
        if isinstance(one, dict) and one.get("expression", "").startswith("SEARCH")
    ]
    assert searches
    for search in searches:
        schema, _, rest = search.removeprefix("SEARCH('{").partition("} ")
        name = rest.split('"')[1]
        assert schema.split(",") == [telemetry.NAMESPACE, telemetry.SERVICE, *declared[name]]
        assert f'{telemetry.SERVICE}="agent-bridge"' in rest


@pytest.mark.parametrize(
    ("title", "metric"),
    [("Tokens that agents read", "InputTokens"), ("Tokens that agents write", "OutputTokens")],
)
def test_it_shows_the_tokens_of_each_agent(widgets: list[dict[str, Any]], title: str, metric: str) -> None:
    [widget] = [one for one in widgets if one["properties"].get("title") == title]
    [[search]] = widget["properties"]["metrics"]
    schema = f'{{SlackAgentBridge,service,agent}} MetricName="{metric}" service="agent-bridge"'
    assert search["expression"] == f"SEARCH('{schema}', 'Sum')"
    assert search["label"] == "${PROP('Dim.agent')}"


def test_the_cost_of_a_function_follows_its_memory(widgets: list[dict[str, Any]]) -> None:
    [cost] = [widget for widget in widgets if "US dollars" in widget["properties"].get("title", "")]
    expressions = [
        row[0].get("expression") for row in cost["properties"]["metrics"] if isinstance(row[0], dict)
    ]
    # 192 MB for a millisecond at $0.0000133334 for a GB-second, and $0.20 for a million runs.
    assert "0.000000002500 * worker_ms + 0.000000200000 * worker_runs" in expressions
