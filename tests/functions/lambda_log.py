"""What Lambda's log would have of code that runs in this process."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from functions import telemetry
from simulator.lambda_service.bootstrap import JsonFormatter


@contextmanager
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[list[dict[str, Any]]]:
    """The list has the lines and the metrics that were written within, once that is over."""
    lines: list[dict[str, Any]] = []
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    telemetry.logger.addHandler(handler)
    capsys.readouterr()
    try:
        yield lines
    finally:
        telemetry.logger.removeHandler(handler)
        lines += map(json.loads, capsys.readouterr().out.splitlines())


def metrics_in(lines: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Metrics by name, each with the values of its dimensions but the service."""
    found: dict[str, list[str]] = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            [dimensions] = directive["Dimensions"]
            [metric] = directive["Metrics"]
            values = [line[name] for name in dimensions if name != telemetry.SERVICE]
            found.setdefault(metric["Name"], []).extend(values)
    return found
