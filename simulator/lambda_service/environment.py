"""One execution environment of a function: one process, which runs one invocation at a time."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from simulator.aws import ACCOUNT, FAKE_CREDENTIALS, REGION
from simulator.lambda_service.runtime_api import Invocation, Result, RuntimeApi, failure
from simulator.wiring import Function

Runtime = Literal["awslambdaric", "python"]

REPOSITORY = Path(__file__).resolve().parents[2]

# Lambda allows ten seconds and then begins again within the invocation's time; a laptop that starts several
# interpreters at once is slower than Lambda, so here it is one long wait.
INIT_TIMEOUT = 60.0

# What a child inherits: where programs are, and what coverage needs to measure it (its "subprocess" patch).
INHERITED = ("PATH", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START", "COVERAGE_RCFILE", "COVERAGE_FILE")


def available_runtime() -> Runtime:
    """AWS's runtime client where it is installed, otherwise ours."""
    # awslambdaric's compiled half is a module of its own; without it the package imports, and does not work.
    modules = ("awslambdaric", "runtime_client")
    return "awslambdaric" if all(importlib.util.find_spec(name) for name in modules) else "python"


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


class ExecutionEnvironment:
    """Starts the process at once; it initialises while the caller does other things.

    Attributes:
        name: one that no other has. AWS's clients in the process send it as their application id.
        event: what the function is running on, None when it is idle.

    Args:
        variables: the function's own environment variables.
        runtime: which client of the Runtime API the process runs.
        on_line: is given each line that the process writes.
    """

    def __init__(
        self,
        function: Function,
        variables: Mapping[str, str],
        runtime: Runtime,
        on_line: Callable[[str], None],
    ) -> None:
        self.function = function
        self.name = uuid.uuid4().hex
        self.event: bytes | None = None
        self._on_line = on_line
        self._ended = threading.Event()
        self._api = RuntimeApi(function_arn(function.name))
        self._api.start()
        module = "awslambdaric" if runtime == "awslambdaric" else "simulator.lambda_service.bootstrap"
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, function.handler],
            cwd=REPOSITORY,
            env=_environ(function, variables, self._api.address, self.name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C in the terminal is for the simulator, which then ends its functions in good order.
            start_new_session=True,
        )
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._ended.is_set()

    @property
    def initialised(self) -> bool:
        return self._api.initialised

    def wait_initialised(self, timeout: float = INIT_TIMEOUT) -> bool:
        """Waits until the handler's module is imported; false when it is not, in time or for good."""
        return self._api.wait_initialised(timeout) and self._api.initialised

    def invoke(self, request_id: str, event: bytes, client_context: str | None = None) -> Result:
        """Runs the function once. A function that exceeds its timeout is killed, as in Lambda."""
        invocation = Invocation(request_id, event, self.function.timeout, client_context)
        self.event = event
        try:
            return self._api.invoke(invocation, INIT_TIMEOUT)
        except TimeoutError:
            self.kill()
            message = f"Task timed out after {self.function.timeout:.2f} seconds"
            return failure("Sandbox.Timedout", f"RequestId: {request_id} Error: {message}")
        finally:
            self.event = None

    def kill(self) -> None:
        """A crash: SIGKILL. Returns when the process is gone."""
        self._signal(signal.SIGKILL)
        self._ended.wait()

    def terminate(self) -> None:
        """Asks the process to end; `close` waits for it. SIGTERM lets coverage write what it measured."""
        self._signal(signal.SIGTERM)

    def close(self, patience: float = 2.0) -> None:
        """Ends the process, by force after `patience` seconds, and frees everything."""
        self.terminate()
        if not self._ended.wait(patience):
            self.kill()
        self._watcher.join()
        self._api.stop()

    def _signal(self, number: signal.Signals) -> None:
        # Popen does nothing once the process has been waited for: the pid may be another's by then.
        self._process.send_signal(number)

    def _watch(self) -> None:
        """Reads the log until the process closes it, then reports how the process ended."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._on_line(line.rstrip("\n"))
        code = self._process.wait()
        # Marked as dead before the waiting caller is told, or this environment could get the next invocation.
        self._ended.set()
        self._api.end(failure("Runtime.ExitError", f"Error: Runtime exited with error: {_describe(code)}"))


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    return "signal: killed" if code == -signal.SIGKILL else f"signal: {signal.Signals(-code).name}"


def _environ(function: Function, variables: Mapping[str, str], runtime_api: str, name: str) -> dict[str, str]:
    """The process's whole environment: what Lambda defines and the function's variables; no AWS_* of ours.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "LANG": "en_US.UTF-8",
        "PYTHONUTF8": "1",
        "TZ": ":UTC",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **FAKE_CREDENTIALS,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"[$LATEST]{name}",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(REPOSITORY),
        "_HANDLER": function.handler,
        "AWS_SDK_UA_APP_ID": name,  # unlike Lambda: tells `simulator.tap` who calls
        # Unlike Lambda: the developer's own AWS profile and proxy must not reach the function.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        **variables,
    }
