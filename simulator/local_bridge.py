"""The shipped functions on this machine, behind queues and an HTTP API as in AWS.

Slack and the agents are somebody else's: stand-ins (`simulator.simulation`), or a real workspace
(`ops.dev`). Where the functions find them is in the functions' variables.
"""

import tempfile
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from config.document import FILE_NAME, document
from functions.settings import Settings
from simulator import wiring
from simulator.aws import (
    ACCOUNT,
    AUDIT_LOG_GROUP,
    BOT_TOKEN_SECRET_ID,
    REGION,
    SIGNING_SECRET_ID,
    TABLE,
    Aws,
)
from simulator.gateway import Gateway
from simulator.http import HttpServer
from simulator.journal import Journal
from simulator.lambda_service.environment import Runtime
from simulator.lambda_service.event_source import EventSourceMapping
from simulator.lambda_service.service import LambdaService
from simulator.tap import Tap

# Functions that every question needs. The others start on demand.
PREWARMED = (wiring.RECEIVER, wiring.WORKER)


class LocalBridge:
    """Call `start` and `stop`.

    Args:
        settings: what the functions read.
        variables: more environment variables for every function, such as where Slack is.
        worker_variables: more of them for the worker, and for the heartbeat: where the agents are.
        max_receive_count: how often a question is received before it goes to the dead-letter queue; None for
            as often as in AWS.
        concurrency: how many processes a function may have at most.
        runtime: the Runtime API's client in the functions' processes; None takes what is installed.
        on_log: is given each log line of the functions, with the function's name.
        server: what serves AWS.

    Attributes:
        aws, lambdas, gateway: the stand-ins.
        events_url, interactivity_url: where Slack's signed requests go.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        signing_secret: str,
        bot_token: str,
        variables: Mapping[str, str],
        journal: Journal,
        tap: Tap,
        worker_variables: Mapping[str, str] | None = None,
        max_receive_count: int | None = None,
        concurrency: int = 10,
        runtime: Runtime | None = None,
        on_log: Callable[[str, str], None] | None = None,
        server: type[HttpServer] = HttpServer,
    ) -> None:
        self._signing_secret = signing_secret
        self._bot_token = bot_token
        self._max_receive_count = max_receive_count
        self._journal = journal
        self._mappings: list[EventSourceMapping] = []
        self._folder = tempfile.TemporaryDirectory(prefix="slack-agent-bridge-")
        self.aws = Aws(tap=tap, server=server)
        self.lambdas = LambdaService(
            journal=journal,
            runtime=runtime,
            concurrency=concurrency,
            variables={**self.aws.endpoints, **variables},
            on_log=on_log,
        )
        values = self._variables(settings)
        for function in (*wiring.FUNCTIONS, *wiring.TOOLS, wiring.SEND_EMAIL):
            # The receiver writes to the queue that the worker reads; the others have their own.
            own = [queue for queue in wiring.QUEUES if queue.function is function]
            values["QUEUE_URL"] = self.aws.queue_url(own[0] if own else wiring.QUESTIONS)
            more = (worker_variables or {}) if function in (wiring.WORKER, wiring.HEARTBEAT) else {}
            self.lambdas.add(function, {name: values[name] for name in function.environment}, more)
        self.gateway = Gateway(
            lambdas=self.lambdas, function=wiring.RECEIVER.name, routes=wiring.ROUTES, journal=journal
        )
        self.events_url, self.interactivity_url = (
            f"{self.gateway.url}{route.split()[1]}" for route in wiring.ROUTES
        )

    def start(self) -> None:
        """Returns as soon as a question can be asked; the functions may still be initialising."""
        # First, so that they initialise while this process imports moto.
        for function in PREWARMED:
            self.lambdas.prewarm(function.name, 1)
        self.aws.start()
        self.aws.create_resources(
            signing_secret=self._signing_secret,
            bot_token=self._bot_token,
            max_receive_count=self._max_receive_count,
        )
        self.gateway.start()
        self._mappings = [self._connect(queue) for queue in wiring.QUEUES]
        for mapping in self._mappings:
            mapping.start()

    def heartbeat(self) -> None:
        """What EventBridge does each hour. Raises RuntimeError where a function fails."""
        for function in wiring.HOURLY:
            result = self.lambdas.invoke(function.name, _scheduled())
            if result.error:
                raise RuntimeError(f"{function.name}: {result.error}")

    def wait_warm(self) -> list[str]:
        """Waits until the functions are initialised. Names those that cannot be: their logs say why."""
        return [function.name for function in PREWARMED if not self._is_warm(function.name)]

    def stop(self) -> None:
        """Ends everything, whatever is still under way."""
        for mapping in self._mappings:
            mapping.disable()
        # The functions first, so that their callers get an error at once.
        self.lambdas.stop()
        self.gateway.stop()
        self.aws.end_polls()
        for mapping in self._mappings:
            mapping.join()
        self.aws.stop()
        self._folder.cleanup()

    def _is_warm(self, name: str) -> bool:
        return any(environment.wait_initialised() for environment in self.lambdas.environments(name))

    def _connect(self, queue: wiring.Queue) -> EventSourceMapping:
        return EventSourceMapping(
            lambdas=self.lambdas,
            function=queue.function.name,
            sqs=self.aws.sqs,
            queue_url=self.aws.queue_url(queue),
            max_concurrency=queue.max_concurrency,
            journal=self._journal,
        )

    def _variables(self, settings: Settings) -> dict[str, str]:
        """The values of the variables that the template gives to functions, but QUEUE_URL."""
        file = Path(self._folder.name, FILE_NAME)
        file.write_text(document(settings), "utf-8")
        return {
            "QUESTIONS_QUEUE_URL": self.aws.queue_url(wiring.QUESTIONS),
            "CONTROL_QUEUE_URL": self.aws.queue_url(wiring.CONTROL_QUEUE),
            "SIGNING_SECRET_ID": SIGNING_SECRET_ID,
            "FOLLOW_UPS": " ".join(settings.conversation.follow_ups),
            "BOT_TOKEN_SECRET_ID": BOT_TOKEN_SECRET_ID,
            "LEDGER_TABLE": TABLE,
            "AUDIT_LOG_GROUP": AUDIT_LOG_GROUP,
            "SETTINGS_FILE": str(file),
            "SERVICE_NAME": "agent-bridge",
        }


def _scheduled() -> dict[str, object]:
    """docs.aws.amazon.com/eventbridge/latest/ref/events-ref-eventbridge-scheduled-events.html"""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/agent-bridge-hourly"],
        "detail": {},
    }
