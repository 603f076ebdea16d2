"""The whole bridge on one machine: the shipped functions, with fakes of the services."""

import json
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from config.bridge_toml import Worker, check
from config.document import FILE_NAME, document
from functions.settings import AgentSettings, Settings
from simulator import wiring
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.service import AGENT_ID, ALIAS_ID, AgentService
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
from simulator.lambda_service.environment import REPOSITORY, Runtime
from simulator.lambda_service.event_source import EventSourceMapping
from simulator.lambda_service.invoke_api import InvokeApi
from simulator.lambda_service.service import LambdaService
from simulator.open_meteo import OpenMeteo
from simulator.page.page import Page
from simulator.slack import seed
from simulator.slack.service import SlackService
from simulator.tap import Tap
from simulator.tool_gateway import ToolGateway

SEND_EMAIL_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{wiring.SEND_EMAIL.name}"
# What the bridge runs for each agent, after a person has approved it.
TOOLS = {"send_email": SEND_EMAIL_ARN}
# Each kind of agent is the same meteorologist.
AGENTS = {
    "classic": {
        "kind": "bedrock-agent",
        "agent_id": AGENT_ID,
        "alias_id": ALIAS_ID,
        "description": "an Amazon Bedrock agent",
        "tools": TOOLS,
    },
    "harness": {
        "kind": "agentcore-harness",
        "arn": HARNESS_ARN,
        "description": "on AgentCore's managed harness",
        "tools": TOOLS,
    },
    "runtime": {
        "kind": "agentcore-runtime",
        "arn": RUNTIME_ARNS[Framework.STRANDS],
        "description": "its own code on AgentCore's runtime",
        "tools": TOOLS,
    },
}
NOTHING_ELSE: Mapping[str, object] = {}
# One person at the page may play many, but not have all workers (`worker.max_concurrency`).
GENEROUS = {
    "running_per_user": Worker.max_concurrency - 1,
    "waiting_per_user": 100,
    "running_per_channel": 1000,
    "questions_per_minute": 600,
}
ROUTES = {seed.CLASSIC: "classic", seed.HARNESS: "harness", seed.RUNTIME: "runtime"}

MANIFEST = REPOSITORY / "slack-app-manifest.json"

# Functions that every question needs. The others start on demand.
PREWARMED = (wiring.RECEIVER, wiring.WORKER)


class Simulation:
    """Use it as a context manager, or call `start` and `stop`.

    Args:
        port: of Slack's page and Web API; 0 picks a free one. The other servers take free ones.
        time_scale: factor of Slack's and the agent's waits.
        lease_seconds: how long a worker owns a turn without renewing; a crash is noticed after that long.
            Whole seconds, as visibility timeouts are.
        max_receive_count: how often a question is received before it goes to the dead-letter queue; None for
            as often as in AWS.
        slack_latency: seconds added to every answer of Slack's Web API.
        agent: which of `AGENTS` is the default one.
        style, show_rationale, notify_after_seconds: the bridge's settings, as in bridge.toml's `[reply]`; the
            last one may be shorter.
        access, fairness: keys of these tables of bridge.toml.
        approvers: of every agent, as in bridge.toml.
        approval_seconds: likewise; they may be shorter.
        concurrency: how many processes a function may have at most.
        runtime: the Runtime API's client in the functions' processes; None takes what is installed.
        on_log: is given each log line of the functions, with the function's name.
        server: what serves Slack, the agents and AWS.
        variables: more environment variables for every function.

    Attributes:
        url: of Slack's page.
        journal: everything that happens.
        slack, agent, aws, lambdas, invoke_api, gateway, open_meteo: the fakes.
        tap: intercepts their calls.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        time_scale: float = 1.0,
        lease_seconds: int = Settings.lease_seconds,
        max_receive_count: int | None = wiring.QUESTIONS.max_receive_count,
        slack_latency: float = 0.0,
        agent: str = "classic",
        style: str = "auto",
        show_rationale: bool = False,
        notify_after_seconds: int = 60,
        access: Mapping[str, object] = NOTHING_ELSE,
        fairness: Mapping[str, int] = GENEROUS,
        approvers: str | list[str] = "asker",
        approval_seconds: int = AgentSettings.approval_seconds,
        concurrency: int = 10,
        runtime: Runtime | None = None,
        on_log: Callable[[str, str], None] | None = None,
        server: type[HttpServer] = HttpServer,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._max_receive_count = max_receive_count
        self._signing_secret = secrets.token_hex(16)
        self._bot_token = f"xoxb-{secrets.token_hex(12)}"
        self._mappings: list[EventSourceMapping] = []
        self._folder = tempfile.TemporaryDirectory(prefix="slack-agent-bridge-")
        self.journal = Journal()
        self.tap = Tap()
        self.slack = SlackService(
            journal=self.journal,
            manifest=json.loads(MANIFEST.read_text()),
            signing_secret=self._signing_secret,
            bot_token=self._bot_token,
            time_scale=time_scale,
            latency_seconds=slack_latency,
            port=port,
            tap=self.tap,
            server=server,
        )
        self.slack.app.register_blueprint(
            Page(self.slack.workspace, self.slack.installation, self.journal).blueprint
        )
        self.url = self.slack.url
        self.open_meteo = OpenMeteo()
        self.agent = AgentService(journal=self.journal, time_scale=time_scale, tap=self.tap, server=server)
        self.aws = Aws(tap=self.tap, server=server)
        self.invoke_api = InvokeApi({SEND_EMAIL_ARN: wiring.SEND_EMAIL}, tap=self.tap, server=server)
        self.lambdas = LambdaService(
            journal=self.journal,
            runtime=runtime,
            concurrency=concurrency,
            variables={**self._addresses(), **(variables or {})},
            on_log=on_log,
        )
        told = {"style": style, "show_rationale": show_rationale}
        settings = _settings(agent, told, access, fairness, approvers)
        agents = {
            name: replace(one, approval_seconds=approval_seconds) for name, one in settings.agents.items()
        }
        reply = replace(settings.reply, notify_after_seconds=notify_after_seconds)
        values = self._variables(replace(settings, agents=agents, reply=reply, lease_seconds=lease_seconds))
        for function in (*wiring.FUNCTIONS, *wiring.TOOLS, wiring.SEND_EMAIL):
            # The receiver writes to the queue that the worker reads; the others have their own.
            own = [queue for queue in wiring.QUEUES if queue.function is function]
            values["QUEUE_URL"] = self.aws.queue_url(own[0] if own else wiring.QUESTIONS)
            self.lambdas.add(function, {name: values[name] for name in function.environment})
        self.agent.tools = ToolGateway(self.lambdas)
        self.gateway = Gateway(
            lambdas=self.lambdas, function=wiring.RECEIVER.name, routes=wiring.ROUTES, journal=self.journal
        )

    def start(self) -> None:
        """Returns as soon as a question can be asked; the functions may still be initialising."""
        # First, so that they initialise while this process imports moto.
        for function in PREWARMED:
            self.lambdas.prewarm(function.name, 1)
        self.open_meteo.start()
        self.invoke_api.start(self.lambdas)
        self.agent.start()
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
        self.slack.request_url = f"{self.gateway.url}/slack/events"
        self.slack.interactivity_url = f"{self.gateway.url}/slack/interactivity"
        self.slack.start()

    def wait_warm(self) -> list[str]:
        """Waits until the functions are initialised. Names those that cannot be: their logs say why."""
        return [function.name for function in PREWARMED if not self._is_warm(function.name)]

    def stop(self) -> None:
        """Ends everything, whatever is still under way."""
        for mapping in self._mappings:
            mapping.disable()
        # The functions first, so that their callers get an error at once.
        self.lambdas.stop()
        self.slack.stop()
        self.gateway.stop()
        self.agent.stop()
        self.open_meteo.stop()
        self.invoke_api.stop()
        self.aws.end_polls()
        for mapping in self._mappings:
            mapping.join()
        self.aws.stop()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _is_warm(self, name: str) -> bool:
        return any(environment.wait_initialised() for environment in self.lambdas.environments(name))

    def _connect(self, queue: wiring.Queue) -> EventSourceMapping:
        return EventSourceMapping(
            lambdas=self.lambdas,
            function=queue.function.name,
            sqs=self.aws.sqs,
            queue_url=self.aws.queue_url(queue),
            max_concurrency=queue.max_concurrency,
            journal=self.journal,
        )

    def _addresses(self) -> dict[str, str]:
        """The variables that direct the functions to the fakes."""
        return {
            **self.aws.endpoints,
            "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": self.agent.url,
            "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE": self.agent.url,
            "AWS_ENDPOINT_URL_LAMBDA": self.invoke_api.url,
            "GEOCODING_URL": self.open_meteo.geocoding_url,
            "FORECAST_URL": self.open_meteo.forecast_url,
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_FILES_ORIGIN": self.slack.files_origin,
        }

    def _variables(self, settings: Settings) -> dict[str, str]:
        """The values of the variables that the template gives to functions, but QUEUE_URL."""
        file = Path(self._folder.name, FILE_NAME)
        file.write_text(document(settings), "utf-8")
        return {
            "QUESTIONS_QUEUE_URL": self.aws.queue_url(wiring.QUESTIONS),
            "CONTROL_QUEUE_URL": self.aws.queue_url(wiring.CONTROL_QUEUE),
            "SIGNING_SECRET_ID": SIGNING_SECRET_ID,
            "BOT_TOKEN_SECRET_ID": BOT_TOKEN_SECRET_ID,
            "LEDGER_TABLE": TABLE,
            "AUDIT_LOG_GROUP": AUDIT_LOG_GROUP,
            "SETTINGS_FILE": str(file),
            "SERVICE_NAME": "agent-bridge",
        }


def _settings(
    agent: str,
    reply: dict[str, object],
    access: Mapping[str, object],
    fairness: Mapping[str, int],
    approvers: str | list[str],
) -> Settings:
    """What the functions are told, checked as bridge.toml is. Raises `config.bridge_toml.ConfigError`."""
    routes = [{"channel": channel, "agent": name} for channel, name in ROUTES.items()]
    agents = {
        name: {**one, "approvers": approvers} for name, one in {"default": AGENTS[agent], **AGENTS}.items()
    }
    settings = {
        "name": "agent-bridge",
        "agents": agents,
        "routes": routes,
        "reply": reply,
        # The demo answers in its shared channel too.
        "access": {"shared_channels": "answer", **access},
        "fairness": fairness,
    }
    return check(settings).settings
