"""Lambda that a schedule runs each hour: would the bot answer, if somebody asked it now?

It asks Slack who the app is, and AWS for each agent, by calls that change nothing. The receiver looks at the
signing secret in the same hour: no other function may read it.
"""

import os
import pkgutil
import time
from collections.abc import Iterable, Mapping
from importlib import import_module

import functions.consumer  # noqa: F401 - see below
from functions import adapters, bridge, telemetry
from functions.adapters.agents.presence import finding_about
from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.clock import SystemClock
from functions.adapters.slack.chat import SlackChat
from functions.bridge.finding import Finding
from functions.bridge.replies.chat import ChatAppRefused, ChatError
from functions.bridge.slack_secrets import bot_token
from functions.bridge.waits import Retry
from functions.environment import HeartbeatSettings
from functions.settings import Settings

# What the other functions consist of: a version of which a part cannot be imported is found on a quiet day.
# The functions themselves begin to work when they are imported.
for _package in (adapters, bridge):
    for _module in pkgutil.walk_packages(_package.__path__, f"{_package.__name__}."):
        import_module(_module.name)

SLACK_TRIES = 3
# How long Slack is asked again, in seconds.
SLACK_PATIENCE = 20.0


def handler(event: Mapping[str, object], context: object) -> None:  # noqa: ARG001 - Lambda's signature
    """Everything is made anew: an hour later nothing that was known counts."""
    with telemetry.invocation():
        _tell("bot_token", [("", _slack(HeartbeatSettings.read(os.environ)))])
        agents = Settings.read(os.environ).agents.items()
        _tell("agents", [(name, finding_about(agent)) for name, agent in agents])


def _slack(settings: HeartbeatSettings) -> Finding | None:
    """docs.slack.dev/reference/methods/auth.test"""
    clock = SystemClock()
    secrets = JsonClient("secretsmanager")
    token = CachedSecret(secrets, settings.bot_token_secret_id, clock, check=bot_token)
    chat = SlackChat(token, api_url=settings.slack_api_url)
    retry = Retry(clock, time.sleep, 0.5, until=clock.now() + SLACK_PATIENCE, most_tries=SLACK_TRIES)
    try:
        retry.run(chat.identity)
    except ChatAppRefused as exc:
        return Finding(exc.code, exc.remedy)
    except ChatError as exc:
        return Finding("unreachable", str(exc))
    return None


def _tell(what: str, found: Iterable[tuple[str, Finding | None]]) -> None:
    """Log and count what was found, by the agent's name or ""."""
    findings = [(agent, finding) for agent, finding in found if finding]
    for agent, finding in findings:
        telemetry.log(
            telemetry.HEARTBEAT_FOUND,
            what=what,
            agent=agent or None,
            why=finding.why,
            detail=finding.detail,
        )
    is_well = not any(finding.is_trouble for _, finding in findings)
    telemetry.count(telemetry.HEARTBEAT, float(is_well), what=what)
