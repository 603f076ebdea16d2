"""What both kinds of Amazon Bedrock AgentCore share: their client, sessions, memory and errors."""

import hashlib
import time
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

# Errors that refuse the request itself. runtimeClientError (424) is none of them: AWS answers with it when an
# agent could not start, and also when it ran and broke down before it said anything.
# docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeAgentRuntime.html
REFUSED = {
    "throttlingException": Failure.THROTTLED,
    "retryableConflictException": Failure.BUSY,  # the session is being made or ended, or has a turn under way
    "conflictException": Failure.BUSY,
    "serviceQuotaExceededException": Failure.QUOTA,
    "accessDeniedException": Failure.ACCESS_DENIED,
    "resourceNotFoundException": Failure.NOT_FOUND,
    "validationException": Failure.INVALID,
    "validationException/ResourceConflict": Failure.BUSY,  # how a harness, which knows no conflicts, says it
}


def client_of(settings: AgentSettings, *, longest_silence: float) -> "BedrockAgentCoreClient":
    """A client for the agent at `arn`, in the region that the ARN names. Raises `SettingError`."""
    region = region_of(settings.required("arn"))
    return bedrock_agentcore(longest_silence=longest_silence, role=role_of(settings), region=region)


def runtime_session_id(session_id: str) -> str:
    """The id of AgentCore's session for one of ours: no dots or colons, 33 characters or more."""
    return hashlib.sha256(session_id.encode()).hexdigest()


# StopRuntimeSession is tried again after errors that pass, with so many seconds between.
_PASSING = {
    "conflictException",
    "internalServerException",
    "retryableConflictException",
    "throttlingException",
}
_STOP_WAITS = (0.5, 1.0, 2.0)


def stop_session(client: "BedrockAgentCoreClient", *, arn: str, qualifier: str = "", session_id: str) -> str:
    """End a runtime's session, and with it whatever its agent is doing there.

    Returns why that could not be done, "" if it was. A session that is not found has ended already.
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
    """Whose long-term memory the question belongs to, as AgentCore's `actorId`.

    It is the thread's: what somebody told the agent in a direct message does not come up in a channel, and
    all people of a thread share what was said there. Where the agent `remembers_people`, it is the Slack
    user's.
    """
    return question.asker.user if remembers_people else runtime_session_id(question.session_id)
