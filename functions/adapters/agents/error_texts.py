"""Recognises error texts: agents' own code often answers HTTP 200 with the text of an exception."""

import re

# The beginning of an error text. An answer that merely mentions an error begins with other words.
_ERROR = re.compile(
    r"(?:[^\w`]*(?:\w+ )?(?:error|exception|failed|failure)[^\w`]{1,4})?[^\w`]*"
    r"(?:"
    r"an error occurred \((?P<code>\w+)\)(?: \([^()\n]{0,80}\))? when calling the \w+ operation"  # botocore's
    r"|user: arn:aws"  # IAM's
    r"|traceback \(most recent call last\)"
    r"|(?:botocore|boto3|urllib3|requests|httpx)(?:\.\w+)*\.(?P<name>\w+)\b"
    r"|unable to locate credentials"
    r"|(?P<exception>\w+(?:Error|Exception))(?:\(|: )"
    r")",
    re.IGNORECASE,
)
_LONGEST_NAME = 80


def error_in(text: str) -> str | None:
    """The name of the error that a text reports, "no name" where it has none; None for any other text."""
    found = _ERROR.match(text.lstrip()[:1000])
    return identifier(found["code"] or found["name"] or found["exception"]) if found else None


def identifier(value: object) -> str:
    """`value` if it is an identifier, else "no name". Other text may quote the user and is not logged."""
    fits = isinstance(value, str) and value.isascii() and value.isidentifier() and len(value) <= _LONGEST_NAME
    return str(value) if fits else "no name"
