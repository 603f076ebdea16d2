"""Checks Slack's signature of a request.

Scheme: docs.slack.dev/authentication/verifying-requests-from-slack.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

MAX_AGE_SECONDS = 5 * 60

_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignatureError(Exception):
    """Slack did not sign the request, or not recently. The text names the reason, never the content."""


class WrongSignature(SignatureError):
    """None of our secrets made the signature: it is forged, or the secret was rotated."""


def verify(*, timestamp: str, signature: str, body: bytes, secrets: Sequence[str], now: float) -> None:
    """Accept a request that one of `secrets` signed (v0) at most five minutes before or after `now`.

    Args:
        timestamp: the `X-Slack-Request-Timestamp` header, "" when it is missing.
        signature: the `X-Slack-Signature` header, "" when it is missing.
        body: the raw bytes of the request.
        secrets: the signing secrets in force; several during a rotation.
        now: seconds since the epoch.

    Raises:
        WrongSignature: no secret made the signature.
        SignatureError: a header is missing or malformed, or the timestamp is out of range.
    """
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError("timestamp missing or malformed")
    if not _SIGNATURE.fullmatch(signature):
        raise SignatureError("signature missing or malformed")
    if abs(now - int(timestamp)) > MAX_AGE_SECONDS:
        raise SignatureError("timestamp out of range")
    message = b"v0:" + timestamp.encode() + b":" + body
    # All secrets are tried, so the duration does not reveal which one fits.
    fits = [hmac.compare_digest(signature, _sign(secret, message)) for secret in secrets]
    if not any(fits):
        raise WrongSignature("signature wrong")


def _sign(secret: str, message: bytes) -> str:
    return "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
