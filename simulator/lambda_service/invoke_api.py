"""Lambda's Invoke over HTTP, for whoever calls a function by its ARN.

docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from simulator.http import HttpServer
from simulator.lambda_service.runtime_api import MAX_PAYLOAD_BYTES, Result
from simulator.lambda_service.service import LambdaService, TooManyRequestsError
from simulator.tap import Call, Tap, sender
from simulator.wiring import Function

PATH = re.compile(r"/2015-03-31/functions/(?P<function>[^/]+)/invocations")
# Of the client context in base64.
LONGEST_CONTEXT = 3_583


class InvokeError(Exception):
    """An error answer: Lambda's name for it, its message, and the HTTP status."""

    def __init__(self, name: str, message: str, status: int) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Invocation:
    """One call: the function by its ARN, its event, and the `custom` part of the client context."""

    function: str
    event: Any
    custom: dict[str, str]


class InvokeApi:
    """Serves synchronous calls of `functions` by their ARNs.

    Attributes:
        invocations: the calls that were taken, oldest first.
        url: what `AWS_ENDPOINT_URL_LAMBDA` holds.
    """

    def __init__(
        self,
        functions: dict[str, Function],
        *,
        tap: Tap | None = None,
        server: type[HttpServer] = HttpServer,
    ) -> None:
        self.invocations: list[Invocation] = []
        self._functions = functions
        self._lambdas: LambdaService | None = None
        self._server = server((tap or Tap()).on(self._app, _call))
        self.url = self._server.url

    def start(self, lambdas: LambdaService) -> None:
        """Serves the functions, which are deployed there; what runs there may have to know `url` before."""
        self._lambdas = lambdas
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            response = self._invoke(Request(environ))
        except InvokeError as error:
            body = json.dumps({"Type": "User", "Message": error.message})
            response = Response(body, error.status, content_type="application/json")
            response.headers["x-amzn-ErrorType"] = error.name
        return response(environ, start_response)

    def _invoke(self, request: Request) -> Response:
        arn = _function(request)
        _check_signature(request, arn)
        if request.headers.get("X-Amz-Invocation-Type", "RequestResponse") != "RequestResponse":
            raise InvokeError("InvalidParameterValueException", "Only RequestResponse is served here.", 400)
        context = _context(request)
        event = _event(request)
        function = self._functions.get(arn)
        if function is None:
            raise InvokeError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        assert self._lambdas is not None
        self.invocations.append(Invocation(arn, event, context.get("custom", {})))
        try:
            result = self._lambdas.invoke(function.name, event, client_context=context)
        except TooManyRequestsError as error:
            raise InvokeError("TooManyRequestsException", "Rate Exceeded.", 429) from error
        return _answer(result)


def _call(environ: dict[str, Any], body: bytes) -> Call | None:
    match = PATH.fullmatch(environ["PATH_INFO"])
    arguments = {"FunctionName": match["function"], "Payload": body.decode()} if match else {}
    return Call("Lambda", "Invoke", arguments, sender(environ)) if match else None


def _function(request: Request) -> str:
    match = PATH.fullmatch(request.path)
    if match is None or request.method != "POST":
        raise InvokeError("UnknownOperationException", "Unknown operation", 404)
    return unquote(match["function"])


def _check_signature(request: Request, arn: str) -> None:
    """A request is signed for Lambda and for the region of its function, which alone knows it."""
    scope = request.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0]
    if scope.split("/")[-3:] != [arn.split(":")[3] if ":" in arn else "", "lambda", "aws4_request"]:
        message = f"Credential should be scoped to the region and the service of {arn}"
        raise InvokeError("InvalidSignatureException", message, 403)


def _context(request: Request) -> dict[str, Any]:
    given = request.headers.get("X-Amz-Client-Context", "")
    if not given:
        return {}
    if len(given) > LONGEST_CONTEXT:
        raise InvokeError("InvalidRequestContentException", "Client context is too long", 400)
    try:
        context = json.loads(base64.b64decode(given, validate=True))
    except ValueError as error:
        raise InvokeError("InvalidRequestContentException", "Client context is no JSON", 400) from error
    custom = context.get("custom", {})
    if not all(isinstance(value, str) for value in custom.values()):
        raise InvokeError("InvalidRequestContentException", "A custom value is no string", 400)
    return dict(context)


def _event(request: Request) -> Any:
    body = request.get_data()
    if len(body) > MAX_PAYLOAD_BYTES:
        message = f"Request must be smaller than {MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation"
        raise InvokeError("RequestEntityTooLargeException", message, 413)
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        message = "Could not parse request body into json"
        raise InvokeError("InvalidRequestContentException", message, 400) from error


def _answer(result: Result) -> Response:
    """HTTP 200 for a function that failed, too, with a header that says so."""
    body = json.dumps(result.payload if result.error is None else result.error)
    response = Response(body, 200, content_type="application/json")
    response.headers["X-Amz-Executed-Version"] = "$LATEST"
    if result.error is not None:
        response.headers["X-Amz-Function-Error"] = "Unhandled"
    return response
