"""Calls the Lambda functions that are an agent's tools. See `functions.bridge.agents.tools.ToolFunctions`.

docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import base64
import json
import os
import re
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
)
from urllib3.exceptions import HTTPError

from functions.adapters.agents.client import agent_client, region_of
from functions.adapters.agents.deltas import encodable
from functions.adapters.agents.errors import status
from functions.bridge import wording
from functions.bridge.agents.tools import LONGEST_RESULT, ToolCall, ToolResult
from functions.bridge.clock import Clock
from functions.bridge.errors import PassingTrouble
from functions.bridge.waits import Retry

# A call that Lambda did not take is made so often, within some three seconds.
TRIES = 3
THROTTLED = 429
# An AgentCore gateway names a tool by its target and its own name, with this between them:
# docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html
TARGET = "slack-agent-bridge___"
# Such as "ValueError" or "Runtime.ExitError". Other text may quote the arguments and is not logged.
_ERROR_NAME = re.compile(r"[A-Za-z_][\w.]{0,79}", re.ASCII)


class _NotStarted(Exception):
    """Lambda did not run the function."""


class _NotTaken(_NotStarted, PassingTrouble):
    """It may do so in a moment."""


class LambdaToolFunctions:
    """Calls each function in the region of its ARN."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def call(self, call: ToolCall, *, timeout: float) -> ToolResult:
        until = self._clock.now() + timeout
        share = os.urandom(1)[0] / 255  # by chance: not all at the same moment
        retry = Retry(
            self._clock, self._clock.sleep, share, until=until, most_tries=TRIES, after=(_NotTaken,)
        )
        try:
            answer, content = retry.run(lambda: _invoke(call, until - self._clock.now()))
        except _NotStarted as exc:
            return ToolResult(wording.TOOL_NOT_STARTED, has_failed=True, detail=str(exc))
        except ClientError as exc:
            return ToolResult(wording.TOOL_UNANSWERED, has_failed=True, detail=_code(exc))
        except (BotoCoreError, HTTPError) as exc:
            return ToolResult(wording.TOOL_UNANSWERED, has_failed=True, detail=type(exc).__name__)
        if answer.get("FunctionError"):
            return ToolResult(wording.TOOL_FAILED, has_failed=True, detail=_error_name(content))
        return ToolResult(_cut(_as_text(content)))


def _invoke(call: ToolCall, seconds: float) -> tuple[dict[str, Any], bytes]:
    """Lambda's answer, and what the function returned.

    Raises:
        _NotStarted: the function did not run.
        ClientError, BotoCoreError, HTTPError: it may have run.
    """
    try:
        # One for each call, as a client has one timeout. It takes 10 ms.
        client = agent_client("lambda", longest_silence=max(seconds, 1.0), region=region_of(call.function))
        answer = client.invoke(
            FunctionName=call.function, ClientContext=_context(call), Payload=call.arguments.encode()
        )
        return answer, answer["Payload"].read()
    except ClientError as exc:
        # With an error of the caller the function did not run; after an error of the service nobody knows.
        if status(exc) == THROTTLED:
            raise _NotTaken(_code(exc)) from exc
        if status(exc) < 500:
            raise _NotStarted(_code(exc)) from exc
        raise
    except (EndpointConnectionError, ConnectTimeoutError) as exc:
        raise _NotTaken(type(exc).__name__) from exc
    except (NoCredentialsError, CredentialRetrievalError) as exc:
        raise _NotStarted(type(exc).__name__) from exc


def _context(call: ToolCall) -> str:
    """Who calls: as an AgentCore gateway says it, so that a gateway's function can be called as it is."""
    turn = call.turn
    custom = {
        "bedrockAgentCoreToolName": f"{TARGET}{call.name}",
        "slackTeam": turn.team,
        "slackChannel": turn.channel,
        "slackThread": turn.thread_ts,
        "slackUser": turn.user,
        "approvedBy": call.approved_by,
        "turnId": turn.turn_id,
    }
    return base64.b64encode(json.dumps({"custom": custom}).encode()).decode()


def _as_text(content: bytes) -> str:
    """What the function returned: a string as it is, anything else as JSON."""
    written = content.decode("utf-8", "replace")
    try:
        returned = json.loads(written)
        text = returned if isinstance(returned, str) else json.dumps(returned, ensure_ascii=False)
    except (ValueError, RecursionError):  # it may be nested too deeply
        return written
    return encodable(text)


def _cut(text: str) -> str:
    if len(text) <= LONGEST_RESULT:
        return text
    return text[:LONGEST_RESULT] + wording.cut_result(len(text))


def _error_name(content: bytes) -> str:
    """The type of the function's error. Its message is the function's own, and may quote anything."""
    try:
        name = json.loads(content)["errorType"]
    except (ValueError, TypeError, KeyError, RecursionError):
        name = ""
    return name if isinstance(name, str) and _ERROR_NAME.fullmatch(name) else "an error without a name"


def _code(exc: ClientError) -> str:
    """Lambda's name of the error, such as "TooManyRequestsException"."""
    return exc.response.get("Error", {}).get("Code") or "an error without a name"
