import os
import pty
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

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


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--port", "abc"], "0 to 65535"),
        (["--port", "70000"], "0 to 65535"),
        (["--port", ""], "0 to 65535"),
        (["--style", "fast"], "stream"),
        (["--agent", "fast"], "runtime"),
        (["--ask", " "], "the question is empty"),
    ],
)
def test_a_wrong_option_is_one_line_of_what_is_allowed(arguments: list[str], allowed: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert arguments[0] in line
    assert allowed in line


def open_pages(tmp_path: Path, *, terminal: bool, **environment: str) -> list[str]:
    """What the demo opens in the browser, until its page answers and it is ended."""
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    browser.chmod(0o755)
    ours, theirs = pty.openpty() if terminal else os.pipe()
    plain = {name: value for name, value in os.environ.items() if not name.endswith("DISPLAY")}
    with subprocess.Popen(
        [*COMMAND, "--port", "0"],
        cwd=REPOSITORY,
        stdout=theirs,
        start_new_session=True,
        env={**plain, "BROWSER": str(browser), "PYTHONUNBUFFERED": "1", **environment},
    ) as demo:
        os.close(theirs)
        try:
            said = b""
            while b"Ctrl-C" not in said:
                said += os.read(ours, 1000)
            deadline = time.monotonic() + 60
            while not opened.exists() and time.monotonic() < deadline and terminal and environment:
                time.sleep(0.05)
            demo.send_signal(signal.SIGTERM)
            assert demo.wait(30) == 0
        finally:
            demo.kill()
            os.close(ours)
    return opened.read_text().splitlines() if opened.exists() else []


def test_a_desktop_gets_the_page_opened(tmp_path: Path) -> None:
    [url] = open_pages(tmp_path, terminal=True, DISPLAY=":0")
    assert url.startswith("http://127.0.0.1:")


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac always has a display")
def test_nothing_is_opened_without_a_display(tmp_path: Path) -> None:
    assert open_pages(tmp_path, terminal=True) == []


def test_nothing_is_opened_where_nobody_looks_at_a_terminal(tmp_path: Path) -> None:
    assert open_pages(tmp_path, terminal=False, DISPLAY=":0") == []


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
