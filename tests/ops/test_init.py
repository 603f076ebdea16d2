import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask, Response, jsonify, request

from config.bridge_toml import read_config
from functions.settings import AgentSettings
from ops.__main__ import main
from simulator.agent import model
from simulator.aws import FAKE_CREDENTIALS
from simulator.http import HttpServer
from tests.ops.conftest import in_a_terminal, result

ACCOUNT = "arn:aws:bedrock-agentcore:eu-west-1:123456789012"
HARNESS = f"{ACCOUNT}:harness/finops-A1b2C3d4E5"
RUNTIME = f"{ACCOUNT}:runtime/Support_Desk-A1b2C3d4E5"
AT = "2026-11-28T12:00:00Z"
ROOT = Path(__file__).parents[2]


class ControlPlanes:
    """The list operations of both services, one entry a page, as their models say; nothing else."""

    def __init__(self) -> None:
        self.denied: set[str] = set()
        self.lists: dict[str, list[dict[str, Any]]] = {
            "ListHarnesses": [
                _harness("finops", "READY", HARNESS),
                _harness("broken", "CREATE_FAILED", HARNESS),
            ],
            "ListAgentRuntimes": [
                {
                    "agentRuntimeArn": RUNTIME,
                    "agentRuntimeId": "Support_Desk-A1b2C3d4E5",
                    "agentRuntimeVersion": "1",
                    "agentRuntimeName": "Support_Desk",
                    "lastUpdatedAt": AT,
                    "status": "READY",
                }
            ],
            "ListAgents": [
                {"agentId": "ABCDEFGHIJ", "agentName": "finops", "agentStatus": "PREPARED", "updatedAt": AT}
            ],
            "ListAgentAliases": [
                _alias("TSTALIASID", "AgentTestAlias", "PREPARED"),
                _alias("LIVEALIAS1", "live", "PREPARED"),
                _alias("OLDALIAS01", "old", "FAILED"),
            ],
        }
        app = Flask("control_planes")
        self._route(app, "bedrock-agentcore-control", "ListHarnesses", "GET", "/harnesses", "harnesses")
        self._route(
            app, "bedrock-agentcore-control", "ListAgentRuntimes", "POST", "/runtimes/", "agentRuntimes"
        )
        self._route(app, "bedrock-agent", "ListAgents", "POST", "/agents/", "agentSummaries")
        aliases = "/agents/<agentId>/agentaliases/"
        self._route(app, "bedrock-agent", "ListAgentAliases", "POST", aliases, "agentAliasSummaries")
        self._server = HttpServer(app)
        self.url = self._server.url
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _route(self, app: Flask, service: str, operation: str, verb: str, path: str, member: str) -> None:
        def view(**uri: str) -> Response:
            asked = model.read(
                model.operation(service, operation),
                uri=uri,
                query=request.args,
                headers=request.headers,
                body=request.get_data() or b"{}",
            )
            if operation in self.denied:
                response = jsonify(message=f"not authorized to perform {operation}")
                response.status_code = 403
                response.headers["x-amzn-ErrorType"] = "AccessDeniedException"
                return response
            position = int(asked.get("nextToken", 0))
            more = {"nextToken": str(position + 1)} if position + 1 < len(self.lists[operation]) else {}
            return jsonify({member: self.lists[operation][position : position + 1], **more})

        app.add_url_rule(path, operation, view, methods=[verb])


def _harness(name: str, status: str, arn: str) -> dict[str, str]:
    more = {"harnessId": f"{name}-A1b2C3d4E5", "createdAt": AT, "updatedAt": AT}
    return {"harnessName": name, "status": status, "arn": arn, **more}


def _alias(alias_id: str, name: str, status: str) -> dict[str, str]:
    more = {"createdAt": AT, "updatedAt": AT}
    return {"agentAliasId": alias_id, "agentAliasName": name, "agentAliasStatus": status, **more}


@pytest.fixture
def planes(monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlanes]:
    planes = ControlPlanes()
    for name, value in FAKE_CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL", planes.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENT", planes.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield planes
    planes.stop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The bridge.toml that comes with the repository."""
    file = tmp_path / "bridge.toml"
    file.write_text((ROOT / "bridge.toml").read_text())
    return file


def init(file: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["init", "--config", str(file), "--region", "eu-west-1", *options])


@pytest.mark.usefixtures("planes")
def test_it_finds_harnesses_runtimes_and_aliases_that_are_ready(file: Path) -> None:
    done = init(file, "--list", "--json")
    assert done.exit_code == 0
    assert result(done)["agents"] == [
        {
            "name": "finops",
            "description": "finops, an AgentCore harness",
            "kind": "agentcore-harness",
            "arn": HARNESS,
        },
        {
            "name": "support-desk",
            "description": "Support_Desk, on AgentCore's runtime",
            "kind": "agentcore-runtime",
            "arn": RUNTIME,
        },
        {
            "name": "finops-2",
            "description": "finops, a Bedrock agent, alias live",
            "kind": "bedrock-agent",
            "agent_id": "ABCDEFGHIJ",
            "alias_id": "LIVEALIAS1",
        },
        {
            "name": "finops-3",
            "description": "finops, a Bedrock agent, its draft",
            "kind": "bedrock-agent",
            "agent_id": "ABCDEFGHIJ",
            "alias_id": "TSTALIASID",
        },
    ]


@pytest.mark.usefixtures("planes")
def test_the_chosen_agents_are_written_and_the_comments_stay(file: Path) -> None:
    before = file.read_text()
    done = init(file, "--name", "help-desk", "--agents", "support-desk, finops-2")
    assert done.exit_code == 0, done.output
    assert "Next: make deploy" in done.stderr
    config = read_config(file)
    assert (config.name, config.region, config.sample) == ("help-desk", "eu-west-1", "none")
    assert config.settings.agents == {
        "default": AgentSettings(
            "agentcore-runtime", arn=RUNTIME, description="Support_Desk, on AgentCore's runtime"
        ),
        "finops-2": AgentSettings(
            "bedrock-agent",
            agent_id="ABCDEFGHIJ",
            alias_id="LIVEALIAS1",
            approval_seconds=600,  # as long as its session lasts
            description="finops, a Bedrock agent, alias live",
        ),
    }
    comments = re.findall("(?<=  )#.*", before)
    assert len(comments) > 20
    assert re.findall("(?<=  )#.*", file.read_text()) == comments


@pytest.mark.usefixtures("planes")
def test_in_a_terminal_it_asks(file: Path) -> None:
    arguments = ["init", "--config", str(file)]
    code, shown = in_a_terminal(
        arguments, {"Region": "eu-west-1", "stack's name": "desk", "Which answer? ": "finops"}
    )
    assert code == 0, shown
    assert "finops-2                    finops, a Bedrock agent, alias live" in shown
    config = read_config(file)
    assert (config.name, config.region) == ("desk", "eu-west-1")
    assert config.settings.agents["default"].arn == HARNESS


@pytest.mark.usefixtures("planes")
def test_the_sample_may_be_chosen(file: Path) -> None:
    assert init(file, "--agents", "sample").exit_code == 0
    written = tomllib.loads(file.read_text())
    assert (written["sample"], written["name"], written["region"]) == ("harness", "agent-bridge", "eu-west-1")


@pytest.mark.usefixtures("planes")
def test_a_file_that_is_not_there_is_begun_with_that_of_the_repository(file: Path) -> None:
    file.unlink()
    assert init(file, "--agents", "finops").exit_code == 0
    assert read_config(file).settings.agents["default"].arn == HARNESS


@pytest.mark.usefixtures("planes")
def test_agents_that_are_there_already_are_not_overwritten(file: Path) -> None:
    init(file, "--agents", "finops")
    before = file.read_text()
    done = init(file, "--agents", "support-desk")
    assert done.exit_code == 2
    assert "names agents already" in done.stderr
    assert file.read_text() == before


@pytest.mark.usefixtures("planes")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--agents", "nobody"), "there is no agent 'nobody'; allowed: finops, support-desk"),
        (("--agents", "finops,finops"), "named twice"),
        (("--agents", "finops", "--name", "no good"), "--name is 'no good'; allowed"),
        ((), "--agents is missing"),
    ],
)
def test_wrong_options_are_explained_and_nothing_is_written(
    file: Path, options: tuple[str, ...], said: str
) -> None:
    before = file.read_text()
    done = init(file, *options)
    assert done.exit_code == 2
    assert said in done.stderr
    assert file.read_text() == before
    assert [one.name for one in file.parent.iterdir()] == ["bridge.toml"]


def test_a_region_without_the_samples_service_is_explained(planes: ControlPlanes, file: Path) -> None:
    done = CliRunner().invoke(
        main, ["init", "--config", str(file), "--region", "us-west-1", "--agents", "sample"]
    )
    assert done.exit_code == 1
    assert "a region that has AgentCore's harness" in done.stderr
    assert planes.denied == set()


def test_a_kind_that_may_not_be_listed_is_named_and_the_others_offered(
    planes: ControlPlanes, file: Path
) -> None:
    planes.denied.add("ListAgents")
    done = init(file, "--list")
    assert done.exit_code == 0
    assert "Could not look for Bedrock agents: " in done.stderr
    assert "AccessDeniedException" in done.stderr
    assert "support-desk" in done.stderr
