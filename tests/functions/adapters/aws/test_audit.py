"""Audit records in a log group of CloudWatch's."""

import time
import uuid

import pytest

from functions.adapters.aws.audit import AuditLog
from functions.bridge.errors import ServiceUnavailable
from simulator.aws import AUDIT_LOG_GROUP, Aws
from tests.functions.adapters.aws.recording import RecordingClient
from tests.functions.fakes import FakeClock


@pytest.fixture
def client(aws: Aws) -> RecordingClient:
    assert aws.url
    return RecordingClient("logs")


@pytest.fixture
def clock() -> FakeClock:
    """CloudWatch refuses what is older than two weeks, and what is of the future."""
    clock = FakeClock()
    clock.time = time.time()
    return clock


def audit_log(
    client: RecordingClient, clock: FakeClock, *, group: str = AUDIT_LOG_GROUP, stream: str = ""
) -> AuditLog:
    stream = stream or f"worker/2026/11/28/[$LATEST]{uuid.uuid4()}"
    return AuditLog(client, clock, group=group, stream=stream)


def test_records_are_kept_as_they_are(aws: Aws, client: RecordingClient, clock: FakeClock) -> None:
    log, mark = audit_log(client, clock), str(uuid.uuid4())
    for number in (1, 2):
        log.write({"mark": mark, "number": number, "agent": "Wetter für Köln"})
    kept = [record for record in aws.audit_records() if record.get("mark") == mark]
    assert kept == [{"mark": mark, "number": number, "agent": "Wetter für Köln"} for number in (1, 2)]


def test_an_environment_makes_one_stream_and_then_one_call_a_record(
    client: RecordingClient, clock: FakeClock
) -> None:
    log = audit_log(client, clock)
    for _ in range(3):
        log.write({})
    assert client.calls == ["PutLogEvents", "CreateLogStream", *["PutLogEvents"] * 3]


def test_a_stream_that_is_there_already_is_used(aws: Aws, client: RecordingClient, clock: FakeClock) -> None:
    stream = f"worker/{uuid.uuid4()}"
    log = audit_log(client, clock, stream=stream)
    for _ in range(2):  # the second time as after a confirmation that got lost
        log._create_stream()
    log.write({"stream": stream})
    assert {"stream": stream} in aws.audit_records()


def test_a_log_group_that_is_gone_is_trouble(client: RecordingClient, clock: FakeClock) -> None:
    with pytest.raises(
        ServiceUnavailable, match="not taken: logs CreateLogStream: ResourceNotFoundException"
    ):
        audit_log(client, clock, group="gone").write({})


def test_a_service_that_is_out_of_reach_is_trouble(client: RecordingClient, clock: FakeClock) -> None:
    client.is_down = True
    with pytest.raises(ServiceUnavailable, match="not taken: PutLogEvents: ConnectionRefusedError"):
        audit_log(client, clock).write({})


def test_an_event_that_is_rejected_is_trouble(client: RecordingClient, clock: FakeClock) -> None:
    clock.time -= 30 * 24 * 3600
    with pytest.raises(ServiceUnavailable, match="rejected: tooOldLogEventEndIndex"):
        audit_log(client, clock).write({})
