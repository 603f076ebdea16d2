"""What a process uses: memory and processor time. Linux only: elsewhere the figures are too coarse."""

import re
import time
from pathlib import Path


def resident(pid: int) -> int:
    """Resident memory now, in KiB."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> int:
    """The most resident memory so far, in KiB."""
    return _status(pid, "VmHWM")


def processor_time(pid: int) -> float:
    """Seconds of a processor so far, of all its threads."""
    # What clock_getcpuclockid (man 3) gives for a process, which Python has not.
    return time.clock_gettime((~pid << 3) | 2)


def _status(pid: int, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found, "man 5 proc_pid_status"
    return int(found[1])
