import os
import signal
import socket
import subprocess
import sys

import pytest

from simulator.lambda_service.environment import REPOSITORY

COMMAND = [sys.executable, "-m", "simulator"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=90, check=False
    )


def test_ask_prints_the_thread_and_succeeds_when_it_is_answered() -> None:
    # The placeholder stands for four seconds: long enough to be seen on a busy machine.
    done = run("--ask", "silently: what's the weather in Chicago today?", "--time-scale", "0.045")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "alice: @agent silently: what's the weather in Chicago today?" in done.stdout
    assert "Processing…" in done.stdout
    assert "\nagent:\nIn **Chicago**" in done.stdout


def test_ask_fails_and_says_so_when_it_is_not_answered() -> None:
    done = run("--ask", "fail, please", "--time-scale", "0.1")
    assert done.returncode == 1
    assert "The question was not answered" in done.stderr


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 1
    assert done.stderr == f"Port {port} is in use. Choose another one: make demo PORT=8766\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_demo_in_good_order(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--port", "0"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as demo:
        assert demo.stdout is not None
        assert demo.stdout.readline().startswith("The bridge runs at http://127.0.0.1:")
        try:
            demo.send_signal(number)
            assert demo.wait(30) == 0
        finally:
            demo.kill()
