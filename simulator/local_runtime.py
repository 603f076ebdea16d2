"""InvokeAgentRuntime in front of an app on this machine, which serves POST /invocations as in a container.

The request is checked against the service's model, its payload is passed on with the headers of the runtime's
contract, and the answer comes back as the app writes it. As at the service, an HTTP error of the app becomes
RuntimeClientError.

https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-http-protocol-contract.html
"""

import json
import uuid
from collections.abc import Iterator

import urllib3
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from simulator.agent import agentcore, model
from simulator.agent.request import AgentError
from simulator.agent.service import error_response
from simulator.http import HttpServer
from simulator.journal import Journal
from simulator.own_agent import LOCAL_ARN

SESSION_HEADER = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"
USER_HEADER = "X-Amzn-Bedrock-AgentCore-Runtime-User-Id"
PASSED_ON = ("Content-Type", "Accept", SESSION_HEADER, USER_HEADER)
_OPERATION = "InvokeAgentRuntime"
_MOST_BYTES = 65_536  # of one read
_MAX_QUESTION_IN_JOURNAL = 500


class LocalRuntime:
    """Serves the operation on 127.0.0.1 for the agent `LOCAL_ARN`.

    `url` is what `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE` holds.

    Attributes:
        address: of the app, without /invocations; must be known before `start`.
    """

    def __init__(self, address: str, *, journal: Journal) -> None:
        self.address = address
        self._journal = journal
        self._http = urllib3.PoolManager(retries=False)
        app = Flask("simulator.local_runtime")
        app.add_url_rule("/runtimes/<path:arn>/invocations", view_func=self._invoke, methods=["POST"])
        app.register_error_handler(AgentError, self._refuse)
        app.register_error_handler(HTTPException, _unknown_operation)
        self._server = HttpServer(app)
        self.url = self._server.url

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self._http.clear()

    def _invoke(self, arn: str) -> Response:
        model.check_signature(request.headers.get("Authorization"), "bedrock-agentcore")
        body = request.get_data()
        operation = model.operation("bedrock-agentcore", _OPERATION)
        model.read(
            operation, uri={"agentRuntimeArn": arn}, query=request.args, headers=request.headers, body=body
        )
        if arn != LOCAL_ARN:
            raise AgentError("resourceNotFoundException", f"No endpoint or agent found for {arn}.")
        session = request.headers.get(SESSION_HEADER) or str(uuid.uuid4())
        self._journal.add(
            "agent",
            "invocation started",
            operation=_OPERATION,
            session=session,
            agent=self.address,
            question=_question(body),
        )
        answer = self._ask(body, {**_passed_on(), SESSION_HEADER: session})
        response = Response(
            self._passed_back(answer, session),
            content_type=answer.headers.get("Content-Type", "application/octet-stream"),
        )
        response.headers[SESSION_HEADER] = session
        response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
        return response

    def _ask(self, body: bytes, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """Raises AgentError for an HTTP error of the app, and where it does not answer."""
        try:
            answer = self._http.request(
                "POST",
                f"{self.address}/invocations",
                body=body,
                headers=headers,
                preload_content=False,
                timeout=urllib3.Timeout(connect=5, read=None),
            )
        except urllib3.exceptions.HTTPError as error:
            raise _broke_down(f"{self.address} does not answer: {type(error).__name__}") from error
        if answer.status >= 400:
            answer.close()
            raise _broke_down(f"Received error ({answer.status}) from runtime.")
        return answer

    def _passed_back(self, answer: urllib3.BaseHTTPResponse, session: str) -> Iterator[bytes]:
        """The app's answer as it comes. An answer that is cut short is cut short for the client too."""
        how = "client gone"
        try:
            while piece := answer.read1(_MOST_BYTES):
                yield piece
            how = "complete"
        except urllib3.exceptions.HTTPError as error:
            how = "cut"
            raise ConnectionError(str(error)) from error
        finally:
            answer.close()
            self._journal.add("agent", "invocation ended", session=session, ended=how)

    def _refuse(self, error: AgentError) -> Response:
        name, status, more = (error.error, error.status, dict[str, str]())
        if status is None:
            name, status, more = agentcore.refusal(error.error, of_harness=False)
        self._journal.add(
            "agent",
            "invocation refused",
            session=request.headers.get(SESSION_HEADER),
            status=status,
            error=name,
            message=error.message,
        )
        return error_response(name, error.message, status, more)


def _passed_on() -> dict[str, str]:
    return {name: request.headers[name] for name in PASSED_ON if name in request.headers}


def _question(body: bytes) -> str:
    """The question in a payload, for the inspector."""
    try:
        return str(json.loads(body)["prompt"])[:_MAX_QUESTION_IN_JOURNAL]
    except (ValueError, LookupError, TypeError):
        return ""


def _broke_down(why: str) -> AgentError:
    return AgentError("dependencyFailedException", f"{why} Please check your CloudWatch logs.")


def _unknown_operation(error: HTTPException) -> Response:
    return error_response("unknownOperationException", error.name, error.code or 500)
