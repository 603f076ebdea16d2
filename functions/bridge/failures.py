"""What can go wrong with an agent: whether it may be tried again, and what the user reads."""

from enum import StrEnum

from functions.bridge.markdown import escape


class Failure(StrEnum):
    """A kind of trouble. The value is the word in logs and metrics."""

    THROTTLED = "throttled"
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
    INTERRUPTED = "interrupted"
    UNDELIVERABLE = "undeliverable"
    NOT_SHOWABLE = "not_showable"
    GUARDRAIL = "guardrail"
    ATTACHMENT = "attachment"
    FILES_NOT_TAKEN = "files_not_taken"
    LIMIT = "limit"
    UPLOAD = "upload"


# The agent provably did not start: the service refused the request itself, or was not reached at all.
# Everything else may have had effects, and an agent is never silently started a second time.
NOT_STARTED = frozenset({Failure.THROTTLED, Failure.BUSY, Failure.NOT_READY, Failure.UNREACHABLE})

# The agent may have got somewhere: the turn ends as interrupted rather than as failed.
MAY_HAVE_ACTED = frozenset(
    {
        Failure.CUT_OFF,
        Failure.DEADLINE,
        Failure.INTERRUPTED,
        Failure.INTERNAL,
        Failure.DEPENDENCY,
        Failure.LIMIT,
        # It ran to the end of its turn.
        Failure.RETURN_OF_CONTROL,
        Failure.NOT_SHOWABLE,
    }
)

_WORDS = {
    Failure.THROTTLED: "The agent has too much to do right now and did not take your question. "
    "Please ask again in a minute.",
    Failure.BUSY: "The agent was still busy with something else in this thread and did not take your "
    "question. Please ask again in a minute.",
    Failure.NOT_READY: "The agent was not ready and did not take your question. "
    "Please ask again in a minute.",
    Failure.UNREACHABLE: "The agent could not be reached and did not take your question. "
    "Please ask again in a minute.",
    Failure.ACCESS_DENIED: "This bot is not set up to reach its agent. Please tell the people who run it.",
    Failure.NOT_FOUND: "This bot's agent does not exist any more. Please tell the people who run it.",
    Failure.INVALID: "The agent did not accept this question. Asking it differently may help.",
    Failure.QUOTA: "The agent has used up what it may do for now. Please tell the people who run it.",
    Failure.DEPENDENCY: "One of the agent's tools failed, so the agent stopped.",
    Failure.INTERNAL: "The agent stopped because of an error of its own.",
    Failure.CUT_OFF: "The connection to the agent broke before the answer was complete.",
    Failure.DEADLINE: "The agent took longer than this bot may wait, so the answer ends here.",
    Failure.EMPTY: "The agent finished without saying anything. Asking differently may help.",
    Failure.RETURN_OF_CONTROL: "The agent asked this bot to act for it, which it cannot do.",
    Failure.INTERRUPTED: "Something went wrong on our side while the agent was working on this. "
    "It was not asked again, because it may have done part of its work already.",
    Failure.GUARDRAIL: "A guardrail of this agent blocked the answer. Asking differently may help.",
    Failure.ATTACHMENT: "A file of your message{subject} could not be fetched from Slack, so the agent "
    "was not asked.",
    Failure.UPLOAD: "Slack did not take all files of the agent's.",
    Failure.FILES_NOT_TAKEN: "This agent takes no files, so it was not asked. "
    "Please put what matters into your message.",
    Failure.LIMIT: "The agent reached one of its own limits before it was done.",
    Failure.NOT_SHOWABLE: "The agent's answer cannot be shown in Slack.",
    Failure.UNDELIVERABLE: "Something went wrong on our side, and this question was given up.",
}


def explanation(
    failure: Failure, *, reference: str, may_have_acted: bool = False, about: str = "", words: str = ""
) -> str:
    """What the user reads, as Markdown: plain words, whether work may have been done, and a reference.

    `about` names what the words leave open, such as a file. `words`, if given, stand for the failure's own,
    where more is known (`wording.requested`).
    """
    subject = f" (“{escape(about)}”)" if about else ""
    said = words or _WORDS[failure].format(subject=subject)
    caution = " It may have done part of its work." if may_have_acted else ""
    return f":warning: {said}{caution} (Reference: `{reference}`)"
