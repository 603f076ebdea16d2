"""Lets tests intercept the calls that functions make, where they arrive at the fakes.

The functions notice nothing but the errors that networks, services and crashes cause.
"""

import contextlib
import io
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


@dataclass(frozen=True)
class Call:
    """A request to one of the fakes.

    Attributes:
        service, operation: "DynamoDB" and "PutItem", "Slack" and "chat.update", ...
        arguments: of the operation, by the service's own names.
        sender: `ExecutionEnvironment.name` of the process that calls, where its client tells.
    """

    service: str
    operation: str
    arguments: dict[str, Any]
    sender: str | None


class NoAnswer(Exception):
    """The connection ends without an answer."""


# Gets a call and a function that performs it. Returns the response or raises NoAnswer.
Interceptor = Callable[[Call, Callable[[], Response]], Response]


class Tap:
    """Passes every call to `interceptor`; None lets all calls pass."""

    def __init__(self) -> None:
        self.interceptor: Interceptor | None = None

    def on(self, application: Application, read: Callable[[Environ, bytes], Call | None]) -> Application:
        """Wrap `application`. `read` returns the call of a request, or None for requests that always pass."""

        def tapped(environ: Environ, start_response: Any) -> Iterable[bytes]:
            interceptor = self.interceptor
            if interceptor is None:
                return application(environ, start_response)
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length)
            if len(body) < length:  # its sender was killed while it wrote: a service does nothing then
                return Response(status=400)(environ, start_response)

            def perform() -> Response:
                request = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
                chunks, status, headers = run_wsgi_app(application, request)
                return Response(chunks, status, headers)

            call = read(environ, body)
            try:
                response = perform() if call is None else interceptor(call, perform)
            except NoAnswer:
                _close(environ["werkzeug.socket"])
                response = Response(status=500)
            return response(environ, start_response)

        return tapped


def sender(environ: Environ) -> str | None:
    """The process that calls, from the application id that AWS's clients send.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
    """
    words = str(environ.get("HTTP_USER_AGENT", "")).split()
    return next((word.removeprefix("app/") for word in words if word.startswith("app/")), None)


def _close(connection: socket.socket) -> None:
    """Ends the connection before the answer is written; werkzeug drops what it then cannot write."""
    with contextlib.suppress(OSError):  # the client may have gone already
        connection.shutdown(socket.SHUT_RDWR)
