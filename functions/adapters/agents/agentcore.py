"""What the harness and the runtime of Amazon Bedrock AgentCore have in common: sessions, memory, errors."""

import hashlib

from functions.bridge.agents.failures import Failure
from functions.bridge.agents.port import Question

# The request itself was refused. Not runtimeClientError (424): an agent that ran and then broke down before
# it said anything is told of in the same way as one that could not start.
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


def runtime_session_id(session_id: str) -> str:
    """The id of AgentCore's session for one of ours: no dots or colons, 33 characters or more."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def actor_of(question: Question, *, remembers_people: bool) -> str:
    """Whose long-term memory the question belongs to, as AgentCore's `actorId`.

    It is the thread's: what somebody told the agent in a direct message does not come up in a channel, and
    all people of a thread share what was said there. Where the agent `remembers_people`, it is the Slack
    user's.
    """
    return question.asker.user if remembers_people else runtime_session_id(question.session_id)
