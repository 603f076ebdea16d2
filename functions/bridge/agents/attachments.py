"""The files of a question: which of them an agent may get, and the port to download them."""

from collections.abc import Sequence
from typing import Protocol

from functions.bridge import wording
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
    """A file could not be downloaded. The text says why, for the operator."""


class Attachments(Protocol):
    """Downloads the files of messages."""

    def fetch(self, attachment: Attachment) -> bytes:
        """The bytes of the file. Raises `AttachmentUnavailable`."""
        ...


def objection(files: Sequence[Attachment]) -> str:
    """Why the agent gets none of the files, as a sentence for the user; "" when it gets them all."""
    if len(files) > MOST_FILES:
        return wording.too_many_files(len(files), MOST_FILES)
    for file in files:
        # Checked first: without an address Slack gives no type either.
        if not file.url:
            return wording.hidden_file(file.name)
        if not file.media_type.startswith(_KINDS):
            return wording.unreadable_file(file.name)
    size = sum(file.size for file in files)
    if size > MOST_BYTES:
        return wording.too_large_files(size, MOST_BYTES, max(files, key=lambda file: file.size).name)
    return ""
