"""Figures as Markdown, so that what is printed can stand in README.md."""

import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path


def heading(text: str) -> None:
    print(f"\n## {text}\n", flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table; every column but the first is right-aligned."""
    print(f"| {' | '.join(columns)} |")
    print(f"| --- |{' ---: |' * (len(columns) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def note(text: str) -> None:
    print(f"{text}\n", flush=True)


def milliseconds(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 10 else f"{value:,.0f} ms"


def median(seconds: Sequence[float]) -> str:
    return milliseconds(statistics.median(seconds))


def p99(seconds: Sequence[float]) -> str:
    return milliseconds(statistics.quantiles(seconds, n=100, method="inclusive")[98])


def machine() -> str:
    """What the figures depend on: processors, architecture, Python, and what else was going on."""
    load = f"{os.getloadavg()[0]:.1f}"
    python = f"Python {platform.python_version()}"
    cores = f"{os.cpu_count()} cores{_clock()}"
    return f"{cores}, {platform.machine()}, {platform.system()}, {python}; load at the start: {load}"


def _clock() -> str:
    """The processor's nominal frequency, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    megahertz = [float(line.rpartition(":")[2]) for line in lines if line.startswith("cpu MHz")]
    return f" ({megahertz[0] / 1000:.1f} GHz)" if megahertz else ""
