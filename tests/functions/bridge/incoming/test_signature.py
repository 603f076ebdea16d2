import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.incoming.signature import SignatureError, WrongSignature, verify

# The example of docs.slack.dev/authentication/verifying-requests-from-slack.
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TIMESTAMP = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
NOW = float(TIMESTAMP)


def accept(
    timestamp: str = TIMESTAMP,
    signature: str = SIGNATURE,
    body: bytes = BODY,
    secrets: tuple[str, ...] = (SECRET,),
    now: float = NOW,
) -> None:
    verify(timestamp=timestamp, signature=signature, body=body, secrets=secrets, now=now)


def test_slacks_own_example_is_accepted() -> None:
    accept()


def test_any_of_several_secrets_is_accepted() -> None:
    accept(secrets=("the-next-one", SECRET))
    accept(secrets=(SECRET, "the-one-before"))


@pytest.mark.parametrize("now", [NOW - 300, NOW + 300])
def test_five_minutes_of_difference_are_accepted(now: float) -> None:
    accept(now=now)


@pytest.mark.parametrize("now", [NOW - 301, NOW + 301])
def test_more_than_five_minutes_of_difference_are_refused(now: float) -> None:
    with pytest.raises(SignatureError, match="out of range"):
        accept(now=now)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(WrongSignature):
        accept(body=BODY + b" ")


def test_no_secret_accepts_nothing() -> None:
    with pytest.raises(WrongSignature):
        accept(secrets=())


@pytest.mark.parametrize(
    "timestamp",
    ["", "soon", "1531420618.5", "-1531420618", " 1531420618", "1531420618\n", "١٥٣١٤٢٠٦١٨", "9" * 13],
)
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(timestamp: str) -> None:
    with pytest.raises(SignatureError, match="timestamp missing or malformed"):
        accept(timestamp=timestamp)


@pytest.mark.parametrize(
    "signature",
    ["", "v0=", SIGNATURE[:-1], SIGNATURE + "0", SIGNATURE.upper(), "v1" + SIGNATURE[2:], "v0=" + "é" * 64],
)
def test_a_signature_of_another_shape_is_refused(signature: str) -> None:
    with pytest.raises(SignatureError, match="signature missing or malformed"):
        accept(signature=signature)


@given(body=st.binary(), secret=st.text(min_size=1), timestamp=st.integers(0, 10**11))
def test_only_what_a_secret_signed_is_accepted(body: bytes, secret: str, timestamp: int) -> None:
    # Computed here by the recipe in Slack's documentation, not by the code under test.
    basis = b"v0:" + str(timestamp).encode() + b":" + body
    secret = secret.encode("utf-8", "replace").decode()
    signature = "v0=" + hmac.new(secret.encode(), basis, hashlib.sha256).hexdigest()
    accept(str(timestamp), signature, body, (secret,), float(timestamp))
    with pytest.raises(WrongSignature):
        accept(str(timestamp), signature, body, (secret + "x",), float(timestamp))


@given(timestamp=st.text(), signature=st.text(), body=st.binary())
def test_arbitrary_input_is_refused_without_any_other_error(
    timestamp: str, signature: str, body: bytes
) -> None:
    with pytest.raises(SignatureError):
        accept(timestamp, signature, body)
