"""What the caller's own agent needs on this machine before the worker can ask it."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError

from simulator.journal import Journal
from simulator.local_runtime import LocalRuntime
from simulator.own_agent import OwnAgent, OwnAgentError

# How the caller's programs reach AWS, besides credentials.
WAY_TO_AWS = ("AWS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy")
CONNECT_SECONDS = 3.0
GRACE_SECONDS = 2.0


class OwnAgentHost:
    """Call `start` and `stop`. Raises OwnAgentError without credentials for an agent in AWS.

    Attributes:
        worker_variables: the environment variables with which the worker finds the agent.
    """

    def __init__(self, agent: OwnAgent, *, journal: Journal) -> None:
        self._agent = agent
        self._runtime: LocalRuntime | None = None
        self._handler: _HandlerProcess | None = None
        if agent.is_in_aws:
            self.worker_variables = _variables_for_aws()
        else:
            self._runtime = LocalRuntime(agent.address, journal=journal)
            self.worker_variables = {"AWS_ENDPOINT_URL_BEDROCK_AGENTCORE": self._runtime.url}

    def start(self) -> None:
        """Raises OwnAgentError where the agent cannot be asked."""
        if self._runtime is None:
            return
        if self._agent.handler:
            self._handler = _HandlerProcess(self._agent.handler)
            self._runtime.address = self._handler.address()
        else:
            _check_answers(self._agent.address)
        self._runtime.start()

    def stop(self) -> None:
        if self._runtime:
            self._runtime.stop()
        if self._handler:
            self._handler.stop()


class _HandlerProcess:
    """A process that serves "path.py:handler" (`simulator/handler_server.py`)."""

    def __init__(self, handler: str) -> None:
        self._name = handler
        # By its path and with -P: what the function imports is looked for beside it, and not here.
        server = Path(__file__).with_name("handler_server.py")
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(server), handler],
            stdin=subprocess.PIPE,  # when it closes, because this process has ended, the other one ends
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def address(self) -> str:
        """Waits until the function is loaded. Raises OwnAgentError where it cannot be; stderr says why."""
        assert self._process.stdout is not None
        address = self._process.stdout.readline().strip()
        if not address:
            raise OwnAgentError(f"{self._name} cannot be served; the lines above say why.")
        return address

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()


def _check_answers(address: str) -> None:
    """Raises OwnAgentError where nothing listens at the address."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    assert parts.hostname
    try:
        socket.create_connection((parts.hostname, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OwnAgentError(f"Nothing answers at {address} ({reason}). Start your agent first.") from None


def _variables_for_aws() -> dict[str, str]:
    """The caller's AWS credentials of this moment, and how AWS is reached.

    Besides the agent the worker calls stand-ins on this machine only, to which any credentials do.
    """
    try:
        credentials = boto3.Session().get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
    except BotoCoreError as error:
        raise OwnAgentError(f"Your AWS credentials cannot be had: {error}") from error
    if frozen is None or not frozen.access_key or not frozen.secret_key:
        raise OwnAgentError(
            "The agent is asked with your AWS credentials, and there are none. Log in (aws login), or set "
            "AWS_PROFILE."
        )
    return {
        "AWS_ACCESS_KEY_ID": frozen.access_key,
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
        "AWS_SESSION_TOKEN": frozen.token or "",
        **{name: os.environ[name] for name in WAY_TO_AWS if name in os.environ},
    }
