"""Files that hang on a question: which of them an agent may get, and the port to fetch them by."""

from collections.abc import Sequence
from typing import Protocol

from functions.bridge.markdown import escape
from functions.bridge.turn import Attachment

# What InvokeAgent takes: "maximum size of all files", "maximum of 5 files".
# docs.aws.amazon.com/bedrock/latest/userguide/agents-test-code-interpretation.html
MOST_FILES = 5
MOST_BYTES = 10_000_000

_OFFICE = "application/vnd.openxmlformats-officedocument."
_KINDS = (
    "image/",
    "text/",
    "application/pdf",
    "application/csv",
    "application/json",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    f"{_OFFICE}wordprocessingml.document",
    f"{_OFFICE}spreadsheetml.sheet",
    f"{_OFFICE}presentationml.presentation",
)


class AttachmentUnavailable(Exception):
    """A file could not be fetched. Says why, for the operator."""


class Attachments(Protocol):
    """Where the files of messages are fetched."""

    def fetch(self, attachment: Attachment) -> bytes:
        """All of the file. Raises `AttachmentUnavailable`."""
        ...


def objection(files: Sequence[Attachment]) -> str:
    """Why the agent gets none of the files, in words for the user; "" when it gets them all."""
    if len(files) > MOST_FILES:
        return (
            f"I'm sorry, I can take {MOST_FILES} files with a question at most, and there are {len(files)}."
        )
    for file in files:
        # First: of a file that Slack keeps from us it does not tell the type either.
        if not file.url:
            return f"I'm sorry, Slack does not let me read “{escape(file.name)}”. Please upload it here."
        if not file.media_type.startswith(_KINDS):
            return (
                f"I'm sorry, I cannot read “{escape(file.name)}”. I can take images, PDF, text, CSV and "
                "Office files."
            )
    if sum(file.size for file in files) > MOST_BYTES:
        largest = max(files, key=lambda file: file.size)
        return (
            f"I'm sorry, I can take {MOST_BYTES // 1_000_000} MB of files with a question at most, and these "
            f"have {sum(file.size for file in files) / 1_000_000:.1f} MB. The largest is "
            f"“{escape(largest.name)}”."
        )
    return ""
