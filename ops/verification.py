"""Asks the deployed bridge as Slack does: a signed url_verification.

docs.slack.dev/reference/events/url_verification,
docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import json
import secrets
import time

import urllib3

from ops.command import OpsError, Output

# The receiver looks for a new secret when a signature is wrong, and at most so often.
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 2.0
# As long as Slack waits, and a cold start more.
ANSWER_SECONDS = 10.0


def verify(url: str, signing_secret: str, output: Output) -> float:
    """Asks until the bridge accepts the signature; after how many seconds it did.

    Raises OpsError where it does not within PATIENCE_SECONDS.
    """
    began = time.monotonic()
    said = ""
    with urllib3.PoolManager(retries=False) as http:
        while True:
            problem = _problem(http, url, signing_secret)
            waited = time.monotonic() - began
            if not problem:
                return waited
            if waited + PAUSE_SECONDS > PATIENCE_SECONDS:
                raise OpsError(
                    f"{url} did not accept the signing secret within {PATIENCE_SECONDS:.0f} s: {problem}. "
                    "The receiver's log group says why."
                )
            if problem != said:
                output.say(f"  not yet: {problem}")
                said = problem
            time.sleep(PAUSE_SECONDS)


def _problem(http: urllib3.PoolManager, url: str, signing_secret: str) -> str:
    """What is wrong with the answer; "" where the bridge verified and answered."""
    challenge = secrets.token_urlsafe(24)
    body = json.dumps({"type": "url_verification", "challenge": challenge}).encode()
    headers = {"Content-Type": "application/json", **signed(body, signing_secret)}
    try:
        answer = http.request("POST", url, body=body, headers=headers, timeout=ANSWER_SECONDS)
    except urllib3.exceptions.HTTPError as error:
        return f"no answer ({type(error).__name__})"
    if answer.status == 401:
        return "401, the signature is not accepted"
    if answer.status != 200:
        return f"HTTP {answer.status}"
    return "" if challenge in answer.data.decode(errors="replace") else "200 without the challenge"


def signed(body: bytes, signing_secret: str) -> dict[str, str]:
    """The two headers with which Slack signs a request."""
    timestamp = str(int(time.time()))
    digest = hmac.new(signing_secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}
