"""The web page in Slack's manner: its files, its feed of changes, and who may ask for them.

What people do on the page goes through the control API.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, request

from simulator.journal import Journal
from simulator.page.cards import PICTURES
from simulator.page.feed import Feed
from simulator.slack.installation import Installation
from simulator.slack.workspace import Workspace

# Nothing but the page's own files; no inline script or style, no frames, no forms that go anywhere.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

STATIC = Path(__file__).parent / "static"
CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Page:
    """The blueprint; add it to the app of the fake Slack before that starts.

    `own_agent`: how whoever runs the demo named an agent of their own; "" for the demo's agents.
    """

    def __init__(
        self, workspace: Workspace, installation: Installation, journal: Journal, *, own_agent: str = ""
    ) -> None:
        self._journal = journal
        self._workspace = workspace
        self._feed = Feed(workspace, installation, journal, own_agent=own_agent)
        self.blueprint = Blueprint("page", __name__)
        self.blueprint.add_url_rule("/", view_func=lambda: _file("index.html"), endpoint="index")
        self.blueprint.add_url_rule("/page/static/<name>", view_func=_file, endpoint="static")
        self.blueprint.add_url_rule("/page/events", view_func=self._events)
        self.blueprint.add_url_rule("/page/entries/<int:number>", view_func=self._entry)
        self.blueprint.add_url_rule("/page/files/<file_id>", view_func=self._shared_file)
        self.blueprint.before_app_request(_refuse_strangers)
        self.blueprint.after_request(_harden)

    def _events(self) -> Response:
        return Response(self._feed.events(), content_type="text/event-stream")

    def _entry(self, number: int) -> Response:
        """All facts of one journal entry."""
        if not 1 <= number <= len(self._journal.entries()):
            abort(404)
        detail = self._journal.entries(after=number - 1)[0].detail
        return Response(json.dumps(detail), content_type="application/json")  # in its own order

    def _shared_file(self, file_id: str) -> Response:
        """A file's bytes: a picture to be shown, anything else to be downloaded."""
        file = self._workspace.files.get(file_id)
        if file is None or file.content is None:
            abort(404)
        if file.mimetype in PICTURES:
            return Response(file.content, mimetype=file.mimetype)
        headers = {"Content-Disposition": "attachment"}
        return Response(file.content, headers=headers, mimetype="application/octet-stream")


def _file(name: str) -> Response:
    path = STATIC / name
    if path not in STATIC.iterdir():
        abort(404)
    # Read at once: a browser that goes away in mid-answer must not leave an open file.
    return Response(path.read_bytes(), mimetype=CONTENT_TYPES[path.suffix])


def _refuse_strangers() -> tuple[str, int] | None:
    """Refuses requests of other web sites, which a browser would send to the app.

    A site whose name leads to 127.0.0.1 (DNS rebinding) is seen by the Host header, a site that posts
    across origins by the Origin header, which browsers always send with a POST.
    """
    if _host_name(f"//{request.host}") not in LOCAL_NAMES:
        return "This address serves 127.0.0.1 and localhost only.\n", 403
    origin = request.headers.get("Origin")
    if request.method not in ("GET", "HEAD") and origin and urlsplit(origin).netloc != request.host:
        return "Requests from other sites are refused.\n", 403
    return None


def _host_name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    # The next start may serve other files under the same address.
    response.headers["Cache-Control"] = "no-store"
    return response
