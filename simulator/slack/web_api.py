"""The Web API over HTTP: POST (or GET) /api/METHOD.

A call is authorised, limited and answered here; what a method does is in `methods/`.
docs.slack.dev/apis/web-api
"""

import contextlib
import io
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.wrappers import Request

from simulator import tap
from simulator.journal import Journal
from simulator.slack.errors import SlackError
from simulator.slack.faults import Fault, Faults, close_connection
from simulator.slack.installation import Installation
from simulator.slack.methods import METHODS, Call, Method
from simulator.slack.tiers import Tiers
from simulator.slack.workspace import Json, Workspace


@dataclass(frozen=True)
class CallRecord:
    """A call that was made. `status` is None if the connection was closed without an answer."""

    at: float
    method: str
    args: Json
    status: int | None
    result: Any


@dataclass(frozen=True)
class _Answer:
    status: int
    body: Any
    headers: dict[str, str]


class WebApi:
    """The blueprint, and a record of the calls it got.

    Every answer comes `latency_seconds` after the method had its effect.
    """

    def __init__(
        self,
        *,
        workspace: Workspace,
        installation: Installation,
        journal: Journal,
        faults: Faults,
        tiers: Tiers,
        latency_seconds: float = 0.0,
    ) -> None:
        self.calls: list[CallRecord] = []
        self.blueprint = Blueprint("web_api", __name__)
        self.blueprint.add_url_rule("/api/<method>", view_func=self._serve, methods=["GET", "POST"])
        self._workspace = workspace
        self._installation = installation
        self._journal = journal
        self._faults = faults
        self._tiers = tiers
        self._latency_seconds = latency_seconds
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Lets the answers go that are being held back."""
        self._stopping.set()

    def _serve(self, method: str) -> Response:
        token, args, problem = _arguments(request)
        fault = self._faults.take(method) or Fault(method)
        dropped = fault.drop is not None
        if fault.drop == "before":
            answer = _refused("connection closed")
        elif problem:
            answer = _refused(problem)
        else:
            answer = _faulty(fault) or self._answer(method, token, args)
        self._stopping.wait(fault.delay_seconds + self._latency_seconds)
        self._record(method, args, answer, dropped=dropped)
        if dropped:
            close_connection(request.environ)
        body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        kind = "text/html" if isinstance(answer.body, str) else "application/json; charset=utf-8"
        return Response(body, answer.status, answer.headers, content_type=kind)

    def _answer(self, name: str, token: str, args: Json) -> _Answer:
        method = METHODS.get(name)
        if method is None:
            return _refused("unknown_method", req_method=name)
        try:
            if method.needs_token:
                self._authorise(token)
            call = Call(name, args, self._workspace, self._installation)
            if method.scopes:
                call.need(*method.scopes)
            if method.tier != 0 and (limited := self._limited(name, method, args)):
                return limited
            with self._workspace.lock:
                answer = {"ok": True, **method.run(call)}
        except SlackError as error:
            return self._with_scopes(error.as_answer(), method)
        if call.warnings:
            metadata = answer.get("response_metadata", {}) | {"warnings": call.warnings}
            answer |= {"warning": ",".join(call.warnings), "response_metadata": metadata}
        return self._with_scopes(answer, method)

    def _authorise(self, token: str) -> None:
        if not token:
            raise SlackError("not_authed")
        if token != self._installation.bot_token:
            raise SlackError("invalid_auth")
        if self._installation.token_error:
            raise SlackError(self._installation.token_error)

    def _limited(self, name: str, method: Method, args: Json) -> _Answer | None:
        seconds = self._tiers.retry_after(name, method.tier, str(args.get("channel", "")))
        return None if seconds is None else _rate_limited(seconds)

    def _with_scopes(self, body: Json, method: Method) -> _Answer:
        headers = {"X-Accepted-OAuth-Scopes": ",".join(method.scopes)}
        if method.needs_token:
            headers["X-OAuth-Scopes"] = ",".join(sorted(self._installation.scopes))
        return _Answer(200, body, headers)

    def _record(self, method: str, args: Json, answer: _Answer, *, dropped: bool) -> None:
        status = None if dropped else answer.status
        self.calls.append(CallRecord(time.time(), method, args, status, answer.body))
        body = answer.body if isinstance(answer.body, dict) else {}
        self._journal.add(
            "slack",
            "api call",
            method=method,
            channel=args.get("channel") or args.get("channel_id"),
            ts=body.get("ts") or args.get("ts"),
            ok=bool(body.get("ok")) and not dropped,
            error="connection closed" if dropped else body.get("error"),
            status=status,
            chars=_characters(args),
            arguments=args,
            result=answer.body,
        )


def call_of(environ: dict[str, Any], body: bytes) -> tap.Call | None:
    """Which call a request to this server is, None when it is none of the Web API's."""
    method = environ["PATH_INFO"].removeprefix("/api/")
    if method == environ["PATH_INFO"]:
        return None
    _, args, _ = _arguments(Request({**environ, "wsgi.input": io.BytesIO(body)}))
    return tap.Call("Slack", method, args, None)


def _arguments(request: Request) -> tuple[str, Json, str | None]:
    """The token, the arguments and, if they cannot be read, Slack's error name.

    A token is read from the header or, as Slack does, from a form, but not from a JSON body.
    """
    args: Json = {**request.args.to_dict(), **request.form.to_dict()}
    token = args.pop("token", "")
    header = request.headers.get("Authorization", "")
    if header:
        token = header.removeprefix("Bearer ")
    if request.mimetype != "application/json":
        return token, args, None
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        return token, {}, "invalid_json"
    if not isinstance(body, dict):
        return token, {}, "json_not_object"
    body.pop("token", None)
    return token, args | {name: value for name, value in body.items() if value is not None}, None


def _refused(error: str, **detail: Any) -> _Answer:
    return _Answer(200, {"ok": False, "error": error, **detail}, {})


def _rate_limited(seconds: int) -> _Answer:
    return _Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds)})


def _faulty(fault: Fault) -> _Answer | None:
    if fault.retry_after is not None:
        return _rate_limited(fault.retry_after)
    if fault.status is not None:
        return _Answer(fault.status, "<html>upstream connect error</html>", {})
    if fault.error is not None:
        return _refused(fault.error)
    return None


def _characters(args: Json) -> int:
    """How many characters of text a call carries."""

    def size(value: Any) -> int:
        if isinstance(value, dict):
            return sum(len(v) if k == "text" and isinstance(v, str) else size(v) for k, v in value.items())
        return sum(map(size, value)) if isinstance(value, list) else 0

    blocks = args.get("blocks")
    if isinstance(blocks, str):
        with contextlib.suppress(ValueError):
            blocks = json.loads(blocks)
    texts = (args.get("text"), args.get("markdown_text"))
    return max(sum(len(text) for text in texts if isinstance(text, str)), size([blocks, args.get("chunks")]))
