"""Checks that a request was signed by Slack.

The scheme: docs.slack.dev/authentication/verifying-requests-from-slack.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

MAX_AGE_SECONDS = 5 * 60

_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignatureError(Exception):
    """A request that Slack did not sign, or not lately. Its text names the reason, never the content."""


class WrongSignature(SignatureError):
    """Well-formed and fresh, but made with none of our secrets: forged, or the secret was rotated."""


def verify(*, timestamp: str, signature: str, body: bytes, secrets: Sequence[str], now: float) -> None:
    """Accept a request whose v0 signature one of `secrets` made less than five minutes from `now`.

    Args:
        timestamp: the `X-Slack-Request-Timestamp` header, "" when it is missing.
        signature: the `X-Slack-Signature` header, "" when it is missing.
        body: the request's raw bytes, as they came.
        secrets: the signing secrets in force; more than one while a rotation is under way.
        now: seconds since the epoch.

    Raises:
        WrongSignature: no secret fits.
        SignatureError: a header is missing, malformed or too old or new.
    """
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError("timestamp missing or malformed")
    if not _SIGNATURE.fullmatch(signature):
        raise SignatureError("signature missing or malformed")
    if abs(now - int(timestamp)) > MAX_AGE_SECONDS:
        raise SignatureError("timestamp out of range")
    message = b"v0:" + timestamp.encode() + b":" + body
    # Every secret is tried, so that the time taken does not tell which one fits.
    fits = [hmac.compare_digest(signature, _sign(secret, message)) for secret in secrets]
    if not any(fits):
        raise WrongSignature("signature wrong")


def _sign(secret: str, message: bytes) -> str:
    return "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
