"""app.py as the CDK's command line runs it: a process of its own, without credentials."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
# CDK's own switch: the templates without the code.
UNBUNDLED: dict[str, Any] = {"aws:cdk:bundling-stacks": []}


def run_app(
    app: Path, output: Path, *, cli_region: str | None = None, **context: Any
) -> subprocess.CompletedProcess[str]:
    """As the CDK's command line does; it has a region, its own or the AWS CLI's, where somebody calls it."""
    region = {"CDK_DEFAULT_REGION": cli_region} if cli_region else {}
    context = {**json.loads((ROOT / "cdk.json").read_text())["context"], **context}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return subprocess.run(
        [sys.executable, str(app)],
        cwd=output,
        env=environment
        | region
        | {
            "PYTHONPATH": str(ROOT),
            "CDK_OUTDIR": str(output),
            "CDK_CONTEXT_JSON": json.dumps(context),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `cdk synth` gets of bridge.toml as it stands in the repository."""
    output = tmp_path_factory.mktemp("cdk.out")
    done = run_app(ROOT / "app.py", output)
    assert done.returncode == 0, done.stderr
    return output


def test_app_writes_the_template_and_the_asset_without_credentials(written: Path) -> None:
    template = json.loads((written / "agent-bridge.template.json").read_text())
    assert "SlackRequestUrl" in template["Outputs"]
    (asset,) = (path.parent for path in written.glob("asset.*/functions"))
    assert code_keys(template) == {f"{asset.name.removeprefix('asset.')}.zip"}
    assert (asset / "functions" / "__init__.py").exists()
    assert (asset / "boto3").is_dir()


def test_the_sample_agents_tools_have_an_asset_of_their_own(written: Path) -> None:
    template = json.loads((written / "agent-bridge-sample.template.json").read_text())
    (asset,) = (path.parents[1] for path in written.glob("asset.*/sample/tools"))
    assert code_keys(template) == {f"{asset.name.removeprefix('asset.')}.zip"}
    assert not (asset / "functions").exists()
    assert not (asset / "boto3").exists()


def code_keys(template: dict[str, Any]) -> set[str]:
    """Under which names the template's functions have their code."""
    return {
        resource["Properties"]["Code"]["S3Key"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }


def test_app_connects_the_sample_agent(written: Path) -> None:
    sample = json.loads((written / "agent-bridge-sample.template.json").read_text())
    assert [one for one in sample["Resources"].values() if one["Type"] == "AWS::BedrockAgentCore::Harness"]
    bridge = json.loads((written / "agent-bridge.template.json").read_text())
    [worker] = [
        resource["Properties"]
        for resource in bridge["Resources"].values()
        if resource["Properties"].get("Handler") == "functions.worker.handler"
    ]
    agent = json.dumps(worker["Environment"]["Variables"]["SAMPLE_AGENT"])
    assert "agentcore-harness" in agent
    assert '\\"idle_seconds\\":300' in agent  # as the harness is made
    assert "agent-bridge-sample" in agent


@pytest.mark.parametrize("sample", ["harness", "classic"])
def test_app_makes_either_sample_as_it_is_set(tmp_path: Path, sample: str) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    (tmp_path / "bridge.toml").write_text(
        f"""
        name = "weather"
        sample = "{sample}"
        [sample_agent]
        model = "eu.amazon.nova-2-lite-v1:0"
        forecast_url = "https://weather.example.com/v1/forecast"
        """
    )
    done = run_app(tmp_path / "app.py", tmp_path, **UNBUNDLED)
    assert done.returncode == 0, done.stderr
    template = (tmp_path / "weather-sample.template.json").read_text()
    assert "eu.amazon.nova-2-lite-v1:0" in template
    assert "https://weather.example.com/v1/forecast" in template
    manifest = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    assert (
        "weather-sample" in manifest["weather"]["dependencies"]
    )  # it must be there when its ARN is looked up


def workers_description(folder: Path, settings: str) -> str:
    """Of the bridge with a sample harness and these settings."""
    folder.mkdir()
    shutil.copy(ROOT / "app.py", folder)
    (folder / "bridge.toml").write_text(f'name = "weather"\nsample = "harness"\n{settings}')
    done = run_app(folder / "app.py", folder, **UNBUNDLED)
    assert done.returncode == 0, done.stderr
    template = json.loads((folder / "weather.template.json").read_text())
    [description] = [
        resource["Properties"]["Description"]
        for resource in template["Resources"].values()
        if resource["Properties"].get("Handler") == "functions.worker.handler"
    ]
    found: str = description
    return found


def test_another_sample_gives_cloudformation_something_to_update_in_the_bridge(tmp_path: Path) -> None:
    first = workers_description(tmp_path / "first", "")
    assert workers_description(tmp_path / "slower", "[worker]\ntimeout_seconds = 600") == first
    assert workers_description(tmp_path / "remembers", "[sample_agent]\nmemory = true") != first


def test_app_reads_the_file_that_it_is_told_and_gives_stacks_what_an_organization_asks(
    tmp_path: Path,
) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    (tmp_path / "bridge.prod.toml").write_text(
        f"""
        name = "weather-prod"
        sample = "harness"
        [deployment]
        permissions_boundary = "{boundary}"
        qualifier = "acme1"
        tags = {{ team = "assistants" }}
        """
    )
    done = run_app(tmp_path / "app.py", tmp_path, config="bridge.prod.toml", **UNBUNDLED)
    assert done.returncode == 0, done.stderr
    for stack in ("weather-prod", "weather-prod-sample"):
        resources = json.loads((tmp_path / f"{stack}.template.json").read_text())["Resources"].values()
        roles = [one["Properties"] for one in resources if one["Type"] == "AWS::IAM::Role"]
        assert {role["PermissionsBoundary"] for role in roles} == {boundary}
        for role in roles:
            assert {"Key": "team", "Value": "assistants"} in role["Tags"]
        parameters = json.loads((tmp_path / f"{stack}.template.json").read_text())["Parameters"]
        assert parameters["BootstrapVersion"]["Default"] == "/cdk-bootstrap/acme1/version"


def test_app_names_the_file_that_is_not_there(tmp_path: Path) -> None:
    done = run_app(ROOT / "app.py", tmp_path, config="bridge.nowhere.toml", **UNBUNDLED)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("bridge.nowhere.toml: there is no such file")


def test_app_deploys_to_the_region_of_the_command_line(tmp_path: Path) -> None:
    done = run_app(ROOT / "app.py", tmp_path, cli_region="eu-central-1", **UNBUNDLED)
    assert done.returncode == 0, done.stderr
    artifacts = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    assert {artifacts[name]["environment"] for name in ("agent-bridge", "agent-bridge-sample")} == {
        "aws://unknown-account/eu-central-1"
    }


def test_app_refuses_a_region_of_the_command_line_that_lacks_the_sample(tmp_path: Path) -> None:
    done = run_app(ROOT / "app.py", tmp_path, cli_region="af-south-1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        'bridge.toml: region is missing, and the AWS CLI\'s is "af-south-1"; allowed: with sample '
    )


def test_app_says_what_is_wrong_with_bridge_toml_and_no_more(tmp_path: Path) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    settings = (ROOT / "bridge.toml").read_text().replace("timeout_seconds = 300", "timeout_seconds = 5")
    (tmp_path / "bridge.toml").write_text(settings)
    done = run_app(tmp_path / "app.py", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "bridge.toml: worker.timeout_seconds is 5; allowed: a whole number from 60 to 1800"
    )
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.template.json"))
