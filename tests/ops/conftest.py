import contextlib
import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from click.testing import CliRunner, Result
from werkzeug.wrappers import Request, Response

from ops.__main__ import main
from simulator.aws import BOT_TOKEN_SECRET_ID, FAKE_CREDENTIALS, SIGNING_SECRET_ID
from simulator.http import HttpServer
from simulator.simulation import Simulation
from simulator.slack.app_management import AppManagement

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
NAME = "agent-bridge"
XML = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


class CloudFormation:
    """DescribeStacks of the stacks in `outputs`, by name; nothing else.

    docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    """

    def __init__(self) -> None:
        self.outputs: dict[str, dict[str, str]] = {}
        self._server = HttpServer(self._app)
        self.url = self._server.url
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _app(self, environ: dict[str, Any], start_response: Any) -> Any:
        asked = Request(environ).form
        outputs = self.outputs.get(asked["StackName"])
        if asked["Action"] != "DescribeStacks" or "/cloudformation/" not in environ["HTTP_AUTHORIZATION"]:
            response = _error("AccessDenied", "is not authorized", 403)
        elif outputs is None:
            response = _error("ValidationError", f"Stack with id {asked['StackName']} does not exist", 400)
        else:
            response = Response(_stack(asked["StackName"], outputs), content_type="text/xml")
        return response(environ, start_response)


def _stack(name: str, outputs: dict[str, str]) -> str:
    members = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{escape(value)}</OutputValue></member>"
        for key, value in outputs.items()
    )
    stack = (
        f"<StackName>{name}</StackName><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{members}</Outputs>"
    )
    result = f"<DescribeStacksResult><Stacks><member>{stack}</member></Stacks></DescribeStacksResult>"
    return f'<DescribeStacksResponse xmlns="{XML}">{result}</DescribeStacksResponse>'


def _error(code: str, message: str, status: int) -> Response:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    body = f'<ErrorResponse xmlns="{XML}">{error}</ErrorResponse>'
    return Response(body, status, content_type="text/xml")


Bridge = Callable[..., Result]


@pytest.fixture(scope="module")
def management() -> AppManagement:
    return AppManagement()


@pytest.fixture(scope="module")
def simulation(management: AppManagement) -> Iterator[Simulation]:
    """The deployed bridge: its receiver, and its secrets."""
    simulation = Simulation(time_scale=0.1)
    simulation.slack.app.register_blueprint(management.blueprint)
    with simulation:
        yield simulation


@pytest.fixture
def cloudformation(simulation: Simulation) -> Iterator[CloudFormation]:
    cloudformation = CloudFormation()
    cloudformation.outputs[NAME] = {
        "SlackRequestUrl": simulation.bridge.events_url,
        "SigningSecretName": SIGNING_SECRET_ID,
        "BotTokenSecretName": BOT_TOKEN_SECRET_ID,
    }
    yield cloudformation
    cloudformation.stop()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "bridge.toml"
    file.write_text(f'name = "{NAME}"\nregion = "{REGION}"\nsample = "harness"\n')
    return file


@pytest.fixture
def bridge(
    monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation, simulation: Simulation, config: Path
) -> Bridge:
    """Runs `bridge`, with what is typed on stdin."""
    # One that has not yet looked for a new secret looks at once, others once a minute.
    simulation.lambdas.retire("receiver")
    for name, value in FAKE_CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", cloudformation.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", simulation.aws.url)
    monkeypatch.setenv("SLACK_API_URL", simulation.slack.api_url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def run(*arguments: str, typed: str = "") -> Result:
        command, *options = arguments
        return CliRunner().invoke(main, [command, "--config", str(config), *options], input=typed)

    return run


def secret(simulation: Simulation, name: str) -> str:
    return str(simulation.aws.secrets.get_secret_value(SecretId=name)["SecretString"])


def result(done: Result) -> dict[str, Any]:
    """What --json printed."""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def in_a_terminal(arguments: list[str], typed: dict[str, str]) -> tuple[int, str]:
    """Runs `bridge` in a terminal and answers its prompts; the exit code, and what is shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ops", *arguments],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        # It becomes the controlling terminal, from which what is not to be seen is read.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    shown, rest = "", ""
    questions = dict(typed)
    with contextlib.suppress(OSError):  # the terminal is closed when the process has ended
        while piece := os.read(ours, 1000).decode(errors="replace"):
            shown += piece
            rest += piece
            for prompt in [prompt for prompt in questions if prompt in rest]:
                rest = ""
                os.write(ours, f"{questions.pop(prompt)}\n".encode())
    os.close(ours)
    return process.wait(60), shown
