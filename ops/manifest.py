"""`bridge manifest`: the Slack app's manifest, and the app made or brought up to date with it."""

import json
import re
import sys
import webbrowser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from botocore.exceptions import ClientError

from config.bridge_toml import Config
from config.manifest import manifest as manifest_of
from config.manifest import manifest_without_address
from ops.command import OpsError, Output, UsageError, command, settings, typed_secrets
from ops.slack import APPS, SlackRefused, call
from ops.stack import AppRecord, Stack, session_of, stack_of, store
from ops.verification import verify

# docs.slack.dev/authentication/tokens: a configuration token lives for 12 hours; the refresh token beside it
# gives a new pair, once.
_ACCESS_TOKEN = re.compile(r"xoxe\.xoxp-[\w.-]+")
_REFRESH_TOKEN = re.compile(r"xoxe-[\w.-]+")
_ADDRESS = re.compile(r"https://[\w.-]+(:\d+)?")


@command("manifest")
@click.option("--apply", "apply_it", is_flag=True, help="Create the app, or bring it up to date.")
@click.option("--app-id", default="", metavar="A…", help="With --apply: an app that exists already.")
@click.option("--address", default="", metavar="https://HOST", help="Of the bridge, instead of the stack's.")
def manifest(output: Output, path: Path, *, apply_it: bool, app_id: str, address: str) -> None:
    """Print the Slack app's manifest, or make the app.

    Scopes and events are those that the settings of bridge.toml need. Without --apply this prints the
    manifest and a link that opens Slack's page with it filled in.

    With --apply the app is created, or updated. That needs a token of Slack's app management, which
    https://api.slack.com/apps generates ("Your App Configuration Tokens"): give the refresh token (xoxe-…),
    or the access token (xoxe.xoxp-…), when you are asked, or on stdin. The new app's signing secret goes
    straight into Secrets Manager, and so does the next refresh token; later calls then ask for nothing.
    """
    config = settings(path)
    if apply_it:
        if address:
            raise UsageError("--address and --apply exclude each other: Slack asks the deployed address.")
        _apply(config, output, app_id=app_id)
        return
    if app_id:
        raise UsageError("--app-id needs --apply.")
    if address and not _ADDRESS.fullmatch(address):
        raise UsageError(f"--address is {address!r}; allowed is https://HOST, without a path.")
    made = manifest_of(config, address=address or stack_of(config, session_of(config)).address)
    link = link_of(made)
    output.result({"manifest": made, "link": link}, json.dumps(made, indent=2, ensure_ascii=False))
    output.say(f"\nThis opens Slack's page with the manifest filled in:\n{link}")


def link_of(made: dict[str, Any]) -> str:
    """Slack's page for a new app, with the manifest filled in."""
    return f"{APPS}?new_app=1&manifest_json={quote(json.dumps(made, separators=(',', ':')))}"


def _apply(config: Config, output: Output, *, app_id: str) -> None:
    session = session_of(config)
    stack = stack_of(config, session)
    record = AppRecord(stack, session)
    known = record.read()
    token = _configuration_token(record, known)
    app_id = app_id or known.get("app_id", "")
    made = manifest_of(config, address=stack.address)
    call("apps.manifest.validate", token, manifest=json.dumps(made))
    created: dict[str, Any] = {}
    if not app_id:
        output.say("Creating the app…")
        first = json.dumps(manifest_without_address(config))
        created, _ = call("apps.manifest.create", token, manifest=first)
        app_id = created["app_id"]
        secret = created["credentials"]["signing_secret"]
        try:
            record.write({**record.read(), "app_id": app_id})
            store(session, stack.signing_secret_name, secret)
        except ClientError as error:
            raise OpsError(
                f"The app {app_id} was created, but its signing secret not stored: {error}. It is at "
                f"{APPS}/{app_id}; store it (bridge secrets), then: bridge manifest --apply --app-id {app_id}"
            ) from error
        output.say(f"Its signing secret is in {stack.signing_secret_name}. Waiting for the bridge to use it…")
        verify(stack.request_url, secret, output)
        output.say("Telling Slack the bridge's address…")
    updated, _ = call("apps.manifest.update", token, app_id=app_id, manifest=json.dumps(made))
    remembered = record.read()
    if remembered.get("app_id") != app_id:
        record.write({**remembered, "app_id": app_id})
    _tell(output, stack, app_id, created=created, has_new_scopes=bool(updated.get("permissions_updated")))


def _configuration_token(record: AppRecord, known: dict[str, str]) -> str:
    """An access token of Slack's app management; the next refresh token is kept before it is used."""
    refresh = known.get("refresh_token", "")
    if not refresh:
        typed = typed_secrets(
            "Refresh token (xoxe-…) or access token (xoxe.xoxp-…) of your app configuration"
        )
        if len(typed) != 1:
            raise UsageError(f"One token of Slack's app management is needed; generate it at {APPS}.")
        if _ACCESS_TOKEN.fullmatch(typed[0]):
            return typed[0]
        if not _REFRESH_TOKEN.fullmatch(typed[0]):
            raise UsageError(
                "That is no token of Slack's app management: expected is a refresh token, xoxe-…, or an "
                f"access token, xoxe.xoxp-…; generate one at {APPS} (Your App Configuration Tokens)."
            )
        refresh = typed[0]
    try:
        rotated, _ = call("tooling.tokens.rotate", refresh_token=refresh)
    except SlackRefused as error:
        if known.get("refresh_token") and error.error != "ratelimited":
            # Or every later call would fail in the same way.
            record.write({name: value for name, value in known.items() if name != "refresh_token"})
        raise
    record.write({**known, "refresh_token": rotated["refresh_token"]})
    return str(rotated["token"])


def _tell(
    output: Output, stack: Stack, app_id: str, *, created: dict[str, Any], has_new_scopes: bool
) -> None:
    install = created.get("oauth_authorize_url") or f"{APPS}/{app_id}/install-on-team"
    must_install = bool(created) or has_new_scopes
    done = "created" if created else "updated"
    output.say(f"The app {app_id} is {done}; its events go to {stack.request_url}.")
    if must_install:
        again = "" if created else " again, as it has new scopes"
        output.say(f"Install it{again}: {install}\nThen store its bot token: .venv/bin/bridge secrets")
        if sys.stdout.isatty() and not output.as_json:
            webbrowser.open(install)
    output.result({"app_id": app_id, "created": bool(created), "install": install if must_install else ""})
