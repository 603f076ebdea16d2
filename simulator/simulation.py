"""The whole bridge on one machine: the shipped functions, with fakes of the services."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from config.bridge_toml import Config, Worker, check
from config.manifest import every_message_events
from functions.bridge.admission.slots import Fairness
from functions.settings import AgentSettings, Settings
from simulator import wiring
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.service import AGENT_ID, ALIAS_ID, AgentService
from simulator.aws import ACCOUNT, REGION
from simulator.http import HttpServer
from simulator.journal import Journal
from simulator.lambda_service.environment import REPOSITORY, Runtime
from simulator.lambda_service.invoke_api import InvokeApi
from simulator.local_bridge import LocalBridge
from simulator.open_meteo import OpenMeteo
from simulator.own_agent import OwnAgent
from simulator.own_agent_host import OwnAgentHost
from simulator.page.page import Page
from simulator.slack import seed
from simulator.slack.service import SlackService
from simulator.tap import Tap
from simulator.tool_gateway import ToolGateway

SEND_EMAIL_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{wiring.SEND_EMAIL.name}"
TOOL_FUNCTIONS = {SEND_EMAIL_ARN: wiring.SEND_EMAIL}
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
        agent: which of `AGENTS` is the default one; or the caller's own agent, which is then the only one.
            OwnAgentError where it is in AWS and there are no credentials.
        style, show_rationale, notify_after_seconds: the bridge's settings, as in bridge.toml's `[reply]`; the
            last one may be shorter.
        access, fairness: keys of these tables of bridge.toml.
        approvers: of every agent, as in bridge.toml.
        approval_seconds: likewise; they may be shorter.
        follow_ups: `conversation.follow_ups` of bridge.toml.
        concurrency: how many processes a function may have at most.
        runtime: the Runtime API's client in the functions' processes; None takes what is installed.
        on_log: is given each log line of the functions, with the function's name.
        server: what serves Slack, the agents and AWS.
        variables: more environment variables for every function.

    Attributes:
        url: of Slack's page.
        journal: everything that happens.
        bridge: the functions.
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
        agent: str | OwnAgent = "classic",
        style: str = "auto",
        show_rationale: bool = False,
        notify_after_seconds: int = 60,
        access: Mapping[str, object] = NOTHING_ELSE,
        fairness: Mapping[str, int] = GENEROUS,
        approvers: str | list[str] = "asker",
        approval_seconds: int = AgentSettings.approval_seconds,
        follow_ups: Sequence[str] = (),
        concurrency: int = 10,
        runtime: Runtime | None = None,
        on_log: Callable[[str, str], None] | None = None,
        server: type[HttpServer] = HttpServer,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        signing_secret, bot_token = secrets.token_hex(16), f"xoxb-{secrets.token_hex(12)}"
        own = agent if isinstance(agent, OwnAgent) else None
        self.journal = Journal()
        self.tap = Tap()
        self._own_agent = OwnAgentHost(own, journal=self.journal) if own else None
        told = {"style": style, "show_rationale": show_rationale}
        config = _config(agent, told, access, fairness, approvers, follow_ups)
        self.slack = SlackService(
            journal=self.journal,
            manifest=_manifest(config),
            signing_secret=signing_secret,
            bot_token=bot_token,
            time_scale=time_scale,
            latency_seconds=slack_latency,
            port=port,
            tap=self.tap,
            server=server,
        )
        if own:
            for channel in ROUTES:  # of the agents that are not there
                del self.slack.workspace.channels[channel]
        page = Page(
            self.slack.workspace,
            self.slack.installation,
            self.journal,
            own_agent=own.text if own else "",
        )
        self.slack.app.register_blueprint(page.blueprint)
        self.url = self.slack.url
        self.open_meteo = OpenMeteo()
        self.agent = AgentService(journal=self.journal, time_scale=time_scale, tap=self.tap, server=server)
        self.invoke_api = InvokeApi(TOOL_FUNCTIONS, tap=self.tap, server=server)
        settings = config.settings
        agents = {
            name: replace(one, approval_seconds=approval_seconds) for name, one in settings.agents.items()
        }
        reply = replace(settings.reply, notify_after_seconds=notify_after_seconds)
        self.bridge = LocalBridge(
            settings=replace(settings, agents=agents, reply=reply, lease_seconds=lease_seconds),
            signing_secret=signing_secret,
            bot_token=bot_token,
            variables={**self._addresses(), **(variables or {})},
            worker_variables=(
                self._own_agent.worker_variables
                if self._own_agent
                else scripted_agents(self.agent, self.invoke_api)
            ),
            journal=self.journal,
            tap=self.tap,
            max_receive_count=max_receive_count,
            concurrency=concurrency,
            runtime=runtime,
            on_log=on_log,
            server=server,
        )
        self.aws, self.lambdas, self.gateway = self.bridge.aws, self.bridge.lambdas, self.bridge.gateway
        self.agent.tools = ToolGateway(self.lambdas)

    def start(self) -> None:
        """Returns as soon as a question can be asked; the functions may still be initialising.

        Raises `simulator.own_agent.OwnAgentError` where the caller's own agent cannot be asked.
        """
        self.open_meteo.start()
        self.invoke_api.start(self.lambdas)
        self.agent.start()
        if self._own_agent:
            self._own_agent.start()
        self.bridge.start()
        self.slack.request_url = self.bridge.events_url
        self.slack.interactivity_url = self.bridge.interactivity_url
        self.slack.start()

    def wait_warm(self) -> list[str]:
        """Waits until the functions are initialised. Names those that cannot be: their logs say why."""
        return self.bridge.wait_warm()

    def stop(self) -> None:
        """Ends everything, whatever is still under way."""
        self.bridge.stop()
        self.slack.stop()
        self.agent.stop()
        if self._own_agent:
            self._own_agent.stop()
        self.open_meteo.stop()
        self.invoke_api.stop()

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

    def _addresses(self) -> dict[str, str]:
        """The variables that direct the functions to Slack and to the weather."""
        return {
            "GEOCODING_URL": self.open_meteo.geocoding_url,
            "FORECAST_URL": self.open_meteo.forecast_url,
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_FILES_ORIGIN": self.slack.files_origin,
        }


def scripted_agents(agent: AgentService, invoke_api: InvokeApi) -> dict[str, str]:
    """The variables that direct the worker to the agents of the demo, and to what it runs for them."""
    return {
        "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": agent.url,
        "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE": agent.url,
        "AWS_ENDPOINT_URL_BEDROCK_AGENT": agent.url,
        "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL": agent.url,
        "AWS_ENDPOINT_URL_LAMBDA": invoke_api.url,
    }


def _agents_and_routes(agent: str | OwnAgent, approvers: str | list[str]) -> dict[str, object]:
    """The keys `agents` and `routes` of bridge.toml."""
    if isinstance(agent, OwnAgent):
        return {"agents": {"default": {**agent.settings, "approvers": approvers}}}
    routes = [{"channel": channel, "agent": name} for channel, name in ROUTES.items()]
    agents = {
        name: {**one, "approvers": approvers} for name, one in {"default": AGENTS[agent], **AGENTS}.items()
    }
    return {"agents": agents, "routes": routes}


def _config(
    agent: str | OwnAgent,
    reply: dict[str, object],
    access: Mapping[str, object],
    fairness: Mapping[str, int],
    approvers: str | list[str],
    follow_ups: Sequence[str],
) -> Config:
    """What the functions are told, checked as bridge.toml is. Raises `config.bridge_toml.ConfigError`."""
    settings = {
        "name": "agent-bridge",
        **_agents_and_routes(agent, approvers),
        "reply": reply,
        # The demo answers in its shared channel too.
        "access": {"shared_channels": "answer", **access},
        "fairness": fairness,
        # More than one person may have at once.
        "worker": {"max_concurrency": 1 + fairness.get("running_per_user", Fairness.running_per_user)},
        "conversation": {"follow_ups": [*follow_ups]},
    }
    return check(settings)


def _manifest(config: Config) -> dict[str, Any]:
    """The app's manifest, as the output `MakeManifest` of the deployment makes it."""
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text())
    manifest["settings"]["event_subscriptions"]["bot_events"] += every_message_events(config)
    return manifest
