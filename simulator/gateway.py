"""An API Gateway HTTP API in front of one function: payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import json
import time
import uuid
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from simulator.aws import ACCOUNT
from simulator.http import HttpServer
from simulator.journal import Journal
from simulator.lambda_service.service import LambdaService, RequestTooLargeError, TooManyRequestsError

MAX_BODY_BYTES = 10 * 1024 * 1024  # "Payload size: 10 MB", not adjustable: the quotas of HTTP APIs


class Gateway:
    """Passes requests on `routes` ("POST /path") to `function`, others get 404."""

    def __init__(
        self, *, lambdas: LambdaService, function: str, routes: Iterable[str], journal: Journal, port: int = 0
    ) -> None:
        self._lambdas = lambdas
        self._function = function
        self._routes = frozenset(routes)
        self._journal = journal
        self._server = HttpServer(self._app, port)
        self.url = self._server.url

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        began = time.monotonic()
        response = self._answer(request)
        self._journal.add(
            "gateway",
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round((time.monotonic() - began) * 1000),
            request_id=response.headers.get("Apigw-Requestid"),
        )
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if f"{request.method} {request.path}" not in self._routes:
            return _message(404, "Not Found")
        request.max_content_length = MAX_BODY_BYTES
        try:
            asked = event(request, request.get_data())
            result = self._lambdas.invoke(self._function, asked)
        except TooManyRequestsError:
            return _message(503, "Service Unavailable")
        except (RequestEntityTooLarge, RequestTooLargeError):
            return _message(413, "Request Entity Too Large")
        response = _message(500, "Internal Server Error") if result.error else _response(result.payload)
        response.headers["Apigw-Requestid"] = asked["requestContext"]["requestId"]
        return response


def event(request: Request, body: bytes) -> dict[str, Any]:
    """The request as the function sees it."""
    headers = _headers(request)
    route = f"{request.method} {request.path}"
    now = time.time()
    found: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": request.path,
        "rawQueryString": request.query_string.decode("latin-1"),
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "simulator",
            "domainName": request.host,
            "domainPrefix": request.host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                "sourceIp": request.remote_addr,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": uuid.uuid4().hex[:16],
            "routeKey": route,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies := request.headers.getlist("Cookie"):
        found["cookies"] = [cookie for line in cookies for cookie in line.split("; ")]
    if request.args:
        found["queryStringParameters"] = {name: ",".join(values) for name, values in request.args.lists()}
    if body:
        found |= _body(request, body)
    return found


def _headers(request: Request) -> dict[str, str]:
    """Lower-case names, several values of one name joined by commas, cookies apart."""
    found: dict[str, list[str]] = {}
    for name, value in request.headers:
        found.setdefault(name.lower(), []).append(value)
    found.pop("cookie", None)
    return {name: ",".join(values) for name, values in found.items()}


def _body(request: Request, body: bytes) -> dict[str, Any]:
    """JSON and text arrive as they are, everything else in base64; forms, though text, among it."""
    is_text = request.mimetype == "application/json" or request.mimetype.startswith("text/")
    if is_text and "Content-Encoding" not in request.headers:
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _response(payload: Any) -> Response:
    """What the client gets. A payload without a statusCode is itself the body of a 200."""
    if not isinstance(payload, dict) or "statusCode" not in payload:
        body = payload if isinstance(payload, str) else json.dumps(payload)
        return Response(body, 200, content_type="application/json")
    body = payload.get("body") or ""
    data = base64.b64decode(body) if payload.get("isBase64Encoded") else body
    response = Response(data, int(payload["statusCode"]), content_type="text/plain; charset=utf-8")
    for name, value in (payload.get("headers") or {}).items():
        response.headers[name] = str(value)
    for cookie in payload.get("cookies") or []:
        response.headers.add("Set-Cookie", cookie)
    return response


def _message(status: int, text: str) -> Response:
    return Response(json.dumps({"message": text}), status, content_type="application/json")
