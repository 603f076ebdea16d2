"""A small Lambda: functions, their execution environments, and synchronous invocations."""

import itertools
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.journal import Journal
from simulator.lambda_service.environment import ExecutionEnvironment, Runtime, available_runtime
from simulator.lambda_service.runtime_api import MAX_PAYLOAD_BYTES, Result
from simulator.wiring import Function

LOG_LINES = 5000  # kept for each function


class TooManyRequestsError(Exception):
    """Every execution environment that the function may have is busy: Lambda's TooManyRequestsException."""


class RequestTooLargeError(Exception):
    """The event is larger than Lambda takes: its RequestEntityTooLargeException."""


@dataclass
class _Deployment:
    """A function with its variables, its environments and its log."""

    function: Function
    variables: Mapping[str, str]
    idle: list[ExecutionEnvironment] = field(default_factory=list)
    busy: list[ExecutionEnvironment] = field(default_factory=list)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))


class LambdaService:
    """Runs functions in separate processes, one invocation at a time in each.

    Args:
        journal: is told of environments and invocations, under the source "lambda".
        runtime: the client of the Runtime API that the processes run; None takes what is installed.
        concurrency: how many environments one function may have at most.
        variables: what every function finds in its environment besides its own, such as AWS_ENDPOINT_URL_SQS.
        on_log: is given each log line with the function's name.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        runtime: Runtime | None = None,
        concurrency: int = 10,
        variables: Mapping[str, str] | None = None,
        on_log: Callable[[str, str], None] | None = None,
    ) -> None:
        self._journal = journal
        self._runtime = runtime or available_runtime()
        self._concurrency = concurrency
        self._variables = dict(variables or {})
        self._on_log = on_log
        self._deployments: dict[str, _Deployment] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def add(
        self, function: Function, variables: Mapping[str, str], more: Mapping[str, str] | None = None
    ) -> None:
        """Deploys a function. `more`: what it alone finds in its environment besides.

        Raises:
            ValueError: `variables` are not exactly those that the function is wired with.
        """
        if set(variables) != function.environment:
            wrong = sorted(set(variables) ^ function.environment)
            raise ValueError(f"{function.name}: missing or unknown environment variables: {', '.join(wrong)}")
        self._deployments[function.name] = _Deployment(
            function, {**self._variables, **variables, **(more or {})}
        )

    def function(self, name: str) -> Function:
        return self._deployments[name].function

    @property
    def concurrency(self) -> int:
        return self._concurrency

    def invoke(self, name: str, event: Any, *, client_context: dict[str, Any] | None = None) -> Result:
        """Runs the function once, in an idle environment or in a new one, and waits for what comes of it.

        Raises:
            TooManyRequestsError: all environments that the function may have are busy.
            RequestTooLargeError: the event is larger than Lambda takes.
        """
        payload = json.dumps(event).encode()
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise RequestTooLargeError(
                f"Request must be smaller than {MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation"
            )
        request_id = str(uuid.uuid4())
        environment = self._acquire(name)
        facts = {
            "function": name,
            "request_id": request_id,
            "pid": environment.pid,
            "trigger_id": _trigger_id(event),
        }
        self._journal.add("lambda", "invocation started", **facts)
        began = time.monotonic()
        try:
            context = json.dumps(client_context) if client_context else None
            result = environment.invoke(request_id, payload, context)
        finally:
            self._release(name, environment)
        milliseconds = round((time.monotonic() - began) * 1000)
        error = result.error and result.error["errorType"]
        self._journal.add("lambda", "invocation ended", **facts, milliseconds=milliseconds, error=error)
        return result

    def prewarm(self, name: str, count: int) -> None:
        """Starts environments in advance; returns before they are initialised."""
        deployment = self._deployments[name]
        with self._lock:
            deployment.idle += [self._start(deployment) for _ in range(count)]

    def environments(self, name: str) -> list[ExecutionEnvironment]:
        """The function's living environments, busy ones first."""
        deployment = self._deployments[name]
        with self._lock:
            return [e for e in itertools.chain(deployment.busy, deployment.idle) if e.alive]

    def busy(self, name: str) -> int:
        """How many invocations of the function are running."""
        with self._lock:
            return len(self._deployments[name].busy)

    def kill(self, name: str) -> int:
        """Crashes (SIGKILL) each environment in which the function is running now; says how many."""
        with self._lock:
            victims = [e for e in self._deployments[name].busy if e.alive]
        for environment in victims:
            environment.kill()
        return len(victims)

    def retire(self, name: str) -> None:
        """Ends all environments of the function, as Lambda does with those that were idle for a while."""
        for environment in self.environments(name):
            environment.kill()

    def logs(self, name: str) -> list[str]:
        """The last lines that the function's processes wrote, in all environments."""
        return list(self._deployments[name].log)

    def stop(self) -> None:
        """Ends all processes. Invocations that are running end with an error."""
        with self._lock:
            self._stopped = True
            environments = [e for d in self._deployments.values() for e in (*d.idle, *d.busy)]
        for environment in environments:
            environment.terminate()  # all at once, so that they end side by side
        for environment in environments:
            environment.close()

    def _acquire(self, name: str) -> ExecutionEnvironment:
        """Reserve a living environment, preferably an initialised one."""
        deployment = self._deployments[name]
        with self._lock:
            self._discard_dead(deployment)
            if self._stopped or len(deployment.busy) >= self._concurrency:
                raise TooManyRequestsError(f"{name}: Rate Exceeded.")
            if deployment.idle:
                environment = max(deployment.idle, key=lambda e: e.initialised)
                deployment.idle.remove(environment)
            else:
                environment = self._start(deployment)
            deployment.busy.append(environment)
        return environment

    def _release(self, name: str, environment: ExecutionEnvironment) -> None:
        deployment = self._deployments[name]
        with self._lock:
            deployment.busy.remove(environment)
            deployment.idle.append(environment)
            self._discard_dead(deployment)

    def _discard_dead(self, deployment: _Deployment) -> None:
        dead = [e for e in deployment.idle if not e.alive]
        deployment.idle = [e for e in deployment.idle if e.alive]
        for environment in dead:
            environment.close()

    def _start(self, deployment: _Deployment) -> ExecutionEnvironment:
        name = deployment.function.name

        def keep(line: str) -> None:
            deployment.log.append(line)
            if self._on_log:
                self._on_log(name, line)

        environment = ExecutionEnvironment(deployment.function, deployment.variables, self._runtime, keep)
        self._journal.add("lambda", "environment started", function=name, pid=environment.pid)
        return environment


def _trigger_id(event: Any) -> str | None:
    """The id of the queue message or of the HTTP request that the event stands for."""
    match event:
        case {"Records": [{"messageId": str(message_id)}]}:
            return message_id
        case {"requestContext": {"requestId": str(request_id)}}:
            return request_id
    return None
