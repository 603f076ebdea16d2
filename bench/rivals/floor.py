"""The least that a receiver in Python does: it checks the signature, reads the JSON, and sends it nowhere."""

import hmac
import json
import os

SECRET = os.environ["SLACK_SIGNING_SECRET"].encode()


def handler(event: dict[str, object], _context: object) -> dict[str, int]:
    headers = event["headers"]
    assert isinstance(headers, dict)
    signed = f"v0:{headers['x-slack-request-timestamp']}:{event['body']}".encode()
    expected = "v0=" + hmac.new(SECRET, signed, "sha256").hexdigest()
    if not hmac.compare_digest(expected, headers["x-slack-signature"]):
        return {"statusCode": 401}
    json.loads(str(event["body"]))
    return {"statusCode": 200}
