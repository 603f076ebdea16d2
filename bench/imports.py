"""What the functions' imports take, in interpreters of their own."""

import os
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path

from bench import report
from simulator.aws import FAKE_CREDENTIALS, REGION
from simulator.lambda_service.environment import REPOSITORY

REPEATS = 3
OWN = ("functions", "boto3", "botocore", "slack_sdk", "urllib3")

FUNCTIONS = {name: f"import functions.{name}" for name in ("receiver", "worker")}
SNIPPETS = {"the interpreter alone": "", **FUNCTIONS}
# Lambda has the standard library compiled. A package without .pyc is compiled at every cold start: its folder
# is read-only.
PACKAGES = (Path(sysconfig.get_path("purelib")), REPOSITORY / "functions")


def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        compiled, bare = Path(folder, "compiled"), Path(folder, "bare")
        for code in SNIPPETS.values():
            for cache in (compiled, bare):
                _run(code, PYTHONPYCACHEPREFIX=str(cache))
        for package in PACKAGES:
            shutil.rmtree(bare / package.relative_to("/"))
        with_bytecode = _fastest(SNIPPETS, compiled)
        without = _fastest(FUNCTIONS, bare)
    report.heading(f"Imports: processor time from process start to end, least of {REPEATS}")
    report.table(
        ("", "packages with bytecode", "without"),
        [
            (
                name,
                report.milliseconds(seconds),
                report.milliseconds(without[name]) if name in without else "",
            )
            for name, seconds in with_bytecode.items()
        ],
    )
    report.heading("Imports by package (`-X importtime`, self time)")
    shares = {name: _by_package(f"functions.{name}") for name in FUNCTIONS}
    packages = sorted(shares["worker"], key=lambda package: -shares["worker"][package])
    report.table(
        ("package", *shares),
        [
            (package, *(report.milliseconds(share[package]) for share in shares.values()))
            for package in packages
        ],
    )


def _fastest(snippets: dict[str, str], cache: Path) -> dict[str, float]:
    """CPU seconds of an interpreter for each import, from its start to its end.

    CPU time, and the least of several runs, so that other work on the machine hardly counts.
    """
    found: dict[str, list[float]] = {name: [] for name in snippets}
    for _ in range(REPEATS):
        for name, code in snippets.items():
            began = _processor_time()
            _run(code, PYTHONPYCACHEPREFIX=str(cache), PYTHONDONTWRITEBYTECODE="1")
            found[name].append(_processor_time() - began)
    return {name: min(seconds) for name, seconds in found.items()}


def _processor_time() -> float:
    """Seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(code: str, *options: str, **variables: str) -> str:
    """What an interpreter writes to stderr."""
    environ = {
        "PATH": os.environ["PATH"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **FAKE_CREDENTIALS,
        **variables,
    }
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, env=environ, check=True, capture_output=True, text=True)
    return done.stderr


def _by_package(module: str) -> dict[str, float]:
    """Seconds that the import of `module` spends in each package; the least of several runs."""
    code = f"import {module}"
    runs = [_self_times(_run(code, "-X", "importtime")) for _ in range(REPEATS)]
    return {name: min(run[name] for run in runs) for name in (*OWN, "standard library", "others")}


def _self_times(log: str) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    _, _, after_start = log.partition("| site\n")
    for microseconds, name in re.findall(
        r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", after_start, re.MULTILINE
    ):
        package = name.partition(".")[0]
        if package not in OWN:
            package = "standard library" if package in sys.stdlib_module_names else "others"
        found[package] += int(microseconds) / 1e6
    return found
