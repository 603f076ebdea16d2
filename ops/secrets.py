"""`bridge secrets`: checks the Slack app's two secrets, stores them, and waits until the bridge uses them."""

from pathlib import Path
from typing import Any

import click

from config.bridge_toml import Config
from config.manifest import scopes
from functions.bridge.slack_secrets import MalformedSecret, bot_token, signing_secrets
from ops.command import OpsError, Output, UsageError, command, settings, typed_secrets
from ops.slack import call
from ops.stack import session_of, stack_of, store
from ops.verification import verify

ROTATION = """\
To rotate the signing secret
  1. At https://api.slack.com/apps, Basic Information, press Regenerate. From now on Slack signs with the new
     secret; the bridge refuses what it signs until step 2, and Slack delivers that again after one and after
     five minutes.
  2. .venv/bin/bridge secrets, at once: first the new secret, then the old one, each on a line. Both count.
  3. When ten minutes have passed, .venv/bin/bridge secrets with the new one alone.

To rotate the bot token
  1. At https://api.slack.com/apps, OAuth & Permissions, press Reinstall (or Revoke, and install again).
  2. .venv/bin/bridge secrets, with the new token. Questions and answers wait until then, and none is lost.

Neither needs a redeploy.
"""


@command("secrets")
@click.option("--rotate", is_flag=True, help="Tell the order in which to rotate them, and do nothing.")
def secrets(output: Output, path: Path, *, rotate: bool) -> None:
    """Check and store the app's bot token and signing secret.

    Both are asked for, or come on stdin, a line each, in any order; either may be left out. Of several
    signing secrets the newest comes first. Nothing is stored before everything is checked: their form,
    whether Slack accepts the token, and whether it has all scopes of the manifest. Then the bridge is asked,
    with a signature like Slack's, until it accepts it.
    """
    if rotate:
        output.result({"order": ROTATION}, ROTATION.rstrip())
        return
    config = settings(path)
    session = session_of(config)
    stack = stack_of(config, session)
    token, signing = _sorted(typed_secrets("Bot token (xoxb-…), or nothing", "Signing secret, or nothing"))
    facts: dict[str, Any] = {}
    if token:
        facts |= check_token(token, config, output)
    if token:
        store(session, stack.bot_token_name, token)
        output.say(f"Stored the bot token in {stack.bot_token_name}.")
    if signing:
        store(session, stack.signing_secret_name, "\n".join(signing))
        output.say(f"Stored the signing secret in {stack.signing_secret_name}. Asking the bridge…")
        facts["accepted_after_seconds"] = round(verify(stack.request_url, signing[0], output), 1)
        output.say("The bridge accepts it.")
    output.result({**facts, "stored": [name for name, value in _named(token, signing) if value]})


def check_token(token: str, config: Config, output: Output) -> dict[str, Any]:
    """Whose token it is. Raises OpsError where Slack does not accept it, or scopes are missing."""
    answer, headers = call("auth.test", token)
    output.say(f"The token is that of @{answer['user']} in {answer['team']} ({answer['url']}).")
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    if missing := sorted({*scopes(config)} - granted):
        raise OpsError(
            f"Nothing was stored: the token lacks the scopes {', '.join(missing)}. Bring the app up to date "
            "(.venv/bin/bridge manifest --apply), install it again, and store its new token."
        )
    if spare := sorted(granted - {*scopes(config)}):
        output.say(f"It has scopes that nothing needs: {', '.join(spare)}.")
    return {"team": answer["team"], "url": answer["url"], "bot": answer["user"], "spare_scopes": spare}


def _sorted(typed: list[str]) -> tuple[str, list[str]]:
    """The bot token and the signing secrets among what was typed. Raises UsageError for anything else."""
    if not typed:
        raise UsageError("Nothing was given: neither a bot token nor a signing secret.")
    tokens = [one for one in typed if one.startswith("xoxb-")]
    others = [one for one in typed if one not in tokens]
    if len(tokens) > 1:
        raise UsageError("Two bot tokens were given; the bridge has one.")
    try:
        token = bot_token(tokens[0]) if tokens else ""
        signing = list(signing_secrets("\n".join(others))) if others else []
    except MalformedSecret as error:
        raise UsageError(f"Nothing was stored: {error}.") from error
    return token, signing


def _named(token: str, signing: list[str]) -> list[tuple[str, bool]]:
    return [("bot token", bool(token)), ("signing secret", bool(signing))]
