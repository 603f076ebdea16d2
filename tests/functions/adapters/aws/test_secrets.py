from collections.abc import Iterator

import pytest

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.secrets import CachedSecret
from functions.bridge.errors import ServiceUnavailable
from simulator.aws import Aws
from tests.functions.adapters.aws.recording import RecordingClient
from tests.functions.fakes import FakeClock


@pytest.fixture
def secret_id(aws: Aws) -> Iterator[str]:
    aws.secrets.create_secret(Name="rotating", SecretString="first\n")
    yield "rotating"
    aws.secrets.delete_secret(SecretId="rotating", ForceDeleteWithoutRecovery=True)


def test_a_value_is_read_once_and_again_after_five_minutes(aws: Aws, secret_id: str) -> None:
    client, clock = RecordingClient("secretsmanager"), FakeClock()
    secret = CachedSecret(client, secret_id, clock)
    assert [secret.value(), secret.value()] == ["first", "first"]
    assert len(client.calls) == 1
    aws.secrets.put_secret_value(SecretId=secret_id, SecretString="second")
    clock.sleep(299)
    assert secret.value() == "first"
    clock.sleep(1)
    assert secret.value() == "second"
    assert len(client.calls) == 2


def test_a_refresh_reads_a_rotated_value_at_once(aws: Aws, secret_id: str) -> None:
    clock = FakeClock()
    secret = CachedSecret(JsonClient("secretsmanager"), secret_id, clock)
    secret.value()
    clock.sleep(60)
    assert not secret.refresh()
    aws.secrets.put_secret_value(SecretId=secret_id, SecretString="second")
    clock.sleep(60)
    assert secret.refresh()
    assert secret.value() == "second"


def test_a_flood_of_refreshes_is_one_read_a_minute(secret_id: str) -> None:
    client, clock = RecordingClient("secretsmanager"), FakeClock()
    secret = CachedSecret(client, secret_id, clock)
    secret.value()
    for _ in range(240):
        secret.refresh()
        clock.sleep(0.5)
    assert len(client.calls) == 2


@pytest.mark.usefixtures("aws")
def test_failures_count_as_reads() -> None:
    client, clock = RecordingClient("secretsmanager"), FakeClock()
    secret = CachedSecret(client, "no-such-secret", clock)
    for _ in range(10):
        with pytest.raises(ServiceUnavailable, match="no-such-secret"):
            secret.value()
    assert len(client.calls) == 1


def test_an_empty_secret_is_no_secret(aws: Aws) -> None:
    aws.secrets.create_secret(Name="empty", SecretString=" \n")
    with pytest.raises(ServiceUnavailable, match="empty"):
        CachedSecret(JsonClient("secretsmanager"), "empty", FakeClock()).value()


def test_a_secret_can_be_read_before_anybody_needs_it(secret_id: str) -> None:
    client = RecordingClient("secretsmanager")
    secret = CachedSecret(client, secret_id, FakeClock())
    secret.prefetch()
    assert secret.value() == "first"
    assert client.calls == ["GetSecretValue"]


def test_a_secret_that_could_not_be_read_beforehand_is_read_when_it_is_needed(secret_id: str) -> None:
    client = RecordingClient("secretsmanager")
    client.is_down = True
    secret = CachedSecret(client, secret_id, FakeClock())
    secret.prefetch()
    client.is_down = False
    assert secret.value() == "first"
