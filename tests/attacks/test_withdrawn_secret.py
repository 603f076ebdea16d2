"""A secret that the operator has taken away opens nothing any more, in warm environments too."""

import json

import pytest
from werkzeug.wrappers import Response

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.secrets import CachedSecret
from functions.bridge.errors import ServiceUnavailable
from simulator.aws import Aws
from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for
from tests.functions.fakes import FakeClock
from tests.functions.test_receiver import SECRET, Door, request


def answer(status: int, content: object) -> Response:
    return Response(json.dumps(content), status, content_type="application/x-amz-json-1.1")


def refusal(code: str, status: int = 400) -> Response:
    return answer(status, {"__type": code, "message": "no"})


def read_once(server: ScriptedServer, clock: FakeClock) -> CachedSecret:
    server.answer = answer(200, {"SecretString": "kept"})
    secret = CachedSecret(JsonClient("secretsmanager"), "a-secret", clock)
    assert secret.value() == "kept"
    return secret


def test_a_deleted_signing_secret_accepts_nothing_after_five_minutes(aws: Aws) -> None:
    door = Door(aws)
    body = json.dumps({"type": "url_verification", "challenge": "abc"})
    assert door.knock(request(body))["statusCode"] == 200
    aws.secrets.delete_secret(SecretId=door.secret_id)
    door.clock.sleep(300)
    assert door.knock(request(body, secret=SECRET, at=door.clock.now())) == {"statusCode": 500}


@pytest.mark.parametrize(
    "code",
    [
        "ResourceNotFoundException",
        "AccessDeniedException",
        "InvalidRequestException",  # it is marked for deletion
        "DecryptionFailure",
    ],
)
def test_a_secret_that_is_gone_or_not_for_us_is_dropped_at_once(code: str) -> None:
    clock = FakeClock()
    with standing_in_for("SECRETS_MANAGER") as server:
        secret = read_once(server, clock)
        server.answer = refusal(code)
        clock.sleep(60)
        assert not secret.refresh()
        with pytest.raises(ServiceUnavailable, match=f"a-secret cannot be read: {code}"):
            secret.value()


@pytest.mark.parametrize("content", [{"SecretString": " \n"}, {"SecretBinary": "AAAA"}])
def test_an_emptied_secret_is_dropped_at_once(content: dict[str, str]) -> None:
    clock = FakeClock()
    with standing_in_for("SECRETS_MANAGER") as server:
        secret = read_once(server, clock)
        server.answer = answer(200, content)
        clock.sleep(300)
        with pytest.raises(ServiceUnavailable, match="a-secret is empty"):
            secret.value()


@pytest.mark.parametrize("trouble", [refusal("InternalServiceError", 500), refusal("ThrottlingException")])
def test_a_secret_is_kept_for_fifteen_minutes_while_secrets_manager_is_in_trouble(trouble: Response) -> None:
    clock = FakeClock()
    with standing_in_for("SECRETS_MANAGER") as server:
        secret = read_once(server, clock)
        server.answer = trouble
        clock.sleep(899)
        assert secret.value() == "kept"
        clock.sleep(1)
        with pytest.raises(ServiceUnavailable, match="a-secret cannot be read"):
            secret.value()
        server.answer = answer(200, {"SecretString": "kept"})
        clock.sleep(60)
        assert secret.value() == "kept"


def test_a_secret_is_kept_for_fifteen_minutes_while_the_network_is_down() -> None:
    clock = FakeClock()
    with standing_in_for("SECRETS_MANAGER") as server:
        secret = read_once(server, clock)
    clock.sleep(899)
    assert secret.value() == "kept"
    clock.sleep(1)
    with pytest.raises(ServiceUnavailable, match="a-secret cannot be read"):
        secret.value()
