"""The origin that takes and serves the bytes of files: files.slack.com of the fake.

Whoever may not read a file is sent to a page to log in, with a 302: a client that follows redirects takes
that page for the file.
"""

import time
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from simulator import tap
from simulator.journal import Journal
from simulator.slack.faults import Fault, Faults, close_connection
from simulator.slack.files import Files
from simulator.slack.installation import Installation

UPLOAD, DOWNLOAD = "files.upload", "files.download"  # the fake's names for these requests, in faults and taps


def files_app(files: Files, installation: Installation, faults: Faults, journal: Journal) -> Flask:
    """The web application of the files' origin."""
    app = Flask("simulator.slack.files")

    def upload(ticket: str) -> AnyResponse:
        if faulty := _faulty(faults, UPLOAD):
            return faulty
        file = files.take_upload(ticket)
        if file is None:
            abort(404)
        content = _posted_bytes()
        journal.add("slack", "file uploaded", name=file.name, bytes=len(content), expected=file.size)
        if len(content) != file.size:
            return Response("The length is not what was said.", 400)
        file.content = content
        return Response(f"OK - {file.size}")

    def download(place: str, name: str) -> AnyResponse:
        if faulty := _faulty(faults, DOWNLOAD):
            return faulty
        file = files.get(place.rpartition("-")[2])
        allowed = _may_read(installation)
        journal.add("slack", "file downloaded", name=name, allowed=allowed)
        if not allowed:
            return redirect(f"/login?redir={quote(request.path)}", 302)
        if file is None or file.content is None:
            abort(404)
        return Response(file.content, content_type=file.mimetype)

    def login() -> Response:
        return Response("<!doctype html><title>Slack</title><h1>Sign in to Slack</h1>")

    app.add_url_rule("/upload/v1/<ticket>", view_func=upload, methods=["POST"])
    app.add_url_rule("/files-pri/<place>/<name>", "shown", download)
    app.add_url_rule("/files-pri/<place>/download/<name>", "downloaded", download)
    app.add_url_rule("/login", view_func=login)
    return app


def _posted_bytes() -> bytes:
    """The body, or the one file of a form."""
    if request.mimetype != "multipart/form-data":
        return request.get_data()
    part = next(iter(request.files.values()), None)
    return b"" if part is None else part.stream.read()


def _may_read(installation: Installation) -> bool:
    has_token = request.headers.get("Authorization") == f"Bearer {installation.bot_token}"
    return has_token and "files:read" in installation.scopes and not installation.token_error


def _faulty(faults: Faults, name: str) -> Response | None:
    fault = faults.take(name) or Fault(name)
    time.sleep(fault.delay_seconds)
    if fault.drop is not None:
        close_connection(request.environ)
        return Response(status=500)
    if fault.retry_after is not None:
        return Response(status=429, headers={"Retry-After": str(fault.retry_after)})
    return None if fault.status is None else Response("upstream connect error", fault.status)


def call_of(environ: dict[str, Any], body: bytes) -> tap.Call | None:
    """Which call a request to this origin is, for the tap."""
    path = environ["PATH_INFO"]
    name = {"upload": UPLOAD, "files-pri": DOWNLOAD}.get(path.split("/")[1])
    return tap.Call("Slack", name, {"path": path, "bytes": len(body)}, None) if name else None
