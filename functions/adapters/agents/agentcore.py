"""What the harness and the runtime of Amazon Bedrock AgentCore share: client, sessions, memory, errors."""

import hashlib
import os
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters.agents.client import bedrock_agentcore, region_of, role_of
from functions.adapters.agents.errors import RoleNotAssumed, code
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import Question
from functions.settings import AgentSettings

if TYPE_CHECKING:
    from mypy_boto3_bedrock_agentcore import BedrockAgentCoreClient
    from mypy_boto3_bedrock_agentcore.type_defs import StopRuntimeSessionRequestTypeDef

# Errors that refuse the request before the agent starts. runtimeClientError (424) is not among them: AWS also
# returns it when the agent ran and failed before its first output.
# docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeAgentRuntime.html
REFUSED = {
    "throttlingException": Failure.THROTTLED,
    "retryableConflictException": Failure.BUSY,  # the session is being made or ended, or has a turn under way
    "conflictException": Failure.BUSY,
    "serviceQuotaExceededException": Failure.QUOTA,
    "accessDeniedException": Failure.ACCESS_DENIED,
    "resourceNotFoundException": Failure.NOT_FOUND,
    "validationException": Failure.INVALID,
    "validationException/ResourceConflict": Failure.BUSY,  # InvokeHarness has no conflictException
}


def client_of(settings: AgentSettings, *, longest_silence: float) -> "BedrockAgentCoreClient":
    """A client in the region of the agent's ARN. Raises `SettingError` without an ARN."""
    region = region_of(settings.required("arn"))
    return bedrock_agentcore(longest_silence=longest_silence, role=role_of(settings), region=region)


def runtime_session_id(session_id: str) -> str:
    """AgentCore's id of a session: a hash, because it needs 33 characters and allows no dots or colons."""
    return hashlib.sha256(session_id.encode()).hexdigest()


# docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
_XRAY = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=1(;.*)?")


def trace_parent(environment: Mapping[str, str] = os.environ) -> str:
    """The `traceParent` with which the agent's trace continues the worker's; "" where X-Ray traces none.

    It is X-Ray's header in the words of www.w3.org/TR/trace-context: 55 characters.
    """
    found = _XRAY.fullmatch(environment.get("_X_AMZN_TRACE_ID", ""))
    return f"00-{found[1]}{found[2]}-{found[3]}-01" if found else ""


# StopRuntimeSession is retried after these errors, with so many seconds between the tries.
_PASSING = {
    "conflictException",
    "internalServerException",
    "retryableConflictException",
    "throttlingException",
}
_STOP_WAITS = (0.5, 1.0, 2.0)


def stop_session(client: "BedrockAgentCoreClient", *, arn: str, qualifier: str = "", session_id: str) -> str:
    """End a runtime's session, and with it the agent's work.

    Returns why that failed; "" when it succeeded or the session was not found, as it has then ended.
    docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-stop-session.html
    """
    request: StopRuntimeSessionRequestTypeDef = {
        "agentRuntimeArn": arn,
        "runtimeSessionId": runtime_session_id(session_id),
    }
    if qualifier:
        request["qualifier"] = qualifier
    for wait in (*_STOP_WAITS, None):
        try:
            client.stop_runtime_session(**request)
        except ClientError as exc:
            if code(exc) == "resourceNotFoundException":
                return ""
            error, passes = code(exc), code(exc) in _PASSING
        except (BotoCoreError, RoleNotAssumed) as exc:
            error, passes = type(exc).__name__, True
        else:
            return ""
        if wait is None or not passes:
            break
        time.sleep(wait)
    return f"the agent's session was not ended: {error}"


def actor_of(question: Question, *, remembers_people: bool) -> str:
    """AgentCore's `actorId`, which owns the long-term memory: the thread, or the Slack user.

    With the thread as the actor, what a person says in a direct message does not come up in a channel. With
    `remembers_people` the actor is the Slack user.
    """
    return question.asker.user if remembers_people else runtime_session_id(question.session_id)
