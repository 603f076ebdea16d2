"""Anything may knock at the receiver: it never crashes, and lets nothing in that Slack did not sign."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.turn import Turn
from functions.receiver import Receiver
from tests.functions.bridge.test_events import DIRECT, MENTION, envelope
from tests.functions.fakes import START, FakeClock

SECRET = "0123456789abcdef0123456789abcdef"


class RecordingQueue:
    def __init__(self) -> None:
        self.turns: list[Turn] = []

    def send(self, turn: Turn) -> None:
        self.turns.append(turn)


class Secret:
    def value(self) -> str:
        return SECRET

    def refresh(self) -> bool:
        return False


def respond(request: Mapping[str, Any]) -> tuple[int, list[Turn]]:
    queue = RecordingQueue()
    receiver = Receiver(queue=queue, signing_secret=Secret(), clock=FakeClock())  # type: ignore[arg-type]
    response = receiver.respond(request)
    json.dumps(response)
    return response["statusCode"], queue.turns


def signed(body: bytes, path: str = "/slack/events") -> dict[str, Any]:
    timestamp = str(int(START))
    basis = b"v0:" + timestamp.encode() + b":" + body
    signature = "v0=" + hmac.new(SECRET.encode(), basis, hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
    encoded = base64.b64encode(body).decode()
    return {"routeKey": f"POST {path}", "headers": headers, "body": encoded, "isBase64Encoded": True}


text = st.text(st.characters())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(
    [*MENTION, *DIRECT, "bot_id", "subtype", "hidden", "files", "edited", "user_team", "source_team"]
)
events = st.builds(
    lambda base, changes: {**base, **changes},
    st.sampled_from([MENTION, DIRECT]),
    st.dictionaries(fields, json_values, max_size=3),
)
envelopes = st.builds(
    lambda event, changes: {**envelope(event), **changes},
    events,
    st.dictionaries(
        st.sampled_from(["type", "authorizations", "team_id", "event", "is_ext_shared_channel", "challenge"]),
        json_values,
        max_size=2,
    ),
)
bodies = (
    st.binary(max_size=200)
    | json_values.map(json.dumps).map(str.encode)
    | envelopes.map(json.dumps).map(str.encode)
)
paths = st.sampled_from(["/slack/events", "/slack/interactivity", "/", ""])


@given(body=bodies, path=paths)
def test_a_signed_request_is_acknowledged_whatever_it_says(body: bytes, path: str) -> None:
    status, turns = respond(signed(body, path))
    is_text = _is_utf8(body)
    assert status == (200 if is_text else 401)
    assert len(turns) <= 1


@given(
    body=bodies,
    headers=st.dictionaries(
        st.sampled_from(
            ["x-slack-signature", "X-Slack-Request-Timestamp", "x-slack-request-timestamp", "cookie"]
        ),
        text | st.just(str(int(START))) | st.from_regex(r"v0=[0-9a-f]{64}", fullmatch=True),
    ),
    encoded=st.booleans(),
)
def test_a_request_that_slack_did_not_sign_is_refused(
    body: bytes, headers: dict[str, str], encoded: bool
) -> None:
    request = {
        "routeKey": "POST /slack/events",
        "headers": headers,
        "body": body.decode("latin-1") if not encoded else base64.b64encode(body).decode(),
        "isBase64Encoded": encoded,
    }
    assert respond(request) == (401, [])


@given(body=envelopes.map(json.dumps).map(str.encode), at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_request_of_which_one_bit_was_changed_is_refused(body: bytes, at: int, bit: int) -> None:
    request = signed(body)
    changed = bytearray(body)
    changed[at % len(changed)] ^= 1 << bit
    request["body"] = base64.b64encode(bytes(changed)).decode()
    assert respond(request) == (401, [])


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
