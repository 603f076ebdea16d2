"""`python -m simulator`: the bridge on this machine, with a page like Slack's or for one question."""

import argparse
import errno
import os
import shutil
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from functions.bridge.replies.options import Style
from simulator.ask import WAITING, TimeLimitError, ask
from simulator.http import HOST
from simulator.own_agent import OwnAgent, OwnAgentError, own_agent
from simulator.simulation import AGENTS, Simulation
from simulator.slack import seed

DEFAULT_PORT = 8765
LAST_LOG_LINES = 5
GRACE_SECONDS = 8.0  # to end in good order after a signal


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    # `make`, a shell script or a container ends us with SIGTERM: then the functions' processes must end too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        return _serve(options) if options.ask is None else _ask(options)
    except OwnAgentError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if options.ask is None else 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}\n")  # without the usage: `make demo` is called with other words


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m simulator",
        description="Runs the bridge on this machine, between stand-ins for Slack, AWS and the agent.",
    )
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="of the Slack-like page (default: %(default)s)"
    )
    parser.add_argument(
        "--ask",
        type=_question,
        metavar="TEXT",
        help="ask one question, print the thread as it changes, and end",
    )
    parser.add_argument(
        "--time-limit", type=float, default=120, metavar="SECONDS", help="of --ask (default: %(default)s)"
    )
    parser.add_argument(
        "--time-scale", type=float, default=1.0, metavar="FACTOR", help="of Slack's and the agent's waits"
    )
    parser.add_argument(
        "--agent",
        type=_agent,
        default="classic",
        help=f"who answers: {', '.join(AGENTS)} (default: %(default)s); or your own agent, by its ARN, "
        "http://HOST:PORT of an app that serves it, or path.py:handler",
    )
    parser.add_argument(
        "--style",
        choices=tuple(Style),
        default=Style.AUTO,
        help="of the replies: edits, Slack's own streams, or (auto) streams in direct messages only "
        "(default: %(default)s)",
    )
    parser.add_argument("--logs", action="store_true", help="print the functions' log lines on stderr")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; choose a number from 0 to 65535")
    return int(text)


def _agent(text: str) -> str | OwnAgent:
    if text in AGENTS:
        return text
    try:
        return own_agent(text)
    except OwnAgentError as error:
        raise argparse.ArgumentTypeError(f"{error}; or one of the demo's: {', '.join(AGENTS)}") from None


def _question(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the question is empty")
    return text


def _serve(options: argparse.Namespace) -> int:
    if reason := _refusal(options.port):
        print(f"Port {options.port} {reason}. Choose another one: make demo PORT=8766", file=sys.stderr)
        return 1
    with _simulation(options, options.port) as simulation:
        print(f"The bridge runs at {simulation.url}")
        if isinstance(options.agent, OwnAgent):
            print(f"The agent is yours: {options.agent.text}")
            print("Open it and write in #weather-demo:  @agent what can you do?")
        else:
            print("Open it and write in #weather-demo:  @agent what's the weather in Chicago today?")
        print("Ctrl-C ends it.", flush=True)
        if not _check_functions(simulation):
            return 1
        if _is_at_a_desktop():
            webbrowser.open(simulation.url)
        while True:
            # Not for ever: a signal that comes just before a wait begins is seen only when it has ended.
            time.sleep(1)


def _ask(options: argparse.Namespace) -> int:
    with _simulation(options, 0) as simulation:
        if not _check_functions(simulation):
            return 1
        width = shutil.get_terminal_size((100, 24)).columns
        try:
            outcome = ask(simulation, options.ask, time_limit=options.time_limit, width=width)
        except TimeLimitError as error:
            print(error, file=sys.stderr)
            for name in ("receiver", "worker", "dead_letters"):
                _print_log(simulation, name)
            return 1
        if outcome == "answered":
            return 0
        if outcome == WAITING:
            print(
                "The agent asks for approval: on the page of `make demo`, people can press.", file=sys.stderr
            )
            return 1
        print(f"The question was not answered; it ended as: {outcome}", file=sys.stderr)
        return 1


def _simulation(options: argparse.Namespace, port: int) -> Simulation:
    return Simulation(
        port=port,
        time_scale=options.time_scale,
        agent=options.agent,
        style=options.style,
        follow_ups=[seed.WEATHER],
        on_log=_print_log_line if options.logs else None,
    )


def _check_functions(simulation: Simulation) -> bool:
    """Whether the functions could be started; says why not."""
    broken = simulation.wait_warm()
    for name in broken:
        print(f"The function {name!r} cannot be started:", file=sys.stderr)
        _print_log(simulation, name)
    return not broken


def _print_log(simulation: Simulation, name: str) -> None:
    for line in simulation.lambdas.logs(name)[-LAST_LOG_LINES:]:
        _print_log_line(name, line)


def _print_log_line(name: str, line: str) -> None:
    print(f"{name}: {line}", file=sys.stderr)


def _is_at_a_desktop() -> bool:
    """Whether somebody sits before a screen: without one, a browser for terminals would take the terminal."""
    has_display = sys.platform == "darwin" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    return sys.stdout.isatty() and has_display


def _refusal(port: int) -> str:
    """Why the port cannot be had; "" if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return "is in use" if error.errno == errno.EADDRINUSE else f"is not for us ({error.strerror})"
    return ""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Python drops an exception that is raised in a finalizer or a callback; whoever asked us to end must
    # not wait for ever because of that. The functions' processes end when their Runtime API is gone.
    watchdog = threading.Timer(GRACE_SECONDS, os._exit, [0])
    watchdog.daemon = True
    watchdog.start()
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
