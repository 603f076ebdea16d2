"""An AWS account on loopback, and a copy of this repository that is deployed into it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3

from simulator.http import HOST

REPOSITORY = Path(__file__).parents[2]
EMULATOR = Path(__file__).with_name("emulator.py")
PYTHON = REPOSITORY / ".venv-deploy-check/bin/python"
REGION = "us-east-1"
START_SECONDS = 60.0
ACCOUNT_CONCURRENCY = 26  # how many functions may run at once: just enough for the settings' defaults

# Of a checkout, what is not deployed; and environments, which are linked instead.
LEFT_OUT = (
    ".git",
    ".venv*",
    "node_modules",
    "cdk.out",
    "__pycache__",
    ".*_cache",
    "tests",
    "simulator",
    "bench",
    "docs",
)
LINKED = (".venv", ".venv-3.13", "node_modules")


class Cloud:
    """ministack in a process of its own. Use it as a context manager.

    Args:
        folder: an empty one, for what it writes.
        variables: more environment variables. ministack hands its own on to the deployed functions: so these
            find the simulator's Slack and agents, while the template stays as it ships.
        auth: whether signatures are checked and policies are enforced.

    Attributes:
        url: of all its services.
        environment: variables with which any AWS client finds it, and nothing else: no real account, whatever
            this machine's configuration says.
    """

    def __init__(self, folder: Path, *, variables: dict[str, str], auth: bool = False) -> None:
        port = _free_port()
        self.url = f"http://{HOST}:{port}"
        self._log = folder / "ministack.log"
        self._variables = {
            "PATH": os.environ["PATH"],
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_ACCOUNT_CONCURRENCY": str(ACCOUNT_CONCURRENCY),
            "AUTH": "true" if auth else "false",
            "TMPDIR": str(folder),
            "S3_DATA_DIR": str(folder / "s3"),
            "STATE_DIR": str(folder / "state"),
            **variables,
        }
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [PYTHON, EMULATOR], env=self._variables, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end()
                raise RuntimeError(f"ministack did not start:\n{self.log()[-2000:]}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def client(self, service: str) -> Any:
        """A boto3 client with the rights of the account's owner."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def api_url(self, address: str) -> str:
        """Where an address of an HTTP API, "https://ID.execute-api…/PATH", is reached on loopback."""
        parts = urlsplit(address)
        return f"{self.url}/_aws/execute-api/{parts.netloc.partition('.')[0]}/$default{parts.path}"

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/_ministack/health", timeout=5):
                return True
        except (URLError, OSError):
            return False

    def _end(self) -> None:
        """End it and the functions' processes, which are in its group."""
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Checkout:
    """A copy of this repository in `folder`, in which an operator edits and deploys."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = {**os.environ, **environment}
        shutil.copytree(REPOSITORY, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for name in LINKED:
            if (REPOSITORY / name).exists():
                (folder / name).symlink_to(REPOSITORY / name)

    def write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)

    def read(self, name: str) -> str:
        return (self._folder / name).read_text()

    def run(self, *command: str) -> str:
        """Run a command there; what it printed. Raises RuntimeError with that when it fails."""
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
