"""The functions count what the alarms watch: each of their own metrics is made here by the shipped code."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from config.bridge_toml import Config
from functions import heartbeat
from functions.bridge.agents.failures import Failure
from functions.bridge.delivery import Delivery
from functions.bridge.queue_commands import Command, Ping, to_json
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.settings import AgentSettings, Settings
from functions.telemetry import NAMESPACE
from infra.bridge_stack import BridgeStack
from simulator.aws import BOT_TOKEN_SECRET_ID, Aws
from tests.functions.bridge.incoming.test_events import MENTION, envelope
from tests.functions.lambda_log import written
from tests.functions.test_consumer import ASK, Desk, ends_with
from tests.functions.test_receiver import Door, request

SECRET = "8f742231b10e8888abcd99aebfcd85a5"
# A metric's name, and its dimensions.
Watched = tuple[str, tuple[tuple[str, str], ...]]


class Lab:
    """A receiver and a consumer, and what they wrote."""

    def __init__(self, aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
        self._aws = aws
        self._capsys = capsys

    def ask(self, *, secret: str | None = None, signed: str = SECRET) -> list[dict[str, Any]]:
        """A request, signed with one secret, to a receiver that has another, or whose secret is gone."""
        door = Door(self._aws)
        if secret is None:
            self._aws.secrets.delete_secret(SecretId=door.secret_id, ForceDeleteWithoutRecovery=True)
        else:
            self._aws.secrets.put_secret_value(SecretId=door.secret_id, SecretString=secret)
        with written(self._capsys) as lines:
            door.knock(request(json.dumps(envelope(MENTION)), secret=signed))
        return lines

    def end(self, verdict: Verdict, **more: Any) -> list[dict[str, Any]]:
        """A turn that ends so."""
        return self._consume(to_json(ASK), ends_with(Outcome(verdict, **more)))

    def break_down(self) -> list[dict[str, Any]]:
        def work(_: Command, __: Delivery, ___: Ports) -> Outcome:
            raise ValueError

        return self._consume(to_json(ASK), work)

    def garble(self) -> list[dict[str, Any]]:
        return self._consume("{}", ends_with(Outcome(Verdict.ANSWERED)))

    def beat(self) -> list[dict[str, Any]]:
        """What the heartbeat says of a token that is none, in an account without agents."""
        self._aws.secrets.put_secret_value(SecretId=BOT_TOKEN_SECRET_ID, SecretString="#")
        with pytest.MonkeyPatch.context() as environment, tempfile.TemporaryDirectory() as folder:
            environment.setenv("BOT_TOKEN_SECRET_ID", BOT_TOKEN_SECRET_ID)
            environment.setenv("SETTINGS_FILE", str(Path(folder, "settings.json")))
            Path(folder, "settings.json").write_text("{}", "utf-8")
            with written(self._capsys) as lines:
                heartbeat.handler({}, None)
        return lines

    def beat_in_receiver(self) -> list[dict[str, Any]]:
        with written(self._capsys) as lines:
            Door(self._aws).receiver.beat()
        return lines

    def beat_in_worker(self) -> list[dict[str, Any]]:
        return self._consume(to_json(Ping("1700000000.000000")), ends_with(Outcome(Verdict.ANSWERED)))

    def _consume(self, body: str, work: Any) -> list[dict[str, Any]]:
        desk = Desk(self._aws, self._capsys)
        desk.consume(body, work)
        return desk.lines


@pytest.fixture
def lab(aws: Aws, bot_token: str, capsys: pytest.CaptureFixture[str]) -> Lab:
    assert bot_token == BOT_TOKEN_SECRET_ID
    return Lab(aws, capsys)


SERVICE = ("service", "agent-bridge")
MADE: dict[Watched, Callable[[Lab], list[dict[str, Any]]]] = {
    ("Requests", (("outcome", "failed"), SERVICE)): lambda lab: lab.ask(),
    ("Requests", (("outcome", "secret_malformed"), SERVICE)): lambda lab: lab.ask(secret="#"),
    ("Requests", (("outcome", "rejected"), SERVICE)): lambda lab: lab.ask(secret=SECRET, signed="0" * 32),
    ("Turns", (SERVICE, ("verdict", "app_refused"))): lambda lab: lab.end(Verdict.APP_REFUSED),
    ("Turns", (SERVICE, ("verdict", "not_for_us"))): lambda lab: lab.end(Verdict.NOT_FOR_US),
    ("Turns", (SERVICE, ("verdict", "unavailable"))): lambda lab: lab.end(Verdict.UNAVAILABLE),
    ("Turns", (SERVICE, ("verdict", "error"))): Lab.break_down,
    ("Turns", (SERVICE, ("verdict", "malformed"))): Lab.garble,
    ("FailedAnswers", (SERVICE,)): lambda lab: lab.end(Verdict.FAILED),
    ("Failures", (("failure", "access_denied"), SERVICE)): lambda lab: lab.end(
        Verdict.FAILED, failure=Failure.ACCESS_DENIED
    ),
    ("Failures", (("failure", "not_found"), SERVICE)): lambda lab: lab.end(
        Verdict.FAILED, failure=Failure.NOT_FOUND
    ),
    ("Heartbeat", (SERVICE, ("what", "bot_token"))): Lab.beat,
    ("Heartbeat", (SERVICE, ("what", "agents"))): Lab.beat,
    ("Heartbeat", (SERVICE, ("what", "signing_secret"))): Lab.beat_in_receiver,
    ("Heartbeat", (SERVICE, ("what", "worker"))): Lab.beat_in_worker,
    ("AuditFailures", (SERVICE,)): lambda lab: lab.end(Verdict.ANSWERED, audit_trouble="is away"),
}


def test_the_alarms_watch_no_metric_of_ours_that_is_not_made_here() -> None:
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    agent = AgentSettings("bedrock-agent", agent_id="ABCDEFGHIJ", alias_id="TSTALIASID")
    config = Config(name="agent-bridge", settings=Settings({"default": agent}))
    template = Template.from_stack(BridgeStack(app, config.name, config=config))
    watched = set()
    for alarm in template.find_resources("AWS::CloudWatch::Alarm").values():
        properties = alarm["Properties"]
        inner = [one["MetricStat"]["Metric"] for one in properties.get("Metrics", []) if "MetricStat" in one]
        for metric in inner or [properties]:
            if metric["Namespace"] == NAMESPACE:
                dimensions = ((one["Name"], one["Value"]) for one in metric["Dimensions"])
                watched.add((metric["MetricName"], tuple(sorted(dimensions))))
    assert watched == {*MADE}


@pytest.mark.parametrize("watched", MADE, ids=str)
def test_the_functions_make_what_an_alarm_watches(lab: Lab, watched: Watched) -> None:
    made = set()
    for line in MADE[watched](lab):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == NAMESPACE
            [names], [metric] = directive["Dimensions"], directive["Metrics"]
            made.add((metric["Name"], tuple(sorted((name, line[name]) for name in names))))
    assert watched in made
