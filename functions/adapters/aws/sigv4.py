"""Signs a request to AWS: Signature Version 4, for a POST to one address of a service, without a query.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

botocore signs too, but takes 60 % of the receiver's time in a cold start. The tests hold this module to
botocore's signer and to AWS's published examples.
"""

import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"


def signed(
    headers: Mapping[str, str],
    body: bytes,
    *,
    path: str,
    service: str,
    region: str,
    credentials: tuple[str, str, str],
    amz_date: str,
) -> dict[str, str]:
    """The headers of a POST, all of them signed, with date, token and signature.

    Args:
        headers: by their names in small letters; `host` is one of them.
        path: of the address, as it is sent. What is percent-encoded there is encoded once more to be signed.
        credentials: access key, secret key, and session token ("" for a user's own key).
        amz_date: when, as in "20150830T123600Z".
    """
    access_key, secret_key, token = credentials
    every = {**headers, "x-amz-date": amz_date} | ({"x-amz-security-token": token} if token else {})
    names = ";".join(sorted(every))
    lines = [f"{name}:{' '.join(every[name].split())}" for name in sorted(every)]
    digest = hashlib.sha256(body).hexdigest()
    request = "\n".join(["POST", quote(path, safe="/~"), "", *lines, "", names, digest])
    scope = f"{amz_date[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, amz_date, scope, hashlib.sha256(request.encode()).hexdigest()])
    signature = _hmac(_key(secret_key, amz_date[:8], region, service), to_sign).hex()
    proof = f"{_ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**every, "authorization": proof}


@lru_cache(maxsize=8)
def _key(secret_key: str, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
