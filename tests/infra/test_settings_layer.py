"""The settings document on its way into the functions."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from config.bridge_toml import Config
from functions.bridge.replies.options import ReplyOptions, Style
from functions.settings import AgentSettings, Settings
from infra.bridge_stack import BridgeStack, Sample

RUNTIME = "arn:aws:bedrock-agentcore:eu-central-1:123456789012:runtime/sales-A1b2C3d4E5"
OTHER = Settings(
    {
        f"agent-{number}": AgentSettings(
            "agentcore-runtime",
            arn=RUNTIME,
            qualifier="prod",
            tell_user_id=True,
            role_arn="arn:aws:iam::210987654321:role/sales-caller",
            external_id="42",
            channels=("C0123456789", "dm"),
            description="ü" * 200,
        )
        for number in range(60)
    },
    routes={"C0123456789": "agent-7"},
    reply=ReplyOptions(Style.STREAM, show_rationale=True, notify_after_seconds=120),
)


class Assembly:
    """What the CDK would deploy of a bridge with these settings."""

    def __init__(
        self, folder: Path, context: dict[str, Any], settings: Settings, sample: Sample | None
    ) -> None:
        app = cdk.App(context={**context, "aws:cdk:bundling-stacks": []}, outdir=str(folder))
        stack = BridgeStack(app, "bridge", config=Config(name="bridge", settings=settings), sample=sample)
        self.folder = folder
        self.template = Template.from_stack(stack)

    @property
    def asset(self) -> str:
        """The hash of the layer's content."""
        [layer] = self.template.find_resources("AWS::Lambda::LayerVersion").values()
        key: str = layer["Properties"]["Content"]["S3Key"]
        return key.removesuffix(".zip")

    def function(self, name: str) -> dict[str, Any]:
        found = self.template.find_resources(
            "AWS::Lambda::Function", {"Properties": {"Handler": f"functions.{name}.handler"}}
        )
        [function] = found.values()
        properties: dict[str, Any] = function["Properties"]
        return properties

    def variables(self, name: str) -> dict[str, str]:
        """Those of a function as it finds them, with its layer where the CDK has put it."""
        variables: dict[str, str] = self.function(name)["Environment"]["Variables"]
        opt = self.folder / f"asset.{self.asset}"
        return {**variables, "SETTINGS_FILE": variables["SETTINGS_FILE"].replace("/opt", str(opt))}


class Synthesise:
    def __init__(self, folder: Path, context: dict[str, Any]) -> None:
        self._folder = folder
        self._context = context
        self._made = 0

    def __call__(self, settings: Settings, *, sample: Sample | None = None) -> Assembly:
        self._made += 1
        return Assembly(self._folder / str(self._made), self._context, settings, sample)


@pytest.fixture
def assembly(tmp_path: Path, cdk_context: dict[str, Any]) -> Synthesise:
    return Synthesise(tmp_path, cdk_context)


@pytest.mark.parametrize("name", ["worker", "control", "dead_letters"])
def test_a_function_reads_the_settings_that_were_deployed(assembly: Synthesise, name: str) -> None:
    deployed = assembly(OTHER)
    [layer] = deployed.template.find_resources("AWS::Lambda::LayerVersion")
    assert deployed.function(name)["Layers"] == [{"Ref": layer}]
    assert Settings.read(deployed.variables(name)) == OTHER


def test_the_receiver_has_no_settings(assembly: Synthesise) -> None:
    receiver = assembly(OTHER).function("receiver")
    assert "Layers" not in receiver
    assert "SETTINGS_FILE" not in receiver["Environment"]["Variables"]


def test_sixty_agents_leave_the_environment_as_it_is(assembly: Synthesise) -> None:
    small, large = assembly(Settings()), assembly(OTHER)
    assert len(OTHER.agents) == 60
    assert large.function("worker")["Environment"] == small.function("worker")["Environment"]


def test_another_setting_makes_another_version_of_the_layer(assembly: Synthesise) -> None:
    first, again = assembly(OTHER), assembly(OTHER)
    changed = assembly(replace(OTHER, reply=replace(OTHER.reply, notify_after_seconds=121)))
    assert again.asset == first.asset
    assert changed.asset != first.asset
    assert changed.function("worker")["Code"] == first.function("worker")["Code"]


def test_where_the_sample_is_the_worker_learns_from_the_deployment(assembly: Synthesise) -> None:
    sample = Sample(AgentSettings("agentcore-runtime", arn=RUNTIME, description="the weather"), "0" * 16)
    settings = Settings.read(assembly(OTHER, sample=sample).variables("worker"))
    assert settings.agents == {"default": sample.agent, **OTHER.agents}


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_everybody_may_read_the_settings_whatever_the_umask(assembly: Synthesise) -> None:
    with umask(0o077):
        deployed = assembly(OTHER)
    path = Path(deployed.variables("worker")["SETTINGS_FILE"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert json.loads(path.read_text("utf-8"))["routes"] == {"C0123456789": "agent-7"}
