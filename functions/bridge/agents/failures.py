"""The kinds of failure of a run, and which of them allow another try."""

import re
from enum import StrEnum


class Failure(StrEnum):
    """A kind of failure. The value is the word in logs and metrics."""

    THROTTLED = "throttled"
    THROTTLED_AT_WORK = "throttled_at_work"
    BUSY = "busy"
    NOT_READY = "not_ready"
    UNREACHABLE = "unreachable"
    ACCESS_DENIED = "access_denied"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    QUOTA = "quota"
    DEPENDENCY = "dependency"
    INTERNAL = "internal"
    CUT_OFF = "cut_off"
    DEADLINE = "deadline"
    EMPTY = "empty"
    RETURN_OF_CONTROL = "return_of_control"
    EXPIRED = "expired"
    INTERRUPTED = "interrupted"
    UNDELIVERABLE = "undeliverable"
    NOT_SHOWABLE = "not_showable"
    GUARDRAIL = "guardrail"
    ATTACHMENT = "attachment"
    FILES_NOT_TAKEN = "files_not_taken"
    LIMIT = "limit"
    UPLOAD = "upload"


# The agent provably did not start: the service refused the request or was not reached. Only these are
# retried; after any other failure a second run could repeat an effect.
NOT_STARTED = frozenset({Failure.THROTTLED, Failure.BUSY, Failure.NOT_READY, Failure.UNREACHABLE})

# The agent may have acted: the turn ends as interrupted instead of failed.
MAY_HAVE_ACTED = frozenset(
    {
        Failure.CUT_OFF,
        Failure.DEADLINE,
        Failure.INTERRUPTED,
        Failure.INTERNAL,
        Failure.THROTTLED_AT_WORK,
        Failure.DEPENDENCY,
        Failure.LIMIT,
        # It ran to the end of its turn.
        Failure.RETURN_OF_CONTROL,
        Failure.NOT_SHOWABLE,
    }
)

# The names of throttling errors: ThrottlingException and TooManyRequestsException (AWS),
# ModelThrottledException (Strands), RateLimitError (OpenAI, Anthropic), RATE_LIMIT_EXCEEDED (AG-UI).
_THROTTLING = re.compile(r"throttl|rate_?limit|too_?many_?requests", re.IGNORECASE)
# botocore's message has the error's name in brackets: "An error occurred (ThrottlingException) when calling
# …".
_NAME_IN_MESSAGE = re.compile(r"An error occurred \((\w{1,80})\)")


def at_work(name: str, *, message: str = "") -> Failure:
    """The failure of an agent that was at work, by the error's name or the name in its message."""
    in_message = _NAME_IN_MESSAGE.search(message)
    is_throttling = _THROTTLING.search(name) or (in_message and _THROTTLING.search(in_message[1]))
    return Failure.THROTTLED_AT_WORK if is_throttling else Failure.INTERNAL
