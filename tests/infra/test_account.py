"""Before it deploys, `make deploy` asks the account whether it has room."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.wrappers import Response

from config.bridge_toml import Config, Receiver, Worker
from functions.settings import Settings
from infra.account import problems_with
from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for

ROOT = Path(__file__).parents[2]
SMALLEST = 'name = "agent-bridge"\nsample = "harness"\nregion = "us-east-1"\n'


def config(max_concurrency: int = 20, reserved_concurrency: int | None = None) -> Config:
    return Config(
        "agent-bridge",
        Settings(),
        worker=Worker(max_concurrency=max_concurrency),
        receiver=Receiver(reserved_concurrency),
    )


@pytest.mark.parametrize(("max_concurrency", "unreserved"), [(4, 10), (20, 26), (994, 1000)])
def test_answers_that_leave_six_executions_to_the_others_fit(max_concurrency: int, unreserved: int) -> None:
    assert problems_with(config(max_concurrency), 1000, unreserved) == []


def test_more_answers_than_a_new_account_can_run_are_refused_with_the_value_that_fits() -> None:
    assert problems_with(config(), 10, 10) == [
        "worker.max_concurrency is 20, and the account may run 10 functions at once, of which 6 are for the "
        "others; allowed: at most 4. Ask for more: Service Quotas, AWS Lambda, “Concurrent executions” "
        "(L-B99A9384)"
    ]


def test_executions_that_other_functions_have_reserved_are_not_available() -> None:
    [problem] = problems_with(config(), 1000, 25)
    assert "may run 25 functions at once" in problem
    assert "allowed: at most 19." in problem


def test_an_account_without_room_for_two_answers_is_told_so() -> None:
    [problem] = problems_with(config(2), 7, 7)
    assert "allowed: nothing. Ask for more" in problem


@pytest.mark.parametrize(("limit", "allowed"), [(10, "none"), (100, "none"), (104, "at most 4, or none")])
def test_a_reservation_that_lambda_would_refuse_is_refused_before(limit: int, allowed: str) -> None:
    [problem] = problems_with(config(2, reserved_concurrency=5), limit, limit)
    assert problem.startswith(f"receiver.reserved_concurrency is 5, and of the {limit} functions")
    assert f"100 cannot be reserved; allowed: {allowed}. Ask" in problem
    assert problems_with(config(2, reserved_concurrency=5), 105, 105) == []


@pytest.fixture
def lambda_service() -> Iterator[ScriptedServer]:
    with standing_in_for("LAMBDA") as server:
        yield server


def check(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    file = folder / "bridge.toml"
    file.write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "infra.account", str(file)],
        cwd=ROOT,
        env={**os.environ, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


def limits(server: ScriptedServer, executions: int) -> None:
    account = {"ConcurrentExecutions": executions, "UnreservedConcurrentExecutions": executions}
    server.answer = Response(json.dumps({"AccountLimit": account}), content_type="application/json")


def test_an_account_with_room_is_passed_in_silence(lambda_service: ScriptedServer, tmp_path: Path) -> None:
    limits(lambda_service, 26)
    done = check(tmp_path, SMALLEST)
    assert (done.returncode, done.stderr) == (0, "")
    assert lambda_service.requests == 1


def test_an_account_without_room_stops_the_deployment(lambda_service: ScriptedServer, tmp_path: Path) -> None:
    limits(lambda_service, 10)
    done = check(tmp_path, SMALLEST)
    assert done.returncode == 1
    assert done.stderr.startswith("bridge.toml: worker.max_concurrency is 20, and the account may run 10 ")


def test_who_may_not_ask_is_told_what_was_not_checked(lambda_service: ScriptedServer, tmp_path: Path) -> None:
    denied = {"x-amzn-errortype": "AccessDeniedException"}
    lambda_service.answer = Response('{"message": "not authorized"}', status=403, headers=denied)
    done = check(tmp_path, SMALLEST)
    assert done.returncode == 0
    assert done.stderr.startswith("Not checked: whether the account may run 20 answers at once")
    assert "AccessDeniedException" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_file_is_told_before_the_account_is_asked(
    lambda_service: ScriptedServer, tmp_path: Path
) -> None:
    done = check(tmp_path, SMALLEST + "[worker]\nmax_concurrency = 0")
    assert done.returncode == 1
    assert done.stderr.startswith("bridge.toml: worker.max_concurrency is 0; allowed")
    assert lambda_service.requests == 0
