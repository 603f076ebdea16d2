import random
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from functions.adapters.aws.sigv4 import signed

# github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4
KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
DATE = "20150830T123600Z"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTf"
    "lfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HF"
    "vlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr"
    "4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("headers", "body", "token", "signature"),
    [
        pytest.param(
            {}, b"", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", id="post-vanilla"
        ),
        pytest.param(
            {"my-header1": "value1"},
            b"",
            "",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            id="post-header-key-sort",
        ),
        pytest.param(
            {"my-header1": "VALUE1"},
            b"",
            "",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            id="post-header-value-case",
        ),
        pytest.param(
            FORM,
            b"Param1=value1",
            "",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
        pytest.param(
            {},
            b"",
            TOKEN,
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            id="post-sts-header-before",
        ),
    ],
)
def test_a_published_example_has_its_published_signature(
    headers: dict[str, str], body: bytes, token: str, signature: str
) -> None:
    found = signed(
        {"host": "example.amazonaws.com", **headers},
        body,
        path="/",
        service="service",
        region="us-east-1",
        credentials=(*KEY, token),
        amz_date=DATE,
    )
    assert found["authorization"].endswith(f"Signature={signature}")


def test_thousands_of_random_requests_are_signed_as_botocore_signs_them() -> None:
    chance = random.Random(4)
    for _ in range(3000):
        service = chance.choice(["sqs", "dynamodb", "secretsmanager"])
        region = chance.choice(["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
        token = chance.choice(["", chance.randbytes(40).hex()])
        path = chance.choice(["/", "/a b/ü", "/123/queue.fifo"])
        headers = {
            "host": f"{service}.{region}.amazonaws.com",
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"Target.{chance.randbytes(4).hex()}",
            f"x-{chance.randbytes(2).hex()}": "  some   words " * chance.randrange(3),
        }
        body = chance.randbytes(chance.randrange(200))
        secret = chance.randbytes(20).hex()
        request = AWSRequest("POST", f"https://{headers['host']}{quote(path)}", headers, body)
        SigV4Auth(Credentials("AKID", secret, token or None), service, region).add_auth(request)
        found = signed(
            headers,
            body,
            path=quote(path),
            service=service,
            region=region,
            credentials=("AKID", secret, token),
            amz_date=request.headers["X-Amz-Date"],
        )
        assert found["authorization"] == request.headers["Authorization"]
        assert found.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")
