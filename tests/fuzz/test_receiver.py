"""Anything may knock at the receiver: nothing raises, and nothing comes in that Slack did not sign."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.queue import Queues
from functions.bridge.queue_commands import ShowWaiting, from_json
from functions.receiver import Receiver
from simulator.aws import FAKE_CREDENTIALS, REGION
from tests.functions.bridge.incoming.test_events import CHANGED, DELETED, DIRECT, MENTION, envelope
from tests.functions.bridge.incoming.test_interactions import ACTION, PAYLOAD
from tests.functions.fakes import START, FakeClock

SECRET = "0123456789abcdef0123456789abcdef"
EVENTS, INTERACTIVITY = "/slack/events", "/slack/interactivity"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Secret:
    def value(self) -> str:
        return SECRET

    def refresh(self) -> bool:
        return False


class Nowhere(JsonClient):
    """A client of SQS whose messages go nowhere, but could be sent."""

    def __init__(self, sent: list[dict[str, str]]) -> None:
        super().__init__("sqs", {"AWS_REGION": REGION})
        self._sent = sent

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        assert operation == "SendMessage"
        self._sent.append(json.loads(json.dumps(arguments)))
        return {"MessageId": "m1"}


class Door:
    """A receiver with a real client of SQS, whose requests go nowhere."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        sqs = Nowhere(self.sent)
        account = f"https://sqs.{REGION}.amazonaws.com/123456789012"
        queues = Queues(sqs, questions=f"{account}/questions.fifo", control=f"{account}/control.fifo")
        secret, follow_ups = Secret(), ["C1", "D1", "dm"]
        self._receiver = Receiver(
            queues=queues,
            signing_secret=secret,  # type: ignore[arg-type]
            clock=FakeClock(),
            follow_ups=follow_ups,
        )

    def knock(self, request: Mapping[str, Any]) -> int:
        """The status, once what was sent to a queue is a command."""
        self.sent.clear()
        response = self._receiver.respond(request)
        json.dumps(response)
        for message in self.sent:
            from_json(message["MessageBody"])
        return int(response["statusCode"])


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**FAKE_CREDENTIALS, "AWS_DEFAULT_REGION": REGION}.items():
            environment.setenv(name, value)
        yield Door()


def signed(body: bytes, path: str = EVENTS, content_type: str = JSON) -> dict[str, Any]:
    timestamp = str(int(START))
    basis = b"v0:" + timestamp.encode() + b":" + body
    signature = "v0=" + hmac.new(SECRET.encode(), basis, hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
    return {
        "routeKey": f"POST {path}",
        "headers": headers | {"content-type": content_type},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


# st.text() alone never has half a surrogate pair, which JSON can bring.
text = st.text(st.characters()) | st.text(st.sampled_from("\ud800\udfff\x00&=%T1.:é"), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


def changed(base: dict[str, Any], *more: str) -> st.SearchStrategy[dict[str, Any]]:
    """An object with up to three members of another value, and `more` that are not in it as it is."""
    changes = st.dictionaries(st.sampled_from([*base, *more]), json_values | text, max_size=3)
    return changes.map(lambda members: {**base, **members})


mentions = changed(
    MENTION, "bot_id", "app_id", "subtype", "hidden", "files", "edited", "user_team", "source_team"
)
files = changed(
    {"id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": 1, "url_private": "https://x"}
)
with_files = st.builds(
    lambda event, listed: {**event, "files": listed}, mentions, st.lists(files, max_size=2)
)
around = {name: value for name, value in envelope(MENTION).items() if name not in ("event", "authorizations")}
envelopes = st.builds(
    lambda event, outside, installations: {"event": event, "authorizations": installations, **outside},
    mentions
    | with_files
    | changed(DIRECT, "bot_id", "files", "channel_type")
    | changed(CHANGED, "deleted_ts")
    | changed(DELETED, "message")
    | st.builds(
        lambda before, after: {**CHANGED, "previous_message": before, "message": after},
        changed(CHANGED["previous_message"], "bot_id", "subtype"),
        changed(CHANGED["message"], "bot_id", "subtype"),
    ),
    changed(around, "authorizations", "event", "challenge", "enterprise_id"),
    st.lists(changed(envelope(MENTION)["authorizations"][0]), min_size=1, max_size=1),
)
buttons = changed(json.loads(ACTION["value"])).map(json.dumps)
actions = st.builds(
    lambda action, value: {**action, "value": value}, changed(ACTION), buttons | text | json_values
)
presses = st.builds(
    lambda press, user, message, action: {**press, "user": user, "message": message, "actions": [action]},
    changed(PAYLOAD),
    changed(PAYLOAD["user"]) | json_values,
    changed(PAYLOAD["message"]) | json_values,
    actions,
)
forms = st.builds(
    lambda payload, more: urlencode({"payload": json.dumps(payload), **more}).encode(),
    presses | json_values,
    st.just({})
    | st.dictionaries(st.sampled_from(["payload", "also"]), st.sampled_from(["", "{}"]), max_size=1),
)
bodies = (
    st.binary(max_size=200)
    | json_values.map(json.dumps).map(str.encode)
    | envelopes.map(json.dumps).map(str.encode)
    | forms
)
paths = st.sampled_from([EVENTS, INTERACTIVITY, "/", ""])
content_types = st.sampled_from([JSON, FORM, "text/plain", ""])


@given(event=envelopes)
def test_a_signed_event_is_acknowledged_whatever_it_says(door: Door, event: dict[str, Any]) -> None:
    assert door.knock(signed(json.dumps(event).encode())) == 200
    # Behind a question in a thread there is a notice about it.
    notices = [one for one in door.sent if one["MessageGroupId"].endswith(f":{ShowWaiting.name}")]
    assert len(door.sent) - len(notices) <= 1
    assert len(notices) <= 1


@given(form=forms)
def test_a_signed_interaction_is_acknowledged_whatever_it_says(door: Door, form: bytes) -> None:
    assert door.knock(signed(form, INTERACTIVITY, FORM)) == 200
    assert len(door.sent) <= 1


@given(body=bodies, path=paths, content_type=content_types)
def test_a_signed_request_is_acknowledged_on_whatever_route(
    door: Door, body: bytes, path: str, content_type: str
) -> None:
    assert door.knock(signed(body, path, content_type)) == (200 if _is_utf8(body) else 401)
    if (path, content_type) not in {(EVENTS, JSON), (INTERACTIVITY, FORM)}:
        assert door.sent == []


@given(
    body=bodies,
    path=paths,
    headers=st.dictionaries(
        st.sampled_from(
            ["x-slack-signature", "X-Slack-Request-Timestamp", "x-slack-request-timestamp", "cookie"]
        ),
        text | st.just(str(int(START))) | st.from_regex(r"v0=[0-9a-f]{64}", fullmatch=True) | json_values,
    ),
    encoded=st.booleans(),
)
def test_a_request_that_slack_did_not_sign_is_refused(
    door: Door, body: bytes, path: str, headers: dict[str, Any], encoded: bool
) -> None:
    request = {
        "routeKey": f"POST {path}",
        "headers": headers,
        "body": body.decode("latin-1") if not encoded else base64.b64encode(body).decode(),
        "isBase64Encoded": encoded,
    }
    assert door.knock(request) == 401
    assert door.sent == []


@given(
    request=envelopes.map(json.dumps).map(str.encode).map(signed)
    | forms.map(lambda form: signed(form, INTERACTIVITY, FORM)),
    at=st.integers(0, 10_000),
    bit=st.integers(0, 7),
)
def test_a_request_of_which_one_bit_was_changed_is_refused(
    door: Door, request: dict[str, Any], at: int, bit: int
) -> None:
    body = bytearray(base64.b64decode(request["body"]))
    body[at % len(body)] ^= 1 << bit
    assert door.knock({**request, "body": base64.b64encode(bytes(body)).decode()}) == 401
    assert door.sent == []


@given(
    request=envelopes.map(json.dumps).map(str.encode).map(signed)
    | forms.map(lambda form: signed(form, INTERACTIVITY, FORM)),
    changes=st.dictionaries(
        st.sampled_from(["routeKey", "headers", "body", "isBase64Encoded"]),
        json_values | st.dictionaries(text, json_values, max_size=3),
        min_size=1,
    ),
)
def test_a_request_of_a_shape_that_the_gateway_never_makes_raises_nothing(
    door: Door, request: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert door.knock({**request, **changes}) in (200, 401)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
