"""The receiver as Lambda calls it, with a real queue and secret behind it."""

import base64
import hashlib
import hmac
import json
import tracemalloc
import uuid
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.adapters.aws.queue import Queues
from functions.adapters.aws.secrets import CachedSecret
from functions.bridge.queue_commands import Ask, Decide, Ping, RefusePress, Retry, ShowWaiting, from_json
from functions.bridge.slack_secrets import signing_secrets
from functions.bridge.turn import Notice, Turn
from functions.receiver import MAX_BODY_BYTES, Receiver
from simulator.aws import Aws
from tests.functions.adapters.aws.recording import RecordingClient
from tests.functions.bridge.incoming.test_events import DIRECT, MENTION, envelope
from tests.functions.bridge.incoming.test_interactions import APPROVE, PAYLOAD
from tests.functions.fakes import START, TURN, FakeClock
from tests.functions.lambda_log import written

SECRET = "8f742231b10e8888abcd99aebfcd85a5"
NEW_SECRET = "0123456789abcdef0123456789abcdef"


class Door:
    """A receiver and what stands behind it."""

    def __init__(self, aws: Aws, *, follow_ups: Collection[str] = ()) -> None:
        self.queue_url, self.control_url = new_queue(aws), new_queue(aws)
        self.secret_id = str(uuid.uuid4())
        aws.secrets.create_secret(Name=self.secret_id, SecretString=SECRET)
        self.aws = aws
        self.clock = FakeClock()
        self.calls: list[str] = []
        sqs, secrets = (RecordingClient(service, self.calls) for service in ("sqs", "secretsmanager"))
        self.receiver = Receiver(
            queues=Queues(sqs, questions=self.queue_url, control=self.control_url),
            signing_secret=CachedSecret(secrets, self.secret_id, self.clock, check=signing_secrets),
            clock=self.clock,
            follow_ups=follow_ups,
        )

    def knock(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.receiver.respond(request)

    def queued(self) -> list[str]:
        return self._received(self.queue_url)

    def queued_control(self) -> list[str]:
        return self._received(self.control_url)

    def _received(self, url: str) -> list[str]:
        received = self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [message["Body"] for message in received.get("Messages", [])]


def new_queue(aws: Aws) -> str:
    attributes = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"}
    created = aws.sqs.create_queue(QueueName=f"{uuid.uuid4()}.fifo", Attributes=attributes)  # type: ignore[arg-type]
    return created["QueueUrl"]


def turn_in(body: str) -> Turn:
    command = from_json(body)
    assert isinstance(command, Ask)
    return command.turn


@pytest.fixture
def door(aws: Aws) -> Door:
    return Door(aws)


def signature(body: bytes, timestamp: str, secret: str = SECRET) -> str:
    return (
        "v0="
        + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    )


def request(
    body: bytes | str,
    *,
    secret: str = SECRET,
    at: float = START,
    path: str = "/slack/events",
    encoded: bool = False,
    more: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What the HTTP API hands to the function: payload format 2.0, header names in lower case."""
    raw = body.encode() if isinstance(body, str) else body
    timestamp = str(int(at))
    is_form = path == "/slack/interactivity"
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-type": "application/x-www-form-urlencoded" if is_form else "application/json",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": signature(raw, timestamp, secret),
            **(more or {}),
        },
        "requestContext": {"http": {"method": "POST", "path": path}},
        "body": base64.b64encode(raw).decode() if encoded else raw.decode(),
        "isBase64Encoded": encoded,
    }


def event_request(event: dict[str, Any], more: dict[str, str] | None = None) -> dict[str, Any]:
    return request(json.dumps(envelope(event)), more=more)


def test_a_mention_is_on_the_queue_before_it_is_acknowledged(door: Door) -> None:
    assert door.knock(event_request(MENTION))["statusCode"] == 200
    [body] = door.queued()
    assert turn_in(body).text == "what's the weather in Chicago?"


def test_a_direct_message_is_taken_too(door: Door) -> None:
    assert door.knock(event_request(DIRECT))["statusCode"] == 200
    assert len(door.queued()) == 1


def test_one_network_call_stands_between_a_verified_event_and_the_acknowledgement(door: Door) -> None:
    door.knock(event_request(MENTION))  # the first one reads the secret
    door.calls.clear()
    door.knock(event_request({**MENTION, "ts": "1700000002.000100"}))
    assert door.calls == ["SendMessage"]


FOLLOW_UP = {**MENTION, "ts": "1700000003.000100", "thread_ts": "1700000001.000100"}


@pytest.mark.parametrize(
    "follow_up",
    [FOLLOW_UP, {**FOLLOW_UP, **DIRECT, "thread_ts": FOLLOW_UP["thread_ts"], "ts": FOLLOW_UP["ts"]}],
)
def test_a_question_in_a_thread_may_have_to_wait_and_that_is_to_be_shown(
    door: Door, follow_up: dict[str, Any]
) -> None:
    door.knock(event_request(MENTION))
    door.calls.clear()
    assert door.knock(event_request(follow_up))["statusCode"] == 200
    assert door.calls == ["SendMessage", "SendMessage"]
    [body] = door.queued_control()
    command = from_json(body)
    assert command == ShowWaiting("T1", follow_up["channel"], follow_up["ts"])
    assert json.loads(body).keys() == {"command", "version", "team", "channel", "ts"}


def test_a_reply_that_mentions_nobody_shows_no_hourglass(aws: Aws) -> None:
    door = Door(aws, follow_ups=["C1"])
    reply = {**FOLLOW_UP, "type": "message", "channel_type": "channel", "text": "and tomorrow?"}
    assert door.knock(event_request(reply))["statusCode"] == 200
    [body] = door.queued()
    assert turn_in(body).is_follow_up
    assert door.queued_control() == []


def test_a_question_whose_waiting_cannot_be_shown_is_acknowledged(
    door: Door, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.sqs.delete_queue(QueueUrl=door.control_url)
    assert door.knock(event_request(FOLLOW_UP))["statusCode"] == 200
    assert len(door.queued()) == 1
    assert "waiting not shown" in caplog.text


def test_slacks_retries_and_a_second_event_about_one_post_are_one_turn(door: Door) -> None:
    for retry in ("1", "2", "3"):
        door.knock(
            event_request(MENTION, {"x-slack-retry-num": retry, "x-slack-retry-reason": "http_timeout"})
        )
    door.knock(event_request({**MENTION, "edited": {"user": "U1", "ts": "1700000009.000000"}}))
    assert len(door.queued()) == 1


def test_a_retry_whose_first_delivery_never_arrived_is_taken(door: Door) -> None:
    door.knock(event_request(MENTION, {"x-slack-retry-num": "1"}))
    assert len(door.queued()) == 1


def test_url_verification_is_answered_only_when_it_is_signed(door: Door) -> None:
    body = '{"type": "url_verification", "challenge": "abc"}'
    answer = door.knock(request(body))
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"challenge": "abc"})
    assert door.knock(request(body, secret="not-ours"))["statusCode"] == 401


@pytest.mark.parametrize(
    "spoil",
    [
        lambda headers: headers.update({"x-slack-signature": "v0=" + "0" * 64}),
        lambda headers: headers.update({"x-slack-signature": "garbage"}),
        lambda headers: headers.update({"x-slack-signature": "v0=é"}),
        lambda headers: headers.update({"x-slack-request-timestamp": "soon"}),
        lambda headers: headers.pop("x-slack-signature"),
        lambda headers: headers.pop("x-slack-request-timestamp"),
        lambda headers: headers.clear(),
    ],
)
def test_a_request_that_slack_did_not_sign_is_refused_and_nothing_happens(
    door: Door, spoil: Callable[[dict[str, str]], None]
) -> None:
    forged = event_request(MENTION)
    spoil(forged["headers"])
    assert door.knock(forged) == {"statusCode": 401}
    assert door.queued() == []


def test_a_stale_request_is_refused(door: Door) -> None:
    assert door.knock(request(json.dumps(envelope(MENTION)), at=START - 301)) == {"statusCode": 401}
    assert door.queued() == []


def test_a_changed_body_is_refused(door: Door) -> None:
    changed = event_request(MENTION)
    changed["body"] = changed["body"].replace("Chicago", "Lima")
    assert door.knock(changed) == {"statusCode": 401}


def test_header_names_may_come_in_any_case(door: Door) -> None:
    loud = event_request(MENTION)
    loud["headers"] = {name.title(): value for name, value in loud["headers"].items()}
    assert door.knock(loud)["statusCode"] == 200


def test_a_body_that_is_not_utf8_is_refused(door: Door) -> None:
    assert door.knock(request(b"\xff\xfe", encoded=True)) == {"statusCode": 401}


def test_a_body_that_is_not_base64_is_refused(door: Door) -> None:
    assert door.knock({**request("{}"), "body": "***", "isBase64Encoded": True}) == {"statusCode": 401}


def test_a_body_that_is_half_a_character_is_refused(door: Door) -> None:
    assert door.knock({**request("{}"), "body": "\ud800"}) == {"statusCode": 401}


def test_a_body_over_one_mebibyte_is_refused_before_anything_is_read(door: Door) -> None:
    assert door.knock(request("x" * (MAX_BODY_BYTES + 1))) == {"statusCode": 413}
    assert door.calls == []


def test_no_body_at_all_is_refused(door: Door) -> None:
    assert door.knock({"routeKey": "POST /slack/events"}) == {"statusCode": 401}


@pytest.mark.parametrize("body", ["", "nonsense", "[]", '{"type": "event_callback"}', "{" * 100_000])
def test_a_signed_body_that_nobody_understands_is_acknowledged(door: Door, body: str) -> None:
    assert door.knock(request(body))["statusCode"] == 200
    assert door.queued() == []


def test_a_question_too_long_for_the_queue_is_told_so(door: Door) -> None:
    # Every character takes three bytes in the request and six in the queue's ASCII.
    long = {**MENTION, "text": "<@UBOT> " + "あ" * 300_000}
    assert door.knock(request(json.dumps(envelope(long), ensure_ascii=False)))["statusCode"] == 200
    [body] = door.queued()
    assert (turn_in(body).notice, turn_in(body).text) == (Notice.TOO_LONG, "")


def test_interactions_are_verified_like_everything_else(door: Door) -> None:
    form = urlencode({"payload": json.dumps({"type": "block_actions"})})
    signed = request(form, path="/slack/interactivity", encoded=True)
    assert door.knock(signed)["statusCode"] == 200
    assert door.knock({**signed, "headers": {}}) == {"statusCode": 401}
    assert door.queued() == []


def test_a_press_on_retry_is_the_next_attempt_on_the_queue_once(door: Door) -> None:
    for _ in range(2):
        assert door.knock(press(PAYLOAD))["statusCode"] == 200
    [body] = door.queued()
    assert from_json(body) == Retry("T1", "C1", TURN.ts, TURN.thread_ts, "U1", "UBOT", attempt=2)
    assert door.queued_control() == []


def test_a_strangers_press_waits_behind_no_question_and_swallows_nobody_elses(door: Door) -> None:
    for user in ("U2", "U3", "U1"):
        assert door.knock(press({**PAYLOAD, "user": {"id": user}}))["statusCode"] == 200
    refused = [from_json(body) for body in door.queued_control()]
    assert [command.user for command in refused if isinstance(command, RefusePress)] == ["U2", "U3"]
    assert len(door.queued()) == 1


def press(payload: dict[str, Any]) -> dict[str, Any]:
    form = urlencode({"payload": json.dumps(payload)})
    return request(form, path="/slack/interactivity", encoded=True)


def test_when_the_queue_fails_slack_is_asked_to_send_the_event_again(door: Door) -> None:
    door.aws.sqs.delete_queue(QueueUrl=door.queue_url)
    assert door.knock(event_request(MENTION)) == {"statusCode": 500}


def test_when_the_queue_fails_who_decides_sees_that_nothing_has_changed(door: Door) -> None:
    decision = press({**PAYLOAD, "user": {"id": "U1", "team_id": "T1"}, "actions": [APPROVE]})
    assert door.knock(decision)["statusCode"] == 200
    [body] = door.queued_control()
    assert isinstance(from_json(body), Decide)
    door.aws.sqs.delete_queue(QueueUrl=door.control_url)
    assert door.knock(decision) == {"statusCode": 500}


def test_when_the_secret_cannot_be_read_slack_is_asked_to_send_the_event_again(door: Door) -> None:
    door.aws.secrets.delete_secret(SecretId=door.secret_id, ForceDeleteWithoutRecovery=True)
    assert door.knock(event_request(MENTION)) == {"statusCode": 500}


def test_a_rotated_secret_works_at_once_and_the_one_before_as_long_as_it_is_listed(door: Door) -> None:
    door.knock(event_request(MENTION))
    door.aws.secrets.put_secret_value(SecretId=door.secret_id, SecretString=f"{NEW_SECRET}\n{SECRET}\n")
    door.clock.sleep(60)
    now = door.clock.now()
    body = json.dumps(envelope(MENTION))
    assert door.knock(request(body, secret=NEW_SECRET, at=now))["statusCode"] == 200
    assert door.knock(request(body, secret=SECRET, at=now))["statusCode"] == 200


def test_a_flood_of_forgeries_reads_the_secret_once_a_minute(door: Door) -> None:
    body = json.dumps(envelope(MENTION))
    for _ in range(300):
        door.knock(request(body, secret="forged", at=door.clock.now()))
        door.clock.sleep(0.5)
    assert door.calls == ["GetSecretValue"] * 3


def test_a_flood_of_megabytes_and_of_deep_json_leaves_nothing_in_memory(door: Door) -> None:
    def flood(requests: int) -> None:
        for number in range(requests):
            filler = str(number).rjust(MAX_BODY_BYTES, "x")
            deep = '{"event":' + "[" * (MAX_BODY_BYTES // 2)
            assert door.knock(request(filler, secret="wrong"))["statusCode"] == 401
            assert door.knock(request(deep))["statusCode"] == 200

    flood(2)  # what is made once is there
    kept, peaks = [], []
    tracemalloc.start()
    try:
        for _ in range(3):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            flood(20)
            after, peak = tracemalloc.get_traced_memory()
            kept.append(after - before)
            peaks.append(peak - before)
    finally:
        tracemalloc.stop()
    # What is kept of requests is kept each time. Once, it may be what another thread of this process needs.
    assert min(kept) < MAX_BODY_BYTES // 10
    assert min(peaks) < 10 * MAX_BODY_BYTES


def test_the_log_says_what_was_rejected_and_never_what_it_said(
    door: Door, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    door.knock(event_request({**MENTION, "text": "<@UBOT> my password is swordfish"}))
    forged = event_request({**MENTION, "text": "<@UBOT> swordfish"})
    forged["headers"]["x-slack-signature"] = "v0=" + "0" * 64
    door.knock(forged)
    logged = [vars(record) for record in caplog.records]
    assert [line["message"] for line in logged] == ["turn accepted", "request rejected"]
    assert logged[1]["reason"] == "signature wrong"
    metrics = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [json.loads(line)["outcome"] for line in metrics] == ["accepted", "rejected"]
    assert "swordfish" not in f"{logged}{metrics}"
    assert SECRET not in f"{logged}{metrics}"


# --- the heartbeat ------------------------------------------------------------------------------------------


def test_the_heartbeat_sends_the_worker_a_message_that_asks_for_nothing(door: Door) -> None:
    door.receiver.beat()
    assert [from_json(body) for body in door.queued()] == [Ping(f"{door.clock.now():.6f}")]
    assert door.queued_control() == []


def test_a_heartbeat_that_the_queue_does_not_take_is_found(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    door.aws.sqs.delete_queue(QueueUrl=door.queue_url)
    with written(capsys) as lines:
        door.receiver.beat()
    [found] = [line for line in lines if line.get("message") == "heartbeat found"]
    assert (found["what"], found["why"]) == ("worker", "not_sent")
    [counted] = [line["Heartbeat"] for line in lines if line.get("what") == "worker" and "Heartbeat" in line]
    assert counted == 0
