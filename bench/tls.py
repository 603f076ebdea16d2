"""The stand-ins over TLS, like the real services: connections stay open, and can be dropped between calls."""

import contextlib
import io
import os
import socket
import ssl
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import botocore
from werkzeug.serving import make_ssl_devcert
from werkzeug.test import run_wsgi_app

from functions.adapters.aws.trust import AMAZON_ROOTS
from simulator.http import HttpServer, RequestHandler

# The certificate is for this name: Python compares an address with addresses only.
NAME = "localhost"
# What clients of AWS trust where nobody says otherwise. botocore parses all of it for each new connection,
# which takes longer than all the rest of that. Lambda's operating system trusts about as many.
USUAL = Path(botocore.__file__).with_name("cacert.pem")

_lock = threading.Lock()
_idle: set[socket.socket] = set()
_opened: Counter[int] = Counter()


class _Trust:
    """A certificate of this process, and files of authorities that it is among."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-tls-")
        certificate, key = make_ssl_devcert(f"{self._folder.name}/stand-in", cn=NAME)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate, key)
        self._own = Path(certificate).read_text()

    def beside(self, authorities: Path) -> str:
        file = Path(self._folder.name, authorities.name)
        if not file.exists():
            file.write_text(authorities.read_text() + self._own)
        return str(file)


@cache
def _trust() -> _Trust:
    return _Trust()


def variables(for_aws: Path = Path(AMAZON_ROOTS)) -> dict[str, str]:
    """What makes AWS's clients and Python's own trust the stand-ins, by variables that they read everywhere.

    Args:
        for_aws: the authorities that AWS's clients trust where AWS_CA_BUNDLE is not set: how many there are
            is what counts. The bridge's functions have a file of their own.
    """
    return {"AWS_CA_BUNDLE": _trust().beside(for_aws), "SSL_CERT_FILE": _trust().beside(USUAL)}


class TlsHandler(RequestHandler):
    """Answers all requests of a connection. werkzeug's own answers one, waits for more of it, and closes."""

    def handle(self) -> None:
        with _lock:
            _idle.add(self.connection)
            _opened[self.server.server_port] += 1
        try:
            super().handle()
        finally:
            with _lock:
                _idle.discard(self.connection)

    def run_wsgi(self) -> None:
        with _lock:
            _idle.discard(self.connection)
        self._answer()
        with _lock:
            _idle.add(self.connection)

    def _answer(self) -> None:
        environ = self.make_environ()
        # All of it now: the next request begins behind it.
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        try:
            chunks, status, headers = run_wsgi_app(self.server.app, environ)
            with contextlib.ExitStack() as last:
                if close := getattr(chunks, "close", None):
                    last.callback(close)
                self._respond(chunks, status, headers)
        except ConnectionError:  # the client is gone, or the application ends the connection
            self.close_connection = True

    def _respond(self, chunks: Iterable[bytes], status: str, headers: Any) -> None:
        self.send_response(int(status[:3]), status[4:])
        for name, value in headers:
            self.send_header(name, value)
        is_chunked = "Content-Length" not in headers
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        if self.close_connection:  # the client has asked for it
            self.send_header("Connection", "close")
        self.end_headers()
        for chunk in filter(None, chunks):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if is_chunked else chunk)
        if is_chunked:
            self.wfile.write(b"0\r\n\r\n")


class TlsServer(HttpServer):
    handler = TlsHandler

    def __init__(self, app: object, port: int = 0) -> None:
        super().__init__(app, port)
        context = self._server.ssl_context = _trust().context
        # A client that is slow to shake hands must not make others wait: each does it in its own thread.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://{NAME}:{self._server.server_port}"

    def start(self) -> None:
        os.environ.update(variables())  # the simulator has clients, too
        super().start()

    def stop(self) -> None:
        super().stop()
        drop_connections()


def drop_connections() -> None:
    """Ends all connections on which nothing is under way, as services do after a while."""
    with _lock:
        for connection in _idle:
            with contextlib.suppress(OSError):  # its client has closed it
                connection.shutdown(socket.SHUT_RDWR)


def opened(url: str) -> int:
    """How many connections the server of that address has taken so far."""
    return _opened[int(url.rpartition(":")[2])]
