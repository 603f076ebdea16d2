"""What a process uses: memory and processor time."""

import os
import re
import subprocess
from pathlib import Path


def resident(pid: int) -> int:
    """Resident memory now, in KiB."""
    found = _status(pid, "VmRSS")
    return found if found is not None else _ps(pid)


def peak(pid: int) -> int:
    """The most resident memory so far, in KiB; what it is now where the system does not keep that."""
    found = _status(pid, "VmHWM")
    return found if found is not None else _ps(pid)


def processor_time(pid: int) -> float | None:
    """Seconds of a processor so far; None where the system does not say it finely enough."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()  # Linux only: man 5 proc_pid_stat
    except OSError:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _status(pid: int, field: str) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()  # Linux only: man 5 proc_pid_status
    except OSError:
        return None
    match = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) if match else None


def _ps(pid: int) -> int:
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
