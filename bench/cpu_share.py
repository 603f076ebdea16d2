"""Limits a process to a Lambda function's share of a processor: all of it at first, then by memory.

The limit is a cgroup where this process may make one (Linux, as root or delegated), otherwise a duty cycle:
signals stop and continue the process. The duty cycle is stricter, because a waiting process saves up nothing.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from simulator.lambda_service.environment import ExecutionEnvironment

# "At 1,769 MB, a function has the equivalent of one vCPU."
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEGABYTES_OF_ONE = 1769
# Seconds. Others have measured this and the whole processor during initialisation; AWS documents neither.
PERIOD = 0.02
# Seconds of the shortest quota that Linux takes.
SHORTEST = 0.001

V2 = Path("/sys/fs/cgroup")
V1 = Path("/sys/fs/cgroup/cpu")

Limit = Callable[[ExecutionEnvironment], None]


def share(memory: int) -> float:
    """Of one processor, for so many MB."""
    return min(1.0, memory / MEGABYTES_OF_ONE)


@contextmanager
def shares() -> Iterator[Limit]:
    """What limits an execution environment, from then on. The environments must end first."""
    groups: list[Path] = []

    def limit(environment: ExecutionEnvironment) -> None:
        part = share(environment.function.memory)
        if parent := _parent():
            groups.append(_grouped(parent, f"bench-{environment.name}", part, environment.pid))
        else:
            threading.Thread(target=_duty_cycle, args=[environment, part], daemon=True).start()

    try:
        yield limit
    finally:
        for group in groups:
            with suppress(OSError):  # a process is in it still; the next start of the machine removes it
                group.rmdir()


def how() -> str:
    """In words, for a table's head."""
    return {V2: "a quota of cgroup v2", V1: "a quota of cgroup v1", None: "SIGSTOP and SIGCONT"}[_parent()]


@cache
def _parent() -> Path | None:
    """Where a cgroup with a quota can be made; None: nowhere."""
    for parent in (V2, V1):
        group = parent / f"bench-try-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            _write(group, _quota(parent, 0.5))
        except OSError:
            continue
        finally:
            group.rmdir()
        return parent
    return None


def _grouped(parent: Path, name: str, part: float, pid: int) -> Path:
    group = parent / name
    group.mkdir()
    _write(group, {**_quota(parent, part), "cgroup.procs": str(pid)})
    return group


def _quota(parent: Path, part: float) -> dict[str, str]:
    """What to write into which file, in microseconds.

    https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/scheduler/sched-bwc.html
    """
    period, quota = (round(seconds * 1e6) for seconds in (PERIOD, max(PERIOD * part, SHORTEST)))
    if parent == V2:
        return {"cpu.max": f"{quota} {period}"}
    return {"cpu.cfs_period_us": str(period), "cpu.cfs_quota_us": str(quota)}


def _write(group: Path, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        # Not write_text: that would create a file where there is none.
        with (group / name).open("r+") as file:
            file.write(value)


def _duty_cycle(environment: ExecutionEnvironment, part: float) -> None:
    while environment.alive:
        for number, seconds in ((signal.SIGCONT, PERIOD * part), (signal.SIGSTOP, PERIOD * (1 - part))):
            with suppress(ProcessLookupError):
                os.kill(environment.pid, number)
            time.sleep(seconds)
