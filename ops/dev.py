"""`bridge dev`: the bridge on this machine, for a real workspace."""

import json
import os
import secrets
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.bridge_toml import Config, check
from config.manifest import dev_manifest
from ops.command import OpsError, Output, UsageError, command, settings, typed_secrets
from ops.manifest import link_of
from ops.secrets import check_token
from ops.slack import APPS

if TYPE_CHECKING:
    from simulator.local_bridge import LocalBridge
    from simulator.own_agent import OwnAgent

# Slack's own names for them: docs.slack.dev/tools/bolt-python/getting-started
VARIABLES = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")
# What the functions' processes need of this one's environment, to reach Slack.
PASSED_ON = (
    *("SLACK_API_URL", "SLACK_FILES_ORIGIN"),
    *("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "AWS_CA_BUNDLE"),
)
LAST_LOG_LINES = 5


@command("dev")
@click.option(
    "--agent", "text", default="", metavar="AGENT", help="Who answers; the demo's agent without it."
)
@click.option("--manifest", "only_manifest", is_flag=True, help="Print the second app's manifest, and end.")
@click.option("--logs", is_flag=True, help="Print the functions' log lines.")
def dev(output: Output, path: Path, *, text: str, only_manifest: bool, logs: bool) -> None:
    """Run the bridge on this machine for a real workspace, over Socket Mode.

    Slack sends the events of an app with Socket Mode nowhere else, so this needs a second app, beside that
    of a deployed bridge. --manifest prints its manifest, and the link that makes it. Install it, and give
    its two tokens when you are asked, on stdin, or as SLACK_BOT_TOKEN and SLACK_APP_TOKEN: the bot token
    (xoxb-…), and an app-level token with the scope connections:write (xapp-…, Basic Information).

    AGENT is the ARN of your agent, which is asked with your AWS credentials; http://127.0.0.1:8080, an app
    that serves POST /invocations there; or path.py:handler. The queue, the ledger and Lambda are local
    stand-ins, and forget everything when this ends. bridge.toml says the rest: who may ask, and how answers
    look.
    """
    config = settings(path)
    if only_manifest:
        made = dev_manifest(config)
        output.result(
            {"manifest": made, "link": link_of(made)}, json.dumps(made, indent=2, ensure_ascii=False)
        )
        output.say(f"\nThis opens Slack's page with the manifest filled in:\n{link_of(made)}")
        return
    bot_token, app_token = _tokens()
    check_token(bot_token, config, output)
    _run(config, output, text, bot_token=bot_token, app_token=app_token, logs=logs)


def _tokens() -> tuple[str, str]:
    given = [os.environ[name] for name in VARIABLES if os.environ.get(name)]
    if len(given) < len(VARIABLES):
        given = typed_secrets("Bot token (xoxb-…)", "App-level token (xapp-…)")
    found = [next((one for one in given if one.startswith(prefix)), "") for prefix in ("xoxb-", "xapp-")]
    if not all(found) or len(given) > len(found):
        raise UsageError(
            "Two tokens of the second app are needed: its bot token (xoxb-…, OAuth & Permissions) and an "
            f"app-level token with connections:write (xapp-…, Basic Information). The app: {APPS}; its "
            "manifest: bridge dev --manifest"
        )
    return found[0], found[1]


def _run(config: Config, output: Output, text: str, *, bot_token: str, app_token: str, logs: bool) -> None:
    # Not before: the other commands need none of this.
    from ops.socket_mode import Forwarder
    from simulator.own_agent import OwnAgentError, own_agent

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    secret = secrets.token_hex(16)
    with ExitStack() as running:
        try:
            bridge = _local_bridge(
                running,
                config,
                own_agent(text) if text else None,
                signing_secret=secret,
                bot_token=bot_token,
                on_log=(lambda name, line: output.say(f"{name}: {line}")) if logs else None,
            )
        except OwnAgentError as error:
            raise OpsError(str(error)) from error
        forwarder = Forwarder(
            app_token,
            events_url=bridge.events_url,
            interactivity_url=bridge.interactivity_url,
            signing_secret=secret,
            tell=output.say,
        )
        running.callback(forwarder.stop)
        if broken := bridge.wait_warm():
            lines = [line for name in broken for line in bridge.lambdas.logs(name)[-LAST_LOG_LINES:]]
            raise OpsError("\n".join([f"These functions cannot be started: {', '.join(broken)}", *lines]))
        forwarder.start()
        output.say(
            f"Connected. The agent: {text or 'the meteorologist of the demo'}. Mention it; Ctrl-C ends this."
        )
        ended.wait()
    output.result({"acknowledged": forwarder.acknowledged})


def _local_bridge(
    running: ExitStack,
    config: Config,
    own: "OwnAgent | None",
    *,
    signing_secret: str,
    bot_token: str,
    on_log: Callable[[str, str], None] | None,
) -> "LocalBridge":
    """The functions and whoever answers, started. `running` ends them."""
    from simulator.agent.service import AgentService
    from simulator.journal import Journal
    from simulator.lambda_service.invoke_api import InvokeApi
    from simulator.local_bridge import LocalBridge
    from simulator.own_agent_host import OwnAgentHost
    from simulator.simulation import AGENTS, TOOL_FUNCTIONS, scripted_agents
    from simulator.tap import Tap

    journal, invoke_api = Journal(), InvokeApi(TOOL_FUNCTIONS)
    agent: OwnAgentHost | AgentService
    if own:
        agent = OwnAgentHost(own, journal=journal)
        agents, worker_variables = {"default": own.settings}, agent.worker_variables
    else:
        agent = AgentService(journal=journal)
        agents, worker_variables = (
            {"default": AGENTS["classic"], **AGENTS},
            scripted_agents(agent, invoke_api),
        )
    bridge = LocalBridge(
        # Routes lead to agents that are deployed.
        settings=replace(
            config.settings,
            agents=check({"name": config.name, "agents": agents}).settings.agents,
            routes={},
        ),
        signing_secret=signing_secret,
        bot_token=bot_token,
        variables={name: os.environ[name] for name in PASSED_ON if os.environ.get(name)},
        worker_variables=worker_variables,
        journal=journal,
        tap=Tap(),
        on_log=on_log,
    )
    running.callback(invoke_api.stop)
    invoke_api.start(bridge.lambdas)
    running.callback(agent.stop)
    agent.start()
    running.callback(bridge.stop)
    bridge.start()
    return bridge
