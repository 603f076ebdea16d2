"""Log lines and metrics: what is declared, what is written, and that docs/telemetry.md says the same."""

import ast
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from functions import telemetry
from functions.telemetry import Line, Metric, count, declared, invocation, log
from simulator.lambda_service.bootstrap import PLAIN
from tests.functions.lambda_log import written

ROOT = Path(__file__).parents[2]
LINES: list[Line] = declared(Line)
METRICS: list[Metric] = declared(Metric)

# What Lambda writes of every record: a field of ours with such a name would be lost.
LAMBDAS = {"timestamp", "level", "logger", "requestId", "location", "errorType", "errorMessage", "stackTrace"}


def rows(heading: str) -> list[tuple[str, ...]]:
    """The cells of the table under a heading of docs/telemetry.md, without their backticks."""
    text = (ROOT / "docs" / "telemetry.md").read_text("utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|")) for line in table]


def test_the_documented_lines_are_those_that_there_are() -> None:
    documented = [(message, level, fields) for message, level, fields, _ in rows("Log lines")]
    assert documented == [
        (
            line.message,
            logging.getLevelName(line.level) + (" or WARNING" if line.may_warn else ""),
            ", ".join(line.fields),
        )
        for line in LINES
    ]


def test_the_documented_metrics_are_those_that_there_are() -> None:
    documented = [(name, dimensions, unit) for name, dimensions, unit, _ in rows("Metrics")]
    assert documented == [(metric.name, ", ".join(metric.dimensions), metric.unit) for metric in METRICS]


def test_every_line_and_metric_has_a_name_of_its_own_and_a_use() -> None:
    sources = [path for path in (ROOT / "functions").glob("*.py") if path.name != "telemetry.py"]
    used = {
        node.attr
        for path in sources
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
    }
    names = {name for name, value in vars(telemetry).items() if isinstance(value, Line | Metric)}
    assert names <= used
    messages = [line.message for line in LINES]
    assert len({*messages}) == len(messages)


def test_nothing_else_in_the_bridge_logs() -> None:
    paths = (ROOT / "functions").rglob("*.py")
    calls = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and re.fullmatch(
            r"(logging|log|logger)\.(debug|info|warning|error|exception|log)|print", ast.unparse(node.func)
        )
    }
    assert {call.partition(":")[0] for call in calls} == {"functions/telemetry.py"}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.message)
def test_no_field_has_a_name_that_logging_or_lambda_keeps_for_itself(line: Line) -> None:
    assert not {*line.fields} & {*PLAIN, *LAMBDAS, telemetry.SERVICE, telemetry.TRACE}


def test_a_field_that_is_not_declared_is_refused() -> None:
    with pytest.raises(TypeError, match="the line 'event ignored' has no field text"):
        log(telemetry.EVENT_IGNORED, text="what somebody wrote")


@pytest.mark.parametrize("dimensions", [{}, {"verdict": "x"}, {"outcome": "x", "user": "U1"}])
def test_other_dimensions_than_the_declared_ones_are_refused(dimensions: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="Requests has the dimensions"):
        count(telemetry.REQUESTS, 1, **dimensions)


def test_a_line_says_its_fields_its_service_and_its_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-67891233-abcdef012345678912345678;Parent=x;Sampled=1")
    with written(capsys) as lines:
        log(telemetry.TURN_ACCEPTED, command="ask", turn_id="T1:C1:1.0", reference="0123abcd", notice=None)
    [line] = lines
    del line["timestamp"], line["logger"]
    assert line == {
        "level": "INFO",
        "message": "turn accepted",
        "service": "agent-bridge",
        "xray_trace_id": "1-67891233-abcdef012345678912345678",
        "command": "ask",
        "turn_id": "T1:C1:1.0",
        "reference": "0123abcd",
    }


def test_only_a_line_that_may_warn_does(capsys: pytest.CaptureFixture[str]) -> None:
    with written(capsys) as lines:
        log(telemetry.TURN_HANDLED, warn=True)
        log(telemetry.EVENT_IGNORED, warn=True)
    assert [line["level"] for line in lines] == ["WARNING", "INFO"]


def emf(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_metrics_with_different_dimensions_share_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with invocation():
        count(telemetry.TURNS, verdict="failed")
        count(telemetry.FAILURES, failure="throttled")
        count(telemetry.TIME_TO_FIRST_TEXT, 1.5)
    [line] = emf(capsys)
    assert line.pop("_aws")["CloudWatchMetrics"] == [
        directive("Turns", "Count", "service", "verdict"),
        directive("Failures", "Count", "service", "failure"),
        directive("TimeToFirstText", "Seconds", "service"),
    ]
    assert line == {
        "service": "agent-bridge",
        "Turns": 1,
        "verdict": "failed",
        "Failures": 1,
        "failure": "throttled",
        "TimeToFirstText": 1.5,
    }


def directive(name: str, unit: str, *dimensions: str) -> dict[str, Any]:
    return {
        "Namespace": "SlackAgentBridge",
        "Dimensions": [[*dimensions]],
        "Metrics": [{"Name": name, "Unit": unit}],
    }


def test_what_one_line_cannot_hold_begins_another(capsys: pytest.CaptureFixture[str]) -> None:
    with invocation():
        count(telemetry.TURNS, verdict="malformed")
        count(telemetry.TURNS, verdict="answered")
        count(telemetry.COMMANDS, command="refuse_press", verdict="answered")
        count(telemetry.REQUESTS, outcome="accepted")
    first, second = emf(capsys)
    assert (first["verdict"], first["Turns"], first["outcome"]) == ("malformed", 1, "accepted")
    assert (second["verdict"], second["Turns"], second["Commands"]) == ("answered", 1, 1)


def test_metrics_are_written_once_also_when_the_invocation_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    @invocation()
    def breaks() -> None:
        count(telemetry.REQUESTS, outcome="failed")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        breaks()
    with invocation():
        pass
    [line] = emf(capsys)
    assert line["outcome"] == "failed"


def test_an_invocation_without_metrics_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with invocation():
        pass
    assert emf(capsys) == []


def test_code_that_meets_the_variables_of_an_older_version_still_counts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SERVICE_NAME")
    with invocation():
        count(telemetry.REQUESTS, outcome="accepted")
    [line] = emf(capsys)
    assert line["service"] == "unknown"
