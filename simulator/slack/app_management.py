"""Slack's app management: app configuration tokens, and apps that are made from manifests.

docs.slack.dev/app-manifests/configuring-apps-with-app-manifests,
docs.slack.dev/reference/methods/apps.manifest.create

Checked of a manifest is what github.com/slackapi/manifest-schema says of the parts that the bridge uses; any
other part is refused. A request URL is asked while a manifest is saved, signed with the app's own secret.
"""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import urllib3
from flask import Blueprint, Response, jsonify, request

from simulator.slack.signing import signature
from simulator.slack.workspace import Json

TOKEN_SECONDS = 43_200
ANSWER_SECONDS = 3.0

# By name: an object's members, the type of the entries of a list, or a type with the longest text.
_BOOLEAN, _NUMBER = (bool, 0), (int, 0)
_SCHEMA: Json = {
    "_metadata": {"major_version": _NUMBER, "minor_version": _NUMBER},
    "display_information": {"name": (str, 35), "description": (str, 140), "background_color": (str, 7)},
    "features": {
        "agent_view": {"agent_description": (str, 300)},
        "app_home": {
            "home_tab_enabled": _BOOLEAN,
            "messages_tab_enabled": _BOOLEAN,
            "messages_tab_read_only_enabled": _BOOLEAN,
        },
        "bot_user": {"display_name": (str, 80), "always_online": _BOOLEAN},
    },
    "oauth_config": {"scopes": {"bot": [(str, 50)]}},
    "settings": {
        "event_subscriptions": {"request_url": (str, 3500), "bot_events": [(str, 50)]},
        "interactivity": {"is_enabled": _BOOLEAN, "request_url": (str, 3500)},
        "org_deploy_enabled": _BOOLEAN,
        "socket_mode_enabled": _BOOLEAN,
        "token_rotation_enabled": _BOOLEAN,
    },
}


class ManagementError(Exception):
    """Slack's name of an error; `problems`: what is wrong with a manifest."""

    def __init__(self, error: str, problems: list[Json] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.problems = problems or []


@dataclass
class ManagedApp:
    """An app and what belongs to it."""

    id: str
    manifest: Json
    signing_secret: str


class AppManagement:
    """The methods, to be added to the app of the fake Slack before it starts.

    Attributes:
        refresh_token: the only one that counts now. Each can be used once.
        apps: by id.
    """

    def __init__(self) -> None:
        self.refresh_token = _new_refresh_token()
        self.apps: dict[str, ManagedApp] = {}
        self._tokens: dict[str, float] = {}
        self._http = urllib3.PoolManager(retries=False)
        self.blueprint = Blueprint("app_management", __name__)
        self._route("tooling.tokens.rotate", self._rotate, needs_token=False)
        self._route("apps.manifest.validate", self._validate)
        self._route("apps.manifest.create", self._create)
        self._route("apps.manifest.update", self._update)
        self._route("apps.manifest.export", self._export)

    def new_token(self, *, lives_for: float = TOKEN_SECONDS) -> str:
        """An access token, as Slack's page generates it."""
        token = f"xoxe.xoxp-1-{secrets.token_hex(20)}"
        self._tokens[token] = time.time() + lives_for
        return token

    def _route(self, method: str, run: Any, *, needs_token: bool = True) -> None:
        def view() -> Response:
            given = {**request.args.to_dict(), **request.form.to_dict()}
            try:
                if needs_token:
                    self._authorise(request.headers.get("Authorization", "").removeprefix("Bearer "))
                return jsonify({"ok": True, **run(given)})
            except ManagementError as error:
                problems = {"errors": error.problems} if error.problems else {}
                return jsonify({"ok": False, "error": error.error, **problems})

        self.blueprint.add_url_rule(f"/api/{method}", method.replace(".", "_"), view, methods=["GET", "POST"])

    def _authorise(self, token: str) -> None:
        if not token:
            raise ManagementError("not_authed")
        if not token.startswith("xoxe.xoxp-"):
            raise ManagementError("not_allowed_token_type")
        if token not in self._tokens:
            raise ManagementError("invalid_auth")
        if self._tokens[token] < time.time():
            raise ManagementError("token_expired")

    def _rotate(self, given: Json) -> Json:
        if given.get("refresh_token") != self.refresh_token:
            raise ManagementError("invalid_refresh_token")
        self.refresh_token = _new_refresh_token()
        token, now = self.new_token(), int(time.time())
        more = {"team_id": "T01WEATHER", "user_id": "U01ALICE", "iat": now, "exp": now + TOKEN_SECONDS}
        return {"token": token, "refresh_token": self.refresh_token, **more}

    def _validate(self, given: Json) -> Json:
        _manifest(given)
        return {}

    def _create(self, given: Json) -> Json:
        app = ManagedApp(f"A{secrets.token_hex(5).upper()}", _manifest(given), secrets.token_hex(16))
        self._ask_request_url(app)
        self.apps[app.id] = app
        return {
            "app_id": app.id,
            "credentials": {
                "client_id": "1.2",
                "client_secret": secrets.token_hex(16),
                "verification_token": secrets.token_hex(12),
                "signing_secret": app.signing_secret,
            },
            "oauth_authorize_url": "https://slack.com/oauth/v2/authorize?client_id=1.2&scope="
            + ",".join(_scopes(app.manifest)),
        }

    def _update(self, given: Json) -> Json:
        app = self._app(given)
        changed = ManagedApp(app.id, _manifest(given), app.signing_secret)
        self._ask_request_url(changed)
        has_new_scopes = _scopes(changed.manifest) != _scopes(app.manifest)
        self.apps[app.id] = changed
        return {"app_id": app.id, "permissions_updated": has_new_scopes}

    def _export(self, given: Json) -> Json:
        return {"manifest": self._app(given).manifest}

    def _app(self, given: Json) -> ManagedApp:
        app = self.apps.get(given.get("app_id", ""))
        if app is None:
            raise ManagementError("invalid_app_id")
        return app

    def _ask_request_url(self, app: ManagedApp) -> None:
        """Raises ManagementError unless the URL returns the challenge of a signed url_verification."""
        url = app.manifest.get("settings", {}).get("event_subscriptions", {}).get("request_url")
        if not url:
            return
        challenge, timestamp = secrets.token_hex(16), str(int(time.time()))
        body = json.dumps({"token": "x", "challenge": challenge, "type": "url_verification"}).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(app.signing_secret, timestamp, body),
        }
        try:
            answer = self._http.request("POST", url, body=body, headers=headers, timeout=ANSWER_SECONDS)
            answered = answer.status == 200 and challenge in answer.data.decode(errors="replace")
        except urllib3.exceptions.HTTPError:
            answered = False
        if not answered:
            message = "Your URL didn't respond with the value of the challenge parameter."
            pointer = "/settings/event_subscriptions/request_url"
            raise ManagementError("invalid_manifest", [{"message": message, "pointer": pointer}])


def _new_refresh_token() -> str:
    return f"xoxe-1-{secrets.token_hex(20)}"


def _scopes(manifest: Json) -> list[str]:
    return sorted(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", []))


def _manifest(given: Json) -> Json:
    """The argument `manifest`. Raises ManagementError where Slack would not take it."""
    try:
        manifest = json.loads(given["manifest"])
    except (LookupError, ValueError):
        raise ManagementError("invalid_manifest") from None
    if problems := problems_of(manifest):
        raise ManagementError("invalid_manifest", problems)
    found: Json = manifest
    return found


def problems_of(manifest: Any) -> list[Json]:
    """What is wrong with a manifest, each with a message and a pointer."""
    problems = list(_wrong(manifest, _SCHEMA, ""))
    if problems:
        return problems
    if "name" not in manifest.get("display_information", {}):
        problems.append(_problem("/display_information/name", "Missing required field: name"))
    settings = manifest.get("settings", {})
    over_socket = settings.get("socket_mode_enabled", False)
    events = settings.get("event_subscriptions")
    if events is not None and "request_url" not in events and not over_socket:
        said = "Event Subscription requires either Request URL or Socket Mode Enabled"
        problems.append(_problem("/settings/event_subscriptions", said))
    interactivity = settings.get("interactivity", {})
    if interactivity.get("is_enabled") and "request_url" not in interactivity and not over_socket:
        problems.append(_problem("/settings/interactivity", "Interactivity requires a Request URL"))
    return problems


def _wrong(value: Any, rule: Any, pointer: str) -> Any:
    if isinstance(rule, dict):
        if not isinstance(value, dict):
            yield _problem(pointer, "Must be an object")
            return
        for name, inner in value.items():
            if name in rule:
                yield from _wrong(inner, rule[name], f"{pointer}/{name}")
            else:
                yield _problem(f"{pointer}/{name}", "Unexpected property")
    elif isinstance(rule, list):
        if not isinstance(value, list) or len(set(map(str, value))) != len(value):
            yield _problem(pointer, "Must be a list without duplicates")
            return
        for number, inner in enumerate(value):
            yield from _wrong(inner, rule[0], f"{pointer}/{number}")
    else:
        kind, longest = rule
        if type(value) is not kind:
            yield _problem(pointer, f"Must be of type {kind.__name__}")
        elif kind is str and not 1 <= len(value) <= longest:
            yield _problem(pointer, f"Must have 1 to {longest} characters")
        elif kind is str and pointer.endswith("_url") and not value.startswith(("http://", "https://")):
            yield _problem(pointer, "Must be a URL")


def _problem(pointer: str, message: str) -> Json:
    return {"message": message, "pointer": pointer or "/"}
